"""The table of targets (``targets.yaml``): data, with a version."""

from functools import cache
from importlib import resources
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Average(_Model):
    """Alarms per ten minutes."""

    acceptable: float = Field(gt=0)
    manageable: float = Field(gt=0)


class Busy(_Model):
    """Ten-minute periods with too many alarms."""

    above: Count
    share_below: Share


class FloodLimits(_Model):
    """When a flood begins and ends."""

    begins_above: Count
    ends_below: Count
    share_below: Share


class TopTen(_Model):
    """The most frequent alarms."""

    share_at_most: Share


class Chatter(_Model):
    """So many transitions within so many seconds."""

    transitions: Annotated[int, Field(ge=2)]
    within: Seconds


class Fleeting(_Model):
    """In and out within so many seconds."""

    within: Seconds


class StaleLimits(_Model):
    """In for longer than so many seconds."""

    after: Seconds
    per_day_below: Count


class Priorities(_Model):
    """Shares of the grades."""

    blue: Share
    yellow: Share
    orange: Share
    red: Share
    tolerance: Share


class PerGrade(_Model):
    """Seconds by grade."""

    blue: Seconds
    yellow: Seconds
    orange: Seconds
    red: Seconds


class Online(_Model):
    """Share of the time."""

    at_least: Share


class Targets(_Model):
    """All of the table."""

    version: Count
    graded_from_days: Count
    average: Average
    busy: Busy
    flood: FloodLimits
    top_ten: TopTen
    chattering: Chatter
    fleeting: Fleeting
    stale: StaleLimits
    priorities: Priorities
    acknowledge: PerGrade
    feedback: PerGrade
    both_sides: tuple[str, ...]
    online: Online


def load_targets() -> Targets:
    """The table that is shipped."""
    return _targets()


def over_shipped(given: object) -> object:
    """What a site says, laid over the table that is shipped; still to be checked."""
    return _laid_over(_shipped(), given) if isinstance(given, dict) else given


@cache
def _targets() -> Targets:
    return Targets.model_validate(_shipped())


@cache
def _shipped() -> dict[str, Any]:
    """Shared: nothing may be changed in it."""
    text = (resources.files("alerting.kpi") / "targets.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    return data


def _laid_over(below: dict[str, Any], given: dict[Any, Any]) -> dict[Any, Any]:
    laid: dict[Any, Any] = dict(below)
    for key, value in given.items():
        known = below.get(key)
        laid[key] = _laid_over(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return laid
