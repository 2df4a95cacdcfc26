"""Response plans (应急预案): who is told of an incident at each tier, by what, within what time, and then whom."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from domain.scales import Grade

COMMAND = 5
"""The tier above red: the city takes command."""
TIERS: tuple[str, ...] = (*(grade.label for grade in Grade), "command")
"""Names of the tiers 1 to 5, as files write them: those of the grades, then ``command``."""
SCOPES = ("enterprise", "county", "city", "province")
"""What ``Who.of`` may say beside a region's code."""


@dataclass(frozen=True, slots=True)
class Who:
    """Whom a step tells: one contact, or whoever has a post, by the roster of the post if it has one."""

    contact: str | None = None
    post: str | None = None
    of: str = "enterprise"
    """Whose post: of the incident's enterprise, of the county, city or province that it lies in, or of a region."""

    def __str__(self) -> str:
        return self.contact or f"{self.post}@{self.of}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan."""

    who: Who
    by: tuple[str, ...] = ()
    """Ids of channels in the order in which they are tried; empty: all channels, in their order."""
    within: int = 0
    """ms in which it is to be acknowledged, else ``then`` follows; 0 where nothing follows."""
    then: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """A step with its time after the beginning of the tier (ms). ``parent``: the one that it follows, -1 at once.

    ``again``: it repeats one of those that came last, ``after`` the time before.
    """

    step: Step
    after: int
    parent: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """应急预案 of some tiers, regions and hazards; an empty tuple leaves them open. Times in ms."""

    id: str
    tiers: tuple[int, ...]
    acknowledge: int
    """To acknowledge, from the beginning of the tier."""
    feedback: int
    """To feed back."""
    steps: tuple[Step, ...]
    regions: tuple[str, ...] = ()
    """GB/T 2260 codes; each means the region and all below it."""
    hazards: tuple[str, ...] = ()
    """Gas classes (flammable, toxic, oxygen, methane) and measurands of the incident's alarms."""
    both_sides: bool = False
    """Both the enterprise and a desk have to acknowledge; else either."""
    call_back: int = 0
    """ms within which somebody has to call the site back (回呼); 0: nobody needs to."""
    repeat: int = 0
    """ms after which those who were told last are told again, and so on; 0: never."""
    name: str = ""
    default: bool = False
    """Shipped with the service, and not the site's own."""
    schedule: tuple[Due, ...] = field(init=False)
    """All steps in the order of the file, then the repetitions."""

    def __post_init__(self) -> None:
        found: list[Due] = []
        for step in self.steps:
            _flatten(step, 0, -1, found)
        if self.repeat:
            last = max((due.after for due in found), default=0)
            found += [Due(due.step, self.repeat, -1, again=True) for due in found if due.after == last]
        object.__setattr__(self, "schedule", tuple(found))

    def fits(self, tier: int, lineage: Sequence[str], hazards: AbstractSet[str]) -> tuple[int, int] | None:
        """How specific the plan is for an incident, comparable; None where it is not for it.

        ``lineage``: the incident's region and those above it, nearest first. A hazard counts more than a region, a
        near region more than a far one [ours].
        """
        if tier not in self.tiers or (self.hazards and hazards.isdisjoint(self.hazards)):
            return None
        near = -1
        if self.regions:
            depths = [len(lineage) - index for index, code in enumerate(lineage) if code in self.regions]
            if not depths:
                return None
            near = max(depths)
        return int(bool(self.hazards)), near


def choose(plans: Sequence[Plan], tier: int, lineage: Sequence[str], hazards: AbstractSet[str]) -> Plan | None:
    """The most specific plan; of two alike the first."""
    fitting: list[tuple[tuple[int, int], Plan]] = [
        (fit, plan) for plan in plans if (fit := plan.fits(tier, lineage, hazards)) is not None
    ]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def steps_of(plan: Plan) -> Iterator[Step]:
    """All steps of a plan, those that follow others included."""
    return (due.step for due in plan.schedule if not due.again)


def _flatten(step: Step, after: int, parent: int, found: list[Due]) -> None:
    index = len(found)
    found.append(Due(step, after, parent))
    for following in step.then:
        _flatten(following, after + step.within, index, found)
