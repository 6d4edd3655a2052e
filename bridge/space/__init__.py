"""`reality space audit`: how much each parameter changes the picture, measured by rendering it."""
