"""What the API answers of the map."""

from typing import Literal

from pydantic import Field

from service.api.models import Document


class MapPosition(Document):
    """A point in the map's datum, in degrees."""

    longitude: float
    latitude: float


class MapWind(Document):
    """The tags that tell the wind at a place."""

    speed: str = Field(description="Tag of the same enterprise, in m/s.")
    direction: str = Field(
        description="Tag of the same enterprise: where the wind blows from, in ° from north over east."
    )
    period_ms: int = Field(description="Expected time between readings, of the slower of the two.")


class MapOutline(Document):
    """A border, a coast, a road."""

    name: str
    kind: Literal["region", "enterprise", "water", "road", "railway", "built_up", "other"]
    region: str | None = Field(description="Code of the region that it is the border of.")
    enterprise: str | None = Field(description="Id of the enterprise that it is the fence of.")
    area: bool = Field(description="The paths are rings, filled by the even-odd rule; else they are lines.")
    paths: list[list[float]] = Field(description="Each longitude, latitude, longitude, latitude, …")


class MapUnit(Document):
    """装置/罐区."""

    id: str
    name: str
    hazard_level: int | None
    position: MapPosition | None = Field(description="Null: the site file gives none.")
    wind: MapWind | None = Field(description="Its own, else the enterprise's.")


class MapEnterprise(Document):
    """企业."""

    id: str
    name: str
    region: str
    position: MapPosition | None
    wind: MapWind | None
    units: list[MapUnit]


class MapRegion(Document):
    """辖区."""

    code: str
    name: str
    parent: str | None


class MapTiles(Document):
    """Images under the outlines, in Web Mercator and the map's datum."""

    url: str = Field(description="With `{z}`, `{x}` and `{y}`.")
    attribution: str
    deepest: int = Field(description="The nearest level that the server has.")


class SiteMap(Document):
    """一张图: what stands still on it. What is wrong there, alarms and incidents say."""

    datum: Literal["WGS-84", "GCJ-02"] = Field(
        description="Of all positions and outlines. Nothing is converted from one into the other."
    )
    outlines: list[MapOutline]
    tiles: MapTiles | None = Field(description="Null: the console asks no other host for anything.")
    regions: list[MapRegion]
    enterprises: list[MapEnterprise]
