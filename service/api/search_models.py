"""What the API takes and answers when somebody searches."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from service.api.incidents_models import Incident
from service.api.models import Alarm, Document, GradeName
from service.api.requests import Request, Text, _whole, printable

MOST = 50


class SearchQuery(Request):
    """What is looked for."""

    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(printable)
    ] = Field(description="Part of a name or a description, without regard to case; or a number.", examples=["罐区"])
    region: Text | None = Field(None, description="GB/T 2260 code; the regions below it count.")
    enterprise: Text | None = None
    limit: Annotated[
        int, Field(ge=1, le=MOST, description="Most items of each kind in the answer."), BeforeValidator(_whole)
    ] = 10


class FoundTag(Document):
    """位号, by its name or description."""

    enterprise: str
    enterprise_name: str
    unit: str
    unit_name: str
    tag: str
    description: str


class FoundTags(Document):
    """Tags; those that are named so before those that are named like it, before those that are described so."""

    items: list[FoundTag]
    more: bool


class FoundUnit(Document):
    """装置/罐区, by its name or id."""

    enterprise: str
    enterprise_name: str
    unit: str
    unit_name: str
    grade: GradeName | None = Field(description="Of its gravest open incident.")
    incident: int | None


class FoundUnits(Document):
    """Units, the gravest first."""

    items: list[FoundUnit]
    more: bool


class FoundEnterprise(Document):
    """企业, by its name or id."""

    enterprise: str
    enterprise_name: str
    region: str
    region_name: str
    grade: GradeName | None = Field(description="Of its gravest open incident.")


class FoundEnterprises(Document):
    """Enterprises, the gravest first."""

    items: list[FoundEnterprise]
    more: bool


class FoundAlarms(Document):
    """Alarms by number, tag or description: those that stand in by grade, then the newest of the last 20,000."""

    items: list[Alarm]
    more: bool


class FoundIncidents(Document):
    """Incidents by number or by the name of their place: those that are open by grade, then the newest."""

    items: list[Incident]
    more: bool


class SearchResult(Document):
    """All that was found, by kind."""

    enterprises: FoundEnterprises
    units: FoundUnits
    tags: FoundTags
    incidents: FoundIncidents
    alarms: FoundAlarms
