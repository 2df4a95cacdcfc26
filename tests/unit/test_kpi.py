"""Key figures equal a plain recomputation from the raw journal of a simulated 40-day run."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from alerting.journal.journal import Journal
from alerting.kpi.figures import figures
from alerting.kpi.reading import read_records
from alerting.kpi.records import Reader
from alerting.kpi.selection import Period, Selection
from alerting.kpi.targets import load_targets
from alerting.ledger.ledger import Ledger
from domain.floods import find_floods
from domain.scales import Grade
from tests.forty_days import DAY, DAYS, START, Plant
from tests.plain_kpi import Plain

TARGETS = load_targets()
SCOPES: dict[str, Callable[[str, str], bool]] = {
    "all": lambda _enterprise, _region: True,
    "works": lambda enterprise, _region: enterprise == "works",
    "other": lambda enterprise, _region: enterprise == "other",
    "county": lambda _enterprise, region: region == "370783",
}
PERIODS = {
    "forty days": Period(START, START + DAYS * DAY),
    "a week within": Period(START + 9 * DAY + 4_321_000, START + 16 * DAY + 7_654_321),
    "an hour": Period(START + 20 * DAY, START + 20 * DAY + 3_600_000),
    "beyond its end": Period(START + 30 * DAY, START + 60 * DAY),
}


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        # Its one thread is to be there before the watch over the first test looks.
        runner.get_loop().set_default_executor(ThreadPoolExecutor(1))
        runner.run(asyncio.to_thread(int))
        yield runner


@pytest.fixture(scope="module")
def plant(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict[str, Any]]]:
    """The ledger of a run, and its journal's bodies."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('plant') / 'ledger.sqlite'}"

    async def run() -> list[dict[str, Any]]:
        ledger = Ledger(url)
        try:
            await ledger.start()
            await Plant(seed=40).run(ledger)
            return [orjson.loads(entry.body) async for entry in ledger.entries()]
        finally:
            await ledger.close()

    return url, runner.run(run())


async def compute(url: str, period: Period, belongs: Callable[[str, str], bool], gateways: int) -> dict[str, Any]:
    ledger = Ledger(url)
    try:
        records = await read_records(ledger.engine, period, TARGETS)
    finally:
        await ledger.close()
    return figures(Selection(records, period, belongs), records, gateways, TARGETS)


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Each number by its place, to 12 digits."""
    if isinstance(value, dict):
        return {place: one for key, inner in value.items() for place, one in flat(inner, f"{name}/{key}").items()}
    if isinstance(value, list):
        return flat(dict(enumerate(value)), name)
    return {name: None if value is None else float(f"{value:.12g}")}


def test_the_run_has_everything_in_it(plant: tuple[str, list[dict[str, Any]]]) -> None:
    bodies = plant[1]
    kinds = {body["kind"] for body in bodies}
    assert kinds >= {
        "alarm.entered", "alarm.returned", "alarm.acknowledged", "alarm.shelved", "alarm.annunciated",
        "alarm.retrospective", "alarm.chattering", "alarm.damped", "alarm.grouped", "incident.opened",
        "incident.graded", "incident.acknowledged", "incident.fed_back", "incident.closed", "incident.reopened",
        "sound.silenced", "config.revised",
    }  # fmt: skip
    assert len(bodies) > 8_000
    assert any(body["data"].get("drill") for body in bodies)
    assert any(body["kind"] == "alarm.entered" and body["data"].get("suppression") for body in bodies)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("period", PERIODS)
def test_figures_equal_a_plain_recomputation(
    runner: asyncio.Runner, plant: tuple[str, list[dict[str, Any]]], scope: str, period: str
) -> None:
    url, bodies = plant
    over, belongs = PERIODS[period], SCOPES[scope]
    found = runner.run(compute(url, over, belongs, 2))
    plain = Plain(bodies, over.start, over.end, belongs, TARGETS).figures()
    shown = {name: found[name] for name in plain if name in found}
    shown["top_ten_counts"] = [row["alarms"] for row in found["top_ten"]]
    shown["chattering"] = {row["path"]: row["transitions"] for row in found["chattering"]}
    shown["fleeting"] = {row["path"]: row["times"] for row in found["fleeting"]}
    shown["standing"] = {name: found["standing"][name] for name in ("count", "mean")}
    shown["lost"] = round((1 - found["online_rate"]) * 2 * over.length)
    assert flat(shown) == flat(plain)
    assert found["graded"] == (over.length >= 30 * DAY)
    assert all((verdict is None) == (not found["graded"]) for verdict in found["met"].values())


def test_the_run_is_not_without_floods_and_lateness(
    runner: asyncio.Runner, plant: tuple[str, list[dict[str, Any]]]
) -> None:
    found = runner.run(compute(plant[0], PERIODS["forty days"], SCOPES["all"], 2))
    assert len(found["floods"]) >= 5
    assert found["stale_per_day"]["most"] >= 2
    assert found["chattering"]
    assert found["fleeting"]
    assert found["left_out"]["drill"] == 18
    assert found["unsigned_suppressions"] == found["unsigned_changes"] == 1
    assert any(told["late"] for told in found["acknowledge"].values())
    assert any(told["missing"] for told in found["feedback"].values())
    assert found["online_rate"] < 1


def test_a_flood_begins_with_the_eleventh_and_ends_when_fewer_than_five_are_left() -> None:
    period = Period(0, 10 * 600_000)
    times = [number * 1000 for number in range(11)]
    assert [(one.began_at, one.ended_at, one.alarms) for one in find_floods(times, period.end, 10, 5)] == [
        (10_000, 600_000 + 6_000, 11)
    ]
    assert find_floods(times[:10], period.end, 10, 5) == ()
    last = find_floods([*times, 605_500], period.end, 10, 5)
    assert [(one.ended_at, one.alarms) for one in last] == [(600_000 + 7_000, 12)]
    cut = find_floods([at + period.end - 20_000 for at in times], period.end, 10, 5)
    assert [(one.ended_at, one.alarms) for one in cut] == [(period.end, 11)]


def test_nothing_at_all_is_no_fault() -> None:
    records = Reader(frozenset({Grade.RED})).finish()
    period = Period(0, 31 * DAY)
    found = figures(Selection(records, period, SCOPES["all"]), records, 0, TARGETS)
    assert found["alarms"] == 0
    assert found["online_rate"] is None
    assert all(found["met"].values())


def test_kinds_and_data_that_are_not_known_are_passed_over() -> None:
    journal, reader = Journal(), Reader(frozenset())
    for kind in ("alarm.entered", "alarm.returned", "alarm.annunciated", "incident.acknowledged", "moon.rose"):
        reader.take(journal.append(5, kind, "anshao", {}))
        reader.take(journal.append(5, kind, "anshao", {"grade": "mauve", "source_time": "noon"}, tag="T", alarm=7))
    records = reader.finish()
    assert len(records.called_at) == 2
