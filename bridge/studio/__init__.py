"""Labelled still pictures of many concrete scenes, fast, through the genuine client.

    with Studio("RealityTown", StillCamera(), workers=2) as studio:
        for still in studio.stills(scenes):
            still.rgb, still.instances, still.object("target").pixels

The same scene gives the same bytes, whichever worker draws it and whatever was drawn before.
"""

from bridge.studio.pool import Studio
from bridge.studio.scenes import (
    Pose,
    Still,
    StillActor,
    StillCamera,
    StillObject,
    StillScene,
    StudioError,
)

__all__ = ["Pose", "Still", "StillActor", "StillCamera", "StillObject", "StillScene", "Studio", "StudioError"]
