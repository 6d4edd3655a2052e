"""Navigation meshes for the walkers that CARLA's client leads: which ground they may walk on, as a Detour file."""

from engine.navigation.building import NavigationFile, navigation_mesh
from engine.navigation.detour import Area, NavigationError, NavMesh

__all__ = ["Area", "NavMesh", "NavigationError", "NavigationFile", "navigation_mesh"]
