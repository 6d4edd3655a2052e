"""The 52 walkers: children, adults and police, with sizes, ages and the speeds scripts read."""

from __future__ import annotations

from engine.blueprints.specs import WalkerSpec

COUNT = 52
SMALL_CHILDREN = frozenset((9, 10, 11, 48, 49))
CHILDREN = frozenset((12, 13, 14))
POLICE = frozenset((30, 32))
SECOND_GENERATION = frozenset(range(15, 53))

# m = male, f = female, walker 0001 first.
GENDERS = "fmmfmfmffmfmfmmmfmfmfffmmmfmfmfmmffmfmmffmmfmfmffmfm"


def _spec(number: int) -> WalkerSpec:
    gender = "female" if GENDERS[number - 1] == "f" else "male"
    if number in SMALL_CHILDREN:
        age, height, radius, mass = "child", 1.10, 0.25, 19.0
        walk, run = 1.10, 2.30
    elif number in CHILDREN:
        age, height, radius, mass = "child", 1.30, 0.188, 28.0
        walk, run = 1.20, 2.80
    else:
        age, height, radius = "adult", 1.86, 0.188
        mass = 66.0 if gender == "female" else 78.0
        # People differ: spread around Weidmann's 1.34 m/s, the same for a walker for ever.
        walk = 1.34 + ((number * 7) % 11 - 5) * 0.035
        run = 2.0 * walk
    return WalkerSpec(
        id=f"walker.pedestrian.{number:04d}",
        height=height,
        radius=radius,
        age=age,
        gender=gender,
        generation=2 if number in SECOND_GENERATION else 1,
        speeds=(0.0, round(walk, 2), round(run, 2)),
        mass=mass,
        police=number in POLICE,
    )


WALKERS: dict[str, WalkerSpec] = {spec.id: spec for spec in map(_spec, range(1, COUNT + 1))}
"""Walker specs by blueprint id."""
