"""Put a run's results on one page: outcomes, labelled pictures, bird's-eye plots, curves. No network, no scripts."""

from __future__ import annotations

import base64
import io
import json
import math
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image

from bridge import planfile
from bridge.report.birdseye import birdseye
from bridge.report.charts import COLORS, line_chart
from bridge.results import VERDICTS, Result, Track, read_tracks
from foundation.errors import RealityError

THUMBNAIL_WIDTH_PX = 640


def write_report(run_dir: Path) -> Path:
    """Write ``report.html`` for a run directory and return its path.

    Raises:
        InputError: the directory holds no run, or a result that cannot be read.
    """
    plan = planfile.read(run_dir)
    cards = []
    for unit in plan.units:
        folder = run_dir / "scenarios" / unit.name
        if (folder / "result.json").is_file():
            cards.append(_card(folder, run_dir))
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bridge", "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    counts = {verdict: sum(c["result"].verdict == verdict for c in cards) for verdict in VERDICTS}
    timing_file = run_dir / "timing.json"
    timing = json.loads(timing_file.read_text(encoding="utf-8")) if timing_file.is_file() else {}
    html = environment.get_template("report.html.j2").render(
        run=plan,
        cards=cards,
        counts=counts,
        missing=len(plan.units) - len(cards),
        timing=timing,
        fmt=_number,
        short=_short,
    )
    path = run_dir / "report.html"
    partial = path.with_suffix(".html.partial")
    try:
        partial.write_text(html, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise RealityError(f"{path}: cannot write the report: {error.strerror}") from error
    return path


def _number(value: float | None, digits: int = 2, unit: str = "") -> str:
    return "–" if value is None else f"{value:.{digits}f}{unit}"


def _short(value: str) -> str:
    """A parameter's value to four significant digits; the files keep all of them."""
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return value


def _card(folder: Path, run_dir: Path) -> dict[str, Any]:
    result = Result.read(folder / "result.json")
    tracks_file = folder / "trajectories.csv"
    tracks = read_tracks(tracks_file) if tracks_file.is_file() else {}
    key_s = next(
        (t for t in (_first_collision_s(result), result.min_ttc_time_s, result.min_distance_time_s) if t is not None),
        None,
    )
    key_label = "collision" if result.collisions else "closest"
    moving = _moving(tracks, result)
    names = list(moving)
    colors = {name: COLORS[i % len(COLORS)] for i, name in enumerate(names)}
    return {
        "result": result,
        "folder": folder.relative_to(run_dir).as_posix(),
        "images": [_image(folder / preview["file"], preview) for preview in result.previews],
        "legend": list(colors.items()),
        "birdseye": birdseye(result, tracks, names, key_s, base=folder),
        "speed": line_chart(
            "Speed",
            {n: (t.time, [v * 3.6 for v in t.speed]) for n, t in moving.items()},
            unit="km/h",
            mark_s=key_s,
            mark_label=key_label,
            colors=colors,
        ),
        "distance": line_chart(
            f"Distance from {result.ego}, centre to centre",
            {n: _distance(tracks[result.ego], t) for n, t in moving.items() if n != result.ego},
            unit="m",
            mark_s=key_s,
            mark_label=key_label,
            colors=colors,
        )
        if result.ego in tracks
        else "",
        "clips": sorted(p.relative_to(folder).as_posix() for p in folder.glob("*.mp4")),
    }


def _first_collision_s(result: Result) -> float | None:
    return min((c["time_s"] for c in result.collisions), default=None)


def _moving(tracks: dict[str, Track], result: Result) -> dict[str, Track]:
    """The ego first, then everything that moved at least a metre; parked cars need no curve."""
    order = sorted(tracks, key=lambda name: name != result.ego)
    return {
        name: tracks[name]
        for name in order
        if name == result.ego
        or math.hypot(max(tracks[name].x) - min(tracks[name].x), max(tracks[name].y) - min(tracks[name].y)) > 1.0
    }


def _distance(ego: Track, other: Track) -> tuple[list[float], list[float]]:
    """Distance between two entities at the times that both have; entities may appear late or vanish early."""
    at = {round(t, 4): (x, y) for t, x, y in zip(ego.time, ego.x, ego.y, strict=True)}
    times, values = [], []
    for t, x, y in zip(other.time, other.x, other.y, strict=True):
        if (here := at.get(round(t, 4))) is not None:
            times.append(t)
            values.append(math.hypot(x - here[0], y - here[1]))
    return times, values


def _image(path: Path, preview: dict[str, Any]) -> dict[str, Any]:
    with Image.open(path) as image:
        rgb = image.convert("RGB")
        if rgb.width > THUMBNAIL_WIDTH_PX:
            rgb = rgb.resize((THUMBNAIL_WIDTH_PX, round(rgb.height * THUMBNAIL_WIDTH_PX / rgb.width)))
        buffer = io.BytesIO()
        rgb.save(buffer, "JPEG", quality=86)
    data = base64.b64encode(buffer.getvalue()).decode()
    return {"src": f"data:image/jpeg;base64,{data}", "caption": preview["caption"], "width": rgb.width}
