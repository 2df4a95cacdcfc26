"""What the API answers of who and what is watched: enterprises, units, tags and their rules."""

from typing import Literal

from pydantic import Field

from domain.scales import Level
from service.api.map_models import MapRegion
from service.api.models import Document, GradeName, Instant, RuleKindName


class Reference(Document):
    """What a deviation is measured from."""

    kind: Literal["constant", "tag", "median"]
    value: float | None = Field(description="The constant.")
    tag: str | None = Field(description="The tag, of the same enterprise.")
    window_ms: int | None = Field(description="Time that the tag's own median is taken over.")


class ModeLimit(Document):
    """A limit in one mode of operation."""

    mode: str
    setpoint: float | None = Field(description="Null: no limit in this mode.")
    deadband: float | None = Field(description="Null: as in other modes.")


class Limit(Document):
    """A rule on the value of a tag."""

    key: str
    kind: RuleKindName
    level: Level
    setpoint: float
    deadband: float
    on_delay_ms: int
    off_delay_ms: int
    window_ms: int
    latching: bool
    default: bool = Field(description="The setpoint is the measurand's default and not the site's own.")
    given: str | None = Field(
        description="The figure that the setpoint was converted from, with its unit: `25 %LEL`. Null: nothing was."
    )
    version: int
    reference: Reference | None = Field(description="What a deviation is measured from.")
    side: Literal["both", "above", "below"] | None = Field(description="Of a deviation: on which side it counts.")
    modes: list[ModeLimit] = Field(description="Limits that hold in place of the setpoint in a mode of the unit.")
    suppressed_by: list[str] = Field(description="Paths of the conditions that suppress its alarm by design.")
    parent: str | None = Field(description="Path of the condition that this one follows from.")
    re_alarm_ms: int = Field(description="After this time an acknowledged alarm sounds again; 0: never.")
    cards: list[str] = Field(description="Response cards shown with its alarm.")


class UnitModel(Document):
    """What T2 and SPE of a unit are measured by: its principal components in normal operation."""

    digest: str = Field(description="SHA-256 of the model.")
    components: int = Field(description="So many make T2; the others make SPE.")
    period_ms: int = Field(description="Time between two evaluations.")
    smoothing: float = Field(description="Weight of the newest readings in the moving average; 1: none is taken.")


class UnitRule(Document):
    """A rule over several tags of an enterprise, which belongs to a unit."""

    key: str
    path: str = Field(description="Path of its condition.")
    kind: Literal["vote", "expression", "t2", "spe"]
    level: Level
    grade: GradeName | None = Field(description="The least grade that its alarm has by itself; null: by its level.")
    inputs: list[str] = Field(description="Names of the tags that it looks at.")
    needed: int | None = Field(description="Of a vote: so many tags must agree.")
    side: Literal["high", "low"] | None = Field(description="Of a vote: tags vote at or above, or at or below.")
    setpoint: float | None = Field(
        description="Of a vote, in the engineering unit of its tags; of t2 and spe the limit, without a unit."
    )
    deadband: float
    engineering_unit: str | None = Field(description="Of a vote: that of its tags.")
    expression: str | None
    model: UnitModel | None = Field(description="Of t2 and spe.")
    on_delay_ms: int
    off_delay_ms: int
    latching: bool
    suppressed_by: list[str]
    parent: str | None
    re_alarm_ms: int
    cards: list[str]
    version: int


class EnterpriseUnit(Document):
    """装置/罐区."""

    id: str
    name: str
    hazard_level: int | None
    tags: int
    tags_without_limits: int
    neighbours: list[str] = Field(description="Paths of the units near it.")
    cards: list[str] = Field(description="Response cards shown with its alarms.")
    modes: list[str] = Field(description="Modes of operation that choose among limits.")
    rules: list[UnitRule] = Field(description="Rules over several of its tags.")
    grade: GradeName | None = Field(description="Highest grade of its open incidents.")
    incident: int | None = Field(description="The open incident that has that grade.")


class Enterprise(Document):
    """企业."""

    id: str
    name: str
    region: str
    region_name: str
    units: list[EnterpriseUnit]
    gateways: int


class Latest(Document):
    """The newest sample of a tag."""

    value: float | None
    quality: int = Field(description="0 bad, 64 uncertain, 192 good.")
    reason: int
    source_time: Instant
    received_time: Instant


class Tag(Document):
    """位号, one measured point."""

    enterprise: str
    tag: str
    unit: str
    gateway: str
    measurand: str
    engineering_unit: str
    species: str | None = Field(description="Formula of the gas that it measures, where it is one.")
    description: str
    range: tuple[float | None, float | None]
    period_ms: int
    limits: list[Limit]
    has_limits: bool
    status: Literal["normal", "alarm", "no_limits", "stale", "bad", "unknown"]
    latest: Latest | None


class TagPage(Document):
    """A page of tags."""

    items: list[Tag]
    next: str | None


class EnterpriseList(Document):
    """All enterprises."""

    items: list[Enterprise]
    regions: list[MapRegion] = Field(description="Those that hold an enterprise that is seen, and all above them.")
