"""``python -m scenarios.catalogue``: write the catalogue anew, after the composer or a recipe was changed.

Maps, scenarios, distributions, the index, and (unless ``--no-pictures``) docs/catalogue.md with its pictures.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from scenarios.catalogue import FOLDER, INDEX

_DOCS = FOLDER.parents[1] / "docs"


def main(arguments: list[str]) -> None:
    """Write everything to its place."""
    from scenarios.catalogue.making import page
    from scenarios.catalogue.making.catalogue import all_recipes
    from scenarios.catalogue.making.maps import COMPOSERS, map_text
    from scenarios.catalogue.making.writing import distribution_text, scenario_text

    for name in COMPOSERS:
        _write(FOLDER / "maps" / f"{name}.xodr", map_text(name))
    for name, recipe in all_recipes().items():
        _write(FOLDER / f"{name}.xosc", scenario_text(recipe))
        _write(FOLDER / f"{name}_distribution.xosc", distribution_text(recipe))
    _write(INDEX, json.dumps(page.index(), indent=1) + "\n")
    if "--no-pictures" not in arguments:
        from scenarios.catalogue.diagrams import draw_scenario

        pictures = _DOCS / "pictures" / "catalogue"
        pictures.mkdir(parents=True, exist_ok=True)
        for item in page.index():
            draw_scenario(FOLDER / f"{item['name']}.xosc", pictures / f"{item['name']}.png")
    _write(_DOCS / "catalogue.md", page.text())
    sys.stdout.write(f"{len(page.index())} scenarios, {len(COMPOSERS)} maps in {FOLDER}\n")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
