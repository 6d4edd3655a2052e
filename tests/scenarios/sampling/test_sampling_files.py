"""Space files, remap files, and the ready spaces of weather and rigs."""

import json
from pathlib import Path

import numpy as np
import pytest

from foundation.errors import InputError
from scenarios.sampling import (
    Periodic,
    Remap,
    SpaceError,
    UniformSampler,
    apply_remaps,
    load_space,
    parse_space,
    rig_space,
    save_remaps,
    weather_space,
)
from scenarios.sampling.presets import renamed

CATALOGUE = Path(__file__).parents[3] / "scenarios" / "catalogue"
BROKEN = Path(__file__).parents[2] / "data" / "broken"
BASE = """name: street
parameters:
  - {name: distance, type: real, low: 4, high: 40, unit: m}
"""
WHOLE = (
    BASE
    + """  - {name: class, type: enum, choices: [pedestrian, cyclist], weights: [3, 1]}
  - name: speed
    type: real
    low: 1
    high: 8
    condition: {parent: class, choices: [cyclist]}
    distribution: {type: lognormal, mean: 1, sd: 0.6}
  - {name: heading, type: periodic, low: 0, high: 360, distribution: {type: vonmises, mean: 90, concentration: 2}}
  - {name: lanes, type: integer, low: 1, high: 3, distribution: {type: discrete, weights: [1, 5, 1]}}
scenario: child_runs_out_distribution.xosc
weather: {names: [cloudiness, fog_density], limits: {fog_density: [0, 60]}, fixed: {wetness: 20}}
rig: {mounts: {front: {x: 1.2, z: 1.5, fov_deg: 90}}, angle_deg: 0}
fixed: {BrakeTtc: 1.2}
"""
)


def test_a_whole_file():
    space = parse_space(WHOLE, CATALOGUE / "any.space.yaml")
    assert space.name == "street"
    assert {"EgoSpeedKmh", "cloudiness", "front.x", "distance", "speed"} <= set(space.names)
    assert space.constants["BrakeTtc"] == 1.2
    assert space.constants["wetness"] == 20
    assert space["fog_density"].high == 60
    assert space["class"].masses().tolist() == [0.75, 0.25]
    for trial in UniformSampler(space, 0).suggest(50):
        assert ("speed" in trial.values) == (trial.values["class"] == "cyclist")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (BASE.replace("high: 40", "high: .nan"), 3, ["<parameters[0].high>", "distance", "upper limit"]),
        (BASE.replace("high: 40", "high: .inf"), 3, ["<parameters[0].high>", "no finite upper limit"]),
        (BASE.replace("high: 40, ", ""), 3, ["<parameters[0]>", "distance", "no finite upper limit"]),
        (BASE.replace("high: 40", "high: far"), 3, ["<parameters[0].high>", "'far' is not a number"]),
        (BASE.replace("high: 40", "high: 2"), 3, ["low 4 is above high 2"]),
        (BASE.replace("high", "hihg"), 3, ["unknown key 'hihg'"]),
        (BASE.replace("real", "reel"), 3, ["<parameters[0].type>", "'real'"]),
        (BASE + "  - {name: distance, type: real, low: 0, high: 1}\n", 4, ["<parameters[1]>", "two parameters"]),
        (BASE + "  - {name: e, type: enum, choices: [p], weights: [0]}\n", 4, ["<parameters[1].weights>", "up to 0"]),
        (BASE + "  - {name: e, type: enum}\n", 4, ["e: an enum parameter needs 'choices'"]),
        (
            BASE + "  - name: e\n    type: real\n    low: 0\n    high: 1\n    condition: {parent: q, choices: [1]}\n",
            8,
            ["<parameters[1].condition>", "'q'", "no parameter"],
        ),
        (
            BASE + "  - {name: e, type: real, low: 0, high: 1, distribution: {type: gauss}}\n",
            4,
            ["<parameters[1].distribution>", "'gauss'"],
        ),
        (
            BASE + "  - {name: e, type: real, low: 0, high: 1, distribution: {type: normal, mean: 1}}\n",
            4,
            ["<parameters[1].distribution>", "needs 'sd'"],
        ),
        (BASE + "fixed: {b: 3}\n", 4, ["<fixed>", "'b'"]),
        (BASE + "fixed: {distance: 300}\n", 4, ["<fixed>", "outside the limits"]),
        (BASE + "weather: {names: [rainy]}\n", 4, ["<weather>", "'rainy'"]),
        (BASE + "weather: {limits: {wetness: [9, 3]}}\n", 4, ["<weather>", "wetness: low 9 is above high 3"]),
        (BASE + "weather: {names: [wetness], limit: {}}\n", 4, ["<weather.limit>", "unknown key"]),
        (BASE + "rig: {mounts: {front: {q: 3}}}\n", 4, ["<rig>", "'q'"]),
        (BASE + "colour: 3\n", 4, ["unknown key 'colour'"]),
        (BASE + "name: again\n", 4, ["given twice"]),
        ("name: [", 1, ["not valid YAML"]),
        ("[]", 1, ["a space is a mapping"]),
        ("name: x\n", 1, ["no parameter"]),
    ],
)
def test_what_is_wrong_is_named_with_line_and_key(text, line, words):
    with pytest.raises(InputError) as caught:
        parse_space(text, "my.space.yaml")
    message = str(caught.value)
    assert message.startswith(f"my.space.yaml:{line}:"), message
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", ["space_01_unlimited.space.yaml", "space_02_misspelt_key.space.yaml"])
def test_broken_files(name):
    with pytest.raises(InputError, match=name):
        load_space(BROKEN / name)


def test_missing_files(tmp_path):
    with pytest.raises(InputError, match=r"gone\.yaml"):
        load_space(tmp_path / "gone.yaml")
    for key in ("scenario: gone.xosc", "remaps: gone.json"):
        with pytest.raises(InputError, match="gone"):
            parse_space(BASE + key + "\n", tmp_path / "s.yaml")


def test_remaps_are_stored_and_found_again(tmp_path):
    space = parse_space(BASE, tmp_path / "s.yaml")
    better = space.with_remaps({"distance": Remap((4, 10, 40), (0, 0.7, 1), total=0.4, metric="rmse")})
    save_remaps(tmp_path / "remaps.json", better)
    assert parse_space(BASE + "remaps: remaps.json\n", tmp_path / "s.yaml") == better
    assert apply_remaps(space.fixed({"distance": 7}), tmp_path / "remaps.json").dimension == 0
    assert [p.name for p in tmp_path.iterdir()] == ["remaps.json"]


def test_remaps_of_other_limits_or_damaged_are_refused(tmp_path):
    path = tmp_path / "remaps.json"
    space = parse_space(BASE, "s.yaml")
    save_remaps(path, space.with_remaps({"distance": Remap((4, 40), (0, 1))}))
    with pytest.raises(InputError, match=r"remaps\.json.*spans 4 to 40, the parameter 4 to 50"):
        apply_remaps(parse_space(BASE.replace("40", "50"), "s.yaml"), path)
    for text, words in (
        ("{", "not valid JSON"),
        ("[]", "no remap file"),
        (json.dumps({"version": 1}), "damaged"),
        (json.dumps({"version": 1, "remaps": {"distance": {"knots": [4, 40]}}, "scales": {}}), "levels"),
        (json.dumps({"version": 1, "remaps": {}, "scales": {"gone": 1.0}}), "gone"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=words):
            apply_remaps(space, path)


def test_weather_values_are_carlas():
    carla = pytest.importorskip("carla")
    for trial in UniformSampler(weather_space(), 0).suggest(5):
        made = carla.WeatherParameters(**trial.values)
        for name, value in trial.values.items():
            assert getattr(made, name) == pytest.approx(value, rel=1e-5)
    fields = {n for n in dir(carla.WeatherParameters()) if n[0].islower() and not n.startswith("_")}
    assert set(weather_space().names) == fields


def test_weather_can_be_narrowed():
    space = weather_space(["sun_altitude_angle"], limits={"fog_density": (0, 30)}, fixed={"cloudiness": 50})
    assert set(space.names) == {"sun_altitude_angle", "fog_density"}
    assert space.constants == {"cloudiness": 50.0}
    assert isinstance(weather_space()["sun_azimuth_angle"], Periodic)
    with pytest.raises(SpaceError, match="no parameter 'rain'"):
        weather_space(["rain"])


def test_rigs_vary_around_their_mounts():
    space = rig_space({"front": {"x": 1.2, "z": 1.5, "fov_deg": 90.0}}, offset_m=0.1, angle_deg=0.0)
    assert space.names == ("front.x", "front.y", "front.z", "front.fov_deg")
    assert space.constants == {"front.pitch": 0.0, "front.yaw": 0.0, "front.roll": 0.0}
    units = np.random.default_rng(0).random((200, 4))
    for row in space.values_of(space.points(units)):
        assert abs(row["front.x"] - 1.2) <= 0.1
        assert abs(row["front.fov_deg"] - 90) <= 2
    # Nominal is the middle: denser there than at the ends.
    assert space.density({**space.values([0.5] * 4)}) > space.density({**space.values([0.0, 0.5, 0.5, 0.5])})
    for bad, words in (({"front": {"fov": 90}}, "'fov'"), ({"front": {"fov_deg": 169.0}}, "impossible")):
        with pytest.raises(SpaceError, match=words):
            rig_space(bad)


def test_two_of_one_kind_join_under_prefixes():
    rain = weather_space(["precipitation"])
    both = renamed(rain, "before ").joined(renamed(rain, "after "))
    assert both.names == ("before precipitation", "after precipitation")
