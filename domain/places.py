"""Where things are: positions, outlines to draw behind them, and which tags tell the wind."""

from dataclasses import dataclass

DATUMS = ("WGS-84", "GCJ-02")
"""What longitudes and latitudes are counted in. Nothing is ever converted from one into the other: they differ by
some hundred metres in China, and a map in one with positions in the other would lead people to the wrong gate."""


@dataclass(frozen=True, slots=True)
class Position:
    """A point on the map, degrees in the map's datum."""

    longitude: float
    latitude: float

    def __str__(self) -> str:
        return f"{self.longitude:.12g}, {self.latitude:.12g}"


@dataclass(frozen=True, slots=True)
class Wind:
    """Names of the tags of the same enterprise that tell the wind."""

    speed: str
    """In m/s."""
    direction: str
    """Where it blows from, in degrees from north over east."""

    def __str__(self) -> str:
        return f"{self.speed}, {self.direction}"


@dataclass(frozen=True, slots=True)
class Outline:
    """A border, a coast, a road: what is drawn so that one knows where one is."""

    name: str
    kind: str
    """``region``, ``enterprise``, ``water``, ``road``, ``railway``, ``built_up`` or ``other``."""
    is_area: bool
    """The paths are rings, filled by the even-odd rule; else they are lines."""
    paths: tuple[tuple[float, ...], ...]
    """Each longitude, latitude, longitude, latitude, …"""
    region: str | None = None
    enterprise: str | None = None


@dataclass(frozen=True, slots=True)
class Tiles:
    """Images to lie under the outlines, from a server of the site's choice, in Web Mercator and the map's datum."""

    url: str
    """With ``{z}``, ``{x}`` and ``{y}``."""
    attribution: str
    deepest: int
    """The nearest level that the server has."""

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"


@dataclass(frozen=True, slots=True)
class Map:
    """一张图: what stands behind all positions of a site."""

    datum: str = DATUMS[0]
    outlines: tuple[Outline, ...] = ()
    tiles: Tiles | None = None
