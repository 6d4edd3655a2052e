"""The page on sampling is executed."""

import re
from pathlib import Path

from scenarios.sampling import parse_space

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "sampling.md").read_text(encoding="utf-8")


def test_the_examples_run():
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)


def test_the_space_file_reads():
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    text = text.replace("remaps: remaps.json", "# remaps: remaps.json")
    space = parse_space(text, ROOT / "scenarios" / "catalogue" / "night.space.yaml")
    assert {"distance", "fog_density", "front.yaw", "EgoSpeedKmh"} <= set(space.names)
