"""``section``: the findings as a part of an HTML report, in words, with the pictures inside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from learning.inspection.findings import Findings, Layer, Picture, Reliance, Remote
from learning.inspection.kernels import WHITE_NOISE
from learning.inspection.pictures import bond, telling
from learning.inspection.rule import CONTEXT_LIMIT

DEAD_LIMIT = 0.1
"""Above this share of dead channels in a layer, training is the problem and not the data."""


def section(findings: Findings, folder: str | Path | None = None) -> str:
    """Return an HTML fragment (a <section>) that says what was found; everything it shows is inside it.

    Args:
        findings: of one network.
        folder: findings.json and the pictures are also kept there, when given.
    """
    if folder is not None:
        findings.save(folder)
    parts = [
        '<section class="inspection">',
        "<h2>What the network looks at</h2>",
        f"<p>The trained network was shown {findings.samples} pictures that it was not trained on.</p>",
        _reliance(findings),
        _layers(findings.layers),
        _kernels(findings),
        _units(findings),
        _remote(findings.remote),
        "</section>",
    ]
    return "\n".join(part for part in parts if part)


def data_uri(picture: Picture) -> str:
    """Return a picture as a PNG inside a data URI."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(stream, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _figure(findings: Findings, name: str, caption: str) -> str:
    if name not in findings.pictures:
        return ""
    picture = findings.pictures[name]
    return (
        f'<figure><img src="{data_uri(picture)}" width="{picture.shape[1]}" alt="{escape(name)}" '
        f'style="max-width:100%;height:auto;image-rendering:pixelated"><figcaption>{caption}</figcaption></figure>'
    )


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.0f} %"


def _rows(rows: Sequence[Sequence[str]]) -> str:
    return "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)


# -- where the evidence is -----------------------------------------------------------------------------------------


def judgement(one: Reliance) -> str:
    """Return one sentence on whether a class is recognised by the object or by its surroundings."""
    inside = one.inside
    area = one.occlusion_area if one.occlusion_inside is not None else one.gradcam_area
    if inside is None:
        return f"Nothing in the pictures speaks for {one.label}: it is recognised by the absence of everything else."
    if inside >= CONTEXT_LIMIT:
        return f"{one.label} is recognised by the object itself."
    if inside <= 1.5 * area:
        return f"{one.label} is recognised by its surroundings: the evidence is spread as if the object were not there."
    return f"{one.label} is recognised by its surroundings more than by the object."


def _reliance(findings: Findings) -> str:
    if not findings.reliance:
        return "<h3>Evidence</h3><p>No sample has a mask of its object: where the evidence should lie is not known.</p>"
    rows = [
        (
            escape(one.label),
            f"{_percent(one.occlusion_inside)} <small>(area {_percent(one.occlusion_area)})</small>",
            _percent(one.occlusion_hits if one.occluded else None),
            f"{_percent(one.gradcam_inside)} <small>(area {_percent(one.gradcam_area)})</small>",
            _percent(one.gradcam_hits),
            escape(judgement(one)),
        )
        for one in findings.reliance
    ]
    return (
        "<h3>Does it look at the object?</h3>"
        "<p>A square is painted over every part of the picture in turn: where the class's probability falls, there "
        "was the evidence (occlusion). Grad-CAM asks the last convolution the same. A network that looks anywhere "
        "scores the area that the object covers, in brackets; one that looks at nothing but the object scores near "
        "100 %.</p>"
        "<table><thead><tr><th>class</th><th>evidence on the object</th><th>strongest spot on it</th>"
        "<th>Grad-CAM on the object</th><th>strongest spot on it</th><th>in words</th></tr></thead>"
        f"<tbody>{_rows(rows)}</tbody></table>"
        + _figure(
            findings,
            "attribution",
            "Left: the picture, the object outlined. Middle: Grad-CAM for the true class. Right: where painting over "
            "lowers the class's probability. Bright means much.",
        )
    )


# -- filters -------------------------------------------------------------------------------------------------------


def _layers(layers: Sequence[Layer]) -> str:
    rows = []
    for one in layers:
        least, median, most = (float(share) for share in np.quantile(one.frequency, (0.0, 0.5, 1.0)))
        verdict = (
            "fine" if one.dead_share <= DEAD_LIMIT else "too many: lower the learning rate; other data will not help"
        )
        rows.append(
            (
                escape(one.name),
                str(one.channels),
                f"{len(one.dead)} ({_percent(one.dead_share)})",
                f"{_percent(median)} <small>({_percent(least)} to {_percent(most)})</small>",
                verdict,
            )
        )
    return (
        "<h3>Do its filters work?</h3><p>A dead filter gave zero everywhere in every picture: it costs time and knows "
        "nothing.</p><table><thead><tr><th>layer</th><th>filters</th><th>dead</th><th>fires at (median, range)</th>"
        f"<th>in words</th></tr></thead><tbody>{_rows(rows)}</tbody></table>"
    )


def _kernels(findings: Findings) -> str:
    ratios = np.array([ratio for ratio in findings.kernel_ratios if ratio is not None])
    if not len(ratios):
        return ""
    mean = float(ratios.mean())
    smooth = (
        "they are smoother than noise"
        if mean < 0.9 * WHITE_NOISE
        else "they look like noise: more varied data or decay may help"
    )
    return (
        "<h3>The first filters</h3>"
        f"<p>{_percent(mean)} of their energy lies at high frequencies; random weights have {_percent(WHITE_NOISE)}: "
        f"{smooth}.</p>"
        + _figure(findings, "kernels", "The first layer's kernels. Grey is zero; colours are what the kernel weighs.")
    )


def _units(findings: Findings) -> str:
    if not findings.units:
        return ""
    bound = [unit for unit in findings.units if unit.follows]
    items = "".join(f"<li>Filter {unit.channel} {escape(bond(unit))}.</li>" for unit in telling(bound, 6))
    return (
        "<h3>What excites its last filters</h3>"
        f"<p>{len(bound)} of {len(findings.units)} living filters of the last layer follow a parameter of the pictures "
        "more than chance allows (the share of what the filter does that the parameter explains):</p>"
        f"<ul>{items}</ul>" + _figure(findings, "units", "The pictures that excite a filter most, and where in them.")
    )


def _remote(remote: Sequence[Remote], count: int = 8) -> str:
    if not remote:
        return ""
    lonely = [one for one in remote if one.foreign > 0.5]
    rows = []
    for one in remote[:count]:
        values = ", ".join(
            f"{escape(name)} {value:.3g}" if isinstance(value, float) else f"{escape(name)} {escape(str(value))}"
            for name, value in one.values.items()
        )
        rows.append((escape(one.label), _percent(one.foreign), f"{one.distance:.1f}", f"<small>{values}</small>"))
    return (
        "<h3>What it has not seen</h3>"
        f"<p>{len(lonely)} of {len(remote)} pictures have, in the network's own description, mostly training pictures "
        "of other classes around them. The inspection sampler makes new pictures near these. The most remote:</p>"
        "<table><thead><tr><th>class</th><th>neighbours of other classes</th><th>distance to its own</th>"
        f"<th>parameters</th></tr></thead><tbody>{_rows(rows)}</tbody></table>"
    )
