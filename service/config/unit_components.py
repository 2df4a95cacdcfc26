"""Rules by principal components of a unit: the model that they name, and the tags that it looks at."""

from domain.scales import Grade, Level, RuleKind
from domain.site import Rule, RuleExtra
from service.config.document import Document, Loc
from service.config.model_file import read_model
from service.config.references import Names
from service.config.rule_entries import NOT_GIVEN
from service.config.unit_entries import ComponentsEntry

CONSECUTIVE = 3
"""So many rounds in a row raise a warning, where the file says nothing [O]."""
_DEADBAND = 0.1
"""Of the limit, where the file gives none [O]."""


def resolve_components(
    document: Document, loc: Loc, enterprise: str, entry: ComponentsEntry, names: Names
) -> Rule | None:
    """The rule with its model and inputs, its tag still to be numbered; None where it has faults."""
    at = (*loc, "model")
    model = read_model(document.path.parent / entry.model, (document, at))
    if model is None:
        return None
    inputs = []
    for name, unit in zip(model.names, model.units, strict=True):
        index = names.tag(enterprise, name)
        if index is None:
            remedy = f"Name a model of tags of enterprise {enterprise!r}, or train it anew without this tag."
            document.fault(at, f"the model looks at a tag {name!r} that there is not", remedy)
            return None
        if index < 0:
            return None
        held = names.tags.tags[index].engineering_unit
        canonical = names.tags.measurands.canonical_unit
        if canonical(held) != canonical(unit):
            message = f"{name} is in {held or 'no unit'}, and was in {unit or 'no unit'} when the model was trained"
            document.fault(at, message, "Train the model anew: anshao train SITE UNIT DATA --out FILE.")
            return None
        inputs.append(index)
    t2 = entry.kind == "t2"
    limit = entry.limit if entry.limit is not None else model.t2_limit if t2 else model.spe_limit
    deadband = round(limit * _DEADBAND, 12) if entry.deadband is None else entry.deadband
    if deadband >= limit:
        remedy = "Give a deadband smaller than the limit."
        document.fault((*loc, "deadband"), f"with deadband {deadband:.12g} nothing clears {limit:.12g}", remedy)
        return None
    lasting = ((entry.consecutive or CONSECUTIVE) - 1) * model.period
    return Rule(
        tag=-1,
        key=entry.key,
        kind=RuleKind.T2 if t2 else RuleKind.SPE,
        level=Level.H,
        setpoint=limit,
        deadband=deadband,
        on_delay=lasting if entry.on_delay == NOT_GIVEN else entry.on_delay,
        off_delay=entry.off_delay,
        latching=entry.latching,
        grade=None if entry.grade is None else Grade.parse(entry.grade),
        extra=RuleExtra(inputs=tuple(inputs), model=model),
    )
