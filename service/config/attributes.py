"""What only few rules have, as files give it: names of conditions, tags and modes are not looked up yet."""

from dataclasses import dataclass

from domain.site import ModeLimit
from service.config.rule_entries import NOT_GIVEN, AttributesEntry, ModeLimitEntry


@dataclass(frozen=True, slots=True)
class Attributes:
    """Of one rule. What becomes of it is ``domain.site.RuleExtra``."""

    suppressed_by: tuple[str, ...] = ()
    """``TAG/KEY`` or ``enterprise/TAG/KEY``."""
    parent: str | None = None
    re_alarm: int = NOT_GIVEN
    """ms; 0: never, even where the tag says otherwise."""
    cards: tuple[str, ...] = ()
    modes: tuple[ModeLimit, ...] = ()
    given: str = ""
    """The setpoint as it was given, where it was converted."""
    side: str = "both"
    reference: float | str | None = None
    """Of a deviation: a number, ``median``, or the name of a tag."""
    window: int = 0
    """Of a median, ms."""

    @property
    def refers(self) -> bool:
        """Whether anything is to be looked up among other tags, conditions or modes."""
        return bool(self.suppressed_by or self.parent or self.modes or self.reference is not None)


NONE = Attributes()
"""Of most rules: nothing."""


def attributes_of(
    entry: AttributesEntry,
    modes: dict[str, ModeLimitEntry | None] | None = None,
    *,
    side: str = "both",
    reference: float | str | None = None,
    window: int = 0,
) -> Attributes:
    """What a rule of a site file says of itself; ``NONE`` where it says nothing."""
    attributes = Attributes(
        suppressed_by=entry.suppressed_by,
        parent=entry.parent,
        re_alarm=entry.re_alarm,
        cards=entry.cards,
        modes=tuple(
            ModeLimit(mode, None) if limit is None else ModeLimit(mode, limit.setpoint, limit.deadband)
            for mode, limit in (modes or {}).items()
        ),
        side=side,
        reference=reference,
        window=window,
    )
    return NONE if attributes == NONE else attributes
