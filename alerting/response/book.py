"""The response book: everything that a site says about who is told, how, and what to do.

Made by ``service.config`` from ``response.yaml``, the contacts' table and the cards; where a site says nothing, from
what is shipped. It never changes: another revision is another book.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType

from alerting.desks.desks import Desk
from alerting.response.cards import Card, Cards
from alerting.response.contacts import Contact
from alerting.response.plans import Plan, Who, choose
from alerting.response.rosters import Roster
from domain.site import Site

_CITY, _PROVINCE, _DIGITS = "00", "0000", 6


@dataclass(frozen=True, slots=True)
class Channel:
    """通道: a way to reach people. The URL may hold secrets and is shown by no repr."""

    id: str
    kind: str
    """``webhook`` (signed, JSON) or ``apprise``."""
    url: str = field(repr=False)
    """``{phone}``, ``{mail}`` or ``{address}`` in it stand for the recipient's."""
    name: str = ""
    secret: str = field(default="", repr=False)
    """Of a webhook: what it is signed with."""
    format: str = "text"
    """``text`` or ``html``."""
    retries: int = 3
    """Tries before the next channel has its turn [ours]."""
    timeout: int = 10_000
    """ms that one try may take [ours]."""
    receipt_within: int = 0
    """ms within which the receiver says by a receipt that it has arrived, else the next channel has its turn;
    0: it does not say."""
    test_to: str = ""
    """Address of the scheduled test, where no contact of a desk has one on this channel."""

    @property
    def needs(self) -> str:
        """What a recipient must have: ``phone``, ``mail``, ``address`` or nothing."""
        return next((name for name in ("phone", "mail", "address") if f"{{{name}}}" in self.url), "")

    def address_of(self, contact: Contact) -> str | None:
        """The recipient's address on this channel; None where it has none."""
        own = contact.addresses.get(self.id, "")
        match self.needs:
            case "":
                # One address for everybody who is named to be on it: a chat's robot, another system.
                return own or contact.id
            case "phone":
                return own or contact.phone or None
            case "mail":
                return own or contact.mail or None
            case _:
                return own or None


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers of notification. Times in ms. All [ours]: nothing prescribes them."""

    digest_after: int = 10
    """Messages below orange to one recipient within the window; those beyond become one digest."""
    digest_window: int = 600_000
    digest_wait: int = 120_000
    """How long a digest gathers before it goes out."""
    keep_trying: int = 86_400_000
    """How long a message that nobody takes is tried."""
    backoff: int = 2_000
    """Wait after the first failure; doubled with each further."""
    longest_backoff: int = 300_000
    code_lifetime: int = 86_400_000
    """Of a one-time code."""
    contact_days: int = 31
    """Days after which a contact's row counts as old."""
    test_interval: int = 86_400_000
    """Between two scheduled tests of a channel; 0: none."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to be told. ``on_duty``: by a roster, so quiet hours do not hold."""

    contact: Contact
    on_duty: bool = False


@dataclass(frozen=True)
class ResponseBook:
    """应急响应手册."""

    desks: tuple[Desk, ...] = ()
    """Empty: the site's default desks."""
    channels: Mapping[str, Channel] = field(default_factory=lambda: MappingProxyType({}))
    """By id, in the order in which they are tried where a plan names none."""
    contacts: Mapping[str, Contact] = field(default_factory=lambda: MappingProxyType({}))
    rosters: Mapping[str, Roster] = field(default_factory=lambda: MappingProxyType({}))
    plans: tuple[Plan, ...] = ()
    """The site's own first, then those shipped."""
    cards: Cards = field(default_factory=Cards)
    templates: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Text by ``name.language``, in the place of what is shipped."""
    limits: Limits = Limits()
    public_url: str = ""
    """Where people reach the console, without a slash at the end; empty: messages carry no link."""

    def plan_for(self, tier: int, lineage: Sequence[str], hazards: AbstractSet[str]) -> Plan | None:
        """The most specific plan for an incident; ``lineage``: its region and those above, nearest first."""
        return choose(self.plans, tier, lineage, hazards)

    def on_duty(self, roster: str, at: int) -> tuple[Contact, ...]:
        """Contacts on duty by a roster at an instant (ms UTC). Raises KeyError: no such roster."""
        present = self.rosters[roster].on_duty(at)
        return tuple(self.contacts[identity] for identity in present if identity in self.contacts)

    def on_duty_at_desk(self, desk: Desk, at: int) -> tuple[Contact, ...]:
        """Contacts on duty at a desk: by its roster, else by those of the post ``duty`` of its regions."""
        found: dict[str, Contact] = {}
        for roster in self.rosters.values():
            is_its = roster.desk == desk.id or (roster.post == "duty" and roster.region in desk.regions)
            if is_its:
                found.update((contact.id, contact) for contact in self.on_duty(roster.id, at))
        return tuple(found.values())

    def recipients(self, who: Who, enterprise: str, lineage: Sequence[str], at: int) -> tuple[Recipient, ...]:
        """Whom a step of a plan tells, for an incident of an enterprise; nobody where nobody is listed.

        Who has the post is on duty by its roster; without a roster, or in a gap of it, all that have the post. A
        region that lists nobody for the post is stood in for by the nearest above that does [ours].
        """
        if who.contact is not None:
            contact = self.contacts.get(who.contact)
            return () if contact is None else (Recipient(contact),)
        if who.of == "enterprise":
            return self._of_post(who.post, enterprise, None, at)
        place = place_of(who.of, lineage)
        above = lineage[lineage.index(place) :] if place in lineage else (place,)
        for code in above:
            found = self._of_post(who.post, None, code, at)
            if found:
                return found
        return ()

    def _of_post(self, post: str | None, enterprise: str | None, region: str | None, at: int) -> tuple[Recipient, ...]:
        found: dict[str, Recipient] = {}
        for roster in self.rosters.values():
            if roster.post != post:
                continue
            mine = roster.enterprise == enterprise if enterprise is not None else self._region_of(roster) == region
            if mine:
                found.update((contact.id, Recipient(contact, on_duty=True)) for contact in self.on_duty(roster.id, at))
        if found:
            return tuple(found.values())
        return tuple(
            Recipient(contact)
            for contact in self.contacts.values()
            if contact.post == post
            and contact.enterprise == enterprise
            and (enterprise is not None or contact.region == region)
        )

    def _region_of(self, roster: Roster) -> str | None:
        if roster.enterprise is not None:
            return None
        if roster.region is not None:
            return roster.region
        desk = next((desk for desk in self.desks if desk.id == roster.desk), None)
        return desk.regions[0] if desk is not None else roster.desk  # a default desk has its region's code for id

    def cards_for(self, site: Site, enterprise: str, tag: str, rule: str) -> tuple[Card, ...]:
        """Cards of an alarm, by its tag and the key of its rule; none where the site no longer has the tag."""
        index = site.tag_index.get(f"{enterprise}/{tag}")
        if index is None:
            return ()
        known = site.tags[index]
        unit = site.units.get((enterprise, known.unit))
        named: list[str] = []
        for row in site.rules.of_tag(index):
            extra = site.rules.extras.get(row)
            if extra is not None and site.rules.key[row] == rule:
                named.extend(extra.cards)
        named.extend(unit.cards if unit is not None else ())
        return self.cards.for_alarm(
            enterprise=enterprise, unit=known.unit, tag=tag, rule=rule, measurand=known.measurand, named=named
        )


def level_of(code: str) -> str:
    """``province``, ``city`` or ``county`` by a GB/T 2260 code; townships and villages belong to their county."""
    if len(code) == _DIGITS and code.endswith(_PROVINCE):
        return "province"
    return "city" if len(code) == _DIGITS and code.endswith(_CITY) else "county"


def place_of(scope: str, lineage: Sequence[str]) -> str:
    """The region that a scope (county, city, province, or a code) means for an incident.

    Where the tree of regions lacks the level, the nearest above it, else the highest there is [ours].
    """
    order = ("county", "city", "province")
    if scope not in order or not lineage:
        return scope
    wanted = order.index(scope)
    return next(
        (code for code in lineage if order.index(level_of(code)) >= wanted and len(code) == _DIGITS), lineage[-1]
    )
