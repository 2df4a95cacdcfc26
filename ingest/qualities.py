"""Qualities as gateways in the field write them."""

from domain.scales import Quality

_OPC_UA_BAD = 0x8000_0000
_OPC_UA_UNCERTAIN = 0x4000_0000
_BYTE = 0xFF

_WORDS = {
    "good": Quality.GOOD,
    "true": Quality.GOOD,
    "uncertain": Quality.UNCERTAIN,
    "bad": Quality.BAD,
    "false": Quality.BAD,
}


def parse_quality(raw: object) -> Quality:
    """Quality of a reading.

    Good is only 192 to 255 (the classic OPC quality byte), ``true``, ``"good"`` or an OPC UA name that begins with
    Good; 64 to 127 and OPC UA Uncertain are UNCERTAIN; everything else is BAD, what cannot be read included.
    """
    if isinstance(raw, bool):
        return Quality.GOOD if raw else Quality.BAD
    if isinstance(raw, str):
        return _word(raw.strip().lower())
    if isinstance(raw, (int, float)):
        return _number(raw)
    return Quality.BAD


def _word(text: str) -> Quality:
    if text.isascii() and text.isdecimal() and len(text) <= len(str(_OPC_UA_BAD)):
        return _number(int(text))
    for word, quality in _WORDS.items():
        if text.startswith(word):
            return quality
    return Quality.BAD


def _number(code: float) -> Quality:
    if Quality.GOOD <= code <= _BYTE:
        return Quality.GOOD
    if Quality.UNCERTAIN <= code < 2 * Quality.UNCERTAIN or _OPC_UA_UNCERTAIN <= code < _OPC_UA_BAD:
        return Quality.UNCERTAIN
    return Quality.BAD
