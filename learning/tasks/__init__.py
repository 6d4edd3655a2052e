"""Tasks for the loop that ship with the project; a config names them by their module."""
