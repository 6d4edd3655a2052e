"""All recipes, by name."""

from __future__ import annotations

from functools import cache

from scenarios.catalogue.making import motorway, town, vehicles, vulnerable
from scenarios.catalogue.making.recipes import Recipe


@cache
def all_recipes() -> dict[str, Recipe]:
    """Return the recipes in the order of the page: families as they come, then weather and light."""
    made = {recipe.name: recipe for part in (vulnerable, vehicles, motorway, town) for recipe in part.recipes()}
    for recipe in town.variations(made):
        made[recipe.name] = recipe
    return made
