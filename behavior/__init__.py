"""Pedestrians and cyclists with minds: BDI above, behaviour trees below."""
