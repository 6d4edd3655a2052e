"""Road networks and storyboards: OpenDRIVE, OpenSCENARIO, the composer and the catalogue."""
