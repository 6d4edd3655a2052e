from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from learning.inspection.findings import Findings, Reliance, Remote
from learning.inspection.rule import InspectionSampler, Proposal, decide
from scenarios.sampling import (
    SAMPLERS,
    Enum,
    Integer,
    MixtureSampler,
    NominalSampler,
    Normal,
    Periodic,
    Real,
    Space,
    SpaceError,
)

SPACE = Space(
    "street",
    (
        Enum("kind", ("person", "board", "car")),
        Real("distance", 5.0, 50.0, Normal(20.0, 8.0)),
        Periodic("sun", 0.0, 360.0),
        Enum("weather", ("clear", "rain", "night"), weights=(0.6, 0.3, 0.1)),
        Real("drops", 0.0, 1.0, condition=("weather", ("rain",))),
        Integer("lamps", 0, 4),
    ),
)
PLACES = (
    {"kind": "person", "distance": 12.0, "sun": 20.0, "weather": "clear", "lamps": 1},
    {"kind": "person", "distance": 14.0, "sun": 30.0, "weather": "rain", "drops": 0.7, "lamps": 2},
    {"kind": "board", "distance": 40.0, "sun": 200.0, "weather": "night", "lamps": 4},
    {"kind": "car", "distance": 45.0, "sun": 100.0, "weather": "clear", "lamps": 0},
)
NUISANCES = ("sun", "weather", "lamps")


def _reliance(label: str, inside: float | None, samples: int = 8) -> Reliance:
    return Reliance(label, samples, inside, 0.5, 0.1, 0, samples, inside, 0.5, 0.1, 0)


def _findings(inside: dict[str, float | None], foreign: tuple[float, ...] = (1.0, 0.6, 0.0, 0.2)) -> Findings:
    remote = tuple(
        Remote(f"v{i}", str(values["kind"]), 1.0, share, values)
        for i, (values, share) in enumerate(zip(PLACES, foreign))
    )
    reliance = tuple(_reliance(label, share) for label, share in inside.items())
    return Findings(("person", "board", "car"), 4, reliance, (), (), (), remote)


def _sampler(**options) -> InspectionSampler:
    return InspectionSampler(SPACE, 3, class_parameter="kind", **{"nuisances": NUISANCES, **options})


# -- the decision --


def test_only_classes_recognised_by_their_surroundings_are_shown_in_others():
    proposal = decide(_findings({"person": 0.3, "board": 0.8, "car": None}), ["context"])
    assert [anchor.values["kind"] for anchor in proposal.context] == ["person", "person"]
    assert sum(anchor.weight for anchor in proposal.context) == pytest.approx(1.0)
    assert proposal.coverage == ()
    assert "30 % of the evidence for person" in proposal.words[0]


def test_a_share_measured_on_too_few_samples_decides_nothing():
    findings = replace(_findings({}), reliance=(_reliance("person", 0.1, samples=3),))
    assert decide(findings, ["context"]) == Proposal()


def test_samples_with_foreign_neighbours_become_anchors_by_their_share():
    proposal = decide(_findings({"person": 0.3}), ["coverage"])
    assert [(anchor.values["kind"], anchor.weight) for anchor in proposal.coverage] == [
        ("person", 1.0),
        ("person", 0.6),
        ("car", 0.2),
    ]


# -- the sampler --


def test_it_is_one_of_the_samplers():
    assert SAMPLERS["inspection"] is InspectionSampler


def test_without_findings_it_is_its_base():
    trials = _sampler().suggest(50)
    assert all(trial.q == pytest.approx(trial.p0) for trial in trials)
    assert all(trial.q == pytest.approx(1.0) for trial in _sampler(base="uniform").suggest(50))


def test_coverage_makes_samples_near_the_anchors():
    sampler = _sampler(rules=["coverage"], epsilon=0.2)
    around = [{**PLACES[0], "distance": 12.0 + step, "sun": 20.0 + 2.0 * step} for step in range(6)]
    remote = tuple(Remote(f"v{i}", "person", 1.0, 0.8, values) for i, values in enumerate(around))
    sampler.inform(replace(_findings({}), remote=(*remote, *_findings({}, foreign=(0.0,) * 4).remote)))
    trials = sampler.suggest(400)
    near = [SPACE.distance(trial.values, PLACES[0]) for trial in trials]
    far = [SPACE.distance(trial.values, PLACES[0]) for trial in NominalSampler(SPACE, 1).suggest(400)]
    assert np.median(near) < 0.5 * np.median(far)
    assert np.quantile(near, 0.95) > np.median(far)  # the base goes on everywhere


@pytest.mark.parametrize(
    "options",
    [
        {"rules": ["context"]},
        {"rules": ["coverage"]},
        {"context": 0.3},
        {"base": "uniform"},
        {"rules": ["context"], "nuisances": ["weather"]},
    ],
)
def test_the_density_is_exact(options):
    """Importance weights base/q must give the base's shares of any region."""
    sampler = _sampler(**options)
    sampler.inform(_findings({"person": 0.3}))
    trials = sampler.suggest(12000)
    nominal = sampler.base == "nominal"
    weight = np.array([(trial.p0 if nominal else 1.0) / trial.q for trial in trials])
    assert weight.max() <= 1 / sampler.epsilon * (1 + 1e-9)
    units = np.array([trial.unit for trial in trials])

    def estimate(inside: np.ndarray) -> tuple[float, float]:
        return float((weight * inside).mean()), float((weight * inside).std() / np.sqrt(len(weight) / 2))

    person, clear = units[:, 0] < 1 / 3, units[:, 3] < 1 / 3
    near = SPACE["distance"].distribution.cumulative(27.5, 5.0, 50.0) if nominal else 0.5
    for inside, truth in (
        (np.ones(len(units)), 1.0),
        (person, 1 / 3),
        (clear & person, 0.6 / 3 if nominal else 1 / 9),
        (units[:, 1] < 0.5, float(near)),
        ((units[:, 2] > 0.5) & (units[:, 5] < 0.2), 0.1),
    ):
        value, deviation = estimate(inside)
        assert abs(value - truth) < 4.5 * deviation + 1e-9
        assert deviation < 0.03  # the check can fail


def test_pairs_share_everything_but_one_nuisance():
    sampler = _sampler(rules=["context"], epsilon=0.2)
    sampler.inform(_findings({"person": 0.3}))
    trials = sampler.suggest(200)
    by_id = {trial.id: trial for trial in trials}
    seconds = [trial for trial in trials if trial.parent is not None]
    assert 78 <= len(seconds) <= 81
    for second in seconds:
        first = by_id[second.parent]
        assert first.seed == second.seed
        assert first.varied == second.varied
        assert first.varied in NUISANCES
        both = set(first.values) & set(second.values)
        assert [name for name in sorted(both) if first.values[name] != second.values[name]] == [first.varied]
        assert first.values["kind"] == second.values["kind"]
    firsts = {trial.parent for trial in seconds}
    kinds = [by_id[name].values["kind"] for name in sorted(firsts)]
    assert 0.35 < kinds.count("person") / len(kinds) < 0.65  # half of the objects are of another class
    # The nuisances are even, whatever the nominal distribution and the anchors say.
    weather = [trial.values["weather"] for trial in trials if trial.varied]
    assert min(weather.count(name) for name in ("clear", "rain", "night")) > 0.22 * len(weather)


def test_without_nuisances_there_is_no_context_rule():
    sampler = _sampler(nuisances=())
    proposal = sampler.inform(_findings({"person": 0.1}))
    assert proposal.context == ()
    assert proposal.coverage
    sampler = _sampler(nuisances=(), rules=["context"])
    assert sampler.inform(_findings({"person": 0.1})) == Proposal()
    assert all(trial.q == pytest.approx(trial.p0) for trial in sampler.suggest(5))


def test_the_state_continues_exactly():
    sampler = _sampler()
    sampler.inform(_findings({"person": 0.3}))
    sampler.suggest(7)
    state = json.loads(json.dumps(sampler.state()))
    again = InspectionSampler.restore(SPACE, state)
    assert again.suggest(20) == sampler.suggest(20)
    again.forget()
    assert again.proposal == Proposal()


def test_new_findings_replace_the_old():
    sampler = _sampler()
    sampler.inform(_findings({"person": 0.3}))
    sampler.inform(_findings({"person": 0.9}, foreign=(0.0,) * 4))
    assert sampler.proposal == Proposal()


def test_it_is_a_part_of_a_mixture():
    part = _sampler()
    mixture = MixtureSampler(SPACE, 1, parts=[(part, 0.6), (NominalSampler(SPACE, 1), 0.4)])
    part.inform(_findings({"person": 0.3}))
    trials = mixture.suggest(60)
    assert sum(trial.sampler == "inspection" for trial in trials) == 36
    points = SPACE.points([trial.unit for trial in trials])
    expected = 0.6 * part.density(points) + 0.4 * SPACE.densities(points)
    np.testing.assert_allclose([trial.q for trial in trials], expected)
    again = MixtureSampler.restore(SPACE, json.loads(json.dumps(mixture.state())))
    assert again.suggest(10) == mixture.suggest(10)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"nuisances": ("fog",)}, "fog"),
        ({"nuisances": ("kind",)}, "cannot be a nuisance"),
        ({"rules": ("kernels",)}, "no rule 'kernels'"),
        ({"epsilon": 0.0}, "epsilon"),
        ({"context": 1.5}, "context"),
        ({"base": "sobol"}, "base"),
        ({"class_parameter": "distance"}, "must be an enum"),
    ],
)
def test_what_makes_no_sense_is_refused(options, said):
    with pytest.raises(SpaceError, match=said):
        InspectionSampler(SPACE, **{"class_parameter": "kind", "nuisances": NUISANCES, **options})
