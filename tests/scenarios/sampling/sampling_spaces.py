"""Spaces for the tests of this folder."""

from scenarios.sampling import (
    Enum,
    Integer,
    LogUniform,
    Normal,
    Periodic,
    Poisson,
    Real,
    Remap,
    Space,
    VonMises,
)

MIXED = Space(
    "mixed",
    (
        Enum("class", ("ped", "cyc", "car"), (3, 1, 6)),
        Real("distance", 4, 40, Normal(15, 10), Remap((4, 8, 16, 40), (0, 0.5, 0.8, 1.0), total=0.4)),
        Periodic("heading", 0, 360, VonMises(350, 4)),
        Integer("people", 0, 5, Poisson(2)),
        Real("stride", 1, 2, LogUniform(), condition=("class", ("ped", "car"))),
        Enum("roof", ("none", "box"), condition=("class", ("cyc", "car"))),
        Real("box height", 0, 1, condition=("roof", ("box",))),
    ),
    {"town": "ours"},
)
"""Every kind, a remap, and conditions two deep."""

PLAIN = Space("plain", (Enum("class", ("a", "b", "c")), Real("x", 0, 1), Real("y", 0, 1)))
