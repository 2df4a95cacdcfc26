"""A small safe language over the tags of one enterprise: ``TI-101 - TI-102 > 15 and PI-101 > 0.8``.

    truth      = junction { "or" junction }            或
    junction   = inverse { "and" inverse }             与 且
    inverse    = "not" inverse | comparison            非
    comparison = sum [ ( "<" | "<=" | ">" | ">=" ) sum ]
    sum        = product { ( "+" | "-" ) product }
    product    = unary { ( "*" | "/" ) unary }
    unary      = "-" unary | number | name | "(" truth ")"
               | "abs" "(" sum ")" | ( "min" | "max" ) "(" sum "," sum { "," sum } ")"

The whole is a truth: at least one comparison, of at least one tag. Comparisons are not chained, and there is no ``==``:
readings are hardly ever equal. A name is the longest run of characters that is the name of a tag, so a minus after a
name stands between blanks; ``{any name}`` quotes one that the language would read otherwise.

Values are numpy columns. What is unknown stays unknown as far as it matters (``expression_nodes``). Nothing is ever
handed to Python's own evaluator; length, depth and the number of names are bounded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from domain.samples import Bool, Float64
from domain.scales import RuleKind
from domain.site import Site
from rules.expression_nodes import (
    QUANTITIES,
    Comparison,
    Constant,
    Extreme,
    Inverse,
    Junction,
    Magnitude,
    Negative,
    Product,
    Quantity,
    Reading,
    Sum,
    Truth,
)
from rules.expression_tokens import ExpressionFault, Token, TokenKind, tokens

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_NAMES", "Expression", "ExpressionFault", "parse", "programs_of"]

MAX_LENGTH = 1_000
"""Characters [ours]."""
MAX_DEPTH = 20
"""Brackets and signs within one another [ours]."""
MAX_NAMES = 32
"""Different tags of one expression [ours]."""

_COMPARING = ("<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that has been read."""

    text: str
    names: tuple[str, ...]
    """Its tags, in the order of their first use."""
    root: Truth

    def evaluate(self, values: Sequence[Float64]) -> tuple[Bool, Bool]:
        """Where it is certainly true, and where certainly false; where neither, something it needs is unknown.

        ``values``: a column for each of ``names``, all of one length; NaN and infinity are unknown.
        """
        with np.errstate(all="ignore"):
            true, false = self.root.evaluate(values)
        shape = values[0].shape
        return np.broadcast_to(true, shape), np.broadcast_to(false, shape)

    def check_units(self, unit_of: Callable[[str], str]) -> None:
        """Raise ``ExpressionFault`` where units do not fit; ``unit_of`` gives the canonical unit of a name.

        Sums, comparisons, min and max need like units, bare numbers take the unit of the other side; products and
        quotients combine units. A unit that nobody knows, or none (""), is like itself only.
        """
        self.root.check(unit_of)


def parse(text: str, is_tag: Callable[[str], bool]) -> Expression:
    """Read an expression; ``is_tag`` says which names are tags. Raises ``ExpressionFault``."""
    if len(text) > MAX_LENGTH:
        remedy = "Split it into several rules, or shorten it."
        raise ExpressionFault(f"longer than {MAX_LENGTH} characters", MAX_LENGTH, remedy)
    return _Parser(text, tokens(text, is_tag)).parse()


def programs_of(site: Site) -> dict[int, Expression]:
    """What each EXPRESSION rule of a site says, by its row of the rule table; its columns are the rule's inputs."""
    programs: dict[int, Expression] = {}
    for row in np.flatnonzero(site.rules.kind == RuleKind.EXPRESSION).tolist():
        extra = site.rules.extras[row]
        names = [site.tags[index].name for index in extra.inputs]
        programs[row] = parse(extra.expression, names.__contains__)
    return programs


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str, words: list[Token]) -> None:
        self._text = text
        self._words = words
        self._at = 0
        self._depth = 0
        self._names: dict[str, int] = {}

    def parse(self) -> Expression:
        """The whole expression."""
        root = self._truth()
        if self._word.kind is not TokenKind.END:
            raise self._unexpected("an operator, `and`, `or` or the end")
        if isinstance(root, QUANTITIES):
            remedy = "Compare it with something: TI-101 > 80."
            raise ExpressionFault("a value, which neither holds nor does not", root.position, remedy)
        if not self._names:
            raise ExpressionFault("names no tag: it would hold always or never", 0, "Name at least one tag.")
        return Expression(self._text, tuple(self._names), root)

    @property
    def _word(self) -> Token:
        return self._words[self._at]

    def _take(self, *operators: str) -> Token | None:
        """The next word, if it is one of these operators."""
        word = self._word
        if word.kind is TokenKind.OPERATOR and word.text in operators:
            self._at += 1
            return word
        return None

    def _truth(self) -> Quantity | Truth:
        return self._joined("or", lambda: self._joined("and", self._inverse))

    def _joined(self, operator: str, part: Callable[[], Quantity | Truth]) -> Quantity | Truth:
        first = part()
        if not (self._word.kind is TokenKind.OPERATOR and self._word.text == operator):
            return first
        position = self._word.position
        operands = [_holding(first, operator)]
        while self._take(operator):
            operands.append(_holding(part(), operator))
        return Junction(operator == "or", tuple(operands), position)

    def _inverse(self) -> Quantity | Truth:
        word = self._take("not")
        if word is None:
            return self._comparison()
        self._descend(word)
        operand = _holding(self._inverse(), "not")
        self._depth -= 1
        return Inverse(operand, word.position)

    def _comparison(self) -> Quantity | Truth:
        left = self._sum()
        word = self._take(*_COMPARING)
        if word is None:
            return left
        compared = Comparison(word.text, _measured(left), _measured(self._sum()), word.position)
        if (again := self._take(*_COMPARING)) is not None:
            remedy = "Write the two comparisons out: A < B and B < C."
            raise ExpressionFault("comparisons cannot be chained", again.position, remedy)
        return compared

    def _sum(self) -> Quantity | Truth:
        return self._chain(("+", "-"), self._product, Sum)

    def _product(self) -> Quantity | Truth:
        return self._chain(("*", "/"), self._unary, Product)

    def _chain(
        self, operators: tuple[str, str], part: Callable[[], Quantity | Truth], make: type[Sum | Product]
    ) -> Quantity | Truth:
        first = part()
        operands: list[Quantity] = []
        signs = [1]
        while (word := self._take(*operators)) is not None:
            operands = operands or [_measured(first)]
            operands.append(_measured(part()))
            signs.append(1 if word.text == operators[0] else -1)
        return make(tuple(operands), tuple(signs), operands[0].position) if operands else first

    def _unary(self) -> Quantity | Truth:
        word = self._word
        if self._take("-"):
            self._descend(word)
            operand = _measured(self._unary())
            self._depth -= 1
            return Negative(operand, word.position)
        if self._take("("):
            self._descend(word)
            inner = self._truth()
            self._close(word)
            return inner
        if word.kind is TokenKind.NUMBER:
            self._at += 1
            return Constant(word.number, word.position)
        if word.kind is TokenKind.NAME:
            self._at += 1
            return self._reading(word)
        if word.kind is TokenKind.FUNCTION:
            self._at += 1
            return self._function(word)
        raise self._unexpected("a tag, a number or a bracket")

    def _reading(self, word: Token) -> Reading:
        index = self._names.setdefault(word.text, len(self._names))
        if index == MAX_NAMES:
            remedy = "Split it into several rules."
            raise ExpressionFault(f"more than {MAX_NAMES} different tags", word.position, remedy)
        return Reading(word.text, index, word.position)

    def _function(self, word: Token) -> Quantity:
        if not self._take("("):
            raise ExpressionFault(f"{word.text} without a bracket", word.position, f"Write {word.text}( ).")
        self._descend(word)
        operands = [_measured(self._sum())]
        while word.text != "abs" and self._take(","):
            operands.append(_measured(self._sum()))
        self._close(word)
        if word.text == "abs":
            return Magnitude(operands[0], word.position)
        if len(operands) == 1:
            remedy = f"Write {word.text}(A, B): it picks among the newest readings of several tags."
            raise ExpressionFault(f"{word.text} of a single value", word.position, remedy)
        return Extreme(word.text == "max", tuple(operands), word.position)

    def _descend(self, word: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            message = f"brackets and signs nested deeper than {MAX_DEPTH}"
            raise ExpressionFault(message, word.position, "Simplify it, or split it into several rules.")

    def _close(self, opened: Token) -> None:
        self._depth -= 1
        if not self._take(")"):
            where = f"of character {opened.position + 1}"
            raise self._unexpected(f"an operator, or the closing bracket {where}")

    def _unexpected(self, wanted: str) -> ExpressionFault:
        word = self._word
        found = "the expression ends here" if word.kind is TokenKind.END else f"{word.text[:40]!r} is not expected here"
        return ExpressionFault(found, word.position, f"Here belongs {wanted}.")


def _holding(node: Quantity | Truth, operator: str) -> Truth:
    """A truth, as and, or and not join them."""
    if isinstance(node, QUANTITIES):
        remedy = f"Compare it with something: `{operator}` joins comparisons, A > 1 {operator} B < 2."
        if operator == "not":
            remedy = "Compare it with something: not A > 1."
        raise ExpressionFault("a value where a comparison is wanted", node.position, remedy)
    return node


def _measured(node: Quantity | Truth) -> Quantity:
    """A quantity, which can be computed with and compared."""
    if isinstance(node, QUANTITIES):
        return node
    remedy = "Compute with and compare values only; join comparisons by `and` or `or`."
    raise ExpressionFault("a comparison where a value is wanted", node.position, remedy)
