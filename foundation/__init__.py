"""The leaf below everything: frames, seeds, errors and ids. It never grows into a "utils"."""
