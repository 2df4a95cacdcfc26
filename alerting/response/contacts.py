"""The directory of contacts (通讯录), by region and enterprise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from alerting.response.local_time import local_day, ms_of_day

LANGUAGES = ("zh", "en")
ENTERPRISE_SIDE, DESK_SIDE = "enterprise", "desk"
"""The two sides that acknowledge an incident: who runs the plant, and who watches it."""


@dataclass(frozen=True, slots=True)
class Contact:
    """联系人, one row of the directory. A group robot of a chat is a contact too: it is one address."""

    id: str
    name: str
    post: str
    """Key of the post (岗位) that plans and rosters name: ``operator``, ``safety_head``, ``duty``, …"""
    region: str = ""
    """GB/T 2260 code; of an enterprise's contact its enterprise's where it is left out."""
    enterprise: str | None = None
    """None: a contact of the region's authorities."""
    organisation: str = ""
    title: str = ""
    """职务, as people read it."""
    phone: str = ""
    mail: str = ""
    addresses: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Address by channel, where a channel needs one that is neither phone nor mail."""
    language: str = "zh"
    quiet: tuple[int, int] | None = None
    """Begin and end of the quiet hours, ms since local midnight; over midnight where the end is not after the begin."""
    updated: date | None = None
    """When the row was last checked."""

    @property
    def side(self) -> str:
        """``enterprise`` or ``desk``."""
        return DESK_SIDE if self.enterprise is None else ENTERPRISE_SIDE

    def is_stale(self, now: int, days: int) -> bool:
        """Nobody has checked the row for more than so many days, or ever."""
        return self.updated is None or (local_day(now) - self.updated).days > days

    def quiet_until(self, now: int) -> int | None:
        """End of the quiet hours that ``now`` (ms UTC) falls into; None outside of them."""
        if self.quiet is None:
            return None
        begin, end = self.quiet
        at = ms_of_day(now)
        if begin < end:
            return now - at + end if begin <= at < end else None
        if at >= begin:
            return now - at + 86_400_000 + end
        return now - at + end if at < end else None
