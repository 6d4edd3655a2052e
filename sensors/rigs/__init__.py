"""The rigs that come with the package; ``sensors.rig.load("default")`` finds them by name."""
