"""All site plans and the places of tags on them, as the ledger has them, and the acts that change them.

Every act is journaled. A plan that was removed stays in the ledger, and its image on disk: what somebody saw when he
decided can be looked up later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.journal.journal import Journal
from alerting.ledger.ledger import reaching
from alerting.ledger.siteplans_schema import site_plan, site_plan_tag
from alerting.records import Change
from alerting.refusals import Conflict, NotFound

MOST_PLANS = 50
"""Of an enterprise [ours]."""
MOST_TAGS = 300
"""On a plan [ours]: more are not told apart."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where on an image a tag is: fractions of its width and height, from the upper left corner."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Image:
    """A file that is on disk, checked."""

    type: str
    size: int
    sha256: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SitePlan:
    """平面图: an image of an enterprise, or of one of its units. Its id is the number of the entry that added it."""

    id: int
    enterprise: str
    unit: str | None
    title: str
    image: Image
    by: str
    at: int
    version: int
    """Number of the last journal entry about it."""
    tags: Mapping[str, Place] = field(default_factory=dict)
    removed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """Who does it and why, by which account, and of which region the enterprise is."""

    actor: str
    name: str
    comment: str
    region: str


class SitePlans:
    """Plans by id. Acts are done inside of a commit: they take ``now`` and the ``change`` that they go into."""

    def __init__(self, journal: Journal, known: Iterable[SitePlan] = ()) -> None:
        self._journal = journal
        self._plans = {plan.id: plan for plan in known if plan.removed_at is None}

    def of(self, enterprise: str) -> list[SitePlan]:
        """Those of an enterprise: of the whole first, then by unit and title."""
        found = (plan for plan in self._plans.values() if plan.enterprise == enterprise)
        return sorted(found, key=lambda plan: (plan.unit or "", plan.title, plan.id))

    def find(self, identity: int) -> SitePlan:
        """One plan. Raises NotFound."""
        found = self._plans.get(identity)
        if found is None:
            raise NotFound(f"there is no site plan {identity}; GET /api/v1/site-plans lists an enterprise's")
        return found

    def refuse_more(self, enterprise: str) -> None:
        """Raise Conflict if the enterprise can have no further plan."""
        if len(self.of(enterprise)) >= MOST_PLANS:
            raise Conflict(f"the enterprise has {MOST_PLANS} site plans, which is the most; remove one first")

    def add(
        self, enterprise: str, unit: str | None, title: str, image: Image, signed: Signed, now: int, change: Change
    ) -> SitePlan:
        """Put an image on record. Raises Conflict."""
        self.refuse_more(enterprise)
        identity = self._journal.sequence + 1
        made = SitePlan(identity, enterprise, unit, title, image, signed.name, now, identity)
        data = {"title": title, "image": asdict(image)}
        return self._keep(self._note(made, "site_plan.added", signed, now, change, data), change)

    def rename(self, identity: int, title: str, signed: Signed, now: int, change: Change) -> SitePlan:
        """Give it another title. Raises NotFound."""
        plan = self.find(identity)
        made = replace(plan, title=title)
        data = {"title": title, "before": plan.title}
        return self._keep(self._note(made, "site_plan.renamed", signed, now, change, data), change)

    def arrange(
        self,
        identity: int,
        version: int,
        placed: Mapping[str, Place],
        taken: Sequence[str],
        signed: Signed,
        now: int,
        change: Change,
    ) -> SitePlan:
        """Place tags, move them and take them off, all at once.

        ``version``: of the plan as it was looked at. Raises NotFound, Conflict: it is another now.
        """
        plan = self.find(identity)
        if plan.version != version:
            raise Conflict("somebody else has changed this site plan meanwhile; load it anew and arrange the rest")
        tags = {tag: place for tag, place in plan.tags.items() if tag not in taken} | dict(placed)
        if len(tags) > MOST_TAGS:
            raise Conflict(f"a site plan shows at most {MOST_TAGS} tags; put some on another one")
        moved = {tag: place for tag, place in placed.items() if plan.tags.get(tag) != place}
        gone = [tag for tag in taken if tag in plan.tags and tag not in placed]
        made = replace(plan, tags=tags)
        if moved:
            data = {"tags": {tag: [place.x, place.y] for tag, place in moved.items()}}
            made = self._note(made, "site_plan.tags_placed", signed, now, change, data)
        if gone:
            made = self._note(made, "site_plan.tags_removed", signed, now, change, {"tags": gone})
        for tag, place in moved.items():
            change.upsert(site_plan_tag.name, {"plan": plan.id, "tag": tag, "x": place.x, "y": place.y})
        for tag in gone:
            change.upsert(site_plan_tag.name, {"plan": plan.id, "tag": tag, "x": None, "y": None})
        return self._keep(made, change) if moved or gone else plan

    def remove(self, identity: int, signed: Signed, now: int, change: Change) -> None:
        """Show it no more. Raises NotFound."""
        plan = self.find(identity)
        made = replace(plan, removed_at=now)
        self._keep(self._note(made, "site_plan.removed", signed, now, change, {"title": plan.title}), change)
        del self._plans[identity]

    def _note(
        self, plan: SitePlan, kind: str, signed: Signed, now: int, change: Change, more: Mapping[str, Any]
    ) -> SitePlan:
        data = {"plan": plan.id, **more, "name": signed.name, "comment": signed.comment}
        entry = self._journal.append(
            now, kind, signed.actor, data, region=signed.region, enterprise=plan.enterprise, unit=plan.unit
        )
        change.entries.append(entry)
        return replace(plan, version=entry.sequence)

    def _keep(self, plan: SitePlan, change: Change) -> SitePlan:
        self._plans[plan.id] = plan
        row = {name: value for name, value in asdict(plan).items() if name not in {"image", "tags"}}
        change.upsert(site_plan.name, row | asdict(plan.image))
        return plan


async def load(engine: AsyncEngine, journal: Journal) -> SitePlans:
    """The plans as the ledger has them. Raises LedgerUnavailable."""
    async with reaching(engine) as connection:
        rows = (await connection.execute(select(site_plan).where(site_plan.c.removed_at.is_(None)))).mappings().all()
        placed = (await connection.execute(select(site_plan_tag).where(site_plan_tag.c.x.is_not(None)))).all()
    tags: dict[int, dict[str, Place]] = {}
    for plan, tag, x, y in placed:
        tags.setdefault(plan, {})[tag] = Place(x, y)
    return SitePlans(journal, [_plan(dict(row), tags.get(row["id"], {})) for row in rows])


def _plan(row: dict[str, Any], tags: Mapping[str, Place]) -> SitePlan:
    image = Image(**{name: row.pop(name) for name in ("type", "size", "sha256", "width", "height")})
    return SitePlan(**row, image=image, tags=tags)
