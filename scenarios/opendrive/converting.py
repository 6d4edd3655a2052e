"""OpenStreetMap to OpenDRIVE, by the converter that comes with CARLA's client."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lxml import etree

from scenarios.opendrive.errors import OpenDriveError
from scenarios.opendrive.network import parse
from scenarios.opendrive.reading import parse_xml

TIMEOUT_S = 300.0

# The converter is native code that may end the whole process on unusable input, so it gets one of its own.
_PROGRAM = """
import sys
import carla
settings = carla.Osm2OdrSettings()
settings.default_lane_width = float(sys.argv[3])
settings.generate_traffic_lights = sys.argv[4] == "1"
settings.center_map = sys.argv[5] == "1"
text = carla.Osm2Odr.convert(open(sys.argv[1], encoding="utf-8").read(), settings)
open(sys.argv[2], "w", encoding="utf-8").write(text)
"""


def from_osm(file: str | Path, out: str | Path, *, lane_width_m: float, lights: bool, center: bool) -> Path:
    """Convert an .osm file; returns ``out``.

    Raises:
        OpenDriveError: the file is no OpenStreetMap XML, carla is not installed or its converter fails, or what it
            makes cannot be read as OpenDRIVE.
    """
    file, out = Path(file), Path(out)
    try:
        root = etree.fromstring(file.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))
    except OSError as error:
        raise OpenDriveError(f"cannot be read: {error.strerror}", file=file, remedy="check the path") from error
    except etree.XMLSyntaxError as error:
        raise OpenDriveError(f"not well-formed XML: {error.msg}", file=file, line=error.lineno or None) from error
    if root.tag != "osm" or root.find("way") is None:
        raise OpenDriveError(
            "is no OpenStreetMap extract with ways", file=file, element=str(root.tag), remedy="export .osm XML"
        )
    made = out.with_name(out.name + ".part")
    flags = [str(lane_width_m), str(int(lights)), str(int(center))]
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(file), str(made), *flags], capture_output=True, text=True,
            timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise OpenDriveError(f"the converter did not end within {TIMEOUT_S:.0f} s", file=file) from None
    try:
        if "No module named 'carla'" in done.stderr:
            remedy = "install carla==0.9.16, whose converter is used"
            raise OpenDriveError("the client library carla is not installed", file=file, remedy=remedy)
        if done.returncode != 0 or not made.exists() or not made.read_text(encoding="utf-8").strip():
            lines = done.stderr.strip().splitlines()
            why = lines[-1] if lines else f"it ended with status {done.returncode}"
            raise OpenDriveError(f"carla's converter failed: {why}", file=file, remedy="are there roads in the file?")
        text = _without_dangling_links(made.read_text(encoding="utf-8"), str(out))
        parse(text, str(out))
        out.write_text(text, encoding="utf-8")
    finally:
        made.unlink(missing_ok=True)
    return out


def _without_dangling_links(text: str, file: str) -> str:
    """Return the text without links to junctions that the converter did not write: those at the ends of the map."""
    root = parse_xml(text, file)
    known = {junction.get("id") for junction in root.iter("junction")}
    for end in [*root.iterfind("road/link/predecessor"), *root.iterfind("road/link/successor")]:
        parent = end.getparent()
        if end.get("elementType") == "junction" and end.get("elementId") not in known and parent is not None:
            parent.remove(end)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root, encoding="unicode") + "\n"
