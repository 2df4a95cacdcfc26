"""Which rules a command of the workbench is about, and what their signals begin with."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from domain.scales import RuleKind
from domain.site import Site
from service.cli.datasets import refused
from service.config import shipped
from tuning.suggestions import Starting
from tuning.sweep.grid import SWEPT


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


def _near(pattern: str, paths: dict[str, int]) -> str:
    tag = pattern.rpartition("/")[0].rpartition("/")[2]
    own = sorted(path for path in paths if path.rpartition("/")[0].endswith(f"/{tag}"))
    if tag and own:
        return f"The rules of {tag}: {', '.join(path.rpartition('/')[2] for path in own)}"
    return f"Rules are named TAG/RULE, e.g. {next(iter(sorted(paths)), 'LI-101/H')}"
