"""Sessions, simulators, catalogue runs and the command line: what ties the parts together."""
