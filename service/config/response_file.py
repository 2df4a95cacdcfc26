"""The response book from its files: ``response.yaml``, the contacts' table, the cards; what is shipped behind them."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel

import alerting.response
from alerting.desks.desks import Desk
from alerting.notify.channels import is_known_to_apprise
from alerting.notify.texts import Templates, TextFault
from alerting.response.book import Channel, Limits, ResponseBook
from alerting.response.cards import Card, Cards
from alerting.response.contacts import Contact
from alerting.response.plans import Plan, Step, Who
from alerting.response.rosters import Holiday, Roster, Shift, Substitute
from domain.site import SERVICE_ENTERPRISE
from service.config import measurands
from service.config.card_file import read_card
from service.config.contact_table import Places, read_contacts
from service.config.document import Document, Loc, read_document
from service.config.faults import FaultList
from service.config.response_sections import (
    ChannelEntry,
    DeskEntry,
    PlanEntry,
    ResponseFile,
    RosterEntry,
    StepEntry,
    channel_variable,
)
from service.config.validation import suggestion, validate

SHIPPED = Path(str(alerting.response.__file__)).parent
"""Folder of the plans and cards that come with the service."""
_GASES = ("flammable", "toxic", "oxygen", "methane")

Entry = TypeVar("Entry", bound=BaseModel)


def read_response(
    path: Path | None,
    env: Mapping[str, str],
    faults: FaultList,
    site: Places | None = None,
    named_by: tuple[Document, Loc] | None = None,
) -> ResponseBook:
    """The book of a main file that names ``path``, or that names none; faults in ``faults``.

    ``env`` may hold the URLs and secrets of channels. ``site``: what regions, enterprises and units must be of; without
    it they are not checked.
    """
    plans, cards = _shipped()
    if path is None:
        return ResponseBook(plans=plans, cards=Cards(cards))
    document = read_document(path, faults, named_by)
    if document is None:
        return ResponseBook(plans=plans, cards=Cards(cards))
    return _Reading(document, env, faults, site).book(plans, cards)


def shipped_book() -> ResponseBook:
    """The book of a site that says nothing."""
    return read_response(None, {}, FaultList())


@cache
def _shipped() -> tuple[tuple[Plan, ...], tuple[Card, ...]]:
    faults = FaultList()
    document = read_document(SHIPPED / "plans.yaml", faults)
    plans: tuple[Plan, ...] = ()
    if document is not None:
        plans = tuple(
            dataclasses.replace(plan, default=True) for _, plan in _Reading(document, {}, faults, None).plans()
        )
    found = [read_card(path, faults, _measurands(), default=True) for path in sorted((SHIPPED / "cards").glob("*.md"))]
    faults.raise_if_any()
    return plans, tuple(card for card in found if card is not None)


def _measurands() -> Collection[str]:
    return tuple(measurands.shipped().by_key)


class _Reading:
    """One ``response.yaml`` and what it names."""

    def __init__(self, document: Document, env: Mapping[str, str], faults: FaultList, site: Places | None) -> None:
        self._document = document
        self._folder = document.path.parent
        self._env = env
        self._faults = faults
        self._site = site
        self._file = ResponseFile()
        self._contacts_whole = True

    def book(self, plans: tuple[Plan, ...], cards: tuple[Card, ...]) -> ResponseBook:
        """All of it; parts with faults are left out."""
        document = self._document
        file = validate(ResponseFile, document.data, document.fault, ())
        if file is not None:
            self._file = file
        desks = dict(self._desks())
        channels = dict(self._channels())
        contacts = {contact.id: contact for contact in self._contacts()}
        rosters = dict(self._rosters())
        own = dict(self.plans())
        self._check_contacts(contacts)
        self._check_rosters(rosters, desks, contacts)
        self._check_plans(own, channels, contacts)
        self._check_templates()
        by_id = {card.id: card for card in (*cards, *self._cards())}
        return ResponseBook(
            desks=tuple(desks.values()),
            channels=MappingProxyType(channels),
            contacts=MappingProxyType(contacts),
            rosters=MappingProxyType(rosters),
            plans=(*own.values(), *plans),
            cards=Cards(by_id.values()),
            templates=MappingProxyType(dict(self._file.templates)),
            limits=Limits(**self._file.limits.model_dump()),
            public_url=self._file.public_url,
        )

    # ---- parts

    def _entries(self, key: str, model: type[Entry]) -> Iterator[tuple[Loc, Entry]]:
        """Elements of a list that are as they should be, each id once."""
        data = self._document.data
        held = data.get(key) if isinstance(data, dict) else None
        first: dict[str, int] = {}
        for index, raw in enumerate(held if isinstance(held, list) else ()):
            loc: Loc = (key, index)
            entry = validate(model, self._with_environment(key, raw), self._document.fault, loc)
            if entry is None:
                continue
            identity = str(getattr(entry, "id", ""))
            if identity in first:
                message = f"the id {identity!r} is given already at {key}[{first[identity]}]"
                self._document.fault((*loc, "id"), message, "Give each id once.")
                continue
            first[identity] = index
            yield loc, entry

    def _with_environment(self, key: str, raw: Any) -> Any:
        """A channel with the URL and the secret that the environment holds for it."""
        if key != "channels" or not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
            return raw
        held = {
            field: value
            for field in ("url", "secret")
            if (value := self._env.get(channel_variable(raw["id"], field.upper())))
        }
        return raw | held

    def _desks(self) -> Iterator[tuple[str, Desk]]:
        for loc, entry in self._entries("desks", DeskEntry):
            for index, code in enumerate(entry.regions):
                self._check_region(code, (*loc, "regions", index))
            yield entry.id, Desk(entry.id, entry.name, entry.regions)

    def _channels(self) -> Iterator[tuple[str, Channel]]:
        for loc, entry in self._entries("channels", ChannelEntry):
            if entry.kind == "apprise" and not is_known_to_apprise(entry.url.get_secret_value()):
                remedy = "See apprise's list of services for how its URL is written; put secrets into the environment."
                self._document.fault((*loc, "url"), "a URL that apprise does not know", remedy)
            yield (
                entry.id,
                Channel(
                    id=entry.id,
                    kind=entry.kind,
                    url=entry.url.get_secret_value(),
                    name=entry.name or entry.id,
                    secret=entry.secret.get_secret_value() if entry.secret else "",
                    format=entry.format,
                    retries=entry.retries,
                    timeout=entry.timeout,
                    receipt_within=entry.receipt_within,
                    test_to=entry.test_to,
                ),
            )

    def _contacts(self) -> tuple[Contact, ...]:
        if self._file.contacts is None:
            return ()
        path = self._folder / self._file.contacts
        try:
            content = self._document.documents.read(path)
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            remedy = "Correct the path (relative paths start from the folder of this file)."
            self._document.fault(("contacts",), f"cannot read {str(path)!r}: {told}", remedy)
            return ()
        known = len(self._faults)
        found = read_contacts(content, path, self._faults, self._site)
        self._contacts_whole = len(self._faults) == known
        return found

    def _rosters(self) -> Iterator[tuple[str, Roster]]:
        for loc, entry in self._entries("rosters", RosterEntry):
            if entry.region is not None:
                self._check_region(entry.region, (*loc, "region"))
            if entry.enterprise is not None:
                self._check_enterprise(entry.enterprise, (*loc, "enterprise"))
            yield (
                entry.id,
                Roster(
                    id=entry.id,
                    post=entry.post,
                    start=entry.start,
                    shifts=tuple(Shift(shift.id, shift.name, shift.begin, shift.end) for shift in entry.shifts),
                    rotation=entry.rotation,
                    advance=entry.advance,
                    name=entry.name,
                    desk=entry.desk,
                    region=entry.region,
                    enterprise=entry.enterprise,
                    holidays=tuple(Holiday(held.first, held.last, held.rotation) for held in entry.holidays),
                    substitutes=tuple(
                        Substitute(held.contact, held.by, held.first, held.last) for held in entry.substitutes
                    ),
                ),
            )

    def plans(self) -> Iterator[tuple[str, Plan]]:
        """Plans by id."""
        for loc, entry in self._entries("plans", PlanEntry):
            for index, code in enumerate(entry.regions):
                self._check_region(code, (*loc, "regions", index))
            known = (*_GASES, *_measurands())
            for index, hazard in enumerate(entry.hazards):
                if hazard not in known:
                    message = f"unknown hazard {hazard[:40]!r}"
                    self._document.fault((*loc, "hazards", index), message, suggestion(hazard[:40], known))
            yield (
                entry.id,
                Plan(
                    id=entry.id,
                    tiers=entry.grades,
                    acknowledge=entry.acknowledge,
                    feedback=entry.feedback,
                    steps=tuple(map(_step, entry.steps)),
                    regions=entry.regions,
                    hazards=entry.hazards,
                    both_sides=entry.acknowledged_by == "both",
                    call_back=entry.call_back,
                    repeat=entry.repeat,
                    name=entry.name,
                ),
            )

    def _cards(self) -> Iterator[Card]:
        if self._file.cards is None:
            return
        paths = self._document.documents.listing(self._folder / self._file.cards, ".md")
        if not paths:
            message = f"no card in the folder {self._file.cards!r}"
            self._document.fault(("cards",), message, "Put cards (*.md) into it, or delete the line.")
        first: dict[str, Path] = {}
        for path in paths:
            card = read_card(path, self._faults, _measurands(), (self._document, ("cards",)))
            if card is None:
                continue
            if card.id in first:
                message = f"the card {card.id!r} is given already by {first[card.id].name}"
                self._document.fault(("cards",), f"{path.name}: {message}", "Give each card its own id.")
            first.setdefault(card.id, path)
            yield card

    # ---- what they say of each other

    def _check_contacts(self, contacts: Mapping[str, Contact]) -> None:
        if self._file.contacts is None or contacts or self._faults:
            return
        self._document.fault(("contacts",), "the directory lists nobody", "Add a row, or delete the line.")

    def _check_rosters(
        self, rosters: Mapping[str, Roster], desks: Mapping[str, Desk], contacts: Mapping[str, Contact]
    ) -> None:
        for loc, entry in self._entries_again("rosters", rosters):
            roster = rosters[entry]
            known_desks = [*desks] or [*(self._site.regions if self._site else ())]
            if roster.desk is not None and (desks or self._site) and roster.desk not in known_desks:
                message = f"no desk {roster.desk[:40]!r}"
                self._document.fault((*loc, "desk"), message, suggestion(roster.desk[:40], known_desks))
            for row, team in enumerate(roster.rotation):
                self._check_team(team, contacts, (*loc, "rotation", row))
            for row, holiday in enumerate(roster.holidays):
                for column, team in enumerate(holiday.rotation):
                    self._check_team(team, contacts, (*loc, "holidays", row, "rotation", column))
            for row, held in enumerate(roster.substitutes):
                self._check_team((held.contact,), contacts, (*loc, "substitutes", row, "contact"))
                self._check_team((held.by,), contacts, (*loc, "substitutes", row, "by"))

    def _check_plans(
        self, plans: Mapping[str, Plan], channels: Mapping[str, Channel], contacts: Mapping[str, Contact]
    ) -> None:
        for loc, identity in self._entries_again("plans", plans):
            for way, step in _placed(plans[identity].steps, (*loc, "steps")):
                if step.who.contact is not None:
                    self._check_team((step.who.contact,), contacts, (*way, "who", "contact"))
                elif step.who.of.isdigit():
                    self._check_region(step.who.of, (*way, "who", "of"))
                for index, channel in enumerate(step.by):
                    if channel not in channels:
                        message = f"no channel {channel[:40]!r}"
                        self._document.fault((*way, "by", index), message, suggestion(channel[:40], [*channels]))

    def _entries_again(self, key: str, known: Collection[str]) -> Iterator[tuple[Loc, str]]:
        """Places of the elements of a list that were taken, with their ids."""
        seen: set[str] = set()
        data = self._document.data
        for index, raw in enumerate(data.get(key) or () if isinstance(data, dict) else ()):
            identity = str(raw.get("id")) if isinstance(raw, dict) else ""
            if identity in known and identity not in seen:
                seen.add(identity)
                yield (key, index), identity

    def _check_team(self, team: Collection[str], contacts: Mapping[str, Contact], loc: Loc) -> None:
        for identity in team:
            if identity not in contacts and self._contacts_whole:
                self._document.fault(loc, f"no contact {identity[:40]!r}", suggestion(identity[:40], [*contacts][:50]))

    def _check_region(self, code: str, loc: Loc) -> None:
        if self._site is not None and code not in self._site.regions:
            self._document.fault(loc, f"no region {code!r}", suggestion(code, [*self._site.regions]))

    def _check_enterprise(self, identity: str, loc: Loc) -> None:
        if self._site is not None and identity not in {*self._site.enterprises, SERVICE_ENTERPRISE}:
            known = [*self._site.enterprises]
            self._document.fault(loc, f"no enterprise {identity[:40]!r}", suggestion(identity[:40], known))

    def _check_templates(self) -> None:
        for name, text in self._file.templates.items():
            try:
                Templates({name: text}).check(name)
            except TextFault as fault:
                self._document.fault(("templates", name), fault.message, fault.remedy)


def _step(entry: StepEntry) -> Step:
    who = Who(entry.who.contact, entry.who.post, entry.who.of)
    return Step(who, entry.by, entry.within, tuple(map(_step, entry.then)))


def _placed(steps: tuple[Step, ...], loc: Loc) -> Iterator[tuple[Loc, Step]]:
    """All steps with their places."""
    for index, step in enumerate(steps):
        yield (*loc, index), step
        yield from _placed(step.then, (*loc, index, "then"))
