"""The same file for CARLA's client, which crashes on lanes without a roadMark."""

from __future__ import annotations

import re

_LANE = re.compile(r"<lane(?=[\s>/])([^>]*?)(/?)>")
_SKIPPED = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)
_AFTER = re.compile(r"<(?:material|visibility|speed|access|height|rule|userData|include|dataQuality)[\s>/]|</lane\s*>")
_DEFAULT = '<roadMark sOffset="0" type="none" weight="standard" color="standard" width="0.0" laneChange="both"/>'


def client_text(text: str) -> str:
    """Return an OpenDRIVE text in which every lane has a roadMark.

    The client's lane invasion sensor ends its process when a lane without any is crossed. Lanes that lack one get
    ``<roadMark sOffset="0" type="none" .../>``, after their link and widths as the schema orders them; everything
    else stays as it is, byte by byte. A lane whose first mark begins after its start gets one for the stretch
    before it.

    Args:
        text: a text that ``parse`` accepts.
    """
    hidden = [(m.start(), m.end()) for m in _SKIPPED.finditer(text)]
    visible = _blank(text, hidden)
    pieces: list[str] = []
    done = 0
    for match in _LANE.finditer(visible):
        if match.group(2):
            pieces += [text[done : match.start()], "<lane", match.group(1), ">", _DEFAULT, "</lane>"]
            done = match.end()
            continue
        end = visible.find("</lane", match.end())
        if end < 0:
            break
        body = visible[match.end() : end]
        if re.search(r"<roadMark[\s>/]", body):
            continue
        place = match.end() + _insertion(body)
        pieces += [text[done:place], _DEFAULT]
        done = place
    return "".join([*pieces, text[done:]])


def _insertion(body: str) -> int:
    """Return where in a lane's content a roadMark belongs: after link, width and border."""
    after = _AFTER.search(body)
    place = after.start() if after else len(body)
    # Keep the indentation of what follows in front of it.
    return len(body[:place].rstrip())


def _blank(text: str, hidden: list[tuple[int, int]]) -> str:
    """Return the text with comments and the like replaced by blanks of the same length."""
    parts, done = [], 0
    for start, end in hidden:
        parts += [text[done:start], " " * (end - start)]
        done = end
    return "".join([*parts, text[done:]])
