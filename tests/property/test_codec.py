"""Whatever a gateway sends: nothing but a refusal comes of it, and no message beside it is lost."""

import json
import math
import random
from collections.abc import Iterable
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
from tests.generated import KEYS, NASTY, Made, make
from tests.hostile import DATA
from tests.running import write_yaml
from tests.sent import Sent

NOW = 1_750_032_000_000
FUTURE = 600_000
BATCH = 200
EXAMPLES = 520
"""With ``BATCH`` payloads each: 104,000."""
BEFORE = b'{"ts": %d, "values": {"PI-101": 1.25}}' % (NOW - 2)
AFTER = b'{"ts": %d, "values": {"TI-101": {"v": "-3.5", "q": 192}}}' % (NOW - 1)
GOOD = [("PI-101", NOW - 2, 1.25, 192), ("TI-101", NOW - 1, -3.5, 192)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return load_site([write_yaml(tmp_path_factory.mktemp("site") / "site.yaml", hostile.site())])


@pytest.fixture(scope="module")
def decoder(site: Site) -> Decoder:
    return Decoder(site, FUTURE)


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
        check(make(dice, NOW), decoder, site)


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
