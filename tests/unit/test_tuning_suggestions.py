"""Bad actors, what is proposed for them, and what each proposal would have changed."""

from dataclasses import replace

import numpy as np
import pytest

from domain.scales import Grade, Level, RuleKind
from domain.site import Rule, Tag
from service.cli.datasets import Rules
from service.cli.tuning_inputs import starting_values
from service.config import load_site
from tests import tuning_case
from tuning.backtest.run import backtest
from tuning.pairing import PairKind
from tuning.readings.recording import Recording
from tuning.reports.page import words
from tuning.scoring import RuleFigures, score
from tuning.suggestions import Actor, Remedy, Starting, Suggestion, Trait, suggest
from tuning.suggestions.habits import Habits, habits_of
from tuning.suggestions.proposals import proposals_for, rounded
from tuning.sweep.along import TagReadings

LEVEL = Tag("works", "LI-1", "u", "g", "level", "%", low=0.0, high=100.0)
GAS = replace(LEVEL, name="GT-1", measurand="h2s", gas="toxic")
HIGH = Rule(0, "H", RuleKind.HIGH, Level.H, 80.0, 0.0)
STARTING = Starting(0.05, 60_000)


def habits(noise: float = 0.5, usual: float = 79.0, longest: int = 1_000) -> Habits:
    quantiles = dict.fromkeys((0.0001, 0.001, 0.01, 0.05), 20.0) | {0.5: 50.0, 0.95: 70.0, 0.99: 75.0, 0.999: usual}
    return Habits(1_000, noise, quantiles, 1_000, longest)


def actor(*traits: Trait) -> Actor:
    return Actor(RuleFigures(0, "works/LI-1/H", Grade.BLUE, 9, 9.0, 1, 1, None, 9, 9, 0, 3), traits, 9.0)


def remedies(rule: Rule, tag: Tag, *traits: Trait, known: Habits | None = None) -> dict[Remedy, Rule | None]:
    return {each.remedy: each.rule for each in proposals_for(actor(*traits), rule, tag, known or habits(), STARTING)}


def test_a_chattering_level_gets_the_deadband_and_delays_of_its_kind() -> None:
    found = remedies(HIGH, LEVEL, Trait.CHATTERING)
    assert found[Remedy.DEADBAND] == replace(HIGH, deadband=5.0)
    assert found[Remedy.NOISE] == replace(HIGH, deadband=3.0)
    assert found[Remedy.OFF_DELAY] == replace(HIGH, off_delay=60_000)
    assert found[Remedy.BOTH] == replace(HIGH, deadband=5.0, off_delay=60_000)
    assert found[Remedy.ON_DELAY] == replace(HIGH, on_delay=60_000)
    assert Remedy.LIMIT not in found


def test_what_the_rule_has_already_is_not_proposed_again() -> None:
    found = remedies(replace(HIGH, deadband=9.0, off_delay=90_000, on_delay=90_000), LEVEL, Trait.CHATTERING)
    assert set(found) == {Remedy.PURPOSE}


def test_the_second_level_gets_no_on_delay_and_gas_three_seconds_at_the_most() -> None:
    second = remedies(replace(HIGH, key="HH", level=Level.HH), LEVEL, Trait.FLEETING)
    assert Remedy.ON_DELAY not in second
    assert Remedy.ALL not in second
    gas = remedies(HIGH, GAS, Trait.FLEETING)
    assert gas[Remedy.ON_DELAY] == replace(HIGH, on_delay=3_000)


def test_a_limit_within_normal_operation_is_reviewed_but_never_that_of_a_gas() -> None:
    found = remedies(replace(HIGH, setpoint=78.0), LEVEL, Trait.STALE, known=habits(usual=79.123))
    assert found == {Remedy.LIMIT: replace(HIGH, setpoint=79.2)}
    low = replace(HIGH, key="L", kind=RuleKind.LOW, level=Level.L, setpoint=25.0)
    assert remedies(low, LEVEL, Trait.STALE) == {Remedy.LIMIT: replace(low, setpoint=20.0)}
    far = remedies(replace(HIGH, setpoint=55.0), LEVEL, Trait.STALE, known=habits(usual=90.0))
    assert far == {Remedy.PURPOSE: None}
    assert remedies(HIGH, GAS, Trait.STALE, known=habits(usual=85.0)) == {Remedy.INSTRUMENT: None}


def test_silence_gets_a_window_by_how_often_the_tag_is_heard() -> None:
    stale = Rule(0, "STALE", RuleKind.STALE, Level.FAULT, window=3_000)
    found = remedies(stale, LEVEL, Trait.FLEETING, known=habits(longest=2_500))
    assert found == {Remedy.WINDOW: replace(stale, window=8_000), Remedy.INSTRUMENT: None}
    assert remedies(stale, LEVEL, Trait.FLEETING) == {Remedy.INSTRUMENT: None}
    bad = replace(stale, key="BAD", kind=RuleKind.BAD)
    assert remedies(bad, LEVEL, Trait.CHATTERING) == {Remedy.INSTRUMENT: None}


def test_figures_are_rounded_outwards() -> None:
    assert rounded(0.1234, up=True) == 0.13
    assert rounded(0.1234, up=False) == 0.12
    assert rounded(-0.1234, up=True, digits=3) == -0.123
    assert rounded(2.0, up=True) == 2.0
    assert rounded(0.3, up=True) == 0.3
    assert rounded(0.0, up=True) == 0.0


def test_noise_is_told_from_what_moves_slowly() -> None:
    rng = np.random.default_rng(1)
    count = 20_000
    time = np.arange(count, dtype=np.int64) * 1_000
    slow = 10 * np.sin(time / 3e6)
    readings = TagReadings(
        time, time, slow + rng.normal(0, 0.25, count), np.ones(count, dtype=np.bool_), 0, 0, 1_000, steady=True
    )
    found = habits_of(readings)
    assert found is not None
    assert found.noise == pytest.approx(0.25, rel=0.05)
    assert (found.interval, found.longest_usual) == (1_000, 1_000)
    # An instrument that repeats each value four times is as noisy.
    repeated = habits_of(replace(readings, value=np.repeat(rng.normal(0, 0.25, count // 4), 4)))
    assert repeated is not None
    assert repeated.noise == pytest.approx(0.25, rel=0.1)


@pytest.fixture(scope="module")
def suggested(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Suggestion]:
    case = tuning_case.make(tmp_path_factory.mktemp("case"))
    site = load_site([case.old])
    found = suggest(site, Recording(case.data), Rules(site).yardstick, starting_values(), truth=tuning_case.TRUTH)
    assert not found.assumed
    return {each.actor.figures.path: each for each in found.suggestions}


def test_the_chattering_pressure_is_found_and_quietened(suggested: dict[str, Suggestion]) -> None:
    pressure = suggested["works/PI-101/H"]
    assert Trait.CHATTERING in pressure.actor.traits
    chosen = next(proposal for proposal in pressure.proposals if proposal.recommended)
    assert chosen.effect is not None
    assert chosen.effect.chattering == 0 < pressure.present.chattering
    assert chosen.effect.lost == 0
    assert [proposal.recommended for proposal in pressure.proposals].count(True) == 1


def test_the_tank_keeps_its_event_and_is_never_made_deaf(suggested: dict[str, Suggestion]) -> None:
    tank = suggested["works/LI-101/H"]
    assert tank.present.chattering > 0
    chosen = next(proposal for proposal in tank.proposals if proposal.recommended)
    assert (chosen.remedy, chosen.loosens) == (Remedy.DEADBAND, False)
    assert chosen.effect is not None
    assert (chosen.effect.alarms, chosen.effect.lost, chosen.effect.later) == (1, 0, 0.0)


def test_effects_are_those_of_a_backtest(
    tmp_path_factory: pytest.TempPathFactory, suggested: dict[str, Suggestion]
) -> None:
    case = tuning_case.make(tmp_path_factory.mktemp("case"))
    site = load_site([case.old])
    tank = suggested["works/LI-101/H"]
    row = site.rule_row("works/LI-101/H")
    for proposal in tank.proposals:
        if proposal.rule is None or proposal.effect is None:
            continue
        rules = [proposal.rule if place == row else site.rules.row(place) for place in range(len(site.rules))]
        changed = replace(site, rules=type(site.rules).build(rules, len(site.tags)))
        told = score(backtest(changed, Recording(case.data)), tuning_case.TRUTH, Rules(site).yardstick)
        figures = next(each for each in told.rules if each.row == row)
        assert (figures.count, figures.chattering, figures.fleeting, figures.time_in) == (
            proposal.effect.alarms,
            proposal.effect.chattering,
            proposal.effect.fleeting,
            proposal.effect.time_in,
        )


def test_whatever_is_proposed_has_its_words_in_both_languages() -> None:
    known = words()
    assert {*map(str, Remedy)} == set(known["remedies"])
    assert {*map(str, Trait)} == set(known["traits"])
    assert {*map(str, PairKind)} == set(known["changes"])
    stale = Rule(0, "STALE", RuleKind.STALE, Level.FAULT, window=3_000)
    rise = replace(HIGH, key="RISE", kind=RuleKind.RISE, window=60_000)
    every = [
        proposal
        for rule, tag in (
            (HIGH, LEVEL), (replace(HIGH, setpoint=78.0), LEVEL), (HIGH, GAS), (rise, LEVEL), (stale, LEVEL),
            (replace(stale, kind=RuleKind.BAD), LEVEL), (replace(HIGH, setpoint=55.0), LEVEL),
            (replace(HIGH, kind=RuleKind.EXPRESSION), LEVEL),
        )
        for proposal in proposals_for(actor(*Trait), rule, tag, habits(longest=2_500), STARTING)
    ]  # fmt: skip
    assert {proposal.reason for proposal in every} == set(known["why"])
    for proposal in every:
        for language in ("zh", "en"):
            assert known["why"][proposal.reason][language].format(**proposal.figures)
