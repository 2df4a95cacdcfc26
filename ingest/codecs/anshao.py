"""The format of our own: one object, or an array of objects, ``{"ts": …, "values": {TAG: …}}``.

A value is a number, or ``{"v": number, "q": quality, "ts": time}``. ``id`` (answered in the receipt), ``enterprise``
and ``gateway`` (checked against the topic) may stand beside ``ts``. A missing quality counts as good.
"""

import json
import math
import re
from typing import Any

import orjson

from domain.scales import Quality, QualityReason
from ingest.intake import Intake, PayloadRefused, Reason, Source
from ingest.qualities import parse_quality
from ingest.times import EARLIEST, LATEST, TimeRefused, parse_time

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NO_NUMBER = frozenset({"", "nan", "null", "none", "inf", "-inf", "+inf", "infinity", "-infinity", "bad", "n/a"})
_PLAIN = {int, float}
_PLAIN_KEYS = 2
_SEQUENCE = 4
"""Values that make looking for a known sequence of tags worth while."""
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ID_LENGTH = 256
_SHOWN_LENGTH = 80
_SAFE_DIGITS = 18


class AnshaoCodec:
    """Codec of our own format."""

    def decode(self, payload: bytes, source: Source, intake: Intake) -> None:
        """See ``Codec``."""
        try:
            body = orjson.loads(payload)
        except orjson.JSONDecodeError as fault:
            body = _load_leniently(payload, fault)
        if type(body) is dict:
            self._decode_object(body, source, intake)
        elif type(body) is list:
            if not body:
                raise PayloadRefused(Reason.WRONG_SHAPE, "an empty array")
            for number, item in enumerate(body):
                if type(item) is not dict:
                    intake.refuse(Reason.WRONG_SHAPE, f"[{number}] is no object")
                    continue
                known_ids = len(intake.ids)
                try:
                    self._decode_object(item, source, intake)
                except PayloadRefused as refused:
                    intake.refuse(refused.reason, f"[{number}] {refused.detail}")
                    intake.ids[known_ids:] = [(identity, refused.reason) for identity, _ in intake.ids[known_ids:]]
        else:
            raise PayloadRefused(Reason.WRONG_SHAPE, "neither an object nor an array of objects")

    def _decode_object(self, body: dict[str, Any], source: Source, intake: Intake) -> None:
        stamp = body.get("ts")
        values = body.get("values")
        if len(body) != _PLAIN_KEYS or stamp is None or values is None:
            _read_envelope(body, source, intake)
        if type(values) is not dict or not values:
            raise PayloadRefused(Reason.WRONG_SHAPE, "values: missing, empty, or no object of tags")
        local = False
        fault: str | None = None
        time = 0
        if type(stamp) is int and EARLIEST <= stamp < LATEST:
            time = stamp
        else:
            try:
                time, local = parse_time(stamp)
            except TimeRefused as refused:
                # A reading may still bring a time of its own.
                fault = f"ts: {refused}"
        if len(values) >= _SEQUENCE and fault is None and not local and _PLAIN.issuperset(map(type, values.values())):
            rows = source.rows_of(values)
            if rows is not None:
                intake.tag.extend(rows)
                intake.time.extend([time] * len(rows))
                intake.value.extend(values.values())
                return
        tags = source.tags
        for name, value in values.items():
            tag = tags.get(name)
            if tag is None:
                _refuse_tag(name, source, intake)
            elif (type(value) is float or type(value) is int) and not local and fault is None:
                intake.tag.append(tag)
                intake.time.append(time)
                intake.value.append(value)
            else:
                _read_value(name, tag, value, None if fault else time, fault, intake, local=local)


def _load_leniently(payload: bytes, fault: orjson.JSONDecodeError) -> Any:
    """Body of a payload that is JSON but for NaN, Infinity, numbers too large or a byte order mark.

    Many encoders write those.
    """
    try:
        return json.loads(payload.decode("utf-8-sig"), parse_int=_whole_number)
    except (ValueError, RecursionError):
        raise PayloadRefused(Reason.UNREADABLE, f"not JSON: {fault}") from None


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _SAFE_DIGITS else float(digits)


def _read_envelope(body: dict[str, Any], source: Source, intake: Intake) -> None:
    if "id" in body:
        _read_id(body["id"], intake)
    enterprise = body.get("enterprise", source.enterprise)
    if enterprise != source.enterprise:
        raise PayloadRefused(
            Reason.WRONG_ENTERPRISE, f"enterprise: {_shown(enterprise)} came on the topic of {source.enterprise!r}"
        )
    gateway = body.get("gateway", source.gateway)
    if gateway != source.gateway:
        raise PayloadRefused(
            Reason.WRONG_GATEWAY, f"gateway: {_shown(gateway)} came on the topic of {source.gateway!r}"
        )


def _read_id(raw: object, intake: Intake) -> None:
    if not isinstance(raw, (str, int)) or isinstance(raw, bool):
        intake.refuse(Reason.WRONG_SHAPE, "id: neither a string nor a whole number")
        return
    identity = str(raw)
    if len(identity) > _ID_LENGTH:
        intake.refuse(Reason.WRONG_SHAPE, f"id: longer than {_ID_LENGTH} characters")
    elif not identity.isascii() and _SURROGATE.search(identity):
        intake.refuse(Reason.WRONG_SHAPE, f"id: {identity!r} is no text")
    else:
        intake.ids.append((identity, None))


def _refuse_tag(name: str, source: Source, intake: Intake) -> None:
    if name in source.tags_of_enterprise:
        intake.refuse(Reason.WRONG_GATEWAY, f"values.{name[:80]}: this tag is configured for another gateway")
    else:
        intake.refuse(Reason.UNKNOWN_TAG, f"values.{name[:80]}: no such tag of enterprise {source.enterprise!r}")


def _read_value(
    name: str, tag: int, raw: object, time: int | None, time_fault: str | None, intake: Intake, *, local: bool
) -> None:
    quality = Quality.GOOD
    if isinstance(raw, dict):
        if "v" not in raw:
            intake.refuse(Reason.UNREADABLE_VALUE, f"values.{name}: an object without v")
        if "q" in raw:
            quality = parse_quality(raw["q"])
        if "ts" in raw:
            try:
                time, local = parse_time(raw["ts"])
            except TimeRefused as refused:
                intake.refuse(Reason.IMPOSSIBLE_TIME, f"values.{name}.ts: {refused}")
                return
        raw = raw.get("v")
    if time is None:
        intake.refuse(Reason.IMPOSSIBLE_TIME, f"values.{name}: {time_fault}")
        return
    value = _number(raw)
    if value is None:
        intake.refuse(Reason.UNREADABLE_VALUE, f"values.{name}: {_shown(raw)} is no number")
        intake.add(tag, time, math.nan, Quality.BAD, QualityReason.NOT_A_NUMBER)
    elif not math.isfinite(value):
        intake.add(tag, time, math.nan, Quality.BAD, QualityReason.NOT_A_NUMBER)
    elif quality is not Quality.GOOD:
        intake.add(tag, time, value, quality, QualityReason.GATEWAY_FLAG)
    else:
        intake.add(tag, time, value, quality, QualityReason.LOCAL_TIME if local else QualityReason.NONE)


def _number(raw: object) -> float | None:
    """The number that a value spells; NaN where it says that there is none; None where it cannot be read."""
    if raw is None:
        return math.nan
    if isinstance(raw, (bool, int, float)):
        return float(raw)
    if isinstance(raw, str):
        text = raw.strip()
        if _NUMBER.fullmatch(text):
            return float(text)
        return math.nan if text.lower() in _NO_NUMBER else None
    return None


def _shown(raw: object) -> str:
    """A parsed value in a few words: whoever sends a megabyte or a thousand brackets gets no copy of them."""
    if isinstance(raw, str):
        return repr(raw[:_SHOWN_LENGTH])
    if isinstance(raw, dict):
        return "an object"
    return "an array" if isinstance(raw, list) else repr(raw)
