"""The truth of a scenario: offsets made instants, and names checked against the site."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from domain.site import Site, Tag
from domain.truth import Event, Expected, Truth
from simulators.scenarios.faults import Loc, ScenarioFault
from simulators.scenarios.loading import Scenario


def truth_of(scenario: Scenario, site: Site, tags: Sequence[Tag]) -> tuple[Truth, list[ScenarioFault]]:
    """The truth in ms UTC, and what is wrong in it."""
    section, start = scenario.file.truth, scenario.file.start
    faults: list[ScenarioFault] = []
    conditions = _conditions(site, tags)
    units = {f"{tag.enterprise}/{tag.unit}" for tag in tags}
    paths = {tag.path for tag in tags}

    def check(loc: Loc, given: Iterable[str], known: Iterable[str], what: str) -> None:
        faults.extend(
            scenario.fault((*loc, number), f"no {what} of the scenario is {one}", "Correct it.")
            for number, one in enumerate(given)
            if one not in known
        )

    for number, event in enumerate(section.events):
        check(("truth", "events", number, "tags"), event.tags, paths, "tag")
        check(("truth", "events", number, "units"), event.units, units, "unit")
    for number, expected in enumerate(section.expected):
        if expected.condition not in conditions:
            faults.append(
                _unknown(scenario, ("truth", "expected", number, "condition"), expected.condition, conditions)
            )
    never: dict[str, None] = {}
    for number, pattern in enumerate(section.never):
        matching = [condition for condition in conditions if fnmatchcase(condition, pattern)]
        if not matching:
            faults.append(_unknown(scenario, ("truth", "never", number), pattern, conditions))
        never |= dict.fromkeys(matching)
    truth = Truth(
        events=tuple(
            Event(
                event.id,
                {"zh": event.title.zh, "en": event.title.en},
                start + event.begin,
                start + event.end,
                None if event.harm_at is None else start + event.harm_at,
                event.tags,
                event.units,
            )
            for event in section.events
        ),
        expected=tuple(Expected(one.condition, start + one.begin, start + one.end) for one in section.expected),
        never=tuple(never),
    )
    return truth, faults


def _conditions(site: Site, tags: Sequence[Tag]) -> dict[str, None]:
    """``enterprise/tag/RULE`` of all rules that look at these tags."""
    numbers = [site.tag_index[tag.path] for tag in tags if tag.path in site.tag_index]
    rows = site.rules.looking_at(numbers)
    return {f"{site.tags[int(site.rules.tag[row])].path}/{site.rules.key[row]}": None for row in rows}


def _unknown(scenario: Scenario, loc: Loc, given: str, conditions: Iterable[str]) -> ScenarioFault:
    tag = given.rpartition("/")[0]
    known = [condition.rpartition("/")[2] for condition in conditions if condition.rpartition("/")[0] == tag]
    remedy = f"{tag} has {', '.join(known)}." if known else "Write enterprise/TAG/RULE of a tag of the scenario."
    return scenario.fault(loc, f"the site has no condition {given}", remedy)
