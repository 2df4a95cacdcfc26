"""What the API takes and answers of site plans."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, field_validator

from alerting.siteplans.plans import MOST_TAGS
from service.api.models import Document, Instant
from service.api.requests import Number, Request, Signature, Text, printable
from service.config.quantities import refusal

Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(printable)
]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class SitePlanPath(Request):
    """Path of one site plan."""

    id: Number


class SitePlansQuery(Request):
    """Whose site plans."""

    enterprise: Text


class NewSitePlan(Signature):
    """Query of an upload: what the image in the body is of, and who sends it."""

    enterprise: Text
    unit: Text | None = Field(None, description="Left out: it is of the whole enterprise.")
    title: Title


class SitePlanTitle(Signature):
    """Another title."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "罐区平面图", "name": "李工", "comment": "名称更正"}]}
    )

    title: Title


class SitePlanPlaceGiven(Request):
    """Where a tag is to be."""

    tag: Text
    x: Fraction = Field(description="Fraction of the image's width, from the left.")
    y: Fraction = Field(description="Fraction of the image's height, from the top.")


class SitePlanTags(Signature):
    """Tags to be placed or moved, and tags to be taken off, all at once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": 1042,
                    "place": [{"tag": "GT-101", "x": 0.42, "y": 0.31}],
                    "remove": ["GT-102"],
                    "name": "李工",
                    "comment": "按竣工图布置",
                }
            ]
        }
    )

    version: Number = Field(description="`version` of the plan as it was looked at: another one is refused.")
    place: Annotated[list[SitePlanPlaceGiven], Field(max_length=MOST_TAGS)] = Field(default_factory=list)
    remove: Annotated[list[Text], Field(max_length=MOST_TAGS)] = Field(default_factory=list)

    @field_validator("place")
    @classmethod
    def _once(cls, given: list[SitePlanPlaceGiven]) -> list[SitePlanPlaceGiven]:
        if len({one.tag for one in given}) < len(given):
            raise refusal("a tag is given twice", "Give each tag once.")
        return given


class SitePlanPlace(Document):
    """Where a tag is, in fractions of width and height from the upper left corner."""

    tag: str
    x: float
    y: float


class SitePlanView(Document):
    """平面图; its image is at `/site-plans/{id}/image`."""

    id: int
    enterprise: str
    unit: str | None = Field(description="Null: of the whole enterprise.")
    title: str
    type: Literal["image/png", "image/jpeg", "image/webp"]
    size: int
    sha256: str
    width: int
    height: int = Field(description="Of a JPEG with an orientation: before it is turned, as the width is.")
    by: str
    at: Instant
    version: int = Field(description="Number of the last journal entry about it.")
    tags: list[SitePlanPlace]


class SitePlanList(Document):
    """All site plans of an enterprise: of the whole first, then by unit and title."""

    items: list[SitePlanView]


class SitePlanRemoved(Document):
    """It is shown no more."""

    id: int
