from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

from foundation.errors import InputError, RealityError
from learning.inspection import Effort, Findings, inspect, section
from learning.inspection.reporting import judgement
from tests.learning.inspection.inspection_networks import CLASSES, Corner, PlainTrial, plain_input, spot_samples

SIZE = 32
OBJECT = (slice(0, 8), slice(0, 8))
ELSEWHERE = (slice(20, 28), slice(20, 28))
EFFORT = Effort(window=0.13, shuffles=40)


def _inspect(looks_at: tuple[slice, slice], **more):
    rows, columns = (slice(s.start // 4, s.stop // 4) for s in looks_at)
    samples = spot_samples(80, SIZE, OBJECT)
    if looks_at == ELSEWHERE:  # what a biased data set teaches: the background betrays the class
        for sample in samples:
            sample.image[ELSEWHERE] = 230 if sample.label == "lit" else 10
    return inspect(Corner(SIZE, 4, rows, columns), samples, CLASSES, as_inputs=plain_input, effort=EFFORT, **more)


def test_a_network_that_looks_at_the_object_is_said_to():
    findings = _inspect(OBJECT)
    lit = next(one for one in findings.reliance if one.label == "lit")
    assert lit.occlusion_inside == pytest.approx(1.0, abs=0.02)
    assert lit.occlusion_hits == 1.0
    assert "by the object itself" in judgement(lit)


def test_a_network_that_looks_elsewhere_is_found_out():
    findings = _inspect(ELSEWHERE)
    lit = next(one for one in findings.reliance if one.label == "lit")
    assert lit.occlusion_inside == pytest.approx(0.0, abs=0.02)
    assert lit.occlusion_hits == 0.0
    assert "as if the object were not there" in judgement(lit)


def test_units_name_what_they_follow_and_what_excites_them():
    findings = _inspect(OBJECT)
    (unit,) = findings.units
    assert unit.follows[0] == "lit"
    assert "gain" not in unit.follows
    assert {int(name[1:]) % 2 for name in unit.top} == {0}  # lit ones
    assert findings.layers[0].dead == ()


def test_remote_samples_are_those_with_foreign_neighbours():
    samples = spot_samples(40, SIZE, OBJECT)
    odd = replace(samples[0], trial=PlainTrial("odd", {"gain": 0.5}), label="unlit")  # looks like the other class
    network = Corner(SIZE, 4, slice(0, 2), slice(0, 2))
    findings = inspect(
        network, [*samples[20:], odd], CLASSES, training=samples[:20], as_inputs=plain_input, effort=EFFORT
    )
    assert findings.remote[0].sample == "odd"
    assert findings.remote[0].foreign == 1.0
    assert findings.remote[0].distance > 3.0
    assert all(one.foreign == 0.0 for one in findings.remote[1:])


def test_findings_survive_a_folder(tmp_path):
    findings = _inspect(OBJECT, training=spot_samples(10, SIZE, OBJECT, seed=5))
    findings.save(tmp_path)
    again = Findings.load(tmp_path)
    assert json.dumps(again.to_dict()) == json.dumps(findings.to_dict())
    for name, picture in findings.pictures.items():
        np.testing.assert_array_equal(again.pictures[name], picture)


def test_the_same_arguments_give_the_same_findings():
    first, second = _inspect(OBJECT, seed=4), _inspect(OBJECT, seed=4)
    assert first.to_dict() == second.to_dict()
    assert section(first) == section(second)


def test_broken_findings_are_one_clear_error(tmp_path):
    with pytest.raises(InputError, match=r"findings\.json"):
        Findings.load(tmp_path)
    (tmp_path / "findings.json").write_text('{"format": 99}')
    with pytest.raises(InputError, match=r"format 99.*inspect the network again"):
        Findings.load(tmp_path)
    (tmp_path / "findings.json").write_text("[")
    with pytest.raises(InputError, match="not the findings"):
        Findings.load(tmp_path)


def test_samples_that_cannot_be_used():
    samples = spot_samples(4, SIZE, OBJECT)
    network = Corner(SIZE, 4, slice(0, 2), slice(0, 2))
    with pytest.raises(RealityError, match="no valid samples"):
        inspect(network, [replace(s, valid=False) for s in samples], CLASSES, as_inputs=plain_input)
    with pytest.raises(RealityError, match="'cat'"):
        inspect(network, [replace(samples[0], label="cat")], CLASSES, as_inputs=plain_input)
    mixed = [replace(samples[0], valid=False), *samples[1:]]
    assert inspect(network, mixed, CLASSES, as_inputs=plain_input, effort=EFFORT).samples == 3


def test_pictures_larger_than_the_network_takes_are_averaged_down():
    large = spot_samples(12, 2 * SIZE, (slice(0, 16), slice(0, 16)))
    network = Corner(SIZE, 4, slice(0, 2), slice(0, 2))
    findings = inspect(network, large, CLASSES, input_px=(SIZE, SIZE), as_inputs=plain_input, effort=EFFORT)
    assert next(one for one in findings.reliance if one.label == "lit").occlusion_inside > 0.95


class _Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("img", "br", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_section_is_whole_html_with_its_pictures_inside(tmp_path):
    findings = _inspect(OBJECT, training=spot_samples(10, SIZE, OBJECT, seed=5))
    html = section(findings, tmp_path)
    parser = _Balance()
    parser.feed(html)
    assert parser.open == []
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    assert len(pictures) == 3
    assert "src=" not in re.sub(r'src="data:[^"]+"', "", html)
    for text in pictures:
        assert Image.open(io.BytesIO(base64.b64decode(text))).size[0] > 0
    assert Findings.load(tmp_path).samples == findings.samples
    assert "lit is recognised by the object itself" in html


def test_names_from_outside_are_escaped():
    samples = [replace(s, label="<b>" if s.label == "lit" else "x&y") for s in spot_samples(20, SIZE, OBJECT)]
    network = Corner(SIZE, 4, slice(0, 2), slice(0, 2))
    findings = inspect(network, samples, ("<b>", "x&y"), training=samples, as_inputs=plain_input, effort=EFFORT)
    html = section(findings)
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


def test_a_domain_without_masks_is_inspected_too():
    samples = [replace(s, mask=None) for s in spot_samples(20, SIZE, OBJECT)]
    network = Corner(SIZE, 4, slice(0, 2), slice(0, 2))
    findings = inspect(network, samples, CLASSES, as_inputs=plain_input, effort=EFFORT)
    assert findings.reliance == ()
    assert "No sample has a mask" in section(findings)


def test_the_network_is_left_as_it_was():
    network = Corner(SIZE, 4, slice(0, 2), slice(0, 2)).train()
    before = [parameter.clone() for parameter in network.parameters()]
    inspect(network, spot_samples(10, SIZE, OBJECT), CLASSES, as_inputs=plain_input, effort=EFFORT)
    assert network.training
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters()))
