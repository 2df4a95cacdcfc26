"""Any text is an expression or a fault with a remedy; an expression means what a naive reading of it means."""

import contextlib
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.expressions import MAX_DEPTH, MAX_LENGTH, Expression, ExpressionFault, parse

TAGS = ("TI-101", "TI-102", "P.1", "温度1", "max", "15", "A*2", "a b")
QUOTED = {"max", "15", "a b"}
"""Names that only braces make a name."""
VALUES = (math.nan, math.inf, 0.0, -0.0, 1.0, -1.5, 2.0, 80.0, 1e308, 1e-308)

Row = dict[str, float]
Number = tuple[str, Callable[[Row], float | None]]
"""Text of a quantity, and its value; None: unknown."""
Truth = tuple[str, Callable[[Row], bool | None]]

# Everything is written in brackets, so that nothing hangs on precedence, which the unit tests show.


def finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def constant(value: float) -> Number:
    return repr(value), lambda _: value


def reading(name: str, braces: bool) -> Number:  # noqa: FBT001 - drawn
    text = f"{{{name}}}" if braces or name in QUOTED else name
    return text, lambda row: finite(row[name])


def arithmetic(operator: str, left: Number, right: Number) -> Number:
    def value(row: Row) -> float | None:
        a, b = left[1](row), right[1](row)
        if a is None or b is None or (operator == "/" and b == 0):
            return None
        return finite({"+": a + b, "-": a - b, "*": a * b, "/": a / (b or 1)}[operator])

    return f"({left[0]} {operator} {right[0]})", value


def function(name: str, arguments: list[Number]) -> Number:
    def value(row: Row) -> float | None:
        held = [argument[1](row) for argument in arguments]
        known = [one for one in held if one is not None]
        if len(known) < len(held):
            return None
        return {"min": min, "max": max}[name](known)

    return f"{name}({', '.join(argument[0] for argument in arguments)})", value


def unary(name: str, inner: Number) -> Number:
    def value(row: Row) -> float | None:
        held = inner[1](row)
        return None if held is None else abs(held) if name == "abs" else -held

    return (f"abs({inner[0]})" if name == "abs" else f"-({inner[0]})"), value


def comparison(operator: str, left: Number, right: Number) -> Truth:
    def value(row: Row) -> bool | None:
        a, b = left[1](row), right[1](row)
        if a is None or b is None:
            return None
        return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]

    return f"{left[0]} {operator} {right[0]}", value


def joined(operator: str, parts: list[Truth]) -> Truth:
    def value(row: Row) -> bool | None:
        held = [part[1](row) for part in parts]
        decisive = operator == "or"
        if decisive in held:
            return decisive
        return None if None in held else not decisive

    return f" {operator} ".join(f"({part[0]})" for part in parts), value


def inverse(part: Truth) -> Truth:
    def value(row: Row) -> bool | None:
        held = part[1](row)
        return None if held is None else not held

    return f"not ({part[0]})", value


numbers = st.recursive(
    st.builds(constant, st.floats(0, 1e6, allow_nan=False) | st.sampled_from([0.0, 1.0, 2.0, 1e308]))
    | st.builds(reading, st.sampled_from(TAGS), st.booleans()),
    lambda inner: (
        st.builds(arithmetic, st.sampled_from("+-*/"), inner, inner)
        | st.builds(function, st.sampled_from(["min", "max"]), st.lists(inner, min_size=2, max_size=3))
        | st.builds(unary, st.sampled_from(["abs", "-"]), inner)
    ),
    max_leaves=6,
)
truths = st.recursive(
    st.builds(comparison, st.sampled_from(["<", "<=", ">", ">="]), numbers, numbers),
    lambda inner: (
        st.builds(joined, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3))
        | st.builds(inverse, inner)
    ),
    max_leaves=5,
)
rows = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(VALUES) | st.floats(-1e3, 1e3) for name in TAGS}),
    min_size=1,
    max_size=8,
)


def attempt(text: str) -> Expression | ExpressionFault:
    try:
        return parse(text, TAGS.__contains__)
    except ExpressionFault as fault:
        return fault


def columns(expression: Expression, table: list[Row]) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    return [np.array([row[name] for row in table]) for name in expression.names]


@settings(max_examples=400)
@given(truths, rows)
def test_an_expression_means_what_it_says(made: Truth, table: list[Row]) -> None:
    text, naive = made
    expression = attempt(text)
    if isinstance(expression, ExpressionFault):
        told = (f"deeper than {MAX_DEPTH}", f"longer than {MAX_LENGTH}", "names no tag")
        assert any(reason in expression.message for reason in told)
        return
    true, false = expression.evaluate(columns(expression, table))
    expected = [naive(row) for row in table]
    assert true.tolist() == [value is True for value in expected]
    assert false.tolist() == [value is False for value in expected]
    assert true.shape == false.shape == (len(table),)


@given(truths, rows, st.sampled_from(TAGS))
def test_what_is_certain_does_not_hang_on_what_is_unknown(made: Truth, table: list[Row], lost: str) -> None:
    """Losing a reading may take certainty away; it never turns true into false."""
    expression = attempt(made[0])
    if isinstance(expression, ExpressionFault):
        return
    true, false = expression.evaluate(columns(expression, table))
    blind = [row | {lost: math.nan} for row in table]
    fewer_true, fewer_false = expression.evaluate(columns(expression, blind))
    assert not (fewer_true & ~true).any()
    assert not (fewer_false & ~false).any()
    assert not (fewer_true & fewer_false).any()


pieces = st.sampled_from(
    (
        *TAGS, "{15}", "{", "}", "(", ")", "<", ">=", "==", "=", "!", "+", "-", "*", "/", ",", "and", "or", "not", "与",
        "或", "非", "abs(", "min(", "max(", "1", "2.5", "1e9", "1e999", " ", "\t", "＞", "（", "eval(", "__import__",
    )
)  # fmt: skip


@settings(max_examples=500)
@given(st.text(max_size=60) | st.lists(pieces, max_size=25).map(" ".join) | st.lists(pieces, max_size=25).map("".join))
def test_any_text_is_an_expression_or_a_fault(text: str) -> None:
    expression = attempt(text)
    if isinstance(expression, ExpressionFault):
        assert expression.message
        assert expression.remedy
        assert 0 <= expression.position <= len(text)
        return
    assert expression.names
    assert set(expression.names) <= set(TAGS)
    true, false = expression.evaluate([np.array([1.0, math.nan])] * len(expression.names))
    assert not (true & false).any()
    assert parse(text, expression.names.__contains__) == expression, "the tags that it uses are all it needs"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500,
        "-" * 500,
        "not " * 200,
        "abs(" * 200,
        "max(TI-101," * 80,
        "(" * 400 + "TI-101" + ")" * 400,
        "TI-101 + " * 100 + "1",
        "TI-101 > 1 and " * 60 + "TI-101 > 1",
        "x" * 100_000,
        "TI-101-" * 140,
    ],
)
def test_nothing_exhausts_the_stack(text: str) -> None:
    read = attempt(text)
    assert isinstance(read, Expression) or read.remedy


def units_of(name: str) -> str:
    return {"TI-101": "°c", "TI-102": "°c", "P.1": "kpa"}.get(name, "")


@given(truths)
def test_units_fit_or_are_a_fault(made: Truth) -> None:
    expression = attempt(made[0])
    if isinstance(expression, ExpressionFault):
        return
    with contextlib.suppress(ExpressionFault):
        expression.check_units(units_of)


@given(truths)
def test_one_unit_for_all_fits_where_nothing_is_multiplied(made: Truth) -> None:
    if "*" in made[0].replace("A*2", "") or "/" in made[0]:
        return
    expression = attempt(made[0])
    if isinstance(expression, ExpressionFault):
        return
    expression.check_units(lambda _: "kpa")
