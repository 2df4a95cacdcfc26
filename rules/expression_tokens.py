"""The words of the language of expressions: numbers, names of tags, operators, each with its place in the text."""

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

LONGEST_NAME = 128
"""Characters; the names of tags are no longer."""
OPERATORS = ("<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", ",")
KEYWORDS = {"and": "and", "or": "or", "not": "not", "与": "and", "且": "and", "或": "or", "非": "not"}
FUNCTIONS = ("abs", "min", "max")

_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[^\W\d_]+")
_SINGLE = {"≤": "<=", "≥": ">="}
_ENDS = frozenset("<>=!≤≥+*/(),{}")
"""Characters that end a name or a number as a blank does. The minus is not among them: it belongs to names."""
_QUOTE_REMEDY = "Write {name} with the name of a tag between the braces."
_EQUALITY_REMEDY = (
    "Two readings are hardly ever equal to the last digit: write for example abs(A - B) < 0.5, or A >= 1."
)
_FOREIGN = (
    ("==", "`==` is not part of the language", _EQUALITY_REMEDY),
    ("!=", "`!=` is not part of the language", _EQUALITY_REMEDY),
    ("<>", "`<>` is not part of the language", _EQUALITY_REMEDY),
    ("≠", "`≠` is not part of the language", _EQUALITY_REMEDY),
    ("=", "`=` is not part of the language", _EQUALITY_REMEDY),
    ("&", "`&` is not part of the language", "Write `and`."),
    ("|", "`|` is not part of the language", "Write `or`, or abs(…) for a magnitude."),
    ("!", "`!` is not part of the language", "Write `not`."),
    ("**", "`**` is not part of the language", "Write the product out: A * A."),
    ("^", "`^` is not part of the language", "Write the product out: A * A."),
    ("}", "a closing brace without the opening one", _QUOTE_REMEDY),
)


class ExpressionFault(Exception):
    """An expression that cannot be used: what is wrong, at which character (from 0), and how to mend it."""

    def __init__(self, message: str, position: int, remedy: str) -> None:
        super().__init__(f"{message} (character {position + 1})")
        self.message = message
        self.position = position
        self.remedy = remedy


class TokenKind(Enum):
    """What a token is."""

    NUMBER = auto()
    NAME = auto()
    FUNCTION = auto()
    OPERATOR = auto()
    """An operator, a bracket, a comma, or ``and``, ``or``, ``not``."""
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression."""

    kind: TokenKind
    text: str
    position: int
    number: float = 0.0


def tokens(text: str, is_tag: Callable[[str], bool]) -> list[Token]:
    """All words of an expression, END last. Raises ``ExpressionFault``."""
    found: list[Token] = []
    position = 0
    while True:
        while position < len(text) and text[position].isspace():
            position += 1
        if position == len(text):
            found.append(Token(TokenKind.END, "", position))
            return found
        token, position = _next(text, position, is_tag)
        found.append(token)


def _next(text: str, at: int, is_tag: Callable[[str], bool]) -> tuple[Token, int]:
    """The token that begins at a character that is no blank, and where it ends."""
    if text[at] == "{":
        return _quoted(text, at, is_tag)
    for foreign, message, remedy in _FOREIGN:
        if text.startswith(foreign, at):
            raise ExpressionFault(message, at, remedy)
    if text[at] in _SINGLE:
        return Token(TokenKind.OPERATOR, _SINGLE[text[at]], at), at + 1
    for operator in OPERATORS:
        if text.startswith(operator, at):
            return Token(TokenKind.OPERATOR, operator, at), at + len(operator)
    return _word(text, at, is_tag)


def _quoted(text: str, at: int, is_tag: Callable[[str], bool]) -> tuple[Token, int]:
    end = text.find("}", at)
    if end < 0:
        raise ExpressionFault("the brace is not closed", at, _QUOTE_REMEDY)
    name = text[at + 1 : end]
    if not is_tag(name):
        raise ExpressionFault(f"no tag {name[:40]!r}", at, "Write the name of a tag of the same enterprise.")
    return Token(TokenKind.NAME, name, at), end + 1


def _word(text: str, at: int, is_tag: Callable[[str], bool]) -> tuple[Token, int]:
    """The longest name of a tag, unless a number or a word of the language is as long."""
    number = _NUMBER.match(text, at)
    least = number.end() if number else at
    run = _run(text, at)
    for end in range(run, least, -1):
        if _ends(text, end) and is_tag(text[at:end]) and text[at:end].lower() not in (*KEYWORDS, *FUNCTIONS):
            return Token(TokenKind.NAME, text[at:end], at), end
    if number and _ends(text, least):
        value = float(number[0])
        if not math.isfinite(value):
            raise ExpressionFault("a number too large", at, "Write a smaller number.")
        return Token(TokenKind.NUMBER, number[0], at, value), least
    word = _WORD.match(text, at)
    if word and _ends(text, word.end()):
        plain = word[0].lower()
        if plain in KEYWORDS:
            return Token(TokenKind.OPERATOR, KEYWORDS[plain], at), word.end()
        if plain in FUNCTIONS:
            return Token(TokenKind.FUNCTION, plain, at), word.end()
    raise _unknown(text, at, is_tag)


def _run(text: str, at: int) -> int:
    """End of the characters that may belong to one name, those of operators such as * among them."""
    end = at
    while end < len(text) and end - at < LONGEST_NAME and _may_be_in_name(text[end]):
        end += 1
    return end


def _may_be_in_name(character: str) -> bool:
    return character.isprintable() and not character.isspace() and character not in "/+#"


def _ends(text: str, end: int) -> bool:
    """Whether a name or number may end before this character: ``TI-101-5`` is not TI-101 less 5."""
    return end == len(text) or text[end].isspace() or text[end] in _ENDS


def _unknown(text: str, at: int, is_tag: Callable[[str], bool]) -> ExpressionFault:
    end = at
    while end < len(text) and not _ends(text, end):
        end += 1
    word = text[at:end] or text[at]
    plain = unicodedata.normalize("NFKC", word[0])
    if plain != word[0] and plain in (*OPERATORS, "{", "}", "="):
        return ExpressionFault(f"a full-width {word[0]!r}", at, f"Write the half-width sign: {plain}")
    if not word[0].isprintable():
        return ExpressionFault("an invisible character", at, "Delete it.")
    if word[0] in "\"'`“”‘’":
        return ExpressionFault("a quotation mark", at, _QUOTE_REMEDY)
    for cut, character in enumerate(word):
        if character == "-" and is_tag(word[:cut]):
            remedy = f"A minus needs a blank on both sides: {word[:cut]} - {word[cut + 1 :][:40]}"
            return ExpressionFault(f"no tag {word[:40]!r}", at, remedy)
    if _NUMBER.match(word):
        remedy = "Write a number without its unit (it has the unit of what it is compared with), and blanks around a -."
        return ExpressionFault(f"neither a number nor a tag: {word[:40]!r}", at, remedy)
    remedy = "Write the name of a tag of the same enterprise, a number, and, or, not, abs( ), min( ) or max( )."
    return ExpressionFault(f"no tag {word[:40]!r}", at, remedy)
