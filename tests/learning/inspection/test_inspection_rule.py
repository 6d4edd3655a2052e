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
    assert proposal.context == ("person",)
    assert proposal.coverage == ()
    assert "30 % of the evidence for person" in proposal.words[0]


def test_a_share_measured_on_too_few_samples_decides_nothing():
    findings = replace(_findings({}), reliance=(_reliance("person", 0.1, samples=3),))
    assert decide(findings, ["context"]) == Proposal()


def test_samples_are_scored_by_their_foreign_neighbours():
    proposal = decide(_findings({"person": 0.3}), ["coverage"])
    assert [one.score for one in proposal.coverage] == [1.0, 0.6, 0.0, 0.2]
    assert "3 of 4 samples" in proposal.words[0]
    assert decide(_findings({}, foreign=(0.0,) * 4), ["coverage"]) == Proposal()


def _scored(rule, count=300, noise=0.0):
    trials = NominalSampler(SPACE, 5).suggest(count)
    rng = np.random.default_rng(0)
    remote = []
    for trial in trials:
        score = float(np.clip(rule(trial.values) + noise * rng.normal(), 0, 1))
        remote.append(Remote(trial.id, str(trial.values["kind"]), 1.0, score, trial.values))
    return replace(_findings({}), remote=tuple(remote))


def test_the_expectation_finds_what_the_scores_follow_and_nothing_in_noise():
    held_out = NominalSampler(SPACE, 6).suggest(200)
    points = SPACE.points([trial.unit for trial in held_out])

    def expected(findings):
        sampler = _sampler(rules=["coverage"])
        sampler.inform(findings)
        return sampler._expectation(points)

    # Far persons and rain: a main effect, and one that only one class has.
    def rule(values):
        far = (values["distance"] - 5.0) / 45.0 if values["kind"] == "person" else 0.2
        return 0.1 + 0.5 * far + 0.3 * (values["weather"] == "rain")

    truth = np.array([rule(trial.values) for trial in held_out])
    assert np.corrcoef(expected(_scored(rule, noise=0.1)), truth)[0, 1] > 0.95
    constant = expected(_scored(lambda values: 0.4, noise=0.2))
    assert constant.std() < 0.05
    assert constant.mean() == pytest.approx(0.4, abs=0.05)


# -- the sampler --


def test_it_is_one_of_the_samplers():
    assert SAMPLERS["inspection"] is InspectionSampler


def test_without_findings_it_is_its_base():
    trials = _sampler().suggest(50)
    assert all(trial.q == pytest.approx(trial.p0) for trial in trials)


def test_coverage_makes_more_where_scores_are_high():
    sampler = _sampler(rules=["coverage"], epsilon=0.2)
    sampler.inform(_scored(lambda values: 0.9 if values["weather"] == "night" else 0.1))
    trials = sampler.suggest(600)
    night = np.mean([trial.values["weather"] == "night" for trial in trials])
    # By hand: 0.2 * 0.1 + 0.8 * (0.1 * 0.9) / (0.1 * 0.9 + 0.9 * 0.1)
    assert night == pytest.approx(0.42, abs=0.06)


@pytest.mark.parametrize(
    "options",
    [
        {"rules": ["context"]},
        {"rules": ["coverage"]},
        {"context": 0.3},
        {"rules": ["context"], "nuisances": ["weather"]},
    ],
)
def test_the_density_is_exact(options):
    """Importance weights p0/q must give the nominal shares of any region."""
    sampler = _sampler(**options)
    findings = _scored(lambda values: 0.1 + 0.8 * (values["distance"] > 20.0) * (values["kind"] != "car"))
    sampler.inform(replace(findings, reliance=_findings({"person": 0.3}).reliance))
    trials = sampler.suggest(3000)
    weight = np.array([trial.p0 / trial.q for trial in trials])
    assert weight.max() <= 1 / sampler.epsilon * (1 + 1e-9)
    assert weight.std() > 0.2
    units = np.array([trial.unit for trial in trials])
    person, clear = units[:, 0] < 1 / 3, units[:, 3] < 1 / 3
    near = float(SPACE["distance"].distribution.cumulative(27.5, 5.0, 50.0))
    wet = np.array([trial.values.get("drops", 0.0) > 0.5 for trial in trials])
    for inside, truth in (
        (np.ones(len(units)), 1.0),
        (person, 1 / 3),
        (clear & person, 0.2),
        (units[:, 1] < 0.5, near),
        (wet, 0.15),
        ((units[:, 2] > 0.5) & (units[:, 5] < 0.2), 0.1),
    ):
        value = float((weight * inside).mean())
        deviation = float((weight * inside).std() / np.sqrt(len(weight) / 2)) + 0.005 * truth
        assert abs(value - truth) < 4.5 * deviation
        assert deviation < 0.04  # the check can fail


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
    # Nuisances keep their nominal shares, in second halves too, whatever the class.
    weather = [second.values["weather"] for second in seconds if second.varied == "weather"]
    assert len(weather) > 10
    all_weather = [trial.values["weather"] for trial in trials if trial.varied]
    assert all_weather.count("clear") / len(all_weather) == pytest.approx(0.6, abs=0.15)


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
        ({"class_parameter": "distance"}, "must be an enum"),
    ],
)
def test_what_makes_no_sense_is_refused(options, said):
    with pytest.raises(SpaceError, match=said):
        InspectionSampler(SPACE, **{"class_parameter": "kind", "nuisances": NUISANCES, **options})
