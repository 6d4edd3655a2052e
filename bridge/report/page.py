"""Put a run's results on one page: a table to filter and sort, and for each unit pictures, film, map, curves, timeline.

The page needs no network; its script only filters and sorts, so that everything is there without it too.
"""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image

from bridge import planfile
from bridge.report.birdseye import birdseye
from bridge.report.charts import COLORS, line_chart
from bridge.report.timeline import read_rows, timeline
from bridge.results import VERDICTS, Result, Track, read_tracks
from foundation.errors import RealityError
from scenarios.evaluation import read_series
from scenarios.safety import TTC_THRESHOLD_S

THUMBNAIL_WIDTH_PX = 640
LARGEST_TTC_S = 8.0
"""Curves of the time to collision end here: what is farther away is no conflict."""
OPEN_CARDS = 4
"""With more units than this the cards are folded; the table opens them."""

FIGURES = (
    ("min_ttc_s", "Least time to collision", "s", 2),
    ("min_headway_s", "Least headway", "s", 2),
    ("min_distance_m", "Least distance", "m", 2),
    ("pet_s", "Post-encroachment time", "s", 2),
    ("max_drac_mps2", "Braking needed (DRAC)", "m/s²", 1),
    ("tet_s", f"Time below {TTC_THRESHOLD_S:g} s TTC", "s", 2),
    ("rss_danger_s", "Time in danger by RSS", "s", 2),
    ("rss_min_margin_m", "Least RSS margin", "m", 1),
    ("impact_speed_kmh", "Impact speed", "km/h", 1),
    ("impact_face", "Hit at its", "", 0),
    ("risk_of_death", "Pedestrian's risk of death", "%", 1),
    ("ncap_points", "Points of the test", "", 2),
    ("initial_speed_kmh", "Speed at the start", "km/h", 1),
    ("max_speed_kmh", "Top speed", "km/h", 1),
    ("max_speeding_kmh", "Above the limit by", "km/h", 1),
    ("max_deceleration_mps2", "Hardest braking", "m/s²", 1),
    ("max_jerk_mps3", "Largest jerk", "m/s³", 1),
    ("max_lateral_acceleration_mps2", "Sideways acceleration", "m/s²", 1),
    ("max_lane_offset_m", "Off the lane's middle by", "m", 2),
    ("lane_departures", "Left its lane", "times", 0),
    ("lane_changes", "Lane changes", "", 0),
    ("red_lights_run", "Red lights run", "", 0),
)


def write_report(run_dir: Path) -> Path:
    """Write ``report.html`` for a run directory and return its path.

    Raises:
        RealityError: the directory holds no run, a result cannot be read, or the page cannot be written.
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
    results = [card["result"] for card in cards]
    html = environment.get_template("report.html.j2").render(
        run=plan,
        cards=cards,
        counts=counts,
        missing=len(plan.units) - len(cards),
        timing=timing,
        unfold=len(cards) <= OPEN_CARDS,
        labels=sorted({r.unit.label or r.unit.name for r in results}),
        rigs=sorted({r.unit.rig for r in results}),
        seeds=sorted({r.unit.base_seed for r in results}),
        ranges=_ranges(results),
        points=any("ncap_points" in r.metrics for r in results),
        script=(Path(__file__).parent.parent / "templates" / "report.js").read_text(encoding="utf-8"),
        fmt=_number,
        short=_short,
        brief=_brief,
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


def _brief(reasons: Sequence[str]) -> str:
    """Return reasons without what was demanded: the card has it."""
    return "; ".join(reason.partition(" (demanded: ")[0] for reason in reasons)


def _values(result: Result) -> dict[str, float]:
    """Return the numbers a unit can be filtered by: its parameters, then its metrics."""
    found: dict[str, float] = {}
    for name, text in sorted(result.unit.parameters.items()):
        try:
            value = float(text)
        except ValueError:
            continue
        if math.isfinite(value):
            found[f"p.{name}"] = value
    for name, metric in sorted(result.metrics.items()):
        if isinstance(metric, int | float):
            found[name] = metric
    return {name: round(value, 6) for name, value in found.items()}


def _ranges(results: Sequence[Result]) -> dict[str, tuple[float, float]]:
    """Return the limits of each number that is not the same for all: what one can filter by."""
    spans: dict[str, list[float]] = {}
    for result in results:
        for name, value in _values(result).items():
            spans.setdefault(name, []).append(value)
    order = sorted(spans, key=lambda name: (not name.startswith("p."), name))
    return {name: (min(spans[name]), max(spans[name])) for name in order if min(spans[name]) != max(spans[name])}


def _card(folder: Path, run_dir: Path) -> dict[str, Any]:
    result = Result.read(folder / "result.json")
    tracks_file, series_file, events_file = (
        folder / name for name in ("trajectories.csv", "measures.csv", "events.csv")
    )
    tracks = read_tracks(tracks_file) if tracks_file.is_file() else {}
    series = read_series(series_file) if series_file.is_file() else []
    key_s = next(
        (t for t in (_first_collision_s(result), result.min_ttc_time_s, result.min_distance_time_s) if t is not None),
        None,
    )
    key_label = "collision" if result.collisions else "closest"
    moving = _moving(tracks, result)
    names = list(moving)
    colors = {name: COLORS[i % len(COLORS)] for i, name in enumerate(names)}
    marked: dict[str, Any] = {"mark_s": key_s, "mark_label": key_label}
    events = read_rows(events_file, result.duration_s) if events_file.is_file() else []
    film = folder / "video.mp4"
    return {
        "result": result,
        "values": json.dumps(_values(result), sort_keys=True),
        "folder": folder.relative_to(run_dir).as_posix(),
        "images": [_image(folder / preview["file"], preview) for preview in result.previews],
        "legend": list(colors.items()),
        "birdseye": birdseye(result, tracks, names, key_s, base=folder),
        "speed": line_chart(
            "Speed",
            {n: (t.time, [v * 3.6 for v in t.speed]) for n, t in moving.items()},
            unit="km/h",
            colors=colors,
            **marked,
        ),
        "ttc": line_chart(
            f"Time to collision of {result.ego}",
            {"TTC": ([float(row["time"] or 0.0) for row in series], [_ttc(row) for row in series])},
            unit="s",
            level=TTC_THRESHOLD_S,
            **marked,
        ),
        "distance": line_chart(
            f"Distance from {result.ego}, centre to centre",
            {n: _distance(tracks[result.ego], t) for n, t in moving.items() if n != result.ego},
            unit="m",
            colors=colors,
            **marked,
        )
        if result.ego in tracks
        else "",
        "timeline": timeline(events, result.duration_s, **marked),
        "figures": _figures(result),
        "film": film.relative_to(run_dir).as_posix() if film.is_file() else "",
    }


def _ttc(row: dict[str, Any]) -> float | None:
    value = row.get("ttc")
    return None if value is None or value > LARGEST_TTC_S else float(value)


def _figures(result: Result) -> list[tuple[str, str]]:
    """Return what is known about the unit as (name, value with unit); what does not exist is left out."""
    found = []
    for name, title, unit, digits in FIGURES:
        value = result.metrics.get(name)
        if value is None:
            continue
        if name == "risk_of_death":
            value = 100.0 * float(value)
        text = value if isinstance(value, str) else f"{value:.{digits}f}"
        if name == "ncap_points":
            text = f"{text} of {result.metrics.get('ncap_available'):g}"
        found.append((title, f"{text} {unit}".strip()))
    return found


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
