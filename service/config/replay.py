"""The ``replay`` section of a site file: how the columns of a recorded file become tags of a gateway."""

from collections.abc import Callable, Container
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, model_validator

from service.config.document import Document
from service.config.quantities import Name, PositiveDuration, refusal
from service.config.validation import Section, validate


def _separator(value: object) -> object:
    return {"\t": "tab", "": "whitespace", " ": "whitespace"}.get(value, value) if isinstance(value, str) else value


def _column(value: object) -> int | str:
    """A column by its number from 1, or by its name in the header."""
    remedy = "Write the column's number, from 1, or its name in the header."
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise refusal("not a column", remedy)
    if isinstance(value, int) and value < 1:
        raise refusal("columns are counted from 1", remedy)
    return value


def _columns(value: object) -> dict[int | str, str]:
    if not isinstance(value, dict) or not value:
        raise refusal("must be a mapping of columns to tags", "Write for example {1: FI-101, 7: PI-107}.")
    checked: dict[int | str, str] = {}
    for key, tag in value.items():
        column = _column(key)
        if not isinstance(tag, str):
            raise refusal("must be the name of a tag", "Put the tag's name in quotes.", at=(str(column),))
        if tag in checked.values():
            raise refusal(f"tag {tag[:40]!r} has two columns", "Give each tag one column.", at=(str(column),))
        checked[column] = tag
    return checked


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError, ImportError):
        raise refusal(f"unknown time zone {name[:40]!r}", "Write for example Asia/Shanghai.") from None
    return name


class ReplayFormat(Section):
    """How a line of the recorded file is split."""

    separator: Annotated[Literal["whitespace", ";", ",", "tab"], BeforeValidator(_separator)] = ","
    header: bool = False


class ReplayTime(Section):
    """Where source times come from: a column, or a start and a period for files that hold none."""

    column: Annotated[int | str, BeforeValidator(_column)] | None = None
    format: Name | None = None
    """As ``strptime`` reads it; None: ISO 8601."""
    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    """Of times without an offset."""
    start: AwareDatetime | None = None
    period: PositiveDuration | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        by_column = self.column is not None
        by_start = self.start is not None and self.period is not None
        partly = self.start is not None or self.period is not None
        if by_column == partly or by_start != partly:
            remedy = "Write {column: …, format: …} for a file with times, {start: …, period: …} for one without."
            raise refusal("either `column`, or both `start` and `period`", remedy)
        return self


class Replay(Section):
    """What ``anshao replay`` needs to know of a recorded file."""

    gateway: Name
    """``enterprise/gateway`` that it is published as."""
    format: ReplayFormat = ReplayFormat()
    time: ReplayTime
    columns: Annotated[dict[int | str, str], BeforeValidator(_columns)]
    """Column, by number from 1 or by name, to the name of a tag of that enterprise."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.format.header:
            remedy = "Write `header: true` in `format`, or give columns by number."
            for column in self.columns:
                if isinstance(column, str):
                    raise refusal("a column by name in a file without a header", remedy, at=("columns", str(column)))
            if isinstance(self.time.column, str):
                raise refusal("a column by name in a file without a header", remedy, at=("time", "column"))
        if self.time.column in self.columns:
            raise refusal("the column of times is mapped to a tag as well", "Map it once.", at=("time", "column"))
        return self

    @property
    def enterprise(self) -> str:
        """Enterprise part of ``gateway``."""
        return self.gateway.partition("/")[0]


def read_replay(document: Document, gateways: Container[str], gateway_of: Callable[[str], str | None]) -> Replay | None:
    """The section, checked against the site; None where it has faults of its own.

    ``gateways``: paths of all gateways. ``gateway_of``: gateway id of a tag by its path, "" where it is unknown for
    a fault of the tag's own, None where there is no such tag.
    """
    replay = validate(Replay, document.data["replay"], document.fault, ("replay",))
    if replay is None:
        return None
    if replay.gateway not in gateways:
        message = f"no gateway {replay.gateway!r} in the site"
        document.fault(("replay", "gateway"), message, "Write enterprise/gateway of one that the site file defines.")
        return None
    for column, tag in replay.columns.items():
        held_by = gateway_of(f"{replay.enterprise}/{tag}")
        if held_by is None:
            message, remedy = (
                f"no tag {tag[:40]!r} at enterprise {replay.enterprise!r}",
                "Define it, or correct its name.",
            )
        elif held_by and f"{replay.enterprise}/{held_by}" != replay.gateway:
            message, remedy = (
                f"tag {tag[:40]!r} belongs to gateway {held_by!r}",
                "Map tags of the replaying gateway only.",
            )
        else:
            continue
        document.fault(("replay", "columns", str(column)), message, remedy)
    return replay
