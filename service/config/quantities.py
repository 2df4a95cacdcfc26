"""Values as configuration files write them: durations, sizes, numbers, names."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

LONGEST = 3_660 * 86_400_000
"""Ten years in ms: a longer duration is a slip of the pen."""
LONGEST_DELAY = 86_400_000
"""24 h in ms, of an on-delay or off-delay: what has to last longer before somebody is told is no alarm [ours]."""
LONGEST_WINDOW = 31 * 86_400_000
"""31 days in ms, of what a rule looks back over, and of the silence after which a tag is stale [ours]."""
LARGEST = 2**60
"""Bytes."""

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]+)")
_MILLISECONDS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_BYTES = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_ENTERPRISE = re.compile(r"[a-z0-9][a-z0-9_-]*")
_REGION = re.compile(r"[0-9]{6}(?:[0-9]{3}(?:[0-9]{3})?)?")
_LONGEST_NAME = 128


def refusal(message: str, remedy: str, *, at: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """The error that a validator raises; ``at`` leads from the validated value to the part that is at fault."""
    return PydanticCustomError("refused", "{message}", {"message": message, "remedy": remedy, "at": at})


def parse_duration(value: object) -> int:
    """Milliseconds of ``"15s"``, ``"1.5h"``, ``"500ms"`` or of a bare number of ms. Raises ``refusal``."""
    remedy = "Write for example 500ms, 15s, 10min, 24h or 7d; a bare whole number is milliseconds."
    if isinstance(value, int) and not isinstance(value, bool):
        milliseconds = value
    elif isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        factor = _MILLISECONDS.get(match[2])
        if factor is None:
            raise refusal(f"unknown unit of time {match[2]!r}", remedy)
        exact = float(match[1]) * factor
        if exact > LONGEST:
            raise refusal("a duration of more than ten years", remedy)
        if exact != int(exact):
            raise refusal("a duration finer than a millisecond", remedy)
        milliseconds = int(exact)
    else:
        raise refusal("not a duration", remedy)
    if not 0 <= milliseconds <= LONGEST:
        raise refusal("a duration must lie between 0 and ten years", remedy)
    return milliseconds


def parse_positive_duration(value: object) -> int:
    """As ``parse_duration``, and more than zero."""
    milliseconds = parse_duration(value)
    if milliseconds == 0:
        raise refusal("a duration of zero makes no sense here", "Give a duration longer than zero, for example 1s.")
    return milliseconds


def parse_delay(value: object) -> int:
    """As ``parse_duration``, and no more than ``LONGEST_DELAY``."""
    milliseconds = parse_duration(value)
    if milliseconds > LONGEST_DELAY:
        raise refusal("a delay of more than 24 h", "Give 24h at most: what has to last longer is no alarm.")
    return milliseconds


def parse_window(value: object) -> int:
    """As ``parse_positive_duration``, and no more than ``LONGEST_WINDOW``."""
    milliseconds = parse_positive_duration(value)
    if milliseconds > LONGEST_WINDOW:
        raise refusal("a window of more than 31 days", "Give 31d at most.")
    return milliseconds


def parse_size(value: object) -> int:
    """Bytes of ``"16MB"`` (10⁶), ``"1GiB"`` (2³⁰) or of a bare number of bytes. Raises ``refusal``."""
    remedy = "Write for example 16MB, 8GB or 512MiB; a bare whole number is bytes."
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    elif isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        if match[2] not in _BYTES:
            raise refusal(f"unknown unit of size {match[2]!r}", remedy)
        size = int(min(float(match[1]) * _BYTES[match[2]], LARGEST + 1))
    else:
        raise refusal("not a size", remedy)
    if not 0 < size <= LARGEST:
        raise refusal("a size must be more than zero and less than an exabyte", remedy)
    return size


def parse_rate(value: str) -> float:
    """Change per second of ``"5/min"``, ``"5/10s"`` or ``"0.1"`` (per second already). Raises ``refusal``."""
    limit, slash, per = value.partition("/")
    number = parse_number(limit)
    if not slash:
        return number
    per = per.strip()
    return number / parse_positive_duration(per if per[:1].isdigit() else f"1{per}") * 1000


def parse_number(value: str) -> float:
    """A finite number from text, as point tables hold it. Raises ``refusal``."""
    try:
        number = float(value)
    except ValueError:
        raise refusal(f"not a number: {value[:40]!r}", "Write a plain number such as 12.5, without its unit.") from None
    if number - number != 0:
        raise refusal("not a finite number", "Write a plain number such as 12.5.")
    return number


def check_identifier(value: object) -> str:
    """Id of a unit or gateway: part of an MQTT topic and of a user name."""
    return _name(value, _IDENTIFIER, "an id is made of the letters a-z A-Z, digits, _ and -, and begins with no _ or -")


def check_enterprise_id(value: object) -> str:
    """Id of an enterprise: part of an MQTT topic and of a user name."""
    return _name(value, _ENTERPRISE, "an id is made of the letters a-z, digits, _ and -, and begins with no _ or -")


def check_region_code(value: object) -> str:
    """GB/T 2260 code of six digits, or with three or six more for township and village (GB/T 10114)."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return _name(text, _REGION, "a region's code has 6 digits (GB/T 2260), or 9 or 12 with township and village")


def point_name_fault(name: str) -> str | None:
    """What forbids this text as the name of a tag or the key of a rule, or None; both are parts of topics and paths."""
    if not name:
        return "an empty name"
    if len(name) > _LONGEST_NAME:
        return f"a name of more than {_LONGEST_NAME} characters"
    if any(character in "/+#" for character in name):
        return "a name must not hold / + or #, which MQTT topics reserve"
    if any(character.isspace() or not character.isprintable() for character in name):
        return "a name must not hold spaces or invisible characters"
    return None


POINT_NAME_REMEDY = "Use letters, digits and signs such as - _ . only, for example GT-101."


def check_point_name(value: object) -> str:
    """Name of a tag or key of a rule."""
    text = _text(value)
    if complaint := point_name_fault(text):
        raise refusal(complaint, POINT_NAME_REMEDY)
    return text


def _name(value: object, pattern: re.Pattern[str], rule: str) -> str:
    text = _text(value)
    if not pattern.fullmatch(text) or len(text) > _LONGEST_NAME:
        raise refusal(f"not usable here: {rule}", "Choose another one; the full name belongs in `name`.")
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise refusal("must be text", "Put the value in quotes.")
    return value


def _check_path(text: str) -> str:
    if not text.isprintable():
        raise refusal("a path must not hold invisible characters", "Delete the invisible character.")
    return text


def _strict_number(value: Any) -> Any:
    if isinstance(value, str):
        raise refusal("must be a number", "Write a plain number such as 12.5, without quotes and without its unit.")
    return value


Duration = Annotated[int, BeforeValidator(parse_duration)]
"""Milliseconds, zero allowed."""
PositiveDuration = Annotated[int, BeforeValidator(parse_positive_duration)]
"""Milliseconds, more than zero."""
Delay = Annotated[int, BeforeValidator(parse_delay)]
"""Milliseconds, zero allowed: an on-delay or off-delay."""
Window = Annotated[int, BeforeValidator(parse_window)]
"""Milliseconds, more than zero: what a rule looks back over."""
Size = Annotated[int, BeforeValidator(parse_size)]
"""Bytes."""
Number = Annotated[float, Field(strict=True, allow_inf_nan=False), BeforeValidator(_strict_number)]
"""A finite number, neither text nor a boolean."""
NonNegative = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0), BeforeValidator(_strict_number)]
"""A finite number from zero on."""
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0), BeforeValidator(_strict_number)]
"""A finite number above zero."""
Identifier = Annotated[str, BeforeValidator(check_identifier)]
EnterpriseId = Annotated[str, BeforeValidator(check_enterprise_id)]
RegionCode = Annotated[str, BeforeValidator(check_region_code)]
PointName = Annotated[str, BeforeValidator(check_point_name)]
PathText = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_check_path)]
"""A path as text, not looked for yet."""
Name = Annotated[str, Field(min_length=1, max_length=200)]
"""Text that people read."""
