"""After a restart the state is as it was, however long the service was away."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text

from alerting.alarms.register import Register
from alerting.journal.audit import audit
from alerting.journal.heads import FILE
from alerting.journal.keys import known_keys
from alerting.journal.sealing import Sealer
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from domain.samples import SampleBlock
from domain.scales import AlarmState, Quality
from historian.spool import Spool
from rules.engine import RuleEngine
from service import parts
from service.config import Settings, load
from service.recovery import recover
from tests.running import main_file, site_of, write_yaml

NOON = 1_750_046_400_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    tag = {"tag": "GT-101", "measurand": "h2s", "engineering_unit": "mg/m3", "range": [0, 100]}
    write_yaml(tmp_path / "site.yaml", site_of([{"id": "tanks", "name": "罐区", "tags": [tag]}]))
    return load(write_yaml(tmp_path / "anshao.yaml", main_file(historian={"kind": "duckdb"})), {})


async def take(
    ledger: Ledger, spool: Spool, engine: RuleEngine, register: Register, tag: int, values: Sequence[float]
) -> None:
    """Readings of a tag, one a second, as the pipeline takes them."""
    for second, value in enumerate(values):
        at = NOON + second * 1_000
        block = SampleBlock.of([tag], [at], [at], [value], [Quality.GOOD], [0])
        change = Change()
        register.apply(engine.evaluate(block), at, change)
        spool.append([block])
        if change.entries:
            await ledger.commit(change)


@pytest.mark.parametrize("away", [1_000, 3_600_000, 7 * 86_400_000])
async def test_an_acknowledged_alarm_is_neither_cleared_nor_raised_again(settings: Settings, away: int) -> None:
    settings.data_dir.mkdir()
    site, memory = settings.site, parts.memory_of(settings.site)
    gas = site.tag_index["works/GT-101"]
    ledger = Ledger(settings.ledger.url.get_secret_value())
    await ledger.start()
    spool = parts.open_spool(settings, memory)
    engine = parts.make_engine(settings)
    register = await recover(settings, ledger, spool, engine, memory, NOON, "1")
    await take(ledger, spool, engine, register, gas, [5.0] * 60 + [15.0] * 30)
    change = Change()
    [alarm] = register.active.values()
    register.acknowledge(alarm.id, "desk", "Li", "seen", NOON + 90_000, change)
    await ledger.commit(change)
    count = await ledger.count_entries()

    engine = parts.make_engine(settings)
    register = await recover(settings, ledger, spool, engine, memory, NOON + 90_000 + away, "1")
    [found] = register.active.values()
    assert (found.id, found.state, found.condition) == (alarm.id, AlarmState.ACKNOWLEDGED, True)
    assert await ledger.count_entries() == count + 1  # the start alone
    spool.close()
    await ledger.close()


async def test_a_limit_lowered_while_away_raises_what_it_finds_in(settings: Settings, tmp_path: Path) -> None:
    """By the new limit the condition has been in since long before its alarm returned by the old one."""
    settings.data_dir.mkdir()
    memory = parts.memory_of(settings.site)
    ledger = Ledger(settings.ledger.url.get_secret_value())
    await ledger.start()
    spool = parts.open_spool(settings, memory)
    engine = parts.make_engine(settings)
    register = await recover(settings, ledger, spool, engine, memory, NOON, "1")
    gas = settings.site.tag_index["works/GT-101"]
    await take(ledger, spool, engine, register, gas, [15.0] * 30 + [5.0] * 30)
    path = settings.site.rule_path(settings.site.rule_row("works/GT-101/H"))
    returned = register.find(path)
    assert returned is not None
    assert returned.state is AlarmState.RETURNED_UNACKNOWLEDGED

    (unit,) = (site := yaml.safe_load((tmp_path / "site.yaml").read_text("utf-8")))["enterprises"][0]["units"]
    unit["tags"][0]["limits"] = {"H": 4}
    write_yaml(tmp_path / "site.yaml", site)
    lowered = load(tmp_path / "anshao.yaml", {})
    engine = parts.make_engine(lowered)
    register = await recover(lowered, ledger, spool, engine, memory, NOON + 61_000, "1")
    found = register.find(path)
    spool.close()
    await ledger.close()
    assert found is not None
    assert (found.state, found.value) == (AlarmState.UNACKNOWLEDGED, 5.0)


async def test_a_start_that_finds_the_journal_cut_goes_on_and_says_so(settings: Settings) -> None:
    settings.data_dir.mkdir()
    memory = parts.memory_of(settings.site)
    spool = parts.open_spool(settings, memory)
    for start in range(4):
        ledger = Ledger(settings.ledger.url.get_secret_value(), sealer=Sealer.open(settings.data_dir))
        await ledger.start()
        await recover(settings, ledger, spool, parts.make_engine(settings), memory, NOON + start, "1")
        if start == 2:
            async with ledger.engine.begin() as connection:
                await connection.execute(text("DELETE FROM journal WHERE sequence > 1"))
        await ledger.close()
    kinds = [entry.kind async for entry in ledger.entries()]
    findings = await audit(ledger.engine, settings.data_dir / FILE, known_keys(settings.data_dir / "keys"))
    await ledger.close()
    spool.close()
    assert kinds == ["service.started", "journal.broken", "service.started"]
    assert findings.faults == [
        "entry 2 records that the journal was found broken at a start: the journal does not end as its newest head says"
    ]
