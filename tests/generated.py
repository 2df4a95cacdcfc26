"""Payloads made by dice: good and bad side by side, mutilated, any JSON at all, and noise."""

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.scales import Quality
from tests import hostile
from tests.hostile import Reading, encoded

VALUES: tuple[tuple[str, float | None, Quality], ...] = (
    ("0", 0.0, Quality.GOOD),
    ("-12.5", -12.5, Quality.GOOD),
    ("1e2", 100.0, Quality.GOOD),
    ("true", 1.0, Quality.GOOD),
    ('"85.2"', 85.2, Quality.GOOD),
    ('" 7 "', 7.0, Quality.GOOD),
    ("null", None, Quality.BAD),
    ("NaN", None, Quality.BAD),
    ("-1e400", None, Quality.BAD),
    ('"bad"', None, Quality.BAD),
    ("9" * 330, None, Quality.BAD),
    ('"?"', None, Quality.BAD),
    ("[[]]", None, Quality.BAD),
    ("{}", None, Quality.BAD),
    ("401", 401.0, Quality.UNCERTAIN),
    ('{"v": 20}', 20.0, Quality.GOOD),
    ('{"v": 20, "q": 255}', 20.0, Quality.GOOD),
    ('{"v": 20, "q": "Uncertain"}', 20.0, Quality.UNCERTAIN),
    ('{"v": "20", "q": 0, "x": {}}', 20.0, Quality.BAD),
)
NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 85.2, -0.0, 1e-320, 1e308, 2**53, 2**63, 2**64, -(2**63), 10**30, math.nan, math.inf,
    -math.inf, 1_750_032_000_000, 1_750_032_000, 4_000_000_000_000, 192, 64, "", " ", "good", "85.2", "1e999",
    "9" * 400,
    "2025-06-16 08:00:00", "2025-06-16T00:00:00Z", "2200-01-01T00:00:00Z", "20250616T000000Z", "NaN", "null",
    "\x00", "\ud800", "🔥", "位号", "x" * 300, "'; DROP TABLE alarm; --", "<b>", "works", "gw1", "gw2", "{", "[",
)  # fmt: skip
KEYS = (
    "ts", "values", "v", "q", "id", "enterprise", "gateway", "TI-101", "PI-101", "TI-201", "@gw1", "", "\x00", "ti-101",
    "\udc00", "X" * 200, "__proto__", "位号",
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A generated payload; ``readings``: what it must come to, where that is known beforehand."""

    payload: bytes
    readings: Sequence[Reading] | None = None


def structured(dice: random.Random, now: int) -> Made:
    """An object or an array in which good and bad stand side by side, and what must come of it."""
    readings: list[Reading] = []
    parts = [one_object(dice, now, readings) for _ in range(dice.choice((1, 1, 1, 2, 5)))]
    junk = [dice.choice(("7", "null", "[]", '"x"', "{}", '{"values": 1}')) for _ in range(dice.choice((0, 0, 1)))]
    for part in junk:
        parts.insert(dice.randrange(len(parts) + 1), part)
    text = parts[0] if len(parts) == 1 else "[" + ", ".join(parts) + "]"
    return Made(text.encode(), readings)


def one_object(dice: random.Random, now: int, readings: list[Reading]) -> str:
    """One object of our format, as text; appends what it must come to."""
    at = now - dice.randrange(1, 500_000)
    stamp, time = dice.choice(
        (
            (str(at), at),
            (f'"{at}"', at),
            (str(at * 1000), at),
            (str(at // 1000), at // 1000 * 1000),
            ('"2025-06-16T08:00:00+08:00"', 1_750_032_000_000),
            ("null", None),
            ("-5", None),
            ("[" * 9 + "]" * 9, None),
        )
    )
    values = []
    for tag in dice.sample(("TI-101", "PI-101", "TI-201", "X-1", "@gw1"), dice.randrange(1, 5)):
        written, value, quality = dice.choice(VALUES)
        values.append(f'"{tag}": {written}')
        if tag == "PI-101" and quality is Quality.UNCERTAIN and written == "401":
            quality = Quality.GOOD  # it has no range
        if tag in hostile.TAGS and time is not None:
            readings.append(Reading(tag, time, value, quality))
    fields = [f'"ts": {stamp}', f'"values": {{{", ".join(values)}}}']
    fields += [dice.choice(('"id": "a"', '"id": []', '"note": {}', '"gateway": "gw1"'))] * dice.randrange(2)
    dice.shuffle(fields)
    return "{" + ", ".join(fields) + "}"


def mutated(dice: random.Random, now: int) -> Made:
    """A payload that was once well formed."""
    payload = bytearray(structured(dice, now).payload)
    for _ in range(dice.choice((1, 1, 2, 5))):
        begin = dice.randrange(len(payload) + 1)
        end = min(len(payload), begin + dice.choice((0, 1, 1, 3, 30)))
        payload[begin:end] = dice.choice(
            (
                b"",
                dice.randbytes(1),
                payload[begin:end] * 2,
                structured(dice, now).payload[: dice.randrange(40)],
                dice.choice((b'"', b"}", b"[", b"\\u", b"\\ud800", b"e999", b"-", b",", b"\x00", b"\xff", b"9" * 400)),
            )
        )
    return Made(bytes(payload))


def tree(dice: random.Random, depth: int = 0) -> Any:
    """Any JSON, with a liking for our own words."""
    kind = dice.random()
    if depth > 4 or kind < 0.3:
        return dice.choice(NASTY)
    if kind < 0.8:
        return {dice.choice(KEYS): tree(dice, depth + 1) for _ in range(dice.randrange(5))}
    return [tree(dice, depth + 1) for _ in range(dice.randrange(4))]


def any_json(dice: random.Random, now: int) -> Made:
    """Any JSON in any of the ways that it is written."""
    content = tree(dice)
    if dice.random() < 0.5:
        content = {"ts": dice.choice((now - 7, *NASTY)), "values": content}
    if dice.random() < 0.7:
        return Made(json.dumps(content, indent=dice.choice((None, 1))).encode())
    text = encoded(content)
    try:
        return Made(text.decode().encode(dice.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-be"))))
    except UnicodeError:
        return Made(text)


def noise(dice: random.Random, _: int) -> Made:
    """Random bytes, and random brackets."""
    size = dice.choice((0, 1, 2, 7, 64, 1_000))
    if dice.random() < 0.5:
        return Made(dice.randbytes(size))
    return Made(bytes(dice.choices(b'[]{}",:0123456789.eE+-truefalsn \\u', k=size)))


MAKERS: tuple[Callable[[random.Random, int], Made], ...] = (structured, structured, mutated, mutated, any_json, noise)


def make(dice: random.Random, now: int) -> Made:
    """One payload of any sort, with source times in the minutes before ``now`` (ms)."""
    return dice.choice(MAKERS)(dice, now)
