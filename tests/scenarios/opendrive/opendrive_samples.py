"""Small OpenDRIVE texts for the tests, and where the real files lie."""

from __future__ import annotations

from pathlib import Path

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
REAL_FILES = sorted(
    [*(SHARED / "carla").glob("*.xodr"), *(SHARED / "esmini/xodr").glob("*.xodr"), *(SHARED / "ncap").rglob("*.xodr")]
)

LINE = "<line/>"
WIDTH = '<width sOffset="0" a="{a}" b="0" c="0" d="0"/>'
MARK = '<roadMark sOffset="0" type="solid" color="white" width="0.12"/>'


def geometry(s: float, x: float, y: float, hdg: float, length: float, shape: str = LINE) -> str:
    return f'<geometry s="{s}" x="{x}" y="{y}" hdg="{hdg}" length="{length}">{shape}</geometry>'


def lane(
    lane_id: int, kind: str = "driving", width: float = 3.5, extra: str = "", link: str = "", mark: str = MARK
) -> str:
    link = f"<link>{link}</link>" if link else ""
    return f'<lane id="{lane_id}" type="{kind}" level="false">{link}{WIDTH.format(a=width)}{mark}{extra}</lane>'


def section(s: float = 0.0, left: str = "", right: str = "", center_mark: str = "") -> str:
    center = f'<center><lane id="0" type="none" level="false">{center_mark}</lane></center>'
    sides = (f"<left>{left}</left>" if left else "", f"<right>{right}</right>" if right else "")
    return f'<laneSection s="{s}">{sides[0]}{center}{sides[1]}</laneSection>'


TWO_LANES = section(left=lane(1), right=lane(-1))


def road(
    road_id: str = "1",
    length: float = 100.0,
    plan: str | None = None,
    lanes: str = TWO_LANES,
    *,
    elevation: str = "",
    lateral: str = "",
    link: str = "",
    offsets: str = "",
    junction: str = "-1",
    rule: str = "RHT",
    types: str = "",
    rest: str = "",
) -> str:
    plan = geometry(0, 0, 0, 0, length) if plan is None else plan
    return (
        f'<road name="" length="{length}" id="{road_id}" junction="{junction}" rule="{rule}"><link>{link}</link>{types}'
        f"<planView>{plan}</planView><elevationProfile>{elevation}</elevationProfile>"
        f"<lateralProfile>{lateral}</lateralProfile><lanes>{offsets}{lanes}</lanes>{rest}</road>"
    )


def network(*parts: str, geo: str = "") -> str:
    head = f"<geoReference><![CDATA[{geo}]]></geoReference>" if geo else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<OpenDRIVE>\n'
        f'<header revMajor="1" revMinor="7" name="test">{head}</header>\n' + "\n".join(parts) + "\n</OpenDRIVE>\n"
    )


def end(where: str, kind: str, target: str, contact: str = "") -> str:
    contact = f' contactPoint="{contact}"' if contact else ""
    return f'<{where} elementType="{kind}" elementId="{target}"{contact}/>'


def crossing(slope: float = 0.0) -> str:
    """Return four roads meeting in a junction with straight, left and right connecting roads, pavements included.

    Roads 0..3 lead to the junction from west, south, east, north; the ground is the plane z = slope * x.
    """
    import math

    arms = [(-60.0, 0.0, 0.0), (0.0, -60.0, math.pi / 2), (60.0, 0.0, math.pi), (0.0, 60.0, -math.pi / 2)]
    parts = []
    sides = section(left=lane(1) + lane(2, "sidewalk", 2.0), right=lane(-1) + lane(-2, "sidewalk", 2.0))
    for i, (x, y, h) in enumerate(arms):
        grade = slope * math.cos(h)
        elevation = f'<elevation s="0" a="{slope * x}" b="{grade}" c="0" d="0"/>'
        plan = geometry(0, x, y, h, 45.0)
        parts.append(road(str(i), 45.0, plan, sides, elevation=elevation, link=end("successor", "junction", "7")))
    connections, number = [], 100
    both = '<predecessor id="{p}"/><successor id="{s}"/>'
    for i, (x, y, h) in enumerate(arms):
        for step in (1, 2, 3):
            k = (i + step) % 4
            start = (x + 45.0 * math.cos(h), y + 45.0 * math.sin(h))
            if step == 2:
                length, shape = 30.0, LINE
            else:
                # Arms are numbered counter-clockwise, so the next one lies to the right.
                turn = -1.0 if step == 1 else 1.0
                length, shape = 15.0 * math.pi / 2, f'<arc curvature="{turn / 15.0}"/>'
            plan = geometry(0, *start, h, length, shape)
            goal = (arms[k][0] + 45.0 * math.cos(arms[k][2]), arms[k][1] + 45.0 * math.sin(arms[k][2]))
            z0, z1 = slope * start[0], slope * goal[0]
            # A cubic with the plane's slopes at both ends; on straight roads it is the plane itself.
            m0, m1 = slope * math.cos(h), -slope * math.cos(arms[k][2])
            c = (3 * (z1 - z0) / length - 2 * m0 - m1) / length
            d = (m0 + m1 - 2 * (z1 - z0) / length) / length**2
            elevation = f'<elevation s="0" a="{z0}" b="{m0}" c="{c}" d="{d}"/>'
            right = lane(-1, link=both.format(p=-1, s=1), mark="")
            if step == 1:
                right += lane(-2, "sidewalk", 2.0, link=both.format(p=-2, s=2), mark="")
            link = end("predecessor", "road", str(i), "end") + end("successor", "road", str(k), "end")
            parts.append(
                road(str(number), length, plan, section(right=right), elevation=elevation, link=link, junction="7")
            )
            connections.append(
                f'<connection id="{number}" incomingRoad="{i}" connectingRoad="{number}" contactPoint="start">'
                '<laneLink from="-1" to="-1"/></connection>'
            )
            number += 1
    parts.append(f'<junction id="7" name="crossing">{"".join(connections)}</junction>')
    return network(*parts)
