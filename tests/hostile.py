"""What no gateway should send, and what must become of it: what is refused, and which readings beside it count.

One corpus for the codec, the decoder and the whole service. Every case has a second of its own, so that its readings
can be told from all others wherever they end up. Over 500 lines, because it is one table of cases.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from domain.scales import Quality
from tests.running import site_of

DATA = "anshao/v1/works/gw1/data"
STATUS = "anshao/v1/works/gw1/status"
TAGS = ("TI-101", "PI-101")
"""Tags of the gateway that all of it is sent by."""
SPAN = 300_000
"""ms that the corpus's source times stretch over."""
DEEP = 1_000
"""Levels of nesting that the JSON parser just takes, and Python's own recursion does not."""
SHANGHAI = timezone(timedelta(hours=8))
GOOD, BAD, UNCERTAIN = Quality.GOOD, Quality.BAD, Quality.UNCERTAIN


def site() -> dict[str, Any]:
    """A site of one enterprise with two gateways; its tags have no limits, so that no alarm comes of them."""
    tags: list[dict[str, Any]] = [
        {"tag": "TI-101", "measurand": "temperature", "engineering_unit": "°C", "range": [-50, 400], "gateway": "gw1"},
        {"tag": "PI-101", "measurand": "pressure", "engineering_unit": "kPa", "gateway": "gw1"},
        {"tag": "TI-201", "measurand": "temperature", "engineering_unit": "°C", "gateway": "gw2"},
    ]
    quiet: dict[str, Any] = {"stale": "off", "bad": "off"}
    return site_of(
        [{"id": "tankfarm", "name": "罐区", "tags": [tag | quiet for tag in tags]}],
        gateways=[{"id": "gw1", "name": "一号网关"}, {"id": "gw2", "name": "二号网关"}],
    )


@dataclass(frozen=True)
class Reading:
    """A reading that counts; ``value`` None: the sample has none and its quality is BAD."""

    tag: str
    time: int
    value: float | None
    quality: Quality = GOOD


@dataclass(frozen=True)
class Hostile:
    """One message. ``refused``: the reasons, each once. ``readings``: in their order."""

    name: str
    payload: bytes = field(repr=False)
    refused: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    topic: str = DATA
    retain: bool = False

    @property
    def is_data_of_gw1(self) -> bool:
        """A codec gets to see it: no other topic, nothing that is refused unread."""
        return self.topic == DATA and not self.retain and "too_large" not in self.refused


def corpus(now: int) -> list[Hostile]:
    """All cases, with source times in the ``SPAN`` before ``now`` (ms)."""
    begin = (now - SPAN) // 1000 * 1000
    makers = (*_UNREADABLE, *_SHAPES, *_VALUES, *_TIMES, *_NAMES, *_ELSEWHERE)
    cases: list[Hostile] = []
    for maker in makers:
        cases.extend(maker(_Second(begin + 1000 * len(cases), now)))
    assert len(cases) * 1000 < SPAN
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), names
    return cases


@dataclass
class _Second:
    """The first case's source time; each further case of the same maker takes the next second."""

    at: int
    now: int

    def next(self) -> int:
        at = self.at
        self.at += 1000
        return at


def body(at: Any, values: Any, **more: Any) -> dict[str, Any]:
    """A message of our format."""
    return {"ts": at, "values": values, **more}


def encoded(content: Any) -> bytes:
    """As JSON, with NaN and Infinity as Python's own encoder writes them."""
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _unreadable(second: _Second) -> Iterator[Hostile]:
    plain = encoded(body(second.at, {"TI-101": 1.0}))
    payloads: Mapping[str, bytes] = {
        "empty": b"",
        "white space only": b" \r\n\t",
        "truncated": plain[:-1],
        "truncated in a text": plain[:22],
        "truncated in a character": encoded({"位号": 1})[:4],
        "truncated in an escape": b'{"ts":1,"values":{"TI-101":"\\u00',
        "100,000 opening brackets": b"[" * 100_000,
        "100,000 brackets": b"[" * 100_000 + b"]" * 100_000,
        "100,000 objects in each other": b'{"values":' * 100_000 + b"1" + b"}" * 100_000,
        "100,000 arrays in a value": b'{"ts":1,"values":{"TI-101":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        "GBK": '{"ts": 1, "values": {"位号": 1}}'.encode("gbk"),
        "UTF-16 with byte order mark": plain.decode().encode("utf-16"),
        "UTF-16 without": plain.decode().encode("utf-16-le"),
        "UTF-32": plain.decode().encode("utf-32"),
        "overlong UTF-8": b'{"ts": 1, "values": {"\xc0\xaf": 1}}',
        "encoded surrogate": b'{"ts": 1, "values": {"\xed\xa0\x80": 1}}',
        "compressed": gzip.compress(plain, mtime=0),
        "bytes 0 to 255": bytes(range(256)),
        "NUL bytes": bytes(64),
        "NUL byte behind": plain + b"\x00",
        "two objects": plain + plain,
        "two lines": plain + b"\n" + plain,
        "trailing comma": plain[:-1] + b",}",
        "single quotes": plain.replace(b'"', b"'"),
        "comment": b"/* reading */" + plain,
        "no quotes": b"{ts: 1, values: {TI-101: 1}}",
        "raw line break in a text": b'{"ts": "1\n", "values": {}}',
        "line protocol": b"sample,tag=TI-101 value=1 1750032000000",
        "XML": b"<reading tag='TI-101'>1</reading>",
        "CSV": b"TI-101,1.0,1750032000000",
        "a plus sign": b'{"ts": 1, "values": {"TI-101": +1}}',
        "a leading zero": b'{"ts": 1, "values": {"TI-101": 01}}',
        "a hexadecimal number": b'{"ts": 1, "values": {"TI-101": 0x10}}',
        "undefined": b'{"ts": 1, "values": {"TI-101": undefined}}',
    }
    for name, payload in payloads.items():
        yield Hostile(name, payload, ("unreadable",))


def _byte_order_mark(second: _Second) -> Iterator[Hostile]:
    at = second.next()
    payload = b"\xef\xbb\xbf" + encoded(body(at, {"TI-101": 1.5}))
    yield Hostile("UTF-8 byte order mark", payload, (), (Reading("TI-101", at, 1.5),))


def _scalars(_: _Second) -> Iterator[Hostile]:
    for payload in (b"null", b"true", b"5", b"-1.5e3", b'"TI-101"', b"NaN", b'""'):
        yield Hostile(f"only {payload.decode()}", payload, ("wrong_shape",))


def _wrong_shapes(second: _Second) -> Iterator[Hostile]:
    at = second.at
    contents: Mapping[str, Any] = {
        "empty object": {},
        "empty array": [],
        "array of scalars": [1, "a", None, True],
        "array of arrays": [[body(at, {"TI-101": 1})]],
        "no values": {"ts": at},
        "values is null": body(at, None),
        "values is a list": body(at, [{"tag": "TI-101", "value": 1}]),
        "values is a text": body(at, "TI-101"),
        "values is a number": body(at, 5),
        "values is empty": body(at, {}),
        "values in capitals": {"ts": at, "VALUES": {"TI-101": 1}},
        "our own envelope one level deeper": {"data": body(at, {"TI-101": 1})},
    }
    for name, content in contents.items():
        yield Hostile(name, encoded(content), ("wrong_shape",))


def _beside_junk(second: _Second) -> Iterator[Hostile]:
    first, other = second.next(), second.next()
    content: list[Any] = [None, body(first, {"TI-101": 1}), "junk", {}, [], body(other, {"TI-101": 2}), 7]
    yield Hostile(
        "array with junk among good objects",
        encoded(content),
        ("wrong_shape",),
        (Reading("TI-101", first, 1), Reading("TI-101", other, 2)),
    )
    at = second.next()
    yield Hostile(
        "array with one object of another enterprise",
        encoded([body(at, {"TI-101": 9}, enterprise="neighbour"), body(at, {"TI-101": 3})]),
        ("wrong_enterprise",),
        (Reading("TI-101", at, 3),),
    )
    at = second.next()
    yield Hostile(
        "duplicate keys: the last counts",
        f'{{"ts": 5, "values": {{"TI-101": 8}}, "values": {{"TI-101": 9, "TI-101": 4}}, "ts": {at}}}'.encode(),
        (),
        (Reading("TI-101", at, 4),),
    )
    at = second.next()
    yield Hostile(
        "keys that mean something elsewhere",
        encoded(body(at, {"TI-101": 5, "__proto__": 1, "constructor": 2}, __class__="x", toString=None)),
        ("unknown_tag",),
        (Reading("TI-101", at, 5),),
    )


def _ids(second: _Second) -> Iterator[Hostile]:
    for name, identity in {
        "id is a list": [1],
        "id is true": True,
        "id is null": None,
        "id is a fraction": 1.5,
        "id of 10,000 characters": "x" * 10_000,
        "id is half a character": "\ud800",
    }.items():
        at = second.next()
        payload = json.dumps(body(at, {"TI-101": 1}, id=identity)).encode()
        yield Hostile(name, payload, ("wrong_shape",), (Reading("TI-101", at, 1),))


def _too_large(second: _Second) -> Iterator[Hostile]:
    at = second.next()
    plain = encoded(body(at, {"TI-101": 1}))
    yield Hostile("10 MB", b"[" + b",".join([plain] * (10_000_000 // len(plain))) + b"]", ("too_large",))
    yield Hostile("10 MB of brackets", b"[" * 10_000_000, ("too_large",))
    at = second.next()
    payload = encoded(body(at, {"TI-101": 1})).ljust(4 * 1024 * 1024)
    yield Hostile("exactly as large as may be", payload, (), (Reading("TI-101", at, 1),))


# ---- values


def _beside(second: _Second, name: str, written: str, reading: Reading | None, *refused: str) -> Hostile:
    """A message whose TI-101 has a value as it is written, and whose PI-101 is well; both count as stated."""
    at = second.next()
    payload = f'{{"ts": {at}, "values": {{"TI-101": {written}, "PI-101": 7.5}}}}'.encode()
    own = () if reading is None else (Reading("TI-101", at, reading.value, reading.quality),)
    return Hostile(name, payload, refused, (*own, Reading("PI-101", at, 7.5)))


def _value(value: float | None, quality: Quality = GOOD) -> Reading:
    return Reading("", 0, value, quality)


def _no_numbers(second: _Second) -> Iterator[Hostile]:
    """Ways to say that there is no value: a BAD sample each, and nothing to complain of."""
    for written in (
        "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 400, "-" + "9" * 400, "null", '""', '" "', '"NaN"',
        '"null"', '"-Infinity"', '"N/A"', '"bad"', '"1e999"',
    ):  # fmt: skip
        yield _beside(second, f"value {written[:20]}", written, _value(None, BAD))
    for written, value in {"9999.9999": 9999.9999, "-9999.0": -9999.0, '"9999.9999"': 9999.9999}.items():
        yield _beside(second, f"value {written}", written, _value(value, BAD))


def _unreadable_values(second: _Second) -> Iterator[Hostile]:
    deep = "[" * DEEP + "]" * DEEP
    for name, written in {
        "a word": '"eighty-five"',
        "a decimal comma": '"85,2"',
        "grouped digits": '"1 000"',
        "Python's digits": '"1_000"',
        "full-width digits": '"８５"',
        "a hexadecimal text": '"0x10"',
        "a number and its unit": '"85.2 °C"',
        "SQL": '"1; DROP TABLE alarm"',
        "NUL and a digit": '"\\u00001"',
        "half a character": '"\\ud800"',
        "a megabyte": '"' + "x" * 1_000_000 + '"',
        "a list": "[85.2]",
        "an empty object": "{}",
        "an object without v": '{"value": 85.2, "q": 192}',
        "an object in v": '{"v": {"v": 85.2}}',
        "a list in v": '{"v": [85.2]}',
        "1,000 brackets": deep,
        "1,000 brackets in v": f'{{"v": {deep}}}',
    }.items():
        yield _beside(second, f"value is {name}", written, _value(None, BAD), "unreadable_value")


def _odd_numbers(second: _Second) -> Iterator[Hostile]:
    """Odd, and numbers all the same."""
    for written, reading in {
        "-0.0": _value(0.0),
        "1e-320": _value(1e-320),
        '"85.2"': _value(85.2),
        '" 85.2\\n"': _value(85.2),
        '"+8.52e+1"': _value(85.2),
        '".5"': _value(0.5),
        "true": _value(1.0),
        "false": _value(0.0),
        "1e300": _value(1e300, UNCERTAIN),
        "18446744073709551616": _value(2.0**64, UNCERTAIN),
        "123456789012345678901234567890": _value(123456789012345678901234567890.0, UNCERTAIN),
        "400.0001": _value(400.0001, UNCERTAIN),
        "-50": _value(-50.0),
        "-50.5": _value(-50.5, UNCERTAIN),
    }.items():
        yield _beside(second, f"number {written}", written, reading)


def _qualities(second: _Second) -> Iterator[Hostile]:
    for written, quality in {
        "192": GOOD, "255": GOOD, "192.0": GOOD, '"192"': GOOD, "true": GOOD, '"good"': GOOD,
        '"GoodClamped"': GOOD, "64": UNCERTAIN, "127": UNCERTAIN, '"uncertain"': UNCERTAIN,
        "1073741824": UNCERTAIN, "0": BAD, "-1": BAD, "191": BAD, "256": BAD, "1e400": BAD, "NaN": BAD,
        "2147483648": BAD, "false": BAD, "null": BAD, '""': BAD, '"ok"': BAD, '"bad"': BAD, "[192]": BAD,
        '{"q": 192}': BAD, '"' + "9" * 5_000 + '"': BAD, '"\\ud800"': BAD, '"１９２"': BAD,
    }.items():  # fmt: skip
        yield _beside(second, f"quality {written[:20]}", f'{{"v": 20, "q": {written}}}', _value(20.0, quality))


# ---- times


def _impossible_times(second: _Second) -> Iterator[Hostile]:
    """A message without a time: its readings are refused, but for one that brings its own."""
    for name, written in {
        "missing": None,
        "null": "null",
        "0": "0",
        "negative": "-1750032000000",
        "small": "86400",
        "true": "true",
        "a list": "[1750032000000]",
        "an object": '{"ts": 1750032000000}',
        "an empty text": '""',
        "words": '"yesterday"',
        "a text 0": '"0"',
        "NaN": "NaN",
        "1e400": "1e400",
        "a huge number": "9" * 400,
        "400 digits in a text": '"' + "9" * 400 + '"',
        "5,000 digits in a text": '"' + "9" * 5_000 + '"',
        "a megabyte of digits": '"' + "1" * 1_000_000 + '"',
        "nanoseconds": "1750032000000000000",
        "hundredths of a second": "175003200000",
        "year 1": '"0001-01-01T00:00:00Z"',
        "year 1 east of Greenwich": '"0001-01-01T00:00:00+14:00"',
        "year 9999": '"9999-12-31T23:59:59-14:00"',
        "year 1970": '"1970-01-01T00:00:00Z"',
        "year 2200": '"2200-01-01T00:00:00Z"',
        "year 2200 in ms": "7258118400000",
        "year 10000": '"10000-01-01T00:00:00Z"',
        "month 13": '"2025-13-01T00:00:00Z"',
        "30 February": '"2025-02-30T00:00:00Z"',
        "hour 25": '"2025-06-16T25:00:00Z"',
        "offset of 99 hours": '"2025-06-16T08:00:00+99:00"',
        "only a date": '"2025-06-16"',
        "Arabic digits": '"٢٠٢٥-06-16T08:00:00Z"',
        "NUL behind": '"2025-06-16T08:00:00Z\\u0000"',
        "half a character": '"\\ud800"',
        "1,000 brackets": "[" * DEEP + "]" * DEEP,
    }.items():
        at = second.next()
        values = f'"values": {{"TI-101": 5, "PI-101": {{"v": 6, "ts": {at}}}}}'
        payload = f"{{{values}}}" if written is None else f'{{"ts": {written}, {values}}}'
        yield Hostile(f"time {name}", payload.encode(), ("impossible_time",), (Reading("PI-101", at, 6),))


def _own_time(second: _Second) -> Iterator[Hostile]:
    for written in ("null", "0", "false", '"soon"', "[]"):
        at = second.next()
        payload = f'{{"ts": {at}, "values": {{"TI-101": {{"v": 5, "ts": {written}}}, "PI-101": 6}}}}'
        yield Hostile(f"own time {written}", payload.encode(), ("impossible_time",), (Reading("PI-101", at, 6),))


def _future(second: _Second) -> Iterator[Hostile]:
    at, ahead = second.next(), second.now + 3_600_000
    yield Hostile(
        "an hour ahead",
        encoded([body(ahead, {"TI-101": 5}), body(at, {"TI-101": 6, "PI-101": {"v": 7, "ts": ahead}})]),
        ("future_time",),
        (Reading("TI-101", at, 6),),
    )
    yield Hostile("year 2099", encoded(body("2099-12-31T23:59:59Z", {"TI-101": 5})), ("future_time",))


def _forms_of_time(second: _Second) -> Iterator[Hostile]:
    """Every form that is understood: seconds, microseconds and local time among them."""

    def local(at: int) -> datetime:
        return datetime.fromtimestamp(at / 1000, SHANGHAI)

    def unpadded(at: int, between: str) -> str:
        t = local(at)
        return f"{t.year}{between}{t.month}{between}{t.day} {t.hour}:{t.minute}:{t.second}"

    forms: Iterable[tuple[str, Any]] = (
        ("seconds", lambda at: at // 1000),
        ("seconds with a fraction", lambda at: at / 1000),
        ("milliseconds as a fraction", lambda at: at + 0.75),
        ("microseconds", lambda at: at * 1000),
        ("seconds in a text", lambda at: str(at // 1000)),
        ("milliseconds in a text", lambda at: f" {at} "),
        ("microseconds in a text", lambda at: str(at * 1000)),
        ("ISO, Z", lambda at: datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("ISO, offset", lambda at: local(at).isoformat()),
        ("ISO, compact", lambda at: datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")),
        ("ISO, compact, local", lambda at: local(at).strftime("%Y%m%d%H%M%S")),
        ("local, unpadded", lambda at: unpadded(at, "-")),
        ("local, slashes", lambda at: unpadded(at, "/")),
        ("KingIOServer's", lambda at: local(at).strftime("%Y-%m-%d %H:%M:%S.000 +0800")),
    )
    for name, form in forms:
        at = second.next()
        yield Hostile(f"time in {name}", encoded(body(form(at), {"TI-101": 5})), (), (Reading("TI-101", at, 5),))


# ---- names, and where it came from


def _names(second: _Second) -> Iterator[Hostile]:
    for name, tag in {
        "unknown": "TI-999",
        "in small letters": "ti-101",
        "with a blank": "TI-101 ",
        "empty": "",
        "with NUL": "TI-101\x00",
        "half a character": "TI-101\ud83d",
        "emoji": "🔥🔥🔥",
        "of 100,000 characters": "位" * 100_000,
        "with a line break": "TI-101\nTI-102",
        "turning round the line": "\u202eTI-101",
        "SQL": "'; DROP TABLE alarm; --",
        "HTML": "<script>alert('位号')</script>",
        "path": "../../../etc/passwd",
        "topic": "anshao/v1/works/gw1/#",
        "line protocol": "TI-101,quality=192 value=1\n",
        "template": "{{7*7}} ${7*7} %s %n {0}",
        "canary": "canary-reading",
        "gateway's own point": "@gw1",
    }.items():
        at = second.next()
        payload = json.dumps(body(at, {tag: 1, "TI-101": 2})).encode()
        yield Hostile(f"tag {name}", payload, ("unknown_tag",), (Reading("TI-101", at, 2),))
    at = second.next()
    many = {f"X-{number}": number for number in range(5_000)}
    yield Hostile(
        "5,000 unknown tags", encoded(body(at, many | {"TI-101": 2})), ("unknown_tag",), (Reading("TI-101", at, 2),)
    )


def _of_others(second: _Second) -> Iterator[Hostile]:
    at = second.next()
    yield Hostile(
        "tag of another gateway",
        encoded(body(at, {"TI-201": 1, "TI-101": 2})),
        ("wrong_gateway",),
        (Reading("TI-101", at, 2),),
    )
    at = second.next()
    yield Hostile(
        "everything wrong in one message, but for one reading",
        encoded(
            body(
                at,
                {"TI-201": 1, "X": 2, "PI-101": {"v": 1, "ts": 0}, "TI-101": "x"},
                id=[],
            )
        ),
        ("wrong_shape", "wrong_gateway", "unknown_tag", "impossible_time", "unreadable_value"),
        (Reading("TI-101", at, None, BAD),),
    )
    for name, field_, value, reason in (
        ("another enterprise", "enterprise", "neighbour", "wrong_enterprise"),
        ("enterprise is null", "enterprise", None, "wrong_enterprise"),
        ("enterprise is a list", "enterprise", ["works"], "wrong_enterprise"),
        ("enterprise half a character", "enterprise", "\ud800", "wrong_enterprise"),
        ("enterprise in capitals", "enterprise", "WORKS", "wrong_enterprise"),
        ("another gateway", "gateway", "gw2", "wrong_gateway"),
        ("gateway is true", "gateway", True, "wrong_gateway"),
        ("gateway is a megabyte", "gateway", "g" * 1_000_000, "wrong_gateway"),
    ):
        payload = json.dumps(body(second.at, {"TI-101": 1}, **{field_: value})).encode()
        yield Hostile(name, payload, (reason,))
    deep = f'{{"ts": {second.at}, "values": {{"TI-101": 1}}, "enterprise": {"[" * DEEP}{"]" * DEEP}}}'
    yield Hostile("enterprise is 1,000 brackets", deep.encode(), ("wrong_enterprise",))
    hidden = {"enterprise": "neighbour", "values": {"TI-101": {"v": 1, "ts": second.at}}}
    yield Hostile("another enterprise, and no ts to show it by", encoded(hidden), ("wrong_enterprise",))


def _elsewhere(second: _Second) -> Iterator[Hostile]:
    plain = encoded(body(second.at, {"TI-101": 1}))
    yield Hostile("retained", plain, ("retained",), retain=True)
    yield Hostile("empty and retained", b"", ("retained",), retain=True)
    for name, topic, reason in (
        ("unknown enterprise", "anshao/v1/nobody/gw1/data", "unknown_gateway"),
        ("unknown gateway", "anshao/v1/works/gw9/data", "unknown_gateway"),
        ("gateway of 300 characters", f"anshao/v1/works/{'网' * 300}/data", "unknown_gateway"),
        ("enterprise of 60,000 characters", f"anshao/v1/{'x' * 60_000}/gw1/data", "unknown_gateway"),
        ("nameless gateway", "anshao/v1/works//data", "unknown_gateway"),
        ("emoji for a gateway", "anshao/v1/works/🔥/data", "unknown_gateway"),
        ("SQL for a gateway", "anshao/v1/works/'; DROP TABLE alarm/data", "unknown_gateway"),
        ("capitals", "anshao/v1/Works/gw1/data", "unknown_gateway"),
        ("status of an unknown gateway", "anshao/v1/works/gw9/status", "unknown_gateway"),
        ("version of tomorrow", "anshao/v2/works/gw1/data", "unknown_topic"),
        ("somebody else's topic", "v1/gateway/telemetry", "unknown_topic"),
        ("too deep a topic", "anshao/v1/works/gw1/data/1", "unknown_topic"),
        ("bare topic", "anshao", "unknown_topic"),
    ):
        yield Hostile(name, plain, (reason,), topic=topic)
    for written in (b"online", b'"online"', b'{"online": 1}', b'{"online": "yes"}', b"[true]", b"{}", b"\xff", b"["):
        yield Hostile(f"status {written!r}", written, ("unreadable",), topic=STATUS)
    yield Hostile("status of 100,000 brackets", b"[" * 100_000, ("unreadable",), topic=STATUS)


_UNREADABLE = (_unreadable, _byte_order_mark)
_SHAPES = (_scalars, _wrong_shapes, _beside_junk, _ids, _too_large)
_VALUES = (_no_numbers, _unreadable_values, _odd_numbers, _qualities)
_TIMES = (_impossible_times, _own_time, _future, _forms_of_time)
_NAMES = (_names,)
_ELSEWHERE = (_of_others, _elsewhere)


def reaches_the_service(case: Hostile) -> bool:
    """Its topic is one that the service subscribes to, and the broker hands it on as a live message."""
    parts = case.topic.split("/")
    return not case.retain and parts[:2] == ["anshao", "v1"] and len(parts) == 5 and parts[4] in {"data", "status"}


def shown(readings: Sequence[Reading]) -> list[tuple[str, int, float | None, int]]:
    """Readings as tuples, to compare with."""
    return [(reading.tag, reading.time, reading.value, int(reading.quality)) for reading in readings]
