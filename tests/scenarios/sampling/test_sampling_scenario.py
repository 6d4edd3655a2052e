"""Spaces from OpenSCENARIO distributions draw what the distributions draw."""

import textwrap
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from foundation.errors import InputError
from scenarios.openscenario import expand
from scenarios.sampling import Enum, Integer, NominalSampler, Real, load_space, scenario_parameters, scenario_space

CATALOGUE = Path(__file__).parents[3] / "scenarios" / "catalogue"
SCENARIO = """<?xml version="1.0"?>
<OpenSCENARIO><FileHeader revMajor="1" revMinor="3" date="2026-01-01T00:00:00" author="a" description="d"/>
<ParameterDeclarations>
  <ParameterDeclaration name="Speed" parameterType="double" value="10"/>
  <ParameterDeclaration name="Gap" parameterType="double" value="10"/>
  <ParameterDeclaration name="Count" parameterType="int" value="1"/>
  <ParameterDeclaration name="Kind" parameterType="string" value="car"/>
  <ParameterDeclaration name="Lit" parameterType="boolean" value="true"/>
</ParameterDeclarations></OpenSCENARIO>"""


def write(folder, body, kind="Stochastic"):
    (folder / "base.xosc").write_text(SCENARIO)
    head = ' numberOfTestRuns="5"' if kind == "Stochastic" else ""
    path = folder / "space.xosc"
    path.write_text(
        textwrap.dedent(
            f"""<?xml version="1.0"?>
            <OpenSCENARIO>
            <FileHeader revMajor="1" revMinor="3" date="2026-01-01T00:00:00" author="a" description="d"/>
            <ParameterValueDistribution><ScenarioFile filepath="base.xosc"/><{kind}{head}>{body}</{kind}>
            </ParameterValueDistribution></OpenSCENARIO>"""
        ).strip()
    )
    return path


def stochastic(name, law):
    return f'<StochasticDistribution parameterName="{name}">{law}</StochasticDistribution>'


RANGE = '<Range lowerLimit="{}" upperLimit="{}"/>'
BINS = "".join(f'<Bin weight="{w}">{RANGE.format(a, b)}</Bin>' for a, b, w in ((0, 4, 1), (2, 3, 1), (6, 10, 2)))
LAWS = {
    "uniform": f"<UniformDistribution>{RANGE.format(2, 7.5)}</UniformDistribution>",
    "normal": f'<NormalDistribution expectedValue="5" variance="9">{RANGE.format(1, 8)}</NormalDistribution>',
    "lognormal": '<LogNormalDistribution expectedValue="1" variance="0.5"><Range lowerLimit="1" upperLimit="8"/>'
    "</LogNormalDistribution>",
    "poisson": f'<PoissonDistribution expectedValue="3">{RANGE.format(1, 8)}</PoissonDistribution>',
    "histogram with overlapping bins": f"<Histogram>{BINS}</Histogram>",
}


@pytest.mark.parametrize("name", ["Speed", "Count"])
@pytest.mark.parametrize("law", LAWS)
def test_nominal_draws_are_those_of_expand(tmp_path, name, law):
    path = write(tmp_path, stochastic(name, LAWS[law]))
    theirs = np.array([float(c.parameters[name]) for c in expand(path, samples=3000, seed=1)])
    space = scenario_space(path)
    ours = np.array([t.values[name] for t in NominalSampler(space, 1).suggest(3000)], dtype=float)
    if isinstance(space[name], Integer):
        values = np.unique(np.concatenate([ours, theirs]))
        table = np.array([[np.sum(x == v) for v in values] for x in (ours, theirs)])
        assert stats.chi2_contingency(table).pvalue > 1e-3
        assert set(theirs) <= set(space[name].cell_values())
    else:
        assert stats.ks_2samp(ours, theirs).pvalue > 1e-3


def test_rounding_gives_the_ends_of_a_uniform_half_the_mass(tmp_path):
    law = f"<UniformDistribution>{RANGE.format(1, 4)}</UniformDistribution>"
    count = scenario_space(write(tmp_path, stochastic("Count", law)))["Count"]
    np.testing.assert_allclose(count.masses(), [1 / 6, 1 / 3, 1 / 3, 1 / 6])


def test_sets_keep_their_weights(tmp_path):
    elements = "".join(f'<Element value="{v}" weight="{w}"/>' for v, w in (("car", 1), ("van", 2), ("car", 1)))
    body = stochastic("Kind", f"<ProbabilityDistributionSet>{elements}</ProbabilityDistributionSet>")
    kind = scenario_space(write(tmp_path, body))["Kind"]
    assert isinstance(kind, Enum)
    assert dict(zip(kind.choices, kind.masses())) == {"car": 0.5, "van": 0.5}


def single(name, law):
    return (
        f'<DeterministicSingleParameterDistribution parameterName="{name}">{law}'
        "</DeterministicSingleParameterDistribution>"
    )


def test_deterministic_distributions(tmp_path):
    body = (
        single("Kind", '<DistributionSet><Element value="car"/><Element value="van"/></DistributionSet>')
        + single("Gap", f'<DistributionRange stepWidth="0.5">{RANGE.format(1, 3)}</DistributionRange>')
        + single("Count", f'<DistributionRange stepWidth="1">{RANGE.format(1, 3)}</DistributionRange>')
        + single("Lit", '<DistributionSet><Element value="true"/><Element value="false"/></DistributionSet>')
    )
    path = write(tmp_path, body, "Deterministic")
    space = load_space(path)
    assert [type(p) for p in space.parameters] == [Enum, Real, Integer, Enum]
    assert (space["Gap"].low, space["Gap"].high) == (1.0, 3.0)
    for concrete in expand(path):
        texts = concrete.parameters
        values = {**texts, "Gap": float(texts["Gap"]), "Count": int(texts["Count"])}
        assert scenario_parameters(space.values(space.unit(values))) == texts


def test_value_sets_stay_together(tmp_path):
    sets = "".join(
        f'<ParameterValueSet><ParameterAssignment parameterRef="$Speed" value="{a}"/>'
        f'<ParameterAssignment parameterRef="$Gap" value="{b}"/></ParameterValueSet>'
        for a, b in ((10, 1), (20, 2), (30, 4))
    )
    body = (
        "<DeterministicMultiParameterDistribution><ValueSetDistribution>"
        f"{sets}</ValueSetDistribution></DeterministicMultiParameterDistribution>"
    )
    space = scenario_space(write(tmp_path, body, "Deterministic"))
    texts = [scenario_parameters(t.values) for t in NominalSampler(space, 0).suggest(30)]
    assert {(t["Speed"], t["Gap"]) for t in texts} == {("10", "1"), ("20", "2"), ("30", "4")}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (stochastic("Speed", '<NormalDistribution expectedValue="5" variance="9"/>'), "parameter Speed has no limits"),
        (stochastic("Count", '<PoissonDistribution expectedValue="5"/>'), "parameter Count has no limits"),
        (stochastic("Speed", LAWS["uniform"].replace("7.5", "INF")), "no finite limits"),
        (stochastic("Speed", LAWS["uniform"].replace("7.5", "1")), "below the lower limit"),
        (stochastic("Sped", LAWS["uniform"]), "declares no parameter 'Sped'"),
        (stochastic("Kind", LAWS["uniform"]), "only numbers"),
        (stochastic("Speed", LAWS["uniform"]) * 2, "distributed twice"),
        (stochastic("Speed", LAWS["normal"].replace('"5"', '"500"')), "of its probability within"),
        (stochastic("Speed", "<Cauchy/>"), "not supported"),
        (stochastic("Speed", LAWS["uniform"].replace("<Uni", "<Uni", 1)) + "<Other/>", "Other"),
        ("", "no distribution"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, body, words):
    path = write(tmp_path, body)
    with pytest.raises(InputError, match=words) as caught:
        scenario_space(path)
    assert f"{path.name}:" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_scenario_without_distribution_is_refused():
    with pytest.raises(InputError, match="no distribution"):
        scenario_space(CATALOGUE / "child_runs_out.xosc")


@pytest.mark.parametrize("path", sorted(CATALOGUE.glob("*_distribution.xosc")), ids=lambda p: p.stem)
def test_the_catalogue_spans_spaces(path):
    space = scenario_space(path)
    assert set(space.names) | set(space.constants) == set(expand(path, samples=1)[0].parameters)
    assert all(p.provenance.startswith(path.name) for p in space.parameters)
