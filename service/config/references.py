"""What rules say of other tags, other conditions and modes: looked up once all files of a site have been read."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.site import Reference, RuleExtra, Selector
from service.config.attributes import Attributes
from service.config.referring import Referring
from service.config.rule_entries import MEDIAN
from service.config.tag_list import TagList
from service.config.validation import suggestion

GATEWAY_KEYS = ("LINK", "CLOCK")
"""Keys of the conditions that the service itself keeps of each gateway."""
UNKNOWN = -1
"""Of a tag: it has faults itself, or may have been lost to them; nothing more is said of it."""


class Subject(Protocol):
    """A rule that refers to others."""

    @property
    def enterprise(self) -> str:
        """Whose rule it is."""
        ...

    @property
    def path(self) -> str:
        """Path of its condition."""
        ...

    @property
    def attributes(self) -> Attributes:
        """What it says."""
        ...

    def fault(self, name: str, message: str, remedy: str) -> None:
        """Report a fault of one of its fields."""
        ...


@dataclass(frozen=True, slots=True)
class Conditions:
    """Full paths of the conditions that a rule names."""

    suppressed_by: tuple[str, ...] = ()
    parent: str | None = None


class Names:
    """Which tags and conditions there are."""

    def __init__(self, tags: TagList, broken: Collection[str], *, whole: bool) -> None:
        self.tags = tags
        self._broken = broken
        self._whole = whole
        self._conditions: set[str] = set()
        """Paths of conditions of the service's own tags."""

    def add(self, conditions: Iterable[str]) -> None:
        """Take conditions that belong to no tag of a file: of units and of gateways."""
        self._conditions.update(conditions)

    def tag(self, enterprise: str, name: str) -> int | None:
        """Index of a tag; ``UNKNOWN`` where nothing can be said of it, None where there is none."""
        path = f"{enterprise}/{name}"
        index = self.tags.index.get(path)
        if index is not None:
            return UNKNOWN if index in self.tags.broken else index
        return None if self._whole and path not in self._broken else UNKNOWN

    def keys(self, paths: Iterable[str]) -> Callable[[str], bool]:
        """Whether there is a condition, for the given paths."""
        wanted = {path: self.tag(*_split(path)[:2]) for path in paths}
        held = self.tags.rule_keys({index for index in wanted.values() if index is not None and index >= 0})

        def known(path: str) -> bool:
            index = wanted[path]
            if path in self._conditions or index == UNKNOWN:
                return True
            return index is not None and _split(path)[2] in held[index]

        return known


def _split(path: str) -> tuple[str, str, str]:
    enterprise, tag, key = path.split("/")
    return enterprise, tag, key


def resolve_conditions(subjects: Sequence[Subject], names: Names) -> dict[str, Conditions]:
    """What each rule is suppressed by and follows from, by its path; unknown ones and circles are faults."""
    found: dict[str, Conditions] = {}
    for subject in subjects:
        enterprise = subject.enterprise
        attributes = subject.attributes
        paths = [_full(enterprise, path) for path in attributes.suppressed_by]
        parent = None if attributes.parent is None else _full(enterprise, attributes.parent)
        found[subject.path] = Conditions(tuple(dict.fromkeys(paths)), parent)
    known = names.keys({path for held in found.values() for path in (*held.suppressed_by, held.parent) if path})
    whole = True
    for subject in subjects:
        held = found[subject.path]
        named = [("suppressed_by", path) for path in held.suppressed_by]
        named += [("parent", held.parent)] if held.parent else []
        for name, path in named:
            if not path.startswith(f"{subject.enterprise}/"):
                message = f"{path!r} is a condition of another enterprise"
                subject.fault(name, message, "Name one of the same enterprise: nobody's plant silences another's.")
                whole = False
            elif not known(path):
                remedy = "Write TAG/KEY with the key of one of the tag's rules: H, RISE, BAD, or its own name."
                subject.fault(name, f"no condition {path!r}", remedy)
                whole = False
    if whole:
        _check_circles(subjects, found)
    return found


def _full(enterprise: str, path: str) -> str:
    return path if path.count("/") > 1 else f"{enterprise}/{path}"


def _check_circles(subjects: Sequence[Subject], found: Mapping[str, Conditions]) -> None:
    """No condition may come round to itself by what suppresses it and what it follows from."""
    done: set[str] = set()
    for subject in subjects:
        way: dict[str, None] = {}
        stack = [(subject.path, False)]
        while stack:
            path, leaving = stack.pop()
            if leaving:
                way.popitem()
                done.add(path)
            elif path in way:
                _circle(subjects, found, [*list(way)[list(way).index(path) :], path])
                done.update(way)
                break
            elif path not in done and path in found:
                way[path] = None
                stack.append((path, True))
                held = found[path]
                stack += [(other, False) for other in (*held.suppressed_by, held.parent) if other]


def _circle(subjects: Sequence[Subject], found: Mapping[str, Conditions], circle: Sequence[str]) -> None:
    first = next(subject for subject in subjects if subject.path in circle)
    at = circle.index(first.path) % (len(circle) - 1)
    after = circle[at + 1]
    name = "suppressed_by" if after in found[first.path].suppressed_by else "parent"
    turned = [*circle[at:-1], *circle[: at + 1]]
    remedy = "Delete one of the links: a condition must not wait for itself."
    first.fault(name, f"a circle of conditions: {' -> '.join(turned)}", remedy)


@dataclass(slots=True)
class Modes:
    """What chooses the mode of each unit that has modes."""

    selectors: list[Selector] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)
    """Path of the unit -> index into ``selectors``."""
    names: dict[str, list[str]] = field(default_factory=dict)
    """Path of the unit -> its modes."""
    broken: set[str] = field(default_factory=set)
    """Paths of units whose own entries have faults."""


def resolve_extras(
    referring: Iterable[Referring], found: Mapping[str, Conditions], modes: Modes, names: Names
) -> dict[int, RuleExtra]:
    """``RuleExtra`` of each rule that refers to something, by its row."""
    extras: dict[int, RuleExtra] = {}
    for rule in referring:
        attributes = rule.attributes
        if attributes.modes:
            _check_modes(rule, modes)
        extras[rule.row] = RuleExtra(
            side=attributes.side,
            reference=_reference(rule, names),
            modes=attributes.modes,
            selector=modes.index.get(f"{rule.enterprise}/{rule.unit}", -1) if attributes.modes else -1,
            suppressed_by=found[rule.path].suppressed_by,
            parent=found[rule.path].parent,
            re_alarm=max(attributes.re_alarm, 0),
            cards=attributes.cards,
            given=attributes.given,
        )
    return extras


def _check_modes(rule: Referring, modes: Modes) -> None:
    unit = f"{rule.enterprise}/{rule.unit}"
    if unit in modes.broken:
        return
    known = modes.names.get(unit)
    if known is None:
        remedy = "Add `modes:` to the unit: a tag with its values, or a schedule."
        rule.fault("modes", f"unit {rule.unit!r} has no modes", remedy)
        return
    for limit in rule.attributes.modes:
        if limit.mode not in known:
            rule.fault("modes", f"unit {rule.unit!r} has no mode {limit.mode[:40]!r}", suggestion(limit.mode, known))


def _reference(rule: Referring, names: Names) -> Reference | None:
    """What a deviation is measured from; a tag must be another one, in the same unit."""
    given = rule.attributes.reference
    if given is None:
        return None
    if isinstance(given, float):
        return Reference("constant", constant=given)
    if given == MEDIAN:
        return Reference("median", window=rule.attributes.window)
    tag = names.tag(rule.enterprise, given)
    if tag is None:
        remedy = "Write a number, the name of a tag of the same enterprise, or median."
        rule.fault("from", f"no tag {given[:40]!r} in enterprise {rule.enterprise!r}", remedy)
    elif tag == rule.tag:
        rule.fault("from", "a deviation of a tag from itself", "Name another tag, or write `from: median`.")
    elif tag >= 0:
        own, other = (names.tags.tags[index].engineering_unit for index in (rule.tag, tag))
        canonical = names.tags.measurands.canonical_unit
        if canonical(own) != canonical(other):
            message = f"tag {given!r} is in {other or 'no unit'}, this one in {own or 'no unit'}"
            rule.fault("from", message, "Name a tag of the same engineering unit.")
    return Reference("tag", tag=-1 if tag is None else tag)
