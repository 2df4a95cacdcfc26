"""The language of expressions: how it reads, what it refuses and with which remedy, which units fit."""

import numpy as np
import pytest

from rules.expressions import MAX_NAMES, ExpressionFault, parse

UNITS = {
    "TI-101": "°c",
    "TI-102": "°c",
    "PI-101": "mpa",
    "PI-102": "mpa",
    "FI-1": "m3/h",
    "FI-2": "m3/h",
    "LI": "%",
    "XI": "",
    "YI": "",
    "ZI": "widgets",
    "min": "°c",
    "15": "°c",
    "TI-101-5": "°c",
    "A*2": "°c",
    "x}": "°c",
}


def holds(text: str, **values: float) -> bool | None:
    """Of tags named by letters, one row."""
    expression = parse(text, values.__contains__)
    true, false = expression.evaluate([np.array([values[name]]) for name in expression.names])
    return True if true[0] else False if false[0] else None


def refused(text: str) -> ExpressionFault:
    with pytest.raises(ExpressionFault) as caught:
        parse(text, UNITS.__contains__)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c > 13", True),  # 2 + 3 * 4 = 14
        ("(a + b) * c > 14", True),
        ("a - b - c < -4", True),  # (2 - 3) - 4, not 2 - (3 - 4)
        ("c / a / a >= 1", True),
        ("c / a * a > 3", True),  # (4 / 2) * 2
        ("-a + b > 0", True),
        ("-a * b < -5", True),
        ("- - a > 1", True),
        ("b > -a", True),
        ("a > 5 or b > 2 and c > 3", True),
        ("(a > 5 or b > 2) and c > 5", False),
        ("not a > 5 and b > 2", True),  # (not a > 5) and …
        ("not (a > 5 and b > 2)", True),
        ("not not a > 1", True),
        ("a < b and b < c", True),
        ("abs(a - b) >= 1", True),
        ("min(a, b, c) >= 2 and max(a, b, c) <= 4", True),
        ("max(a+b,c)>4.5", True),
        ("a > 1.5e0 and b < .5e1", True),
        ("a ≥ 2 与 b ≤ 3 且 非 c > 9 或 a > 9", True),
        ("a > 1 AND NOT b > 5", True),
        ("{a} > 1", True),
        ("a>1and b>1", None),
    ],
)
def test_reads_as_arithmetic_does(text: str, *, expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(ExpressionFault, match="neither a number nor a tag: '1and'"):
            holds(text, a=2, b=3, c=4)
    else:
        assert holds(text, a=2, b=3, c=4) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 1 and u > 1", None),
        ("a > 5 and u > 1", False),
        ("a > 1 or u > 1", True),
        ("a > 5 or u > 1", None),
        ("not u > 1", None),
        ("a / z > 1", None),
        ("a / z > 1 or a > 1", True),
        ("z / z > 1", None),
        ("u - u > -1", None),
        ("max(a, u) > 1", None),
        ("a * 1e308 * 1e308 > 1", None),
        ("i > 1", None),
    ],
)
def test_unknown_spreads_as_far_as_it_matters(text: str, *, expected: bool | None) -> None:
    assert holds(text, a=2, z=0, u=float("nan"), i=float("inf")) is expected


def test_names_are_listed_once_in_the_order_of_their_use() -> None:
    expression = parse("TI-102 > 1 and TI-101 - TI-102 > 15 or {min} > 3", UNITS.__contains__)
    assert expression.names == ("TI-102", "TI-101", "min")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("TI-101-5 > 1", ("TI-101-5",)),
        ("TI-101 - 5 > 1", ("TI-101",)),
        ("TI-101 -5 > 1", ("TI-101",)),
        ("A*2 > 1", ("A*2",)),
        ("{15} > 15", ("15",)),
        ("min(TI-101, TI-102)>1", ("TI-101", "TI-102")),
        ("(TI-101)>1", ("TI-101",)),
        ("x} > 1", ("x}",)),
    ],
)
def test_the_longest_name_counts(text: str, names: tuple[str, ...]) -> None:
    assert parse(text, UNITS.__contains__).names == names


@pytest.mark.parametrize(
    ("text", "position", "message", "remedy"),
    [
        ("", 0, "ends here", "a tag, a number"),
        ("TI-101 >", 8, "ends here", "a tag, a number"),
        ("TI-101", 0, "neither holds nor does not", "TI-101 > 80"),
        ("1 > 2", 0, "names no tag", "at least one tag"),
        ("TI-103 > 1", 0, "no tag 'TI-103'", "same enterprise"),
        ("TI-102-5 > 1", 0, "no tag 'TI-102-5'", "TI-102 - 5"),
        ("TI-101 > 5kPa", 9, "neither a number nor a tag", "without its unit"),
        ("TI-101 > 5-3", 9, "neither a number nor a tag", "blanks around"),
        ("TI-101 > 1e999", 9, "too large", "smaller"),
        ("TI-101 == 5", 7, "`==`", "abs(A - B) < 0.5"),
        ("TI-101 = 5", 7, "`=`", "abs(A - B) < 0.5"),
        ("TI-101 != 5", 7, "`!=`", "abs(A - B) < 0.5"),
        ("TI-101 > 1 && TI-102 > 1", 11, "`&`", "`and`"),
        ("TI-101 > 1 || TI-102 > 1", 11, "`|`", "`or`"),
        ("!TI-101 > 1", 0, "`!`", "`not`"),
        ("TI-101 ** 2 > 1", 7, "`**`", "A * A"),
        ("TI-101 ＞ 1", 7, "full-width", "half-width sign: >"),
        ("1 < TI-101 < 2", 11, "chained", "A < B and B < C"),
        ("(TI-101 > 1) > 2", 8, "comparison where a value", "and"),
        ("(TI-101 > 1) + 2 > 1", 8, "comparison where a value", "and"),
        ("-(TI-101 > 1) > 1", 9, "comparison where a value", "and"),
        ("not TI-101", 4, "value where a comparison", "not A > 1"),
        ("TI-101 and TI-102 > 1", 0, "value where a comparison", "A > 1 and B < 2"),
        ("(TI-101 > 1", 11, "ends here", "closing bracket of character 1"),
        ("TI-101 > 1)", 10, "')' is not expected", "or the end"),
        ("TI-101 TI-102 > 1", 7, "'TI-102' is not expected", "an operator"),
        ("min(TI-101) > 1", 0, "single value", "min(A, B)"),
        ("abs TI-101 > 1", 0, "without a bracket", "abs( )"),
        ("abs(TI-101, 1) > 1", 10, "',' is not expected", "closing bracket"),
        ("{TI-101 > 1", 0, "not closed", "{name}"),
        ("{TI-109} > 1", 0, "no tag 'TI-109'", "same enterprise"),
        ("'TI-101' > 1", 0, "quotation mark", "{name}"),
        ("TI-101 > 1\x00", 9, "neither a number", ""),
        ("\x00", 0, "invisible", "Delete"),
        ("__import__('os') > 1", 0, "no tag '__import__'", "abs( )"),
        ("(" * 21 + "TI-101 > 1" + ")" * 21, 20, "nested deeper than 20", "Simplify"),
        ("TI-101 > 1 or " * 80, 1000, "longer than 1000", "several rules"),
    ],
)
def test_a_fault_names_its_place_and_remedy(text: str, position: int, message: str, remedy: str) -> None:
    fault = refused(text)
    assert message in fault.message
    assert remedy in fault.remedy
    assert fault.position == position


def test_the_number_of_tags_is_bounded() -> None:
    names = [f"T{number}" for number in range(MAX_NAMES + 1)]
    parse(" + ".join(names[:-1]) + " > 1", names.__contains__)
    with pytest.raises(ExpressionFault, match="more than 32 different tags"):
        parse(" + ".join(names) + " > 1", names.__contains__)


@pytest.mark.parametrize(
    "text",
    [
        "TI-101 - TI-102 > 15 and PI-101 > 0.8",
        "TI-101 + 5 > TI-102 * 2",
        "PI-101 / PI-102 > 1.5",
        "FI-1 / FI-2 - PI-101 / PI-102 > 0",
        "FI-1 * PI-101 > FI-2 * PI-102",
        "PI-101 * FI-1 > FI-2 * PI-102",
        "1 / PI-101 > 2",
        "max(TI-101, TI-102, 5) > 20",
        "abs(-TI-101) > 2 or not XI > 3",
        "XI + XI > 2",
        "ZI / ZI > 0.5",
        "2 * 3 > PI-101",
    ],
)
def test_units_that_fit(text: str) -> None:
    parse(text, UNITS.__contains__).check_units(UNITS.__getitem__)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("TI-101 + PI-101 > 5", 9, "°c and mpa cannot be added"),
        ("TI-101 > PI-101", 9, "°c and mpa cannot be compared"),
        ("TI-101 - TI-102 > 1 and not max(PI-101, TI-101) > 1", 40, "mpa and °c cannot be compared"),
        ("LI > FI-1 / FI-2", 5, "% and a pure number cannot be compared"),
        ("FI-1 / PI-101 > FI-2", 16, "m3/h·mpa^-1 and m3/h cannot be compared"),
        ("TI-101 * TI-102 > TI-101", 18, "°c^2 and °c cannot be compared"),
        ("XI > TI-101", 5, "(no unit) and °c cannot be compared"),
        ("ZI + XI > 1", 5, "widgets and (no unit) cannot be added"),
        ("abs(TI-101 + PI-101) > 5", 13, "°c and mpa cannot be added"),
    ],
)
def test_units_that_do_not_fit(text: str, position: int, message: str) -> None:
    with pytest.raises(ExpressionFault) as caught:
        parse(text, UNITS.__contains__).check_units(UNITS.__getitem__)
    assert message in caught.value.message
    assert caught.value.position == position
    assert "same engineering unit" in caught.value.remedy
