"""The catalogue's index and its page, docs/catalogue.md."""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.catalogue.making.catalogue import all_recipes
from scenarios.catalogue.making.common import meeting_values
from scenarios.catalogue.making.maps import COMPOSERS
from scenarios.catalogue.making.recipes import Parameter, Recipe
from scenarios.catalogue.making.writing import light_parameters

AGENTS = "with behaviour agents"
_BY_HAND = {
    "adult_jaywalks_night": ("An adult crosses at night in front of a bus", "RealityTown"),
    "child_runs_out": ("A child runs out between parked vehicles", "RealityStreet"),
    "motorway_cut_in_rain": ("A car cuts in on a motorway in the rain", "RealityMotorway"),
}
_HEAD = """# The catalogue of scenarios

Logical scenarios in plain OpenSCENARIO 1.3, each with a parameter value distribution beside it, on maps of our own.
This page, its pictures and the files are written by `python -m scenarios.catalogue`; tests compare.

    reality scenario list                                        by families
    reality scenario show cpna                                   parameters, limits, distributions
    reality scenario trace cpna --out cpna.csv                   by the executor alone, default controllers
    reality scenario draw cpna --out cpna.png                    the picture below, from the file itself
    reality run cpna --samples 20 --out out/cpna                 samples in the simulator

A picture shows the nominal scenario without any reaction of the ego: everybody's way from the start (outline) to the
moment they meet (filled, star). Where the ego drives straight on it is driven by the controller `ego_aeb` (emergency
brake below `BrakeTtc`); where it turns or backs it follows its way and reacts only when `reality run --ego` puts
somebody at the wheel. Speeds are named in km/h; `_` begins the names of derived parameters. Criteria of all: nothing
is touched (`criteria_CollisionTest`), and the time to collision stays above a bound
(`criteria_MinimumTimeToCollisionTest`). A scenario ends 1.5 s after a hit, at the latest at the time given.

Layouts follow the protocols named as sources: who moves where, at which nominal speeds. Ranges are wider than a
protocol's steps. They are laboratory layouts on our own streets and no substitute for a protocol's own test
conditions (targets, tolerances, lighting). Accident types are those of the German catalogue; the
first digit (the kind of conflict) was compared with its published definitions, the further ones are from memory.
"""


def index() -> list[dict[str, str]]:
    """Return name, family, title and map of every scenario, in the order of the page."""
    found = [
        {"name": name, "family": AGENTS, "title": title, "map": map_name}
        for name, (title, map_name) in _BY_HAND.items()
    ]
    for name, recipe in all_recipes().items():
        found.append({"name": name, "family": recipe.family, "title": recipe.title, "map": recipe.map_name})
    order = list(dict.fromkeys(item["family"] for item in found))
    return sorted(found, key=lambda item: order.index(item["family"]))


def text() -> str:
    """Return the page."""
    parts = [_HEAD, "## Maps\n", *(f"- `{name}`" for name in COMPOSERS), ""]
    parts += [
        "## Weather and light\n",
        "Every scenario below has these parameters; where a scenario is about light they are fixed, else they vary.\n",
        *_table(light_parameters(next(iter(all_recipes().values())).light), limits=True),
        "",
    ]
    family = ""
    for item in index():
        if item["family"] != family:
            family = item["family"]
            parts.append(f"## {family[0].upper()}{family[1:]}\n")
            if family == AGENTS:
                parts.append(
                    "Their parameters are described in [the folder's README](../scenarios/catalogue/README.md).\n"
                )
        parts.append(f"### `{item['name']}`: {item['title']}\n")
        parts.append(f"![{item['title']}](pictures/catalogue/{item['name']}.png)\n")
        if (recipe := all_recipes().get(item["name"])) is not None:
            parts += _described(recipe)
    return "\n".join(parts).rstrip() + "\n"


def _described(recipe: Recipe) -> list[str]:
    meeting = meeting_values(recipe)
    point = (
        f"At the defaults the unbraked ego meets `{recipe.meeting.actor}` after {meeting['time_s']:.1f} s at "
        f"({meeting['x']:.1f}, {meeting['y']:.1f}) m."
    )
    if not any(p.name == "BrakeTtc" for p in recipe.parameters):
        point += " Nothing brakes it: without `--ego` this fails by design."
    if recipe.remedy:
        point += f" {recipe.remedy}"
    return [
        f"{recipe.text} {point}\n",
        f"Map `{recipe.map_name}`. Source: {recipe.source}. Criteria: no collision, time to collision at least "
        f"{recipe.least_ttc_s:g} s. Ends after {recipe.stop_s:g} s.\n",
        *_table(recipe.parameters, limits=True),
        "",
    ]


def _table(parameters: Sequence[Parameter], limits: bool) -> list[str]:
    rows = ["| parameter | default | limits | samples | meaning |", "|---|---|---|---|---|"]
    for p in parameters:
        default = f"{p.value:g}" if not isinstance(p.value, str) else p.value
        bounds = "" if p.low is None else f"{p.low:g} .. {p.high:g}"
        meaning = f"{p.meaning}{', ' + p.unit if p.unit else ''}"
        rows.append(f"| `{p.name}` | {default} | {bounds} | {_drawn(p)} | {meaning} |")
    return rows


def _drawn(p: Parameter) -> str:
    if isinstance(p.draw, float):
        return f"normal, sd {p.draw:g}"
    if isinstance(p.draw, str):
        return p.draw
    return ", ".join(f"{text} ({weight:g})" for text, weight in p.draw)
