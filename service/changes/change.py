"""A change (变更): which rules it changes and how, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self, TypedDict

from domain.scales import RuleKind
from domain.site import Site
from service.changes.states import ChangeState
from service.config.tuned import Figures


class Signed(TypedDict):
    """Who did something, when (ms), and what was said. ``actor``: the token's name."""

    name: str
    actor: str
    at: int
    comment: str


class Backtesting(TypedDict):
    """The newest backtest. Times in ms; ``state``: running, finished, failed or interrupted."""

    state: str
    days: int
    begun_at: int
    name: str
    begin: int
    """Source time of the first reading that is asked for."""
    end: int
    ended_at: int | None
    detail: str
    """Why it failed, or was interrupted, and what to do."""
    sequence: int | None
    """Of the journal entry that has its digest."""
    digest: str | None
    readings: int
    counts: dict[str, int]
    """``before``, ``after``, and of each kind of ``pairing.DIFFERENCES``."""


class Watched(TypedDict):
    """What one rule did in shadow, and what it did in force, in the same time."""

    shadow: int
    """How often it would have entered."""
    live: int
    """How often it entered, or was in already when the watch began."""
    shadow_in: bool
    live_in: bool


class Shadowing(TypedDict):
    """试运行. Times in ms."""

    name: str
    began_at: int
    until: int
    since: int
    """Since when the figures count: the beginning, or the last start of the service."""
    restarts: int
    """How often it began anew with the service."""
    ended_at: int | None
    detail: str
    """Why it ended before its time."""
    readings: int
    rules: dict[str, Watched]
    """By path."""


class Scheduled(Signed):
    """To be put in force at a time (ms)."""

    due: int


class InForce(Signed):
    """Put in force, or taken back, as a revision of the configuration."""

    revision: int
    previous: dict[str, dict[str, Any] | None]
    """By path: the entry of the tuned limits that held before (``TunedLimit``); None: the site file's figures did."""


class Course(TypedDict, total=False):
    """What became of a change, as JSON. Never changed in place: commits hold on to it."""

    backtest: Backtesting
    approval: Signed
    rejection: Signed
    withdrawal: Signed
    schedule: Scheduled
    shadow: Shadowing
    live: InForce
    rollback: InForce
    not_applied: Signed
    """Why it was not put in force at its time."""


@dataclass(frozen=True, slots=True)
class ChangedRule:
    """One rule, its figures as they were when the change was proposed, and as they shall be."""

    path: str
    """``enterprise/tag/rule``."""
    kind: RuleKind
    unit: str
    engineering_unit: str
    description: str
    before: Figures
    after: Figures
    loosened: tuple[str, ...]
    """Figures by which it is loosened: see ``loosening``."""

    @property
    def tag_path(self) -> str:
        """``enterprise/tag``."""
        return self.path.rpartition("/")[0]

    @property
    def key(self) -> str:
        """The rule's key within its tag."""
        return self.path.rpartition("/")[2]

    @property
    def edit(self) -> Figures:
        """The figures that change."""
        before, after = self.before.given(), self.after.given()
        changed: dict[str, Any] = {name: value for name, value in after.items() if before.get(name) != value}
        return Figures(**changed)

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self) | {"kind": int(self.kind), "loosened": list(self.loosened)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """As it was kept."""
        known = {"kind": RuleKind(kept["kind"]), "loosened": tuple(kept["loosened"])}
        figures = {"before": Figures(**kept["before"]), "after": Figures(**kept["after"])}
        return cls(**{**kept, **known, **figures})


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A change; its id is the number of the journal entry that proposed it. Times in ms UTC."""

    id: int
    state: ChangeState
    name: str
    """Who proposed it."""
    actor: str
    """The token that it came with."""
    reason: str
    proposed_at: int
    updated_at: int
    base_revision: int
    """Revision of the configuration that it was proposed against."""
    rules: tuple[ChangedRule, ...]
    course: Course = field(default_factory=Course)

    @property
    def loosens(self) -> bool:
        """Some rule is loosened: it wants a backtest."""
        return any(rule.loosened for rule in self.rules)

    @property
    def is_backtested(self) -> bool:
        """There is a finished backtest."""
        backtest = self.course.get("backtest")
        return backtest is not None and backtest["state"] == "finished"

    def after(self, now: int, state: ChangeState | None = None, **course: Any) -> "RuleChange":
        """The change once something more became of it; None takes a part of its course away."""
        merged: dict[str, Any] = {**self.course, **course}
        kept: Any = {key: value for key, value in merged.items() if value is not None}
        return replace(self, state=state or self.state, updated_at=now, course=kept)

    def row(self) -> dict[str, Any]:
        """Row of the ledger."""
        return {
            "id": self.id,
            "state": self.state.value,
            "name": self.name,
            "actor": self.actor,
            "reason": self.reason,
            "proposed_at": self.proposed_at,
            "updated_at": self.updated_at,
            "base_revision": self.base_revision,
            "rules": [rule.as_json() for rule in self.rules],
            "course": dict(self.course),
        }

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """From a row of the ledger."""
        rules = tuple(map(ChangedRule.from_json, row["rules"]))
        return cls(**{**row, "state": ChangeState(row["state"]), "rules": rules})


def moved_since(site: Site, rules: Sequence[ChangedRule]) -> str:
    """Why a change does not fit the site any more: a rule is gone or is not as it was; empty if it fits."""
    for rule in rules:
        index = site.tag_index.get(rule.tag_path)
        row = None if index is None else row_of(site, index, rule.key)
        if row is None:
            return f"{rule.path} is not there any more"
        if int(site.rules.kind[row]) != rule.kind:
            return f"{rule.path} is of another kind now"
        now = Figures.of(site, row)
        if now != rule.before:
            was, is_ = rule.before.given(), now.given()
            differing = [name for name in was if was[name] != is_.get(name)]
            told = ", ".join(f"{name} {was[name]:.12g} -> {is_.get(name, 0):.12g}" for name in differing)
            return f"{rule.path} was changed meanwhile ({told})"
    return ""


def overtaken(site: Site, rules: Sequence[ChangedRule]) -> str:
    """Why a change that was put in force is not in force as it was: another revision came over it; empty if it is."""
    return moved_since(site, [replace(rule, before=rule.after) for rule in rules])


def row_of(site: Site, tag: int, key: str) -> int | None:
    """Row of a rule of a tag; None: it has none of that key."""
    return next((row for row in site.rules.of_tag(tag) if site.rules.key[row] == key), None)
