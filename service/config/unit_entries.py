"""What a unit says beside its tags, as a site file writes it: modes of operation, and rules over several tags."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from domain.site import GATEWAY_UNIT
from service.config.map_file import PositionEntry, WindEntry
from service.config.measurands import LevelKey
from service.config.quantities import (
    Delay,
    Identifier,
    NonNegative,
    Number,
    PathText,
    PointName,
    Positive,
    check_enterprise_id,
    check_identifier,
    refusal,
)
from service.config.rule_entries import NOT_GIVEN, AttributesEntry, GradeName, own_key
from service.config.validation import Section

MOST_INPUTS = 32
"""Tags of one vote [O]."""
MOST_CONSECUTIVE = 1_000
"""Rounds that a warning by statistics may have to last [O]."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_MINUTE = 60_000
_DAY = 86_400_000


def _own_unit(name: str) -> str:
    if name == GATEWAY_UNIT:
        remedy = "Choose another id: the service keeps the gateways' alarms there."
        raise refusal(f"the id {name!r} is reserved", remedy)
    return name


def _days(value: object) -> tuple[int, ...]:
    """Numbers of days of the week, 0 Monday, of ``[mon-fri, sun]``."""
    remedy = "Write a list of mon, tue, wed, thu, fri, sat, sun, or spans such as mon-fri."
    if not isinstance(value, list) or not value:
        raise refusal("must be a list of days", remedy)
    found: set[int] = set()
    for item in value:
        ends = [end.strip().lower() for end in item.split("-")] if isinstance(item, str) else []
        if not 1 <= len(ends) <= 2 or not all(end in _DAYS for end in ends):  # noqa: PLR2004 - one day or a span
            raise refusal("not a day of the week", remedy)
        day, last = _DAYS.index(ends[0]), _DAYS.index(ends[-1])
        found.add(last)
        while day != last:
            found.add(day)
            day = (day + 1) % len(_DAYS)
    return tuple(sorted(found))


def _time_of_day(value: object) -> int:
    """Ms since midnight."""
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    time = (int(match[1]) * 60 + int(match[2])) * _MINUTE if match and int(match[2]) < 60 else -1  # noqa: PLR2004
    if not 0 <= time <= _DAY:
        raise refusal("not a time of day", 'Write for example "06:30", in quotes, from "00:00" to "24:00".')
    return time


def _span_of_values(value: object) -> tuple[float, float]:
    """Lowest and highest value, of a pair or of a single number."""
    ends: list[Any] = value if isinstance(value, list) else [value, value]
    for end in ends:
        if isinstance(end, bool) or not isinstance(end, int | float) or end - end != 0:
            raise refusal("must be a number, or a list of two", "Write the lowest and the highest value: [1, 1].")
    if len(ends) != 2 or ends[0] > ends[1]:  # noqa: PLR2004 - a pair
        raise refusal("must be the lowest and the highest value", "Write the lower one first: [1, 2].")
    return float(ends[0]), float(ends[1])


def _neighbour(value: object) -> str:
    parts = value.split("/") if isinstance(value, str) else []
    if not 1 <= len(parts) <= 2:  # noqa: PLR2004 - with and without the enterprise
        raise refusal("not the path of a unit", "Write the id of a unit of the same enterprise, or enterprise/unit.")
    check_identifier(parts[-1])
    if len(parts) > 1:
        check_enterprise_id(parts[0])
    return "/".join(parts)


class ModeSpanEntry(Section):
    """A span of local time in which a mode holds."""

    mode: PointName
    days: Annotated[tuple[int, ...], BeforeValidator(_days)] = ()
    begin: Annotated[int, BeforeValidator(_time_of_day)] = Field(alias="from")
    end: Annotated[int, BeforeValidator(_time_of_day)] = Field(alias="to")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.begin == self.end:
            remedy = 'Write from: "00:00" and to: "24:00" for a whole day.'
            raise refusal("the span begins and ends at the same time", remedy, at=("to",))
        if self.begin == _DAY:
            raise refusal("a span cannot begin at 24:00", 'Write from: "00:00".', at=("from",))
        return self


class ModesEntry(Section):
    """What chooses among the limits of a unit's tags: a tag's value, or the clock."""

    tag: PointName | None = None
    values: dict[PointName, Annotated[tuple[float, float], BeforeValidator(_span_of_values)]] = Field(
        default_factory=dict
    )
    schedule: tuple[ModeSpanEntry, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        remedy = "Write `tag: MODE-1` and `values: {startup: 1, normal: 2}`, or a `schedule`."
        if (self.tag is None) == (not self.schedule):
            raise refusal("neither a tag nor a schedule, or both, chooses the mode", remedy)
        if (self.tag is None) != (not self.values):
            raise refusal("`tag` and `values` belong together", remedy)
        return self

    @property
    def names(self) -> list[str]:
        """The modes that can come to hold."""
        return [*self.values, *(span.mode for span in self.schedule)]


class _UnitRuleEntry(AttributesEntry):
    key: Annotated[PointName, AfterValidator(own_key)]
    off_delay: Delay = 0
    latching: bool = False
    grade: GradeName | None = None


class VoteEntry(_UnitRuleEntry):
    """At least ``needed`` of some tags are at or beyond a value."""

    kind: Literal["vote"]
    tags: Annotated[tuple[PointName, ...], Field(min_length=2, max_length=MOST_INPUTS)]
    needed: Annotated[int, Field(strict=True, ge=1)]
    high: Number | None = None
    low: Number | None = None
    deadband: NonNegative | None = None
    on_delay: Delay = NOT_GIVEN
    level: LevelKey | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.high is None) == (self.low is None):
            remedy = "Write `high: 25` (a tag votes at 25 and above) or `low: 19.5` (at 19.5 and below)."
            raise refusal("a vote needs either `high` or `low`", remedy)
        if self.needed > len(self.tags):
            remedy = "Lower `needed`, or name more tags."
            raise refusal(f"{self.needed} of {len(self.tags)} tags can never agree", remedy, at=("needed",))
        for index, name in enumerate(self.tags):
            if name in self.tags[:index]:
                raise refusal(f"tag {name!r} has two votes", "Name each tag once.", at=("tags", index))
        if self.level is not None and self.level not in (("L", "LL") if self.high is None else ("H", "HH")):
            remedy = "Use H or HH with `high`, L or LL with `low`."
            raise refusal(f"level {self.level} does not go with the side of the vote", remedy, at=("level",))
        return self

    @property
    def setpoint(self) -> float:
        """The value at or beyond which a tag votes."""
        return self.low or 0.0 if self.high is None else self.high


class ExpressionEntry(_UnitRuleEntry):
    """A formula over tags of the enterprise holds."""

    kind: Literal["expression"]
    when: Annotated[str, Field(min_length=1)]
    on_delay: Delay = 0
    level: LevelKey = "H"


class ComponentsEntry(_UnitRuleEntry):
    """T2 or SPE of the unit's principal components is at or beyond its limit.

    An early warning: blue or yellow, never more, so it has no level to choose.
    """

    kind: Literal["t2", "spe"]
    model: PathText
    limit: Positive | None = None
    """None: the model's own."""
    deadband: NonNegative | None = None
    consecutive: Annotated[int, Field(strict=True, ge=1, le=MOST_CONSECUTIVE)] | None = None
    """So many rounds in a row, in place of an on-delay."""
    on_delay: Delay = NOT_GIVEN

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.grade in {"orange", "red"}:
            remedy = "Write `grade: yellow`, or delete the line: blue."
            message = f"grade {self.grade}: a warning by statistics may raise blue or yellow, never more by itself"
            raise refusal(message, remedy, at=("grade",))
        if self.consecutive is not None and self.on_delay != NOT_GIVEN:
            raise refusal("both `consecutive` and `on_delay`", "Delete one of the two.", at=("on_delay",))
        if self.limit is not None and self.deadband is not None and self.deadband >= self.limit:
            remedy = "Give a deadband smaller than the limit."
            raise refusal("the deadband is so large that nothing clears it", remedy, at=("deadband",))
        return self


UnitRuleEntry = VoteEntry | ExpressionEntry | ComponentsEntry
UNIT_RULES: dict[str, type[UnitRuleEntry]] = {
    "vote": VoteEntry,
    "expression": ExpressionEntry,
    "t2": ComponentsEntry,
    "spe": ComponentsEntry,
}
"""By ``kind``."""


class UnitEntry(Section):
    """装置/罐区."""

    id: Annotated[Identifier, AfterValidator(_own_unit)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    hazard_level: Annotated[int, Field(strict=True, ge=1, le=4)] | None = None
    neighbours: tuple[Annotated[str, BeforeValidator(_neighbour)], ...] = ()
    cards: tuple[Identifier, ...] = ()
    position: PositionEntry | None = None
    wind: WindEntry | None = None
    modes: ModesEntry | None = None
    rules: tuple[Any, ...] = ()
    tags: tuple[Any, ...] = ()
    tag_tables: tuple[PathText, ...] = ()
