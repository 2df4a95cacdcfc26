"""Response cards (应急处置卡): what to do at once, per medium and post; shown with the alarms they are bound to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """处置卡. The text is Markdown, Chinese first."""

    id: str
    title: str
    title_en: str
    text: str
    medium: str = ""
    post: str = ""
    source: str = ""
    """Where the content comes from, as people read it."""
    confidence: str = "O"
    """P primary text, S secondary source, K general knowledge of the field, O the author's own draft."""
    measurands: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """``measurand/rule key`` or ``enterprise/tag/rule key``; a card that names rules is shown with these only."""
    units: tuple[str, ...] = ()
    """``enterprise/unit``; shown with every alarm of these."""
    default: bool = False
    """Shipped with the service."""


class Cards:
    """The cards, and which belong to an alarm. In the order of their ids."""

    def __init__(self, cards: Iterable[Card] = ()) -> None:
        self._cards = {card.id: card for card in sorted(cards, key=lambda card: card.id)}

    def __iter__(self) -> Iterator[Card]:
        return iter(self._cards.values())

    def __len__(self) -> int:
        return len(self._cards)

    @property
    def by_id(self) -> Mapping[str, Card]:
        """All cards."""
        return self._cards

    def for_alarm(
        self,
        *,
        enterprise: str,
        unit: str,
        tag: str,
        rule: str,
        measurand: str,
        named: Sequence[str] = (),
    ) -> tuple[Card, ...]:
        """Cards of one alarm: those that its rule or unit names (``named``, first), then those bound to it."""
        found = {identity: self._cards[identity] for identity in named if identity in self._cards}
        keys = {f"{measurand}/{rule}", f"{enterprise}/{tag}/{rule}"}
        for card in self._cards.values():
            bound = f"{enterprise}/{unit}" in card.units or (
                not keys.isdisjoint(card.rules) if card.rules else measurand in card.measurands
            )
            if bound:
                found.setdefault(card.id, card)
        return tuple(found.values())
