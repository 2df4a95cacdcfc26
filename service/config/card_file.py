"""Response cards as files: Markdown under a head in YAML, between two lines of ``---``."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from alerting.response.cards import Card
from service.config.document import Document, Loc, read_document, read_text
from service.config.faults import Fault, FaultList
from service.config.quantities import Identifier, Name
from service.config.validation import Section, suggestion, validate

LONGEST = 50_000
"""Characters of a card."""
_HEAD = re.compile(r"---[ \t]*\r?\n(.*?\n)---[ \t]*\r?\n(.*)", re.DOTALL)
_Bound = Annotated[str, Field(min_length=1, max_length=400)]


class _Text:
    """A text that has been read already, as the one document there is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, path: Path) -> bytes:  # noqa: ARG002 - see ``Documents``
        """The text, whatever the path."""
        return self._text.encode()

    def listing(self, folder: Path, suffix: str) -> Sequence[Path]:  # noqa: ARG002
        """Nothing."""
        return ()


class CardTitle(Section):
    """Title in both languages."""

    zh: Name
    en: Name


class CardHead(Section):
    """What stands above the text."""

    id: Identifier
    title: CardTitle
    medium: Annotated[str, Field(max_length=200)] = ""
    post: Annotated[str, Field(max_length=200)] = ""
    source: Name
    confidence: Literal["P", "S", "K", "O"]
    measurands: tuple[_Bound, ...] = ()
    rules: tuple[_Bound, ...] = ()
    units: tuple[_Bound, ...] = ()


def read_card(
    path: Path,
    faults: FaultList,
    measurands: Collection[str],
    named_by: tuple[Document, Loc] | None = None,
    *,
    default: bool = False,
) -> Card | None:
    """One card; None where it has faults, which name file, line and field."""
    text = read_text(path, faults, named_by)
    if text is None:
        return None
    match = _HEAD.match(text)
    if match is None:
        remedy = "Begin it with a line ---, then id, title, source and confidence as YAML, then a line ---, then text."
        faults.add(Fault(str(path), 1, 0, "", "the card has no head", remedy))
        return None
    if len(text) > LONGEST or not match[2].strip():
        line = text[: match.start(2)].count("\n") + 1
        message = "the card has no text" if not match[2].strip() else f"a card of more than {LONGEST} characters"
        faults.add(Fault(str(path), line, 0, "", message, "Say what to do, in few words."))
        return None
    # An empty line stands for the line of ---, so that lines are counted as in the file.
    document = read_document(path, faults, documents=_Text("\n" + match[1]))
    if document is None:
        return None
    head = validate(CardHead, document.data, document.fault, ())
    if head is None:
        return None
    for index, measurand in enumerate(head.measurands):
        if measurand not in measurands:
            document.fault(
                ("measurands", index), f"unknown measurand {measurand[:40]!r}", suggestion(measurand[:40], measurands)
            )
    return Card(
        id=head.id,
        title=head.title.zh,
        title_en=head.title.en,
        text=match[2].strip() + "\n",
        medium=head.medium,
        post=head.post,
        source=head.source,
        confidence=head.confidence,
        measurands=head.measurands,
        rules=head.rules,
        units=head.units,
        default=default,
    )
