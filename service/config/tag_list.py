"""Tags and rules of a site as they are gathered, file by file and block by block."""

import re
from bisect import bisect_right
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.samples import Int64
from domain.site import Rule, RuleExtra, RuleTable, Tag
from service.config.attributes import Attributes
from service.config.conversions import check_species, convert_limits
from service.config.drafts import Drafts, Origin
from service.config.measurands import CANARY, STATUS, Measurands
from service.config.profiles import Profiles
from service.config.quantities import POINT_NAME_REMEDY, point_name_fault
from service.config.referring import Referring
from service.config.rule_checks import check_rules
from service.config.rule_columns import RuleColumns, complete
from service.config.validation import suggestion

_USUAL_NAMES = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_.:*()-]{0,99}(?:\n(?=.)|\Z))+")
"""Names, one a line, of which none needs a closer look."""
_COLUMNS = (
    "tag",
    "kind",
    "level",
    "setpoint",
    "deadband",
    "on_delay",
    "off_delay",
    "window",
    "latching",
    "grade",
    "default",
)

_NOTHING = RuleExtra()


class TagList:
    """Gathers tags and rules; faults go to the origin of the drafts at fault."""

    def __init__(self, measurands: Measurands) -> None:
        self.tags: list[Tag] = []
        self.index: dict[str, int] = {}
        """Tag path -> index into ``tags``."""
        self.measurands = measurands
        self.broken: set[int] = set()
        """Indices of tags that have faults."""
        self.referring: list[Referring] = []
        """Rules that refer to other tags, conditions or modes, to be looked up when all tags are known."""
        self.cards: list[tuple[Origin, int, str, tuple[str, ...]]] = []
        """Origin, draft and field of the rules that name response cards, and the cards."""
        self.extras: dict[int, RuleExtra] = {}
        """By row of the rules as they were taken."""
        self._shared: dict[Attributes, RuleExtra] = {}
        self._profiles = Profiles(measurands)
        self._origins: list[Origin] = []
        self._starts: list[int] = []
        self._columns: dict[str, list[NDArray[np.generic]]] = {name: [] for name in _COLUMNS}
        self._keys: list[str] = []

    def add(self, drafts: Drafts, enterprise: str, unit: str, gateways: Collection[str]) -> None:
        """Complete drafts of one unit, check them, and take their tags and rules."""
        start = len(self.tags)
        self._origins.append(drafts.origin)
        self._starts.append(start)
        self._check_names(drafts, enterprise, start)
        if any(drafts.species):
            check_species(drafts, self.measurands)
        convert_limits(drafts, self.measurands)
        profile = self._profile(drafts)
        sole = next(iter(gateways)) if len(gateways) == 1 else ""
        _check_gateways(drafts, enterprise, gateways)
        _check_ranges(drafts)
        rules = complete(drafts, profile, self._profiles)
        check_rules(drafts, rules, profile, self._profiles)
        if rules.attributes:
            self._take_attributes(rules, drafts, start, (enterprise, unit))
        self._take_rules(rules, start)
        self.broken.update((np.flatnonzero(drafts.broken) + start).tolist())
        gas = [held.measurand.gas for held in self._profiles]
        species = [held.species or None for held in self._profiles]
        self.tags.extend(
            Tag(
                enterprise,
                name,
                unit,
                gateway or sole,
                measurand,
                unit_text,
                low,
                high,
                period,
                description,
                gas[number],
                species=species[number],
            )
            for name, gateway, measurand, unit_text, low, high, period, description, number in zip(
                drafts.name,
                drafts.gateway,
                drafts.measurand,
                drafts.engineering_unit,
                np.nan_to_num(drafts.low, nan=-np.inf).tolist(),
                np.nan_to_num(drafts.high, nan=np.inf).tolist(),
                drafts.period.tolist(),
                drafts.description,
                profile.tolist(),
                strict=True,
            )
        )

    def append(self, tags: list[Tag], rules: list[Rule]) -> None:
        """Take tags and rules that are complete, such as the service's own; rules count from the list's first tag."""
        for tag in tags:
            self.index[tag.path] = len(self.tags)
            self.tags.append(tag)
        table = RuleTable.build(rules, len(self.tags))
        self.extras.update((len(self._keys) + row, extra) for row, extra in table.extras.items())
        for name in _COLUMNS:
            self._columns[name].append(getattr(table, name))
        self._keys.extend(table.key)

    def rules(self) -> RuleTable:
        """The table of all rules. Empties the list of them: a second copy would take as much memory again."""
        joined: dict[str, Any] = {name: np.concatenate(self._columns.pop(name)) for name in _COLUMNS}
        version = np.ones(len(self._keys), dtype=np.int32)
        return RuleTable.from_columns(
            **joined, version=version, key=self._keys, tag_count=len(self.tags), extras=self.extras
        )

    def rule_keys(self, tags: Collection[int]) -> dict[int, set[str]]:
        """Keys of the rules of some tags."""
        found: dict[int, set[str]] = {tag: set() for tag in tags}
        if tags:
            tag = np.concatenate([np.zeros(0, dtype=np.int32), *self._columns["tag"]])
            for row in np.flatnonzero(np.isin(tag, list(tags))).tolist():
                found[int(tag[row])].add(self._keys[row])
        return found

    def _take_attributes(self, rules: RuleColumns, drafts: Drafts, start: int, unit: tuple[str, str]) -> None:
        """Before the rules themselves are taken: what refers to nothing is complete already, and shared where equal."""
        first = len(self._keys)
        made: dict[int, RuleExtra] = {}
        for row, attributes in rules.attributes.items():
            if attributes.cards:
                self.cards.append((drafts.origin, int(rules.tag[row]), rules.field[row], attributes.cards))
            if not attributes.refers:
                extra = made.get(id(attributes))  # a column of a table gives thousands of rows the same object
                if extra is None:
                    extra = made[id(attributes)] = self._shared_extra(attributes)
                if extra is not _NOTHING:
                    self.extras[first + row] = extra
                continue
            draft = int(rules.tag[row])
            self.referring.append(
                Referring(
                    row=first + row,
                    tag=start + draft,
                    tag_path=f"{unit[0]}/{drafts.name[draft]}",
                    enterprise=unit[0],
                    unit=unit[1],
                    key=rules.key[row],
                    attributes=attributes,
                    origin=drafts.origin,
                    draft=draft,
                    field=rules.field[row],
                )
            )

    def _take_rules(self, rules: RuleColumns, start: int) -> None:
        for name in _COLUMNS:
            column = getattr(rules, name)
            self._columns[name].append(column + np.int32(start) if name == "tag" else column)
        self._keys.extend(rules.key)

    def _shared_extra(self, attributes: Attributes) -> RuleExtra:
        """What becomes of attributes that refer to nothing; ``_NOTHING`` where nothing does."""
        extra = RuleExtra(re_alarm=max(attributes.re_alarm, 0), cards=attributes.cards, given=attributes.given)
        return _NOTHING if extra == _NOTHING else self._shared.setdefault(attributes, extra)

    def _check_names(self, drafts: Drafts, enterprise: str, start: int) -> None:
        """Names that can be used, and each once; a block without a doubtful one takes the shorter way."""
        paths = {f"{enterprise}/{name}": start + row for row, name in enumerate(drafts.name)}
        usual = _USUAL_NAMES.fullmatch("\n".join(drafts.name)) is not None
        if usual and len(paths) == len(drafts) and self.index.keys().isdisjoint(paths):
            self.index.update(paths)
            return
        for row, name in enumerate(drafts.name):
            complaint = point_name_fault(name)
            if complaint is None and name[0] in "@$":
                complaint = f"names beginning with {name[0]} are reserved"
            if complaint is not None:
                drafts.fault(row, "tag", complaint, POINT_NAME_REMEDY)
                continue
            first = self.index.setdefault(f"{enterprise}/{name}", start + row)
            if first != start + row:
                message = f"tag {name!r} of enterprise {enterprise!r} is given already at {self._place(first)}"
                drafts.fault(row, "tag", message, "Tags are unique within an enterprise: rename or delete one.")

    def _place(self, index: int) -> str:
        """``file:line`` where a tag was given."""
        number = bisect_right(self._starts, index) - 1
        return self._origins[number].place(index - self._starts[number])

    def _profile(self, drafts: Drafts) -> Int64:
        """Number of each draft's profile; of unknown measurands, which are faults, a bare one."""
        keys = list(zip(drafts.measurand, drafts.engineering_unit, drafts.species, strict=True))
        numbers: dict[tuple[str, str, str], int] = {}
        complaints: dict[str, tuple[str, str]] = {}
        for key in dict.fromkeys(keys):
            measurand = key[0]
            if measurand in self.measurands.by_key and measurand != CANARY:
                numbers[key] = self._profiles.index(*key)
                continue
            numbers[key] = self._profiles.index(STATUS, "", "")
            if measurand == CANARY:
                complaints[measurand] = f"the measurand {CANARY!r} is reserved", "Use another measurand."
            else:
                message = f"unknown measurand {measurand[:40]!r}" if measurand else "no measurand"
                complaints[measurand] = message, suggestion(measurand[:40], self.measurands.by_key)
        if complaints:
            for row, measurand in enumerate(drafts.measurand):
                if measurand in complaints:
                    drafts.fault(row, "measurand", *complaints[measurand])
        return np.array([numbers[key] for key in keys], dtype=np.int64)


def _check_gateways(drafts: Drafts, enterprise: str, gateways: Collection[str]) -> None:
    if not gateways:
        return  # a fault of the enterprise, reported once
    given = set(drafts.gateway)
    if given.issubset(gateways) or (given == {""} and len(gateways) == 1):
        return
    listed = ", ".join(gateways)
    for row, gateway in enumerate(drafts.gateway):
        if gateway and gateway not in gateways:
            message = f"enterprise {enterprise!r} has no gateway {gateway[:40]!r}"
            drafts.fault(row, "gateway", message, f"Use one of: {listed}.")
        elif not gateway and len(gateways) > 1:
            message = f"no gateway, and enterprise {enterprise!r} has several"
            drafts.fault(row, "gateway", message, f"Add `gateway`, one of: {listed}.")


def _check_ranges(drafts: Drafts) -> None:
    half = np.isnan(drafts.low) != np.isnan(drafts.high)
    for row in np.flatnonzero(half & ~drafts.broken).tolist():
        drafts.fault(row, "range", "only one end of the range is given", "Give both `low` and `high`, or neither.")
    upside_down = drafts.low >= drafts.high
    for row in np.flatnonzero(upside_down & ~drafts.broken).tolist():
        message = f"low {drafts.low[row]:.12g} is not below high {drafts.high[row]:.12g}"
        drafts.fault(row, "range", message, "Give the lower end of the instrument's range as `low`.")
