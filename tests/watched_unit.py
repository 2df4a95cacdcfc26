"""Two enterprises under the register, told in seconds: for tests that read like a story.

``works`` has a tank farm with detectors and instruments, ``other`` one tank. Every tag has the rules H, HH, STALE and
BAD; those of ``XL-1`` latch, and methane has rules with grades of their own, as DOMAIN's table asks.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from alerting.alarms.overlaid import Overlaid
from alerting.alarms.register import Register
from alerting.alarms.sound import Silence
from alerting.alarms.suppression import Shelf, Window
from alerting.incidents.grading import GradingTable, load_grading
from alerting.journal.journal import Journal
from alerting.ledger.ledger import Loaded
from alerting.records import Alarm, Change, Entry, Incident
from domain.scales import AlarmState, Grade, Level, RuleKind
from domain.site import Enterprise, Gateway, Region, Rule, RuleExtra, RuleTable, Site, Tag, Unit
from domain.transitions import Transition
from tests.missing_steps import do_missing_steps

MIDNIGHT = 1_750_032_000_000
"""ms; second 0 of a story."""
TAGS: tuple[tuple[str, str, str, str | None], ...] = (
    *(("works", f"GT-{number}", "tankfarm", "toxic") for number in range(1, 5)),
    *(("works", f"AT-{number}", "tankfarm", "flammable") for number in range(1, 3)),
    ("works", "MT-1", "tankfarm", "methane"),
    ("works", "MT-2", "tankfarm", "methane"),
    *(("works", f"PI-{number}", "tankfarm", None) for number in range(1, 6)),
    ("works", "XL-1", "tankfarm", None),
    ("works", "TI-9", "boiler", None),
    ("other", "LI-1", "tank", None),
)
"""Enterprise, tag, unit, gas."""


def make_site(hazard_level: int | None = None, *, without: Iterable[str] = ()) -> Site:
    """The site; ``without`` names tags that it no longer has."""
    tags: list[Tag] = []
    rules: list[Rule] = []
    for enterprise, name, unit, gas in TAGS:
        if name in without:
            continue
        number = len(tags)
        tags.append(Tag(enterprise, name, unit, "gw1", "h2s" if gas else "pressure", "mg/m3", 0, 100, 1000, name, gas))
        latching = name.startswith("XL")
        rules += [
            Rule(number, "H", RuleKind.HIGH, Level.H, 10.0, latching=latching, version=3),
            Rule(number, "HH", RuleKind.HIGH, Level.HH, 20.0, latching=latching),
            Rule(number, "STALE", RuleKind.STALE, Level.FAULT, window=3000),
            Rule(number, "BAD", RuleKind.BAD, Level.FAULT),
        ]
        if gas == "methane":
            rules += [
                Rule(number, "CH4-2", RuleKind.HIGH, Level.HH, 2.0, grade=Grade.ORANGE),
                Rule(number, "CH4-3", RuleKind.HIGH, Level.HH, 3.0, grade=Grade.RED),
            ]
    rules.append(Rule(len(tags), "LINK", RuleKind.SYSTEM, Level.FAULT))
    tags.append(Tag("works", "@gw1", "gateways", "gw1", "status", system=True))
    units = [
        Unit("works", "tankfarm", "罐区", hazard_level),
        Unit("works", "boiler", "锅炉"),
        Unit("works", "gateways", "网关"),
        Unit("other", "tank", "储罐"),
    ]
    return Site(
        regions={"370000": Region("370000", "山东省"), "370783": Region("370783", "寿光市", "370000")},
        enterprises={
            "works": Enterprise("works", "测试厂", "370783"),
            "other": Enterprise("other", "邻厂", "370000"),
        },
        units={(unit.enterprise, unit.id): unit for unit in units},
        gateways={(name, "gw1"): Gateway(name, "gw1", "网关") for name in ("works", "other")},
        tags=tags,
        rules=RuleTable.build(rules, len(tags)),
        revision="story",
    )


def related(extras: Mapping[str, RuleExtra], site: Site | None = None, without: Collection[str] = ()) -> Site:
    """The site with relations between its rules, by path, and without some of its rules."""
    site = site or make_site()
    rules = []
    for row in range(len(site.rules)):
        path = site.rule_path(row).removeprefix("works/")
        if path not in without:
            rules.append(replace(site.rules.row(row), extra=extras.get(path)))
    return replace(site, rules=RuleTable.build(rules, len(site.tags)), tag_index={})


def register_of(site: Site, table: GradingTable, loaded: Loaded) -> Register:
    """The register that a start of the service makes of its ledger."""
    journal = Journal(loaded.sequence, loaded.last_hash)
    return Register(site, table, journal, loaded.alarms, loaded.incidents, loaded.settled, loaded.overlaid)


@dataclass
class Books:
    """What commits have written: the ledger's tables, as dictionaries."""

    entries: list[Entry] = field(default_factory=list)
    alarms: dict[int, Alarm] = field(default_factory=dict)
    incidents: dict[int, Incident] = field(default_factory=dict)
    rows: dict[str, dict[Any, dict[str, Any]]] = field(default_factory=dict)
    """Further tables: rows by their first column."""

    def commit(self, change: Change) -> None:
        """As ``Ledger.commit``."""
        self.entries += change.entries
        self.alarms.update({identity: replace(alarm) for identity, alarm in change.alarms.items()})
        self.incidents.update({identity: replace(incident) for identity, incident in change.incidents.items()})
        for table, upserted in change.upserts.items():
            for row in upserted:
                self.rows.setdefault(table, {})[next(iter(row.values()))] = dict(row)

    def overlaid(self) -> Overlaid:
        """What lies over alarms and has not ended."""

        def rows(table: str) -> list[dict[str, Any]]:
            return [row for row in self.rows.get(table, {}).values() if row["ended_at"] is None]

        return Overlaid(
            [Shelf(**row) for row in rows("shelf")],
            [Window(**row) for row in rows("maintenance")],
            [Silence(**row) for row in rows("silence")],
        )

    def told(self) -> list[dict[str, Any]]:
        """The journal's bodies."""
        return [orjson.loads(entry.body) for entry in self.entries]


class WatchedUnit:
    """A register, the books that it fills, and acts that say what was journaled, like ``["alarm.entered GT-1/H"]``."""

    def __init__(
        self, *, hazard_level: int | None = None, table: GradingTable | None = None, site: Site | None = None
    ) -> None:
        self.site = site or make_site(hazard_level)
        self.table = table or load_grading()
        self.books = Books()
        self.register = Register(self.site, self.table, Journal())
        self.last = Change()

    def enters(self, *paths: str, at: float, value: float = 25.0, seen: float | None = None) -> list[str]:
        """Conditions enter, in one commit."""
        return self.apply(
            [self.transition(path, at, entered=True, value=value, seen=seen) for path in paths], seen or at
        )

    def leaves(self, *paths: str, at: float, value: float = 1.0, seen: float | None = None) -> list[str]:
        """Conditions leave, in one commit."""
        return self.apply(
            [self.transition(path, at, entered=False, value=value, seen=seen) for path in paths], seen or at
        )

    def transition(
        self, path: str, at: float, *, entered: bool, value: float = 25.0, seen: float | None = None
    ) -> Transition:
        """A transition of ``GT-1/H`` (of ``works``) or ``other/LI-1/H``."""
        full = path if path.count("/") == 2 else f"works/{path}"
        received = ms(at if seen is None else seen)
        return Transition(self.site.rule_row(full), entered, ms(at), received, value)

    def apply(self, transitions: Sequence[Transition], at: float) -> list[str]:
        """Some transitions, in one commit."""
        change = Change()
        self.register.apply(transitions, ms(at), change)
        return self._commit(change)

    def waits_until(self, at: float) -> list[str]:
        """Nothing happens but time."""
        return self.does(lambda register, change: register.advance(ms(at), change))

    def does(self, act: Callable[[Register, Change], object]) -> list[str]:
        """Whatever else there is to do."""
        change = Change()
        act(self.register, change)
        return self._commit(change)

    def shelves(self, path: str, at: float, until: float, reason: str = "校验") -> list[str]:
        """An officer shelves an alarm."""
        identity = self.alarm(path).id
        return self.does(
            lambda register, change: register.shelving.shelve(
                identity, ms(until), reason, "county", "李强", ms(at), change
            )
        )

    def announces(self, scope: str, target: str, at: float, begins: float | None, ends: float) -> list[str]:
        """Maintenance of something of ``works`` is announced."""
        return self.does(
            lambda register, change: register.maintenance.announce(
                scope,
                "works",
                target,
                None if begins is None else ms(begins),
                ms(ends),
                "检修",
                "works",
                "张伟",
                ms(at),
                change,
            )
        )

    def acknowledges(self, path: str, at: float, name: str = "王芳", comment: str = "已派员") -> list[str]:
        """An officer acknowledges the alarm of a condition."""
        change = Change()
        self.register.acknowledge(self.alarm(path).id, "county", name, comment, ms(at), change)
        return self._commit(change)

    def resets(self, path: str, at: float) -> list[str]:
        """An officer resets a latched alarm."""
        change = Change()
        self.register.reset(self.alarm(path).id, "county", "王芳", "已检查", ms(at), change)
        return self._commit(change)

    def closes(self, at: float, unit: str = "tankfarm") -> list[str]:
        """An officer closes the unit's incident."""
        change = Change()
        self.register.casebook.close(self.incident(unit).id, "county", "王芳", "已处置", ms(at), change)
        return self._commit(change)

    def handles_fully(self, at: float, unit: str = "tankfarm") -> list[str]:
        """Both sides do what the incident's grade requires before it is closed."""
        change = Change()
        do_missing_steps(self.register.casebook, self.incident(unit).id, ms(at), change)
        return self._commit(change)

    def restarts(self, *, settled: Mapping[str, tuple[int, bool]] | None = None, site: Site | None = None) -> None:
        """The register is made anew from the books, as after a crash."""
        self.site = site or self.site
        journal = Journal(len(self.books.entries), self.books.entries[-1].hash) if self.books.entries else Journal()
        alarms = [replace(alarm) for alarm in self.books.alarms.values() if alarm.state is not AlarmState.NORMAL]
        incidents = [replace(found) for found in self.books.incidents.values() if found.archived_at is None]
        if settled is None:
            settled = {alarm.path: (alarm.transition_at, alarm.rule_is_in) for alarm in self.books.alarms.values()}
        self.register = Register(self.site, self.table, journal, alarms, incidents, settled, self.books.overlaid())

    def reconfigures(self, site: Site, at: float) -> list[str]:
        """The configuration changes while the service runs."""
        self.site = site
        return self.does(lambda register, change: register.reconfigure(site, self.table, ms(at), change))

    def withdraws(self, at: float) -> list[str]:
        """After a restart with another site file: alarms of what is gone end."""
        change = Change()
        self.register.withdraw_unknown(ms(at), change)
        return self._commit(change)

    def alarm(self, path: str) -> Alarm:
        """The alarm of a condition that is not normal."""
        found = self.register.find(path if path.count("/") == 2 else f"works/{path}")
        assert found is not None, path
        return found

    def state(self, path: str) -> AlarmState:
        """The state of a condition's alarm."""
        found = self.register.find(path if path.count("/") == 2 else f"works/{path}")
        return found.state if found else AlarmState.NORMAL

    def incident(self, unit: str = "tankfarm") -> Incident:
        """A unit's open incident."""
        (found,) = [incident for incident in self.register.incidents.values() if incident.unit == unit]
        return found

    def grade(self, unit: str = "tankfarm") -> str:
        """The grade of a unit's open incident."""
        return self.incident(unit).grade.label

    def why(self, unit: str = "tankfarm") -> list[str]:
        """Names of the rows that make the grade."""
        return [reason["rule"] for reason in self.incident(unit).reasons]

    def _commit(self, change: Change) -> list[str]:
        self.last = change
        self.books.commit(change)
        told = []
        for entry in change.entries:
            body = orjson.loads(entry.body)
            about = f"{body['tag']}/{body['rule']}" if body["rule"] else body["tag"] or body["unit"]
            told.append(f"{entry.kind} {about}")
        return told


def story() -> Iterator[Change]:
    """Commits of one unit's day, with every kind of record."""
    unit = WatchedUnit(hazard_level=2)
    unit.enters("GT-1/H", "GT-1/HH", "XL-1/H", "GT-1/BAD", at=1, value=float("nan"))
    yield unit.last
    unit.acknowledges("GT-1/H", at=2, name="王芳", comment="泄漏 ☠️\nzweite Zeile '; DROP TABLE alarm; --")
    yield unit.last
    unit.leaves("GT-1/HH", "XL-1/H", at=3)
    yield unit.last
    unit.enters("TI-9/HH", "other/LI-1/H", "@gw1/LINK", at=4, value=1e308)
    yield unit.last
    unit.acknowledges("TI-9/HH", at=5)
    yield unit.last
    unit.leaves("TI-9/HH", at=6, value=-0.0)
    yield unit.last
    unit.handles_fully(at=6.5, unit="boiler")
    yield unit.last
    unit.closes(at=7, unit="boiler")
    yield unit.last


def ms(second: float) -> int:
    """Ms UTC of a story's second."""
    return MIDNIGHT + round(second * 1000)
