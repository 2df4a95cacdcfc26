"""Tuned limits: figures of single rules that change control lays over what the site files say.

One document, the main file's key ``tuned``. Each entry names a rule, the figures that hold in place of the site's own,
and who changed them why. Site files stay as their authors wrote them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, StringConstraints, model_validator

from domain.scales import RuleKind
from domain.site import SERVICE_ENTERPRISE, Site, Tag
from service.config.document import Document, Loc
from service.config.quantities import Delay, Name, NonNegative, Number, PointName, Window, refusal
from service.config.rule_columns import STALE_PERIODS
from service.config.validation import Section, suggestion, validate

DOCUMENT = "tuned.yaml"
"""Name of the document where the main file names none."""
FIGURES = ("setpoint", "deadband", "on_delay", "off_delay", "window")
"""Figures of a rule that can be tuned, as ``RuleTable`` names them; which of them, its kind says."""
_DELAYS = frozenset({"on_delay", "off_delay"})
_LIMIT = _DELAYS | {"setpoint", "deadband"}
TUNABLE: Mapping[RuleKind, frozenset[str]] = {
    RuleKind.HIGH: _LIMIT,
    RuleKind.LOW: _LIMIT,
    RuleKind.RISE: _LIMIT | {"window"},
    RuleKind.FALL: _LIMIT | {"window"},
    RuleKind.DEVIATION: _LIMIT,
    RuleKind.STUCK: _DELAYS | {"setpoint", "window"},
    RuleKind.VOTE: _LIMIT,
    RuleKind.EXPRESSION: _DELAYS,
    RuleKind.T2: _DELAYS,  # the limit is the model's, and would outlive it here
    RuleKind.SPE: _DELAYS,
    RuleKind.BAD: _DELAYS,
    RuleKind.STALE: frozenset({"window"}),
}
"""What can be tuned of each kind of rule; a kind that is not named stays as the site file has it."""
_NEAR = 20
"""So many known names a remedy lists."""
_HEAD = """\
# Limits that change control has put in place of those in the site files. It rewrites this document with each change;
# to take an entry back, roll back its change (anshao change rollback).
"""

Reason = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


@dataclass(frozen=True, slots=True)
class Figures:
    """The tunable figures of a rule, or those of them that are given. Times in ms; None: not given."""

    setpoint: float | None = None
    deadband: float | None = None
    on_delay: int | None = None
    off_delay: int | None = None
    window: int | None = None

    @classmethod
    def of(cls, site: Site, row: int) -> Self:
        """All figures of a row of the rule table that its kind has."""
        rules = site.rules
        known = TUNABLE.get(RuleKind(int(rules.kind[row])), frozenset())
        return cls(**{name: getattr(rules, name)[row].item() for name in FIGURES if name in known})

    def given(self) -> dict[str, float | int]:
        """Those that are given, by name."""
        return {name: value for name in FIGURES if (value := getattr(self, name)) is not None}

    def over(self, other: "Figures") -> "Figures":
        """These, and where they are not given the other's."""
        given: dict[str, Any] = self.given()
        return replace(other, **given)


@dataclass(frozen=True, slots=True)
class TunedLimit:
    """One entry of the document."""

    path: str
    """``enterprise/tag/rule``."""
    figures: Figures
    change: int | None
    """The change that put it here; None: written by hand."""
    name: str
    reason: str
    base: Figures = Figures()
    """All figures that the site files give the rule."""


class TunedEntry(Section):
    """One entry as it is written."""

    enterprise: PointName
    tag: PointName
    rule: PointName
    setpoint: Number | None = None
    deadband: NonNegative | None = None
    on_delay: Delay | None = None
    off_delay: Delay | None = None
    window: Window | None = None
    change: Annotated[int, Field(strict=True, ge=1)] | None = None
    name: Name
    reason: Reason

    @model_validator(mode="after")
    def _check(self) -> Self:
        if all(getattr(self, name) is None for name in FIGURES):
            raise refusal("the entry changes nothing", f"Give one of {', '.join(FIGURES)}, or delete the entry.")
        return self

    def limit(self) -> TunedLimit:
        """As it counts."""
        figures = Figures(**{name: getattr(self, name) for name in FIGURES})
        path = f"{self.enterprise}/{self.tag}/{self.rule}"
        return TunedLimit(path, figures, self.change, self.name, self.reason)


class TunedFile(Section):
    """The document."""

    limits: tuple[TunedEntry, ...] = ()


def lay_over(site: Site, document: Document) -> tuple[TunedLimit, ...]:
    """Put a document's figures into a site that was just built, in place; faults go to the document."""
    read = validate(TunedFile, document.data, document.fault, ())
    if read is None:
        return ()
    seen: dict[str, int] = {}
    rows: dict[int, Loc] = {}
    taken = []
    for number, entry in enumerate(read.limits):
        limit = entry.limit()
        loc: Loc = ("limits", number)
        first = seen.setdefault(limit.path, number)
        if first != number:
            line, _ = document.place(("limits", first))
            document.fault(loc, f"{limit.path} is tuned already in line {line}", "Keep one of the two entries.")
            continue
        row = _row_of(site, entry, document, loc)
        if row is None:
            continue
        base = Figures.of(site, row)
        if _put(site, row, limit.figures, document, loc):
            rows[row] = loc
            taken.append(replace(limit, base=base))
    for row, loc in rows.items():
        fault = fault_of(site, row)
        if fault is not None:
            name, message, remedy = fault
            document.fault((*loc, name), message, remedy)
    return tuple(taken)


def write(limits: Sequence[TunedLimit]) -> bytes:
    """The document with these entries, by path."""
    entries: list[dict[str, Any]] = []
    for limit in sorted(limits, key=lambda one: one.path):
        tag, _, rule = limit.path.rpartition("/")
        enterprise, _, name = tag.partition("/")
        entry: dict[str, Any] = {"enterprise": enterprise, "tag": name, "rule": rule}
        for figure, value in limit.figures.given().items():
            entry[figure] = value if figure in {"setpoint", "deadband"} else duration(int(value))
        if limit.change is not None:
            entry["change"] = limit.change
        entries.append(entry | {"name": limit.name, "reason": limit.reason})
    text = yaml.safe_dump({"limits": entries}, allow_unicode=True, sort_keys=False, width=120)
    return (_HEAD + text).encode()


def duration(milliseconds: int) -> str:
    """A duration as people write it: ``10min``, ``1500ms``."""
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if milliseconds and milliseconds % length == 0:
            return f"{milliseconds // length}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0s"


def refused_figure(kind: RuleKind, key: str, figures: Figures) -> tuple[str, str, str] | None:
    """Figure, message and remedy of what a rule of this kind does not have; None where it has all that are given."""
    known = TUNABLE.get(kind, frozenset())
    for name in figures.given():
        if name not in known:
            listed = ", ".join(figure for figure in FIGURES if figure in known)
            remedy = f"Give one of {listed}." if listed else "Change it in the site file, or where it comes from."
            return name, f"rule {key} ({kind.name.lower()}) has no {name} that can be tuned", remedy
    return None


def fault_of(site: Site, row: int) -> tuple[str, str, str] | None:  # noqa: C901, PLR0911, PLR0912 - one check a line
    """What is wrong with a rule as it stands in the table: figure at fault, message, remedy; None: nothing.

    The same demands as of a site file: a rule must be able to sound, to clear again, and to stand in its order.
    """
    rules = site.rules
    kind, tag = RuleKind(int(rules.kind[row])), _watched(site, row)
    setpoint, deadband = float(rules.setpoint[row]), float(rules.deadband[row])
    window, key = int(rules.window[row]), rules.key[row]
    span = tag.high - tag.low
    if kind in (RuleKind.HIGH, RuleKind.LOW, RuleKind.VOTE):
        extra = rules.extras.get(row)
        low = kind is RuleKind.LOW or (extra is not None and extra.low)
        limits = [(setpoint, deadband, "")]
        for mode in extra.modes if extra is not None else ():
            if mode.setpoint is not None:
                own = deadband if mode.deadband is None else mode.deadband
                limits.append((mode.setpoint, own, f" in the mode {mode.mode}"))
        for limit, band, when in limits:
            if not tag.low <= limit <= tag.high:
                message = f"{key} {limit:.12g}{when} lies outside the range [{tag.low:.12g}, {tag.high:.12g}]"
                return "setpoint", f"{message}: it could never sound, or never clear", "Give one within the range."
            if (limit + band >= tag.high) if low else (limit - band <= tag.low):
                message = f"{key} {limit:.12g}{when} with deadband {band:.12g} can never clear within the range"
                return "deadband", message, "Give a smaller deadband."
        return None if kind is RuleKind.VOTE else _out_of_order(site, row)
    if kind in (RuleKind.RISE, RuleKind.FALL, RuleKind.DEVIATION) and setpoint <= 0:
        return "setpoint", f"{key} must be above zero, not {setpoint:.12g}", "Give a positive number."
    if kind in (RuleKind.RISE, RuleKind.FALL):
        if window < tag.period:
            message = f"the window of {key} ({window} ms) is shorter than the tag's period ({tag.period} ms)"
            return "window", message, "Give a window of several periods: two readings must fit."
        if setpoint * window / 1000 > span:
            message = f"{key} could never sound: {setpoint * window / 1000:.6g} within its window exceeds the range"
            return "setpoint", message, "Give a smaller rate or a shorter window."
        if deadband >= setpoint:
            return "deadband", f"the deadband of {key} is not smaller than its limit", "Give a smaller deadband."
    if kind is RuleKind.DEVIATION:
        if setpoint > span:
            return "setpoint", f"{key} {setpoint:.12g} could never sound within the range", "Give a smaller one."
        if deadband >= setpoint:
            return "deadband", f"the deadband of {key} is not smaller than its limit", "Give a smaller deadband."
    if kind is RuleKind.STUCK:
        if not 0 <= setpoint < span:
            return "setpoint", f"the band {setpoint:.12g} must lie from 0 to below the range's span", "Correct it."
        if window < STALE_PERIODS * tag.period:
            message = f"the window of {key} ({window} ms) is shorter than {STALE_PERIODS} periods of {tag.period} ms"
            return "window", message, f"Give {STALE_PERIODS} periods at least."
    if kind is RuleKind.STALE and window <= tag.period:
        return "window", "the stale time is not longer than the tag's period", "Give several periods."
    return None


def _out_of_order(site: Site, row: int) -> tuple[str, str, str] | None:
    """LL < L < H < HH, as far as the tag has them; two may be equal where one is a default."""
    rules = site.rules
    order = ("LL", "L", "H", "HH")
    if rules.key[row] not in order:
        return None
    place = order.index(rules.key[row])
    for other in rules.of_tag(int(rules.tag[row])):
        if other == row or rules.key[other] not in order:
            continue
        above = order.index(rules.key[other]) > place
        mine, its = float(rules.setpoint[row]), float(rules.setpoint[other])
        equal = mine == its and not (rules.default[row] or rules.default[other])
        if (mine > its if above else mine < its) or equal:
            side = "below" if above else "above"
            message = f"{rules.key[row]} {mine:.12g} is not {side} {rules.key[other]} {its:.12g}"
            return "setpoint", message, "Limits must rise from LL over L and H to HH."
    return None


def _watched(site: Site, row: int) -> Tag:
    """The tag whose range and period a rule's figures are of: its own, or of a vote its first input."""
    extra = site.rules.extras.get(row)
    inputs = extra.inputs if extra is not None else ()
    return site.tags[inputs[0] if inputs else int(site.rules.tag[row])]


def _row_of(site: Site, entry: TunedEntry, document: Document, loc: Loc) -> int | None:
    """The row that an entry names; None where there is none that can be tuned, which is a fault."""
    if entry.enterprise == SERVICE_ENTERPRISE:
        message = f"{SERVICE_ENTERPRISE} is the service itself: its own conditions cannot be tuned"
        document.fault((*loc, "enterprise"), message, "Delete the entry, or give the id of an enterprise.")
        return None
    if entry.enterprise not in site.enterprises:
        remedy = "Correct the id, or delete the entry if the enterprise is gone."
        document.fault((*loc, "enterprise"), f"no enterprise {entry.enterprise!r}", remedy)
        return None
    index = site.tag_index.get(f"{entry.enterprise}/{entry.tag}")
    if index is None:
        remedy = "Correct the name, or delete the entry if the tag is gone."
        document.fault((*loc, "tag"), f"no tag {entry.tag!r} in enterprise {entry.enterprise!r}", remedy)
        return None
    rows = site.rules.of_tag(index)
    for row in rows:
        if site.rules.key[row] == entry.rule:
            return row
    known = [site.rules.key[row] for row in rows]
    remedy = suggestion(entry.rule, known) if len(known) <= _NEAR else "Correct the key."
    message = f"tag {entry.tag!r} has no rule {entry.rule!r}"
    document.fault((*loc, "rule"), message, f"{remedy} Or delete the entry if the rule is gone.")
    return None


def _put(site: Site, row: int, figures: Figures, document: Document, loc: Loc) -> bool:
    """Put figures into a row; False where its kind has no such figure, which is a fault."""
    rules = site.rules
    refused = refused_figure(RuleKind(int(rules.kind[row])), rules.key[row], figures)
    if refused is not None:
        name, message, remedy = refused
        document.fault((*loc, name), message, remedy)
        return False
    put(site, row, figures)
    return True


def put(site: Site, row: int, figures: Figures) -> None:
    """Put figures into a row of a site that nobody else uses yet, in place."""
    rules = site.rules
    for name, value in figures.given().items():
        getattr(rules, name)[row] = value
    if figures.setpoint is not None:
        rules.default[row] = 0
        extra = rules.extras.get(row)
        if extra is not None and extra.given and isinstance(rules.extras, dict):
            rules.extras[row] = replace(extra, given="")
