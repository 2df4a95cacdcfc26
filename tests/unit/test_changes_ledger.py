"""Changes in the ledger, on SQLite and PostgreSQL: found again as they were, with their acts and results."""

from dataclasses import replace

from alerting.journal.journal import Journal
from alerting.ledger.changes_schema import rule_change
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from domain.scales import Level, RuleKind
from domain.site import Enterprise, Region, Rule, RuleTable, Site, Tag, Unit
from service.changes import queries
from service.changes.book import ChangeBook
from service.changes.change import RuleChange
from service.changes.edits import changed_rules
from service.changes.states import OPEN, TABLE, Act, ChangeState, next_acts, step
from service.config.tuned import Figures

SITE = Site(
    regions={"370000": Region("370000", "山东省")},
    enterprises={"works": Enterprise("works", "测试厂", "370000")},
    units={("works", "u"): Unit("works", "u", "装置")},
    gateways={},
    tags=[Tag("works", "T", "u", "gw1", "temperature", "°C", 0, 200)],
    rules=RuleTable.build(
        [Rule(0, "H", RuleKind.HIGH, Level.H, 80.0), Rule(0, "HH", RuleKind.HIGH, Level.HH, 90.0)], 1
    ),
    revision="test",
)


async def test_what_was_done_is_found_again(ledger: Ledger) -> None:
    book, change = ChangeBook(Journal()), Change()
    rules = changed_rules(SITE, [("works/T/H", Figures(setpoint=85.0, on_delay=5_000))])
    made = book.propose(rules, name="李工", actor="t", reason="因", revision=3, site=SITE, now=10, change=change)
    book.begin_backtest(made.id, 7, (1, 9), "李工", "t", SITE, 11, change)
    summary = {"readings": 5, "counts": {"removed": 2}, "tags": {}}
    book.finish_backtest(made.id, '{"counts": {"removed": 2}}', "d" * 64, summary, 12, change)
    approved = book.approve(made.id, "张强", "t", "可", SITE, 13, change)
    await ledger.commit(change)
    (kept,) = await queries.kept_changes(ledger.engine)
    assert kept == approved
    assert await queries.find(ledger.engine, made.id) == approved
    assert await queries.result(ledger.engine, made.id) == {"counts": {"removed": 2}}
    history = await queries.history(ledger.engine, made.id)
    assert [entry.kind for entry in history] == [
        "change.proposed",
        "change.backtest_begun",
        "change.backtested",
        "change.approved",
    ]
    assert {entry.enterprise for entry in history} == {"works"}
    again = ChangeBook(Journal(len(history), history[-1].hash), [kept])
    change = Change()
    again.withdraw(made.id, "李工", "t", "", 14, change)
    await ledger.commit(change)
    assert await queries.kept_changes(ledger.engine) == []
    assert [each.state for each in await queries.changes(ledger.engine)] == [ChangeState.WITHDRAWN]


async def test_pages_and_states(ledger: Ledger) -> None:
    book, change = ChangeBook(Journal()), Change()
    rules = changed_rules(SITE, [("works/T/H", Figures(setpoint=75.0))])
    made = [
        book.propose(rules, name="李工", actor="t", reason=str(n), revision=3, site=SITE, now=n, change=change)
        for n in range(5)
    ]
    book.reject(made[1].id, "张强", "t", "", 9, change)
    await ledger.commit(change)
    ids = [each.id for each in made]
    assert [each.id for each in await queries.changes(ledger.engine, None, 2)] == [ids[4], ids[3]]
    assert [each.id for each in await queries.changes(ledger.engine, OPEN, 9, ids[3])] == [ids[2], ids[0]]
    assert await queries.find(ledger.engine, 99) is None
    assert await queries.result(ledger.engine, ids[0]) is None


def test_a_backtest_under_way_is_interrupted_by_a_start_once() -> None:
    book, change = ChangeBook(Journal()), Change()
    rules = changed_rules(SITE, [("works/T/H", Figures(setpoint=85.0))])
    made = book.propose(rules, name="李工", actor="t", reason="因", revision=3, site=SITE, now=10, change=change)
    running = book.begin_backtest(made.id, 7, (1, 9), "李工", "t", SITE, 11, change)
    again, change = ChangeBook(Journal(2, b"x" * 32), [running]), Change()
    again.take_part(change, 20)
    again.take_part(change, 21)
    assert [entry.kind for entry in change.entries] == ["change.backtest_interrupted"]
    assert again.find(made.id).course["backtest"]["state"] == "interrupted"


async def test_a_change_that_cannot_be_read_keeps_no_service_from_starting(ledger: Ledger) -> None:
    book, change = ChangeBook(Journal()), Change()
    rules = changed_rules(SITE, [("works/T/H", Figures(deadband=1.0))])
    made = [
        book.propose(rules, name="李工", actor="t", reason="因", revision=3, site=SITE, now=1, change=change)
        for _ in range(2)
    ]
    change.upserts[rule_change.name][0]["rules"][0]["before"]["of_a_later_version"] = 1
    await ledger.commit(change)
    assert await queries.kept_changes(ledger.engine) == [made[1]]


def test_a_change_reads_from_its_row_as_it_was_written() -> None:
    rules = changed_rules(SITE, [("works/T/H", Figures(deadband=1.0)), ("works/T/HH", Figures(on_delay=1))])
    made = RuleChange(4, ChangeState.PROPOSED, "李工", "t", "因", 1, 1, 3, rules).after(5, approval=None)
    assert RuleChange.of_row(made.row()) == made
    assert replace(made, id=5) != made


def test_the_table_of_states_leads_somewhere_and_ends() -> None:
    reached, new = set(), {ChangeState.PROPOSED}
    while new:
        reached |= new
        new = {after for (before, _), after in TABLE.items() if before in new} - reached
    assert reached == set(ChangeState)
    assert {state for state in ChangeState if not next_acts(state)} == {
        ChangeState.ROLLED_BACK,
        ChangeState.REJECTED,
        ChangeState.WITHDRAWN,
    }
    assert step(ChangeState.PROPOSED, Act.APPLY) is None
    assert all(after is not ChangeState.LIVE for (before, _), after in TABLE.items() if before not in OPEN)
