"""The audit with made-up pictures whose influence is known, and with the engine where it matters."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from bridge.cli import app
from bridge.space import measuring, page, targets, verdicts
from bridge.space.scenario_stage import Shot
from bridge.space.targets import Renderer, Target
from bridge.studio import Pose
from foundation.errors import InputError, RealityError
from scenarios import catalogue
from scenarios.sampling import Enum, Real, Remap, Space, SpaceError
from scenarios.sampling.files import apply_remaps, save_remaps

SIZE = 48
OPTIONS = measuring.Options(configurations=8, check_configurations=4, grid=17, repeats=1)


def picture(values):
    """So many pixels are lit that their share is the square of ``reach``; ``idle`` does nothing.

    The mean square change of a step is proportional to the pixels it lights, so the right remap of reach is its square.
    """
    image = np.zeros((SIZE, SIZE, 3), dtype=np.uint8)
    lit = values["reach"] ** 2 * SIZE * SIZE
    image.reshape(-1, 3)[: round(lit)] = 200
    if values["look"] == "striped":
        image[::2] //= 2
    return image


SPACE = Space("made up", (Real("reach", 0.0, 1.0), Real("idle", 0.0, 1.0), Enum("look", ("plain", "striped"))))
TARGET = Target("made up", SPACE, "Lit pixels.")


class Made(Renderer):
    """Counts what it renders; fails after so many pictures when told to."""

    def __init__(self, break_after=None, noise=0.0):
        self.count, self.break_after = 0, break_after
        self._rng = np.random.default_rng(0) if noise else None
        self._noise = noise

    def pictures(self, requests):
        for values, _ in requests:
            self.count += 1
            if self.break_after is not None and self.count > self.break_after:
                raise KeyboardInterrupt
            image = picture(values).astype(float)
            if self._rng is not None:
                image = image + self._rng.normal(0.0, self._noise, image.shape)
            yield image.clip(0, 255).astype(np.uint8)


def silent(progress):
    pass


def run(out, names=SPACE.names, renderer=None, options=OPTIONS, tell=silent):
    return measuring.audit(TARGET, tuple(names), options, out, renderer or Made(), tell)


def test_the_remap_is_the_one_that_makes_influence_even(tmp_path):
    found = run(tmp_path)
    remap = found.remapped["reach"].remap
    # d^2 ~ lit pixels ~ reach^2: equal steps of reach^2 light equally many.
    places = np.linspace(0.2, 1.0, 9)
    assert remap.forward(places) == pytest.approx(places**2, abs=0.04)
    assert found.before["reach"].cv > 0.2 > found.after["reach"].cv


def test_rows_rank_by_influence_and_name_what_is_wrong(tmp_path):
    found = {row.name: row for row in verdicts.rows(run(tmp_path))}
    assert found["reach"].verdict == verdicts.WELL
    assert found["look"].verdict == verdicts.CHOICES
    assert found["idle"].verdict == verdicts.NONE
    assert found["idle"].rank == 3
    assert found["idle"].total == 0.0
    assert not found["idle"].passes
    assert found["reach"].noise == 0.0
    assert found["reach"].also["dssim"] > 0.0


def test_a_remap_that_makes_it_worse_is_not_kept(tmp_path, monkeypatch):
    """Where fresh configurations say that the parameter was even and no longer is, it stays as it was."""
    even = Space("even", (Real("share", 0.0, 1.0), Enum("look", ("plain", "striped"))))

    class Even(Made):
        def pictures(self, requests):
            return super().pictures(({"reach": v["share"] ** 0.5, "look": v["look"]}, s) for v, s in requests)

    knots = tuple(np.linspace(0.0, 1.0, 9).tolist())
    wrong = Remap(knots, tuple((np.array(knots) ** 3).tolist()), 1.0, "rmse")
    monkeypatch.setattr(measuring, "improved", lambda space, found: space.with_remaps({"share": wrong}))
    found = measuring.audit(Target("even", even, ""), ("share",), OPTIONS, tmp_path, Even(), silent)
    assert found.remapped["share"].remap is None
    assert found.remapped["share"].scale == pytest.approx(found.fitted["rmse"]["share"].total)
    (row,) = verdicts.rows(found)
    assert row.verdict == verdicts.WELL
    assert "even as it is" in row.why


def test_noise_is_seen(tmp_path):
    found = run(tmp_path, ("reach",), Made(noise=8.0))
    # Two pictures with independent noise of 8/255 differ by sqrt(2) of it (clipped at black, so less).
    assert 0.3 < found.fitted["rmse"]["reach"].noise / (np.sqrt(2.0) * 8.0 / 255.0) < 1.05


def test_an_interrupted_audit_goes_on_where_it_was(tmp_path):
    whole = Made()
    expected = run(tmp_path / "whole", renderer=whole)
    broken = Made(break_after=whole.count // 2)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "again", renderer=broken)
    rest = Made()
    found = run(tmp_path / "again", renderer=rest)
    assert rest.count < whole.count * 0.75
    for name in SPACE.names:
        assert np.array_equal(found.fitted["rmse"][name].distances, expected.fitted["rmse"][name].distances)
        assert np.array_equal(found.after[name].distances, expected.after[name].distances)
    untouched = Made()
    run(tmp_path / "again", renderer=untouched)
    assert untouched.count == 0


def test_progress_counts_up_to_what_was_announced(tmp_path):
    told = []
    renderer = Made()
    run(tmp_path, renderer=renderer, tell=told.append)
    assert [p.done for p in told] == list(range(1, renderer.count + 1))
    assert {p.total for p in told} == {renderer.count}
    assert told[-1].left_s == pytest.approx(0.0)


def test_a_directory_of_another_audit_is_refused(tmp_path):
    run(tmp_path, ("look",))
    with pytest.raises(InputError, match="another space or with other options"):
        run(tmp_path, ("look",), options=measuring.Options(configurations=9, repeats=1))


def test_a_damaged_file_is_named(tmp_path):
    run(tmp_path, ("look",))
    (tmp_path / "work" / "fit-look.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"fit-look\.npz.*delete it"):
        run(tmp_path, ("look",))


def test_stored_remaps_are_checked_without_fitting(tmp_path):
    store = tmp_path / "remaps.json"
    save_remaps(store, run(tmp_path, ("reach",)).remapped)
    renderer = Made()
    found = measuring.check(TARGET, ("reach",), OPTIONS, tmp_path, renderer, silent, store)
    assert found.remapped == apply_remaps(SPACE, store)
    assert verdicts.rows(found)[0].verdict == verdicts.WELL
    # Remaps that were made for another picture do not hold.
    wrong = json.loads(store.read_text())
    remap = wrong["remaps"]["reach"]
    remap["levels"] = (np.asarray(remap["knots"]) ** 0.4).tolist()
    store.write_text(json.dumps(wrong))
    found = measuring.check(TARGET, ("reach",), OPTIONS, tmp_path / "wrong", Made(), silent, store)
    assert verdicts.rows(found)[0].verdict == verdicts.UNEVEN
    assert not verdicts.rows(found)[0].passes


def test_the_page_shows_every_parameter(tmp_path):
    found = run(tmp_path)
    strips = {name: measuring.strip(SPACE, name, OPTIONS, Made()) for name in SPACE.names}
    values, pictures = strips["reach"]
    assert values == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0])
    assert len({p.tobytes() for p in pictures}) == 5
    path = page.write(found, TARGET, OPTIONS, strips, tmp_path, 12.0)
    html = path.read_text()
    figures = json.loads((tmp_path / "audit.json").read_text())
    assert figures["rows"][0]["name"] == "reach"
    for name in SPACE.names:
        assert f'id="{name}"' in html
    assert len(list((tmp_path / "charts").glob("*.png"))) == 3
    assert "no influence" in html
    assert "http" not in html.replace("https://", "").split("</style>")[1]


# --- targets


def test_a_catalogue_scenario_brings_its_distribution_weather_and_mounting():
    target = targets.resolve("child_runs_out", (5.0,))
    assert {"EgoSpeedKmh", "OccluderType", "fog_density", "camera.yaw"} <= set(target.space.names)
    assert target.scenario == catalogue.SCENARIOS["child_runs_out"].scenario


def test_values_of_a_scenario_become_parameters_weather_and_mount():
    target = targets.resolve("child_runs_out", (5.0,))
    values = target.space.values(np.full(target.space.dimension, 0.5))
    (shot,) = targets._Scenario(None, target.scenario, (5.0,))._shots([(values, 7)])
    assert isinstance(shot, Shot)
    assert dict(shot.parameters)["EgoSpeedKmh"] == "40"
    assert shot.weather == {"fog_density": 30.0, "wind_intensity": 50.0}
    assert shot.mount == pytest.approx(Pose(0.05, 0.0, 1.5))
    again = list(targets._Scenario(None, target.scenario, (5.0,))._shots([(values, 7), (values, 7), (values, 8)]))
    assert [s.repeat for s in again] == [0, 1, 0]
    assert again[0].moment != again[1].moment


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("{name: colour, type: real, low: 0, high: 1}", "nothing renders the parameter 'colour'"),
        ("{name: distance, type: real, low: 5}", "no finite upper limit"),
        ("{name: distance, type: real, low: 6, high: 30}", "is not a space that road_users can draw"),
    ],
)
def test_spaces_that_nothing_renders_are_refused(tmp_path, parameter, said):
    file = tmp_path / "space.yaml"
    file.write_text(f"name: x\nparameters:\n  - {parameter}\n")
    with pytest.raises(InputError, match=said):
        targets.resolve(str(file), (3.0,))


def test_words_that_mean_nothing_are_refused():
    with pytest.raises(RealityError, match="road_users, adult_jaywalks_night"):
        targets.resolve("raod_users", (3.0,))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["road_users", "--metric", "psnr"], RealityError),
        (["road_users", "--parameter", "distanz"], SpaceError),
        (["child_runs_out", "--at", "-1"], RealityError),
    ],
)
def test_wrong_options_end_before_anything_starts(tmp_path, arguments, error):
    result = CliRunner().invoke(app, ["space", "audit", *arguments, "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, error)
    assert not (tmp_path / "out").exists()


# --- with the engine


@pytest.mark.slow
def test_a_scenarios_moment_repeats_and_shows_its_parameters():
    target = targets.resolve("child_runs_out", (1.0,))
    middle = target.space.values(np.full(target.space.dimension, 0.5))
    with target.renderer(1, 0) as renderer:
        requests = [
            (middle, 1), (middle, 1), (middle | {"fog_density": 60.0}, 1), (middle | {"camera.yaw": 1.0}, 1),
            (middle | {"EgoSpeedKmh": 25.0}, 1), (middle, 1), (middle | {"fog_density": 0.0}, 1),
        ]  # fmt: skip
        first, again, fog, turned, slow, last, clear = renderer.pictures(requests)
    assert np.array_equal(first, again)
    assert np.array_equal(first, last)
    for other in (fog, turned, slow, clear):
        assert not np.array_equal(first, other)
    # Fog takes the contrast.
    assert fog.std() < 0.9 * clear.std()


@pytest.mark.slow
def test_the_command_audits_and_checks(tmp_path):
    few = ["--configurations", "2", "--check-configurations", "2", "--grid", "5", "--repeats", "1", "--workers", "1"]
    wanted = ["space", "audit", "road_users", "--parameter", "sun_altitude", "--out", str(tmp_path), *few]
    result = CliRunner().invoke(app, wanted)
    assert result.exit_code in (0, 1), result.output
    assert "noise 0;" in result.output
    assert (tmp_path / "audit.html").is_file()
    remaps = json.loads((tmp_path / "remaps.json").read_text())
    assert list(remaps["remaps"]) == ["sun_altitude"]
    checked = CliRunner().invoke(app, [*wanted, "--check"])
    assert checked.exit_code in (0, 1), checked.output
