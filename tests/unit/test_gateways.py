"""What the service knows of its gateways: whether they are there, what they send, how far their clocks are off."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.site import Site
from domain.transitions import Transition
from ingest.decoder import Decoder
from service.conditions import SystemConditions
from service.config import load_site
from service.gateways import CLOCK_CALM, Gateways
from tests import hostile
from tests.running import site_of, write_yaml
from tests.sent import Sent

NOON = 1_750_075_200_000
TOLERANCE = 5_000
FUTURE = 600_000


class Watch:
    """Gateways gw1, gw2 and a replay, fed with messages; says what was transitioned, like ``["gw1 LINK in"]``."""

    def __init__(self, site: Site, inside: tuple[str, ...] = ()) -> None:
        self.site = site
        self.conditions = SystemConditions(site, inside)
        self.decoder = Decoder(site, FUTURE)
        self.gateways = Gateways(site, self.conditions, TOLERANCE, NOON)

    def gets(self, *messages: Sent, at: float = 0) -> list[str]:
        """Messages arrive so many seconds after noon."""
        now = ms(at)
        self.gateways.take(self.decoder.decode(messages, now), now)
        return self.told()

    def waits_until(self, at: float) -> list[str]:
        """Time passes."""
        self.gateways.advance(ms(at))
        return self.told()

    def told(self) -> list[str]:
        """The transitions since the last time."""
        return [self._tell(transition) for transition in self.conditions.take()]

    def shown(self, gateway: str) -> dict[str, Any]:
        """As the API shows it."""
        (found,) = [state for state in self.gateways.visible() if state.gateway.id == gateway]
        return found.describe()

    def _tell(self, transition: Transition) -> str:
        gateway, key = self.site.rule_path(transition.rule).split("/")[1:]
        return f"{gateway.removeprefix('@')} {key} {'in' if transition.entered else 'out'}"


def ms(second: float) -> int:
    """Seconds after noon, as ms UTC."""
    return NOON + round(second * 1000)


def reading(at: float, gateway: str = "gw1", **values: Any) -> Sent:
    """A message of readings with this source time."""
    return Sent(f"anshao/v1/works/{gateway}/data", json.dumps({"ts": ms(at), "values": values}).encode())


def status(online: object, gateway: str = "gw1", *, retain: bool = False) -> Sent:
    """A gateway's status, or its last will."""
    return Sent(f"anshao/v1/works/{gateway}/status", json.dumps({"online": online}).encode(), retain)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    content = site_of(
        [
            {
                "id": "tankfarm",
                "name": "罐区",
                "tags": [
                    {"tag": tag, "measurand": "temperature", "gateway": gateway}
                    for tag, gateway in (("T1", "gw1"), ("T2", "gw1"), ("T3", "gw2"), ("T4", "replay"))
                ],
            }
        ],
        gateways=[
            {"id": "gw1", "name": "一号"},
            {"id": "gw2", "name": "二号"},
            {"id": "replay", "name": "回放", "clock": "source"},
        ],
    )
    return load_site([write_yaml(tmp_path_factory.mktemp("site") / "site.yaml", content)])


def test_at_first_nothing_is_known(site: Site) -> None:
    watch = Watch(site)
    assert watch.gateways.counts() == {"online": 0, "offline": 0, "unknown": 3}
    assert watch.shown("gw1") == {
        "enterprise": "works", "gateway": "gw1", "name": "一号", "status": "unknown",
        "since": "2025-06-16T12:00:00.000Z", "last_received": None, "last_heard": None,
        "messages": 0, "readings": 0, "refused": 0, "clock_skew_ms": None, "clock": "live", "session": None,
    }  # fmt: skip


def test_a_reading_shows_that_its_gateway_is_there(site: Site) -> None:
    watch = Watch(site)
    assert watch.gets(reading(1, T1=5, T2=6), reading(2, T1=7), reading(2, "gw2", T3=1), at=3) == []
    assert watch.gateways.counts() == {"online": 2, "offline": 0, "unknown": 1}
    shown = watch.shown("gw1")
    assert (shown["status"], shown["messages"], shown["readings"]) == ("online", 2, 3)
    assert shown["clock_skew_ms"] == 1_000
    assert shown["since"] == shown["last_received"] == shown["last_heard"] == "2025-06-16T12:00:03.000Z"


def test_readings_of_a_block_are_counted_to_their_own_gateway(site: Site) -> None:
    watch = Watch(site)
    for second in range(5):
        watch.gets(*[reading(second, T1=1, T2=2)] * 3, reading(second, "gw2", T3=1), at=second)
    assert [watch.shown(name)["readings"] for name in ("gw1", "gw2", "replay")] == [30, 5, 0]


def test_a_last_will_is_an_alarm_of_the_link_until_the_gateway_is_back(site: Site) -> None:
    watch = Watch(site)
    assert watch.gets(status(online=True), at=1) == []
    assert watch.gets(status(online=False), at=2) == ["gw1 LINK in"]
    assert watch.gets(status(online=False), at=3) == []
    assert watch.shown("gw1")["since"] == "2025-06-16T12:00:02.000Z"
    assert watch.gateways.counts()["offline"] == 1
    assert watch.gets(status(online=True), at=4) == ["gw1 LINK out"]


def test_a_reading_ends_the_links_alarm_too(site: Site) -> None:
    watch = Watch(site)
    watch.gets(status(online=False), at=1)
    assert watch.gets(reading(2, T1=1), at=2) == ["gw1 LINK out"]


def test_a_retained_status_counts_and_a_retained_reading_does_not(site: Site) -> None:
    watch = Watch(site)
    assert watch.gets(status(online=False, retain=True)) == ["gw1 LINK in"]
    kept = reading(0, T1=1)
    assert watch.gets(Sent(kept.topic, kept.payload, retain=True)) == []
    assert (watch.shown("gw1")["status"], watch.shown("gw1")["refused"]) == ("offline", 1)


def test_a_link_that_was_down_before_a_restart_is_still_down_and_comes_back_once(site: Site) -> None:
    watch = Watch(site, inside=("works/@gw1/LINK",))
    assert watch.gets(status(online=False, retain=True)) == []
    assert watch.gets(status(online=True)) == ["gw1 LINK out"]


def test_a_clock_that_is_ahead_is_an_alarm_until_it_has_been_right_for_a_while(site: Site) -> None:
    watch = Watch(site)
    assert watch.gets(reading(5, T1=1), at=0) == []  # just within the tolerance
    assert watch.gets(reading(5.1 + 1, T1=1), at=1) == ["gw1 CLOCK in"]
    assert watch.gets(reading(8, T1=1), at=2) == []
    assert watch.gets(reading(3, T1=1), at=3) == []
    calm_at = 2 + CLOCK_CALM / 1000
    assert watch.gets(reading(calm_at - 1, T1=1), at=calm_at - 1) == []
    assert watch.waits_until(calm_at) == []
    assert watch.waits_until(calm_at + 0.1) == ["gw1 CLOCK out"]


def test_a_gateway_that_was_heard_and_falls_silent_is_lost_before_its_tags_are_stale(site: Site) -> None:
    watch = Watch(site)  # a tag every second is stale after three
    assert watch.waits_until(10) == []  # never heard: nothing is known of it
    assert watch.gets(reading(10, T1=1), at=10) == []
    assert watch.waits_until(12) == []
    assert watch.waits_until(12.001) == ["gw1 LINK in"]
    assert (watch.shown("gw1")["status"], watch.shown("gw1")["since"]) == ("offline", "2025-06-16T12:00:12.001Z")
    assert watch.waits_until(100) == []
    assert watch.gets(reading(100, T2=1), at=100) == ["gw1 LINK out"]
    assert watch.waits_until(102.5) == ["gw1 LINK in"]


@pytest.mark.parametrize(
    ("news", "is_back"),
    [
        (status(online=True), True),
        (status(online=True, retain=True), False),
        (reading(20, X=1), True),  # refused: it is there all the same
        (Sent("anshao/v1/works/gw1/data", b"junk"), True),
        (Sent("anshao/v1/works/gw1/data", b"{}", retain=True), False),
    ],
)
def test_a_silent_gateway_is_back_with_the_first_message_that_the_broker_had_not_stored(
    site: Site, news: Sent, *, is_back: bool
) -> None:
    watch = Watch(site)
    watch.gets(reading(10, T1=1), at=10)
    assert watch.waits_until(13) == ["gw1 LINK in"]
    assert watch.gets(news, at=20) == (["gw1 LINK out"] if is_back else [])
    assert watch.waits_until(21) == []


def test_silence_says_nothing_while_the_service_is_cut_off_or_readings_are_awaited(site: Site) -> None:
    watch = Watch(site)
    watch.gets(reading(10, T1=1), at=10)
    watch.gateways.advance(ms(100), connected=False)
    assert watch.told() == []
    watch.gateways.advance(ms(100), awaited_since=ms(99))
    assert watch.told() == []
    watch.gateways.advance(ms(101), awaited_since=ms(99))
    assert watch.told() == []
    watch.gateways.advance(ms(101.1), awaited_since=ms(99))
    assert watch.told() == ["gw1 LINK in"]


def test_what_was_heard_before_the_start_counts(site: Site) -> None:
    watch = Watch(site)
    heard = np.zeros(len(site.tags), dtype=np.int64)
    heard[site.tag_index["works/T3"]] = ms(-5)
    watch.gateways = Gateways(site, watch.conditions, TOLERANCE, NOON, heard)
    assert watch.waits_until(0) == ["gw2 LINK in"]


def test_a_clock_that_was_ahead_before_a_restart_is_right_again_after_a_while(site: Site) -> None:
    watch = Watch(site, inside=("works/@gw1/CLOCK",))
    assert watch.waits_until(CLOCK_CALM / 1000) == []
    assert watch.waits_until(CLOCK_CALM / 1000 + 1) == ["gw1 CLOCK out"]


def test_readings_refused_as_of_the_future_are_an_alarm_of_the_clock(site: Site) -> None:
    watch = Watch(site)
    assert watch.gets(reading(3_600, T1=1, T2=2), at=0) == ["gw1 CLOCK in"]
    shown = watch.shown("gw1")
    assert (shown["refused"], shown["readings"], shown["status"]) == (1, 0, "unknown")


def test_the_clock_of_a_replay_is_nobodys_alarm(site: Site) -> None:
    watch = Watch(site)
    assert watch.gets(reading(10**8, "replay", T4=1), at=0) == []
    assert watch.shown("replay")["clock_skew_ms"] == -(10**11)


def test_a_clock_that_is_behind_is_shown_and_no_alarm(site: Site) -> None:
    watch = Watch(site)
    assert watch.gets(reading(-300, T1=1), at=0) == []
    assert watch.shown("gw1")["clock_skew_ms"] == 300_000


def test_refusals_are_counted_to_the_gateway_that_sent_them(site: Site) -> None:
    watch = Watch(site)
    topic = "anshao/v1/works/gw1/data"
    watch.gets(
        Sent(topic, b"junk"),
        Sent(topic, b"[]"),
        reading(0, X=1, Y=2, T3=3, T1=4),
        Sent("anshao/v1/works/gw2/status", b"junk"),
        Sent("anshao/v1/works/gw9/data", b"junk"),
        Sent("anshao/v1/nobody/gw1/data", b"junk"),
    )
    assert [watch.shown(name)["refused"] for name in ("gw1", "gw2", "replay")] == [4, 1, 0]
    assert watch.shown("gw1")["readings"] == 1


def test_the_services_own_gateway_is_not_shown_and_has_no_alarms(site: Site) -> None:
    watch = Watch(site)
    canary = Sent(
        "anshao/v1/anshao/canary/data", json.dumps({"ts": ms(3600), "values": {"canary-reading": 1}}).encode()
    )
    assert watch.gets(canary, Sent("anshao/v1/anshao/canary/status", b'{"online": false}')) == []
    assert [state.gateway.id for state in watch.gateways.visible()] == ["gw1", "gw2", "replay"]


def test_hostile_messages_are_counted_one_by_one(tmp_path: Path) -> None:
    watch = Watch(load_site([write_yaml(tmp_path / "site.yaml", hostile.site())]))
    for case in hostile.corpus(NOON):
        before = watch.shown("gw1")
        watch.gets(Sent(case.topic, case.payload, case.retain))
        after = watch.shown("gw1")
        mine = case.topic in {hostile.DATA, hostile.STATUS}
        assert after["readings"] - before["readings"] == len(case.readings), case
        assert after["refused"] - before["refused"] == (len(case.refused) if mine else 0), case
