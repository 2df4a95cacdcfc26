"""Which rules a command of the workbench is about, and what their signals begin with."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from domain.scales import RuleKind
from domain.site import SERVICE_ENTERPRISE, Site
from service.cli.datasets import refused
from service.config import shipped
from tuning.suggestions import Starting
from tuning.sweep.grid import SWEPT, Grid, Point, Setting


def starting_values() -> dict[str, Starting]:
    """Deadband and delay that each measurand begins with, where there is a source for them."""
    return {
        name: Starting(each.deadband, each.on_delay)
        for name, each in shipped().by_key.items()
        if each.deadband or each.on_delay
    }


def conditions(site: Site, patterns: Sequence[str]) -> list[int]:
    """Rows of the rules that patterns name: TAG/RULE or ENTERPRISE/TAG/RULE, with * and ?. Exit status 2 for none.

    A pattern without wildcards names one rule. Of what a pattern with wildcards finds, rules without a setpoint are
    left out.
    """
    kinds = site.rules.kind.tolist()
    paths = {site.rule_path(row): row for row, kind in enumerate(kinds) if kind != RuleKind.SYSTEM}
    rows: list[int] = []
    for pattern in patterns:
        found = [row for path, row in paths.items() if fnmatchcase(path, pattern) or fnmatchcase(path, f"*/{pattern}")]
        if any(sign in pattern for sign in "*?["):
            found = [row for row in found if int(site.rules.kind[row]) in SWEPT]
        elif len(found) > 1:
            raise refused(f"{pattern} is in {', '.join(map(site.rule_path, found))}: write which")
        if not found:
            raise refused(f"{pattern}: no rule of the rule set. {_near(pattern, paths)}")
        rows += found
    return list(dict.fromkeys(rows))


def check_range(site: Site, rows: Sequence[int], grid: Grid) -> None:
    """Exit status 2 where a limit of the grid lies outside its tag's range, or can never clear within it.

    A site file with such a limit is refused, and a sweep that recommends it would be of no use. Of multiples of what
    many rules have, some may lie outside.
    """
    setpoints: list[Setting | None] = [each for each in grid.axes.get("setpoint", ()) if not each.times]
    deadbands: list[Setting | None] = [each for each in grid.axes.get("deadband", ()) if not each.times]
    pairs = [Point(setpoint=one, deadband=other) for one in setpoints or [None] for other in deadbands or [None]]
    if pairs == [Point()]:
        return
    for row in rows:
        rule, tag = site.rules.row(row), site.tags[int(site.rules.tag[row])]
        if rule.kind not in (RuleKind.HIGH, RuleKind.LOW) or tag.system:
            continue
        for limit in (pair.of(rule) for pair in pairs):
            told = f"{site.rule_path(row)}: {limit.setpoint:.12g}"
            if not tag.low <= limit.setpoint <= tag.high:
                raise refused(f"{told} lies outside the range [{tag.low:.12g}, {tag.high:.12g}]: narrow --setpoint")
            returned = limit.setpoint + (limit.deadband if rule.kind is RuleKind.LOW else -limit.deadband)
            if not tag.low < returned < tag.high and returned != limit.setpoint:
                span = f"[{tag.low:.12g}, {tag.high:.12g}]"
                raise refused(
                    f"{told} with deadband {limit.deadband:.12g} can never clear within the range {span}: "
                    "narrow --deadband or --setpoint"
                )


def _near(pattern: str, paths: dict[str, int]) -> str:
    tag = pattern.rpartition("/")[0].rpartition("/")[2]
    own = sorted(path for path in paths if tag and path.rpartition("/")[0].endswith(f"/{tag}"))
    own = own or sorted(path for path in paths if pattern in path.split("/")[1:2])
    if own:
        return f"The rules of {own[0].split('/')[1]}: {', '.join(path.rpartition('/')[2] for path in own)}"
    example = next(iter(sorted(path for path in paths if not path.startswith(f"{SERVICE_ENTERPRISE}/"))), "LI-101/H")
    return f"Rules are named TAG/RULE, e.g. {example}"
