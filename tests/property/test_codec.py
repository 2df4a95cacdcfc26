"""Whatever a gateway sends: nothing but a refusal comes of it, and no message beside it is lost."""

import json
import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.scales import Quality
from domain.site import Site
from ingest.decoder import Decoded, Decoder
from ingest.times import EARLIEST, LATEST, TimeRefused, parse_time
from service.config import load_site
from tests import hostile
from tests.hostile import DATA, Reading, encoded
from tests.running import write_yaml

NOW = 1_750_032_000_000
FUTURE = 600_000
BATCH = 200
EXAMPLES = 520
"""With ``BATCH`` payloads each: 104,000."""
BEFORE = b'{"ts": %d, "values": {"PI-101": 1.25}}' % (NOW - 2)
AFTER = b'{"ts": %d, "values": {"TI-101": {"v": "-3.5", "q": 192}}}' % (NOW - 1)
GOOD = [("PI-101", NOW - 2, 1.25, 192), ("TI-101", NOW - 1, -3.5, 192)]

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
    -math.inf, NOW, NOW // 1000, NOW * 1000, NOW + 10**8, 192, 64, "", " ", "good", "85.2", "1e999", "9" * 400,
    "2025-06-16 08:00:00", "2025-06-16T00:00:00Z", "2200-01-01T00:00:00Z", "20250616T000000Z", "NaN", "null",
    "\x00", "\ud800", "🔥", "位号", "x" * 300, "'; DROP TABLE alarm; --", "<b>", "works", "gw1", "gw2", "{", "[",
)  # fmt: skip
KEYS = (
    "ts", "values", "v", "q", "id", "enterprise", "gateway", "TI-101", "PI-101", "TI-201", "@gw1", "", "\x00", "ti-101",
    "\udc00", "X" * 200, "__proto__", "位号",
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """A message as a link hands it on."""

    topic: str
    payload: bytes
    retain: bool = False


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return load_site([write_yaml(tmp_path_factory.mktemp("site") / "site.yaml", hostile.site())])


@pytest.fixture(scope="module")
def decoder(site: Site) -> Decoder:
    return Decoder(site, FUTURE)


@dataclass(frozen=True)
class Made:
    """A generated payload; ``readings``: what it must come to, where that is known beforehand."""

    payload: bytes
    readings: Sequence[Reading] | None = None


def structured(dice: random.Random) -> Made:
    """An object or an array in which good and bad stand side by side, and what must come of it."""
    readings: list[Reading] = []
    parts = [one_object(dice, readings) for _ in range(dice.choice((1, 1, 1, 2, 5)))]
    junk = [dice.choice(("7", "null", "[]", '"x"', "{}", '{"values": 1}')) for _ in range(dice.choice((0, 0, 1)))]
    for part in junk:
        parts.insert(dice.randrange(len(parts) + 1), part)
    text = parts[0] if len(parts) == 1 else "[" + ", ".join(parts) + "]"
    return Made(text.encode(), readings)


def one_object(dice: random.Random, readings: list[Reading]) -> str:
    """One object of our format, as text; appends what it must come to."""
    at = NOW - dice.randrange(1, 500_000)
    stamp, time = dice.choice(
        (
            (str(at), at),
            (f'"{at}"', at),
            (str(at * 1000), at),
            (str(at // 1000), at // 1000 * 1000),
            ('"2025-06-16T08:00:00+08:00"', NOW),
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


def mutated(dice: random.Random) -> Made:
    """A payload that was once well formed."""
    payload = bytearray(structured(dice).payload)
    for _ in range(dice.choice((1, 1, 2, 5))):
        begin = dice.randrange(len(payload) + 1)
        end = min(len(payload), begin + dice.choice((0, 1, 1, 3, 30)))
        payload[begin:end] = dice.choice(
            (
                b"",
                dice.randbytes(1),
                payload[begin:end] * 2,
                structured(dice).payload[: dice.randrange(40)],
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


def any_json(dice: random.Random) -> Made:
    """Any JSON in any of the ways that it is written."""
    content = tree(dice)
    if dice.random() < 0.5:
        content = {"ts": dice.choice((NOW - 7, *NASTY)), "values": content}
    if dice.random() < 0.7:
        return Made(json.dumps(content, indent=dice.choice((None, 1))).encode())
    text = encoded(content)
    try:
        return Made(text.decode().encode(dice.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-be"))))
    except UnicodeError:
        return Made(text)


def noise(dice: random.Random) -> Made:
    """Random bytes, and random brackets."""
    size = dice.choice((0, 1, 2, 7, 64, 1_000))
    if dice.random() < 0.5:
        return Made(dice.randbytes(size))
    return Made(bytes(dice.choices(b'[]{}",:0123456789.eE+-truefalsn \\u', k=size)))


MAKERS: tuple[Callable[[random.Random], Made], ...] = (structured, structured, mutated, mutated, any_json, noise)


def check(made: Made, decoder: Decoder, site: Site) -> None:
    """Decode between two good messages and hold all that is promised of it."""
    messages = [Sent(DATA, BEFORE), Sent(DATA, made.payload), Sent(DATA, AFTER)]
    decoded = decoder.decode(messages, NOW)
    found = rows(site, decoded)
    assert [found[0], found[-1]] == GOOD, made
    own = found[1:-1]
    if made.readings is not None:
        assert own == hostile.shown(made.readings), made
    assert own or decoded.refusals, made
    for _, time, value, quality in own:
        assert EARLIEST <= time <= NOW + FUTURE
        assert value is not None or quality == Quality.BAD
        assert quality in {0, 64, 192}
    for refusal in decoded.refusals:
        assert refusal.payload == made.payload
        assert refusal.reason
        assert 0 < len(refusal.detail.encode()) < 1_000, made
    orjson.dumps([receipt.message for receipt in decoded.receipts])


def rows(site: Site, decoded: Decoded) -> list[tuple[str, int, float | None, int]]:
    """A block's samples, to compare with."""
    block = decoded.block
    columns: Iterable[tuple[int, int, float, int]] = zip(
        block.tag.tolist(), block.source_time.tolist(), block.value.tolist(), block.quality.tolist(), strict=True
    )
    return [
        (site.tags[tag].name, time, None if math.isnan(value) else value, quality)
        for tag, time, value, quality in columns
    ]


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**63 - 1))
def test_a_hundred_thousand_payloads_break_nothing(seed: int, site: Site, decoder: Decoder) -> None:
    dice = random.Random(seed)
    for _ in range(BATCH):
        check(dice.choice(MAKERS)(dice), decoder, site)


JSON = st.recursive(
    st.sampled_from(NASTY) | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300)
@given(content=JSON | st.fixed_dictionaries({"ts": JSON, "values": JSON}))
def test_any_json_breaks_nothing_and_shrinks_well(content: Any, site: Site, decoder: Decoder) -> None:
    check(Made(json.dumps(content).encode()), decoder, site)


@settings(max_examples=300)
@given(payload=st.binary(max_size=100))
def test_any_bytes_break_nothing(payload: bytes, site: Site, decoder: Decoder) -> None:
    check(Made(payload), decoder, site)


@settings(max_examples=500)
@given(
    raw=st.one_of(
        st.integers(),
        st.floats(),
        st.text(max_size=100),
        st.from_regex(
            r"\d{1,5}[-/.]\d{1,2}[-/.]\d{1,2}[T ]\d{1,2}:\d{1,2}(:\d{1,2}([.,]\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?"
        ),
        JSON,
    )
)
def test_a_time_is_read_or_refused(raw: object) -> None:
    try:
        milliseconds, local = parse_time(raw)
    except TimeRefused as refused:
        complaint = str(refused)
    else:
        complaint = "none"
        assert EARLIEST <= milliseconds < LATEST
        assert isinstance(milliseconds, int)
        assert isinstance(local, bool)
    assert 0 < len(complaint) < 300
