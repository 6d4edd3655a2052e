"""All recipes, by name."""

from __future__ import annotations

from functools import cache

from scenarios.catalogue.making import doors_and_lights, motorway, rural, town, vehicles, vulnerable
from scenarios.catalogue.making.recipes import Recipe


@cache
def all_recipes() -> dict[str, Recipe]:
    """Return the recipes in the order of the page: families as they come, then weather and light."""
    parts = (vulnerable, vehicles, doors_and_lights, motorway, town, rural)
    made = {recipe.name: recipe for part in parts for recipe in part.recipes()}
    for recipe in town.variations(made):
        made[recipe.name] = recipe
    return made
