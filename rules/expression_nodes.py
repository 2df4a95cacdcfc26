"""What an expression is made of: quantities, which have a value and a unit, and truths, which hold or do not.

Values are columns. A value that is not known is NaN, and so is one that cannot be: a quotient by zero, a result beyond
the range of floating point. A truth is two columns, certainly true and certainly false; where neither holds it is not
known (three-valued logic after Kleene: unknown and false is false, unknown or true is true).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.samples import Bool, Float64
from rules.expression_tokens import ExpressionFault

Dimension = Mapping[str, int] | None
"""Exponent of each unit; empty: a pure number, as of a quotient of like units. None: a bare number, which takes the
unit of whatever stands on its other side."""
BARE: Dimension = None
"""Of a bare number."""
Units = Callable[[str], str]
"""Canonical engineering unit of a tag, by its name."""
Values = Sequence[Float64]
Truths = tuple[Bool, Bool]

_COMPARISONS: Mapping[str, Callable[[Float64, Float64], Bool]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


@dataclass(frozen=True, slots=True)
class Constant:
    """A bare number."""

    value: float
    position: int

    def evaluate(self, values: Values) -> Float64:
        """The number, as an array of no dimension."""
        del values
        return np.array(self.value)

    def dimension(self, unit_of: Units) -> Dimension:
        """Takes any unit."""
        del unit_of
        return BARE


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of a tag; ``index`` into the expression's names."""

    name: str
    index: int
    position: int

    def evaluate(self, values: Values) -> Float64:
        """The tag's column."""
        return _known(values[self.index])

    def dimension(self, unit_of: Units) -> Dimension:
        """The tag's unit."""
        return {unit_of(self.name): 1}


@dataclass(frozen=True, slots=True)
class Negative:
    """-a."""

    operand: "Quantity"
    position: int

    def evaluate(self, values: Values) -> Float64:
        """The value with the other sign."""
        return np.negative(self.operand.evaluate(values))

    def dimension(self, unit_of: Units) -> Dimension:
        """The operand's."""
        return self.operand.dimension(unit_of)


@dataclass(frozen=True, slots=True)
class Magnitude:
    """abs(a)."""

    operand: "Quantity"
    position: int

    def evaluate(self, values: Values) -> Float64:
        """The value without its sign."""
        return np.abs(self.operand.evaluate(values))

    def dimension(self, unit_of: Units) -> Dimension:
        """The operand's."""
        return self.operand.dimension(unit_of)


@dataclass(frozen=True, slots=True)
class Sum:
    """A + b - c, in this order; ``signs`` are +1 or -1, the first +1."""

    operands: tuple["Quantity", ...]
    signs: tuple[int, ...]
    position: int

    def evaluate(self, values: Values) -> Float64:
        """The sum, from left to right."""
        total = self.operands[0].evaluate(values)
        for operand, sign in zip(self.operands[1:], self.signs[1:], strict=True):
            value = operand.evaluate(values)
            total = _known(np.add(total, value) if sign > 0 else np.subtract(total, value))
        return total

    def dimension(self, unit_of: Units) -> Dimension:
        """The unit that all operands have. Raises ``ExpressionFault`` where two differ."""
        return _common(self.operands, unit_of, "be added or subtracted")


@dataclass(frozen=True, slots=True)
class Product:
    """A * b / c, in this order; ``signs`` are +1 for a factor, -1 for a divisor, the first +1."""

    operands: tuple["Quantity", ...]
    signs: tuple[int, ...]
    position: int

    def evaluate(self, values: Values) -> Float64:
        """The product, from left to right; unknown where a divisor is zero."""
        total = self.operands[0].evaluate(values)
        for operand, sign in zip(self.operands[1:], self.signs[1:], strict=True):
            value = operand.evaluate(values)
            total = _known(np.multiply(total, value) if sign > 0 else np.divide(total, value))
        return total

    def dimension(self, unit_of: Units) -> Dimension:
        """The product of the operands' units; bare numbers are mere factors in it."""
        bare = True
        exponents: dict[str, int] = {}
        for operand, sign in zip(self.operands, self.signs, strict=True):
            dimension = operand.dimension(unit_of)
            if dimension is not None:
                bare = False
                for unit, exponent in dimension.items():
                    exponents[unit] = exponents.get(unit, 0) + sign * exponent
        return None if bare else {unit: exponent for unit, exponent in exponents.items() if exponent}


@dataclass(frozen=True, slots=True)
class Extreme:
    """min(a, b, …) or max(a, b, …); unknown where one operand is."""

    greatest: bool
    operands: tuple["Quantity", ...]
    position: int

    def evaluate(self, values: Values) -> Float64:
        """The least or greatest value."""
        pick = np.maximum if self.greatest else np.minimum
        found = self.operands[0].evaluate(values)
        for operand in self.operands[1:]:
            found = pick(found, operand.evaluate(values))
        return found

    def dimension(self, unit_of: Units) -> Dimension:
        """The unit that all operands have. Raises ``ExpressionFault`` where two differ."""
        return _common(self.operands, unit_of, "be compared")


Quantity = Constant | Reading | Negative | Magnitude | Sum | Product | Extreme
QUANTITIES = (Constant, Reading, Negative, Magnitude, Sum, Product, Extreme)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A < b and its like; unknown where an operand is."""

    operator: str
    left: Quantity
    right: Quantity
    position: int

    def evaluate(self, values: Values) -> Truths:
        """Certainly true, certainly false."""
        left, right = self.left.evaluate(values), self.right.evaluate(values)
        known = ~(np.isnan(left) | np.isnan(right))
        holds = _COMPARISONS[self.operator](left, right)  # false where one of the two is NaN
        return holds, known & ~holds

    def check(self, unit_of: Units) -> None:
        """Raise ``ExpressionFault`` where the two sides differ in their unit."""
        _common((self.left, self.right), unit_of, "be compared")


@dataclass(frozen=True, slots=True)
class Inverse:
    """Not a."""

    operand: "Truth"
    position: int

    def evaluate(self, values: Values) -> Truths:
        """Certainly true, certainly false."""
        true, false = self.operand.evaluate(values)
        return false, true

    def check(self, unit_of: Units) -> None:
        """Raise ``ExpressionFault`` where units do not fit."""
        self.operand.check(unit_of)


@dataclass(frozen=True, slots=True)
class Junction:
    """A and b and …, or (``any``) a or b or …."""

    any: bool
    operands: tuple["Truth", ...]
    position: int

    def evaluate(self, values: Values) -> Truths:
        """Certainly true, certainly false."""
        true, false = self.operands[0].evaluate(values)
        for operand in self.operands[1:]:
            more_true, more_false = operand.evaluate(values)
            true = true | more_true if self.any else true & more_true
            false = false & more_false if self.any else false | more_false
        return true, false

    def check(self, unit_of: Units) -> None:
        """Raise ``ExpressionFault`` where units do not fit."""
        for operand in self.operands:
            operand.check(unit_of)


Truth = Comparison | Inverse | Junction


def _known(value: Float64) -> Float64:
    """NaN for what is not finite."""
    finite = np.isfinite(value)
    return value if finite.all() else np.where(finite, value, np.nan)


def _common(operands: Sequence[Quantity], unit_of: Units, act: str) -> Dimension:
    """The unit that all operands have, bare numbers apart. Raises ``ExpressionFault`` where two differ."""
    common: Dimension = None
    for operand in operands:
        dimension = operand.dimension(unit_of)
        if dimension is None:
            continue
        if common is None:
            common = dimension
        elif common != dimension:
            message = f"{_told(common)} and {_told(dimension)} cannot {act}"
            remedy = "Use tags of the same engineering unit here; a bare number takes the unit of the other side."
            raise ExpressionFault(message, operand.position, remedy)
    return common


def _told(dimension: Mapping[str, int]) -> str:
    """``mg/m3``, ``kpa·m3/h``, ``°c^2/h`` …, for a message."""
    told = "·".join(
        f"{unit or '(no unit)'}{'' if exponent == 1 else f'^{exponent}'}" for unit, exponent in dimension.items()
    )
    return told or "a pure number"
