"""Parameter value distributions: enumeration, statistics against the distributions' own formulas, reproducibility."""

# ruff: noqa: E501 - lines of XML stay whole
from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from building import text

from scenarios.openscenario import OpenScenarioError, expand, user_distributions

KINDS = {"speed": "double", "count": "int", "name": "string"}


def write(tmp_path: Path, inner: str) -> Path:
    declarations = "".join(
        f'<ParameterDeclaration name="{n}" parameterType="{k}" value="{"x" if k == "string" else 0}"/>'
        for n, k in KINDS.items()
    )
    (tmp_path / "base.xosc").write_text(text(declarations=declarations))
    file = tmp_path / "dist.xosc"
    file.write_text(
        '<OpenSCENARIO><FileHeader revMajor="1" revMinor="2" date="2024-01-01T00:00:00" description="" author=""/>'
        f'<ParameterValueDistribution><ScenarioFile filepath="base.xosc"/>{inner}</ParameterValueDistribution></OpenSCENARIO>'
    )
    return file


def single(name: str, inner: str) -> str:
    return f'<DeterministicSingleParameterDistribution parameterName="{name}">{inner}</DeterministicSingleParameterDistribution>'


def spread(low: float, high: float, step: float) -> str:
    return f'<DistributionRange stepWidth="{step}"><Range lowerLimit="{low}" upperLimit="{high}"/></DistributionRange>'


NAMES = '<DistributionSet><Element value="a"/><Element value="b"/></DistributionSet>'


@pytest.mark.parametrize(
    ("low", "high", "step", "values"),
    [
        (1.1, 1.5, 0.2, ["1.1", "1.3", "1.5"]),
        (0, 1, 0.1, ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"]),
        (0, 1, 0.4, ["0", "0.4", "0.8"]),
        (5, 5, 1, ["5"]),
    ],
)
def test_a_range_includes_both_ends_when_the_step_fits(
    tmp_path: Path, low: float, high: float, step: float, values: list[str]
) -> None:
    found = expand(write(tmp_path, f"<Deterministic>{single('speed', spread(low, high, step))}</Deterministic>"))
    assert [c.parameters["speed"] for c in found] == values


def test_deterministic_distributions_multiply(tmp_path: Path) -> None:
    sets = (
        "<DeterministicMultiParameterDistribution><ValueSetDistribution>"
        '<ParameterValueSet><ParameterAssignment parameterRef="count" value="1"/><ParameterAssignment parameterRef="speed" value="5"/></ParameterValueSet>'
        '<ParameterValueSet><ParameterAssignment parameterRef="count" value="2"/><ParameterAssignment parameterRef="speed" value="6"/></ParameterValueSet>'
        "</ValueSetDistribution></DeterministicMultiParameterDistribution>"
    )
    found = expand(write(tmp_path, f"<Deterministic>{sets}{single('name', NAMES)}</Deterministic>"))
    assert [dict(c.parameters) for c in found] == [
        {"count": "1", "speed": "5", "name": "a"}, {"count": "1", "speed": "5", "name": "b"},
        {"count": "2", "speed": "6", "name": "a"}, {"count": "2", "speed": "6", "name": "b"},
    ]  # fmt: skip
    assert len({c.name for c in found}) == 4


def stochastic(name: str, inner: str, runs: int = 4000) -> str:
    return (
        f'<Stochastic numberOfTestRuns="{runs}" randomSeed="5"><StochasticDistribution parameterName="{name}">{inner}'
        "</StochasticDistribution></Stochastic>"
    )


@pytest.mark.parametrize(
    ("inner", "mean", "deviation"),
    [
        ('<UniformDistribution><Range lowerLimit="2" upperLimit="8"/></UniformDistribution>', 5.0, 6 / math.sqrt(12)),
        ('<NormalDistribution expectedValue="3" variance="4"/>', 3.0, 2.0),
        ('<LogNormalDistribution expectedValue="0.5" variance="0.25"/>', math.exp(0.625),
         math.sqrt((math.exp(0.25) - 1) * math.exp(1.25))),
        ('<PoissonDistribution expectedValue="6"/>', 6.0, math.sqrt(6.0)),
        ('<Histogram><Bin weight="1"><Range lowerLimit="0" upperLimit="1"/></Bin><Bin weight="3"><Range lowerLimit="1" '
         'upperLimit="2"/></Bin></Histogram>', 1.25, math.sqrt(0.25 * (1 / 3) + 0.75 * (7 / 3) - 1.25**2)),
    ],
)  # fmt: skip
def test_stochastic_distributions(tmp_path: Path, inner: str, mean: float, deviation: float) -> None:
    values = np.array(
        [float(c.parameters["speed"]) for c in expand(write(tmp_path, stochastic("speed", inner)), seed=3)]
    )
    assert len(values) == 4000
    assert abs(values.mean() - mean) < 4.0 * deviation / math.sqrt(4000)
    assert values.std() == pytest.approx(deviation, rel=0.08)


def test_weights_of_a_probability_set(tmp_path: Path) -> None:
    inner = '<ProbabilityDistributionSet><Element value="a" weight="1"/><Element value="b" weight="3"/></ProbabilityDistributionSet>'
    names = [c.parameters["name"] for c in expand(write(tmp_path, stochastic("name", inner)))]
    assert abs(names.count("b") / 4000 - 0.75) < 4 * math.sqrt(0.75 * 0.25 / 4000)


def test_a_range_limits_and_whole_numbers_stay_whole(tmp_path: Path) -> None:
    inner = '<NormalDistribution expectedValue="3" variance="25"><Range lowerLimit="1" upperLimit="5"/></NormalDistribution>'
    values = [c.parameters["count"] for c in expand(write(tmp_path, stochastic("count", inner, 300)))]
    assert set(values) == {"1", "2", "3", "4", "5"}


def tuples(*sets: dict) -> str:
    assign = '<ParameterAssignment parameterRef="{}" value="{}"/>'
    inner = "".join(
        f"<ParameterValueSet>{''.join(assign.format(*item) for item in one.items())}</ParameterValueSet>"
        for one in sets
    )
    return (
        f"<DeterministicMultiParameterDistribution><ValueSetDistribution>{inner}</ValueSetDistribution>"
        "</DeterministicMultiParameterDistribution>"
    )


def test_a_seed_need_not_be_whole(tmp_path: Path) -> None:
    inner = stochastic("speed", '<UniformDistribution><Range lowerLimit="0" upperLimit="1"/></UniformDistribution>')
    drawn = []
    for own in ("1", "1.5"):
        changed = inner.replace('randomSeed="5"', f'randomSeed="{own}"')
        assert changed != inner
        drawn.append(expand(write(tmp_path, changed))[0].parameters["speed"])
    assert drawn[0] != drawn[1]


def test_same_seed_same_values_and_other_seed_others(tmp_path: Path) -> None:
    file = write(tmp_path, stochastic("speed", '<NormalDistribution expectedValue="3" variance="4"/>'))
    first, again, other = (expand(file, samples=5, seed=s) for s in (1, 1, 2))
    assert [c.parameters for c in first] == [c.parameters for c in again]
    assert [c.parameters for c in first] != [c.parameters for c in other]
    assert len(first) == 5


def test_samples_of_a_deterministic_distribution_are_points_of_it(tmp_path: Path) -> None:
    file = write(tmp_path, f"<Deterministic>{single('speed', spread(0, 99, 1))}</Deterministic>")
    chosen = [float(c.parameters["speed"]) for c in expand(file, samples=10, seed=4)]
    assert len(set(chosen)) == 10
    assert chosen == sorted(chosen)


def test_user_defined_distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = single("speed", '<UserDefinedDistribution type="list">3, 1.5,2</UserDefinedDistribution>')
    listed = expand(write(tmp_path, f"<Deterministic>{inner}</Deterministic>"))
    assert [c.parameters["speed"] for c in listed] == ["3", "1.5", "2"]
    inner = '<UserDefinedDistribution type="triangular">1, 2, 6</UserDefinedDistribution>'
    drawn = [float(c.parameters["speed"]) for c in expand(write(tmp_path, stochastic("speed", inner)))]
    assert min(drawn) >= 1.0
    assert max(drawn) <= 6.0
    assert sum(drawn) / len(drawn) == pytest.approx(3.0, abs=4 * 1.08 / math.sqrt(len(drawn)))
    monkeypatch.setitem(user_distributions.STOCHASTIC_KINDS, "ours", lambda content: lambda rng: content)
    inner = '<UserDefinedDistribution type="ours">7</UserDefinedDistribution>'
    assert {c.parameters["speed"] for c in expand(write(tmp_path, stochastic("speed", inner)))} == {"7"}
    with pytest.raises(ValueError, match="registered twice"):
        user_distributions.stochastic("triangular")(user_distributions.triangular)


def test_a_plain_scenario_stands_for_itself(tmp_path: Path) -> None:
    (tmp_path / "plain.xosc").write_text(text())
    (only,) = expand(tmp_path / "plain.xosc", samples=7)
    assert (only.name, dict(only.parameters)) == ("plain", {})


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (f"<Deterministic>{single('wind', NAMES)}</Deterministic>", "the scenario declares no parameter 'wind'"),
        (f"<Deterministic>{single('speed', NAMES)}</Deterministic>", "value 'a' is not a double"),
        (f"<Deterministic>{single('speed', spread(0, 1, 0))}</Deterministic>", "stepWidth must be above 0"),
        (f"<Deterministic>{single('speed', spread(2, 1, 1))}</Deterministic>", "upper limit 1 is below the lower limit 2"),
        (f"<Deterministic>{single('name', NAMES)}{single('name', NAMES)}</Deterministic>", "distributed twice"),
        (f"<Deterministic>{single('speed', spread(0, 1e9, 1))}</Deterministic>", "more than 100000"),
        ("<Deterministic/>", "there is no distribution in it"),
        ("", "exactly one of Deterministic and Stochastic"),
        (stochastic("speed", '<UserDefinedDistribution type="x"/>'), "nobody registered a distribution of type 'x'"),
        (stochastic("speed", '<UserDefinedDistribution type="triangular">3, 2, 1</UserDefinedDistribution>'), "low <= mode <= high"),
        (stochastic("speed", '<CauchyDistribution/>'), "this distribution is not supported"),
        (f"""<Deterministic>{single('speed', '<UserDefinedDistribution type="list">1,,2</UserDefinedDistribution>')}</Deterministic>""", "a value is empty"),
        (f"""<Deterministic>{single('speed', '<UserDefinedDistribution type="list">fast</UserDefinedDistribution>')}</Deterministic>""", "'fast' is not a double"),
        (stochastic("name", '<NormalDistribution expectedValue="3" variance="4"/>'), "only numbers can be distributed"),
        (stochastic("speed", '<NormalDistribution expectedValue="0" variance="1"><Range lowerLimit="90" upperLimit="91"/></NormalDistribution>'),
         "hardly any value"),
        (stochastic("speed", '<PoissonDistribution expectedValue="1e30"/>'), r"<PoissonDistribution>: it has values beyond"),
        (stochastic("speed", '<LogNormalDistribution expectedValue="1e4" variance="1"/>'), "it has values beyond"),
        (stochastic("speed", '<UniformDistribution><Range lowerLimit="-INF" upperLimit="1"/></UniformDistribution>'), "limits must be finite"),
        (stochastic("speed", '<UniformDistribution><Range lowerLimit="-1e308" upperLimit="1e308"/></UniformDistribution>'), "it has values beyond"),
        (stochastic("speed", "<Histogram/>"), "there is no bin in it"),
        (stochastic("speed", '<ProbabilityDistributionSet><Element value="1" weight="INF"/></ProbabilityDistributionSet>'), "<Element>: a weight must be finite"),
        (f"<Deterministic>{single('speed', spread(0, 1e308, 5e-324))}</Deterministic>", "more than 100000"),
        (f"<Deterministic>{tuples({})}</Deterministic>", "this set assigns nothing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(tmp_path: Path, inner: str, message: str) -> None:
    with pytest.raises(OpenScenarioError, match=message):
        expand(write(tmp_path, inner))
