"""``python -m scenarios.catalogue``: write the catalogue's maps anew, after the composer was changed."""

from __future__ import annotations

import sys

from scenarios.catalogue import MAPS, compose


def main() -> None:
    """Write every map to its place."""
    for name, path in MAPS.items():
        path.write_text(compose(name), encoding="utf-8", newline="\n")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
