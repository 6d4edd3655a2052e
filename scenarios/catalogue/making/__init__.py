"""How the catalogue's scenario files are written: recipes in Python, plain OpenSCENARIO 1.3 out.

``python -m scenarios.catalogue`` writes maps, scenarios, distributions, diagrams and the page of the catalogue anew.
"""
