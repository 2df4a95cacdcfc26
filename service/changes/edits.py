"""Edits that somebody asks for, as rules that change: looked up, checked, and seen for whether they loosen."""

from collections.abc import Sequence

from domain.scales import RuleKind
from domain.site import SERVICE_ENTERPRISE, Site
from service.changes.change import ChangedRule, row_of
from service.changes.loosening import loosened_by
from service.changes.trial import part_with
from service.config.tuned import Figures, fault_of, refused_figure

_PER_SECOND = frozenset({RuleKind.RISE, RuleKind.FALL})


class EditRefused(Exception):
    """An edit cannot be: which one, which field of it, what is wrong, and what to do."""

    def __init__(self, index: int, field: str, message: str, remedy: str) -> None:
        super().__init__(f"{message}. {remedy}")
        self.index = index
        self.field = field
        self.message = message
        self.remedy = remedy


def changed_rules(
    site: Site, edits: Sequence[tuple[str, Figures]], *, proposed: bool = True
) -> tuple[ChangedRule, ...]:
    """The rules that edits, figures by the rules' paths, would change. Raises EditRefused.

    ``proposed``: each has to change something; else figures may be as they are.
    """
    rows: dict[int, int] = {}
    for index, (path, figures) in enumerate(edits):
        row = _row(site, index, path)
        if row in rows:
            raise EditRefused(index, "rule", f"{path} is edited twice", "Give one edit for each rule.")
        rows[row] = index
        kind = RuleKind(int(site.rules.kind[row]))
        refused = refused_figure(kind, site.rules.key[row], figures)
        if refused is not None:
            raise EditRefused(index, *refused)
        if proposed and figures.over(Figures.of(site, row)) == Figures.of(site, row):
            remedy = "Give a figure that differs, or leave the edit out."
            raise EditRefused(index, "rule", f"{path} is so already", remedy)
    _check(site, edits, rows)
    return tuple(_changed(site, row, edits[index][1]) for row, index in rows.items())


def _row(site: Site, index: int, path: str) -> int:
    tag_path, _, key = path.rpartition("/")
    tag = site.tag_index.get(tag_path)
    enterprise = path.partition("/")[0]
    if enterprise not in site.enterprises or enterprise == SERVICE_ENTERPRISE:
        raise EditRefused(index, "enterprise", f"no enterprise {enterprise!r}", "GET /api/v1/enterprises lists them.")
    if tag is None:
        raise EditRefused(index, "tag", f"no tag {tag_path!r}", "GET /api/v1/tags lists them.")
    row = row_of(site, tag, key)
    if row is None:
        known = ", ".join(site.rules.key[each] for each in site.rules.of_tag(tag)) or "none"
        raise EditRefused(index, "rule", f"{tag_path} has no rule {key!r}", f"It has: {known}.")
    return row


def _check(site: Site, edits: Sequence[tuple[str, Figures]], rows: dict[int, int]) -> None:
    """What the configuration would refuse, all edits put in together."""
    of_tags = {row for edited in rows for row in site.rules.of_tag(int(site.rules.tag[edited]))}
    checked = [row for row in of_tags if site.rules.kind[row] != RuleKind.SYSTEM]
    tried, part = part_with(site, checked, {}), part_with(site, checked, dict(edits))
    for row, index in rows.items():
        path = site.rule_path(row)
        fault = fault_of(part.site, part.site.rule_row(path))
        if fault is not None and fault != fault_of(tried.site, tried.site.rule_row(path)):
            raise EditRefused(index, *fault)


def _changed(site: Site, row: int, figures: Figures) -> ChangedRule:
    kind = RuleKind(int(site.rules.kind[row]))
    extra = site.rules.extras.get(row)
    own = site.tags[int(site.rules.tag[row])]
    inputs = extra.inputs if extra is not None else ()
    measured = site.tags[inputs[0]] if inputs else own
    unit = measured.engineering_unit
    before = Figures.of(site, row)
    after = figures.over(before)
    return ChangedRule(
        path=site.rule_path(row),
        kind=kind,
        unit=own.unit,
        engineering_unit=f"{unit}/s" if kind in _PER_SECOND and unit else unit,
        description=own.description,
        before=before,
        after=after,
        loosened=loosened_by(kind, before, after, extra),
    )
