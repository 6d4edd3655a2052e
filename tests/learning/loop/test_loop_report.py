import json
import re

import numpy as np
import pytest
from shapes_task import CLASSES, Shapes

from learning.loop import charts, config, maps
from learning.loop.improve import Loop
from learning.loop.records import read_rows

CONFIG = config.parse(
    """
task: shapes_task:Shapes
rounds: 2
samples: {first: 60, each: 40, validation: 60}
sampler: {confusion: 1, importance: 1, paired: 1}
network: {input_px: [32, 24], width: 4}
training: {steps: 12, batch: 16, augmentation: {shift_px: 1}}
evaluation: {samples: 200, seed: 5}
"""
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "run"
    outcome = Loop(CONFIG, Shapes(), out).run()
    return out, outcome, outcome.report.read_text(encoding="utf-8")


def test_the_page_is_one_file_and_shows_the_numbers_of_the_files(page):
    out, outcome, html = page
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    last = outcome.rounds[-1]
    for sentence in [*last["test"]["weak_classes"], *(r["words"] for r in last["test"]["weak_regions"])]:
        assert sentence.replace("<", "&lt;").replace("'", "&#39;") in html
    # Every cell of the last confusion matrix, in its order.
    matrix = json.loads((out / "round_01" / "metrics.json").read_text())["test"]["matrix"]
    section = html[html.index('id="round-1"') :]
    table = section[section.index("<table") : section.index("</table>")]
    cells = [int(n) for n in re.findall(r"<td[^>]*>(\d+)</td>", table)]
    assert cells == [n for row in matrix for n in row]
    assert "What was sampled next, and why" in html
    assert "Twins" in html
    assert "What the network looks at" in html


def test_the_worst_mistakes_are_mistakes_with_their_parameters(page):
    out, _, html = page
    rows = [r for r in read_rows(out / "round_01" / "test.csv") if r["predicted"] and r["predicted"] != r["label"]]
    worst = max(rows, key=lambda row: float(row["loss"]))
    shown = html[html.index("The worst mistakes") :]
    first = re.search(r"<b>(\w+)</b>, taken for <span class=\"wrong\">(\w+)</span>.*?radius ([\d.]+)", shown, re.S)
    assert first.groups()[:2] == (worst["label"], worst["predicted"])
    assert float(first.group(3)) == pytest.approx(float(worst["radius"]), rel=0.01)


def test_a_map_says_the_error_of_its_cells():
    wrong, count = np.array([[1.0, 0.0], [3.0, 4.0]]), np.array([[4.0, 5.0], [4.0, 4.0]])
    svg = charts.error_map(("a", "b, m"), (["x", "y"], [0.0, 1.0, 2.0]), wrong, count)
    assert re.findall(r">(\d+)</text>", svg)[:4] == ["25", "0", "75", "100"]
    assert re.findall(r"<title>([^<]*)</title>", svg) == ["25 % of 4", "0 % of 5", "75 % of 4", "100 % of 4"]


def test_maps_begin_with_the_pair_that_explains_the_errors():
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(600):
        radius, contrast = rng.uniform(2, 9), rng.uniform(10, 120)
        label = CLASSES[rng.integers(4)]
        wrong = radius < 4 and contrast < 50
        rows.append(
            {"radius": f"{radius}", "contrast": f"{contrast}", "angle": f"{rng.uniform(0, 360)}", "shape": label}
            | {"x": f"{rng.uniform(9, 23)}", "y": f"{rng.uniform(9, 15)}", "label": label}
            | {"predicted": "ring" if wrong and label != "ring" else "disc" if wrong else label}
        )
    found = maps.error_maps(rows, [], Shapes(), most=1)
    assert {*found[0][0].split(" and ")} == {"radius", "contrast"}


def test_colours_of_errors_get_darker():
    light = [sum(int(charts.color(share)[i : i + 2], 16) for i in (1, 3, 5)) for share in np.linspace(0, 1, 11)]
    assert light == sorted(light, reverse=True)
