"""The shipped scenarios: what their truth says must alarm does in its time, what must not does not."""

from collections import defaultdict
from pathlib import Path

import pytest

from domain.site import Site
from service.cli.simulating import written
from service.config import load_site
from simulators.scenarios import SITE, Simulation, load, shipped
from tuning.backtest.result import Backtest
from tuning.backtest.run import backtest
from tuning.readings.recording import Recording

SHIPPED = shipped()


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site([SITE])


def entered(found: Backtest) -> dict[str, list[int]]:
    """Source times at which each condition entered."""
    times: dict[str, list[int]] = defaultdict(list)
    transitions = found.transitions
    for rule, into, time in zip(
        transitions.rule.tolist(), transitions.entered.tolist(), transitions.source_time.tolist(), strict=True
    ):
        if into:
            times[found.site.rule_path(rule)].append(time)
    return times


def played(name: str, site: Site, folder: Path) -> tuple[Simulation, Backtest]:
    simulation = Simulation(load(SHIPPED[name]), site)
    with written(simulation, folder / f"{name}.parquet") as take:
        for chunk in simulation.chunks():
            take(chunk)
    return simulation, backtest(site, Recording(folder / f"{name}.parquet"), workers=1)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_default_rules_find_what_must_be_found_and_nothing_that_must_not(
    name: str, site: Site, tmp_path: Path
) -> None:
    simulation, found = played(name, site, tmp_path)
    times = entered(found)
    truth = simulation.truth
    late = {
        each.condition: [(time - simulation.begin) / 1000.0 for time in times[each.condition]]
        for each in truth.expected
        if not any(each.begin <= time <= each.end for time in times[each.condition])
    }
    assert not late, f"expected, but entered only at (s): {late}"
    false = {condition: times[condition] for condition in truth.never if condition in times}
    assert not false, f"must never enter, and did: {false}"
    assert truth.expected or truth.never
    assert found.readings > 0
    assert not found.unknown_tags
    for event in truth.events:
        if event.harm_at is not None:
            first = min(each.begin for each in truth.expected if each.begin >= event.begin)
            assert first < event.harm_at, f"{event.id}: harm comes before anything is expected to alarm"


@pytest.mark.parametrize("name", SHIPPED)
def test_each_tells_its_story_in_both_languages(name: str) -> None:
    file = load(SHIPPED[name]).file
    assert file.name == name
    for words in (file.title.zh, file.story.zh):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in words)
    for words in (file.title.en, file.story.en):
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in words)


def test_scenarios_share_no_tags() -> None:
    """So that all of them can be played into one service at once."""
    owner: dict[str, str] = {}
    site = load_site([SITE])
    for name, path in SHIPPED.items():
        for tag in Simulation(load(path), site).tags:
            assert owner.setdefault(tag.path, name) == name


def test_there_are_enough() -> None:
    assert len(SHIPPED) >= 20
