"""What the API takes and answers about the daily online rate of gateways."""

from typing import Annotated

from pydantic import ConfigDict, Field

from alerting.kpi.online import LONGEST
from service.api.models import Document, Instant
from service.api.requests import Number, Request, Text

Days = Annotated[Number, Field(le=LONGEST, description="Local days, the last of them today.")]


# ---- what callers send


class EnterprisePath(Request):
    """Path of one enterprise."""

    enterprise: Text


class OnlineQuery(Request):
    """How many days."""

    days: Days = 30


class OnlineListQuery(Request):
    """Whose days, and how many."""

    region: Text | None = Field(None, description="GB/T 2260 code; the regions below it count.")
    enterprise: Text | None = None
    days: Days = 1


# ---- what is answered


class OnlineDay(Document):
    """A local day."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"date": "2026-06-08", "known_ms": 86400000, "online_ms": 82080000, "rate": 0.95}]
        }
    )

    date: str = Field(description="In Asia/Shanghai.")
    known_ms: int = Field(
        description="Time of which the journal knows whether the gateway was there; of several, the sum."
    )
    online_ms: int = Field(description="As much of it as the gateway was there.")
    rate: float | None = Field(ge=0, le=1, description="online_ms / known_ms; null: nothing is known of this day.")


class OnlineGateway(Document):
    """The days of one gateway."""

    gateway: str
    name: str
    rate: float | None = Field(ge=0, le=1, description="Of all its days together.")
    days: list[OnlineDay]


class EnterpriseDays(Document):
    """The days of an enterprise: its gateways' together."""

    enterprise: str
    start: Instant = Field(description="Midnight of the first day.")
    end: Instant = Field(description="Now: the last day has come so far.")
    rate: float | None = Field(ge=0, le=1, description="Of all gateways and days together.")
    days: list[OnlineDay] = Field(description="Empty: it has no gateways.")


class EnterpriseOnline(EnterpriseDays):
    """Daily online rate of an enterprise and of each of its gateways."""

    gateways: list[OnlineGateway]


class EnterpriseDaysList(Document):
    """Daily online rate of several enterprises."""

    items: list[EnterpriseDays]
