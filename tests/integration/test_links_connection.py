"""Both links under one suite, against a real Mosquitto: coming back, saying why not, publishing, leaving."""

import asyncio
import os
import signal
import ssl
import subprocess
from pathlib import Path

import pytest

from ingest.links.protocol import (
    LinkDown,
    LinkStatus,
    PublishRefused,
)
from tests import servers
from tests.integration.links import (
    DATA,
    DEADLINE,
    LINKS,
    STATUS,
    connected,
    numbered,
    payloads,
    publish,
    settings_for,
    take,
    until,
)

pytestmark = pytest.mark.servers


@pytest.fixture(params=LINKS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def test_a_broker_that_has_forgotten_the_session_is_subscribed_to_again(kind: str) -> None:
    with servers.mosquitto(persistence=False) as broker:
        async with connected(kind, broker.port) as link:
            await asyncio.to_thread(broker.restart)
            await until(lambda: link.generation == 2 and link.status.connected)
            assert not link.status.session_present
            await publish(broker.port, [b"after"])
            assert payloads(await take(link, 1)) == [b"after"]


async def test_a_frozen_broker_is_noticed(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port, keep_alive=2) as link:
        changes: list[LinkStatus] = []
        link.on_change = changes.append
        broker.pause()
        await until(lambda: not link.status.connected)
        assert "does not answer" in link.status.detail
        assert changes[0] == link.status
        broker.resume()
        await until(lambda: link.status.connected)
        await publish(broker.port, [b"after"])
        assert payloads(await take(link, 1)) == [b"after"]


async def test_a_frozen_broker_does_not_hold_up_stopping(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port):
        broker.pause()
    async with asyncio.timeout(DEADLINE):
        link = LINKS[kind](settings_for(broker.port, connect_timeout=0.2))
        await link.start()
        await until(lambda: "does not answer" in link.status.detail)
        await link.stop()


async def test_a_wrong_password_surfaces_and_a_corrected_one_connects(kind: str, tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"

    def set_password(password: str) -> None:
        # made elsewhere and moved, since the running broker reads the file
        subprocess.run(["mosquitto_passwd", "-c", "-b", f"{passwords}.new", "anshao", password], check=True)
        Path(f"{passwords}.new").rename(passwords)

    set_password("old")
    with servers.mosquitto(password_file=str(passwords), allow_anonymous=False) as broker:
        link = LINKS[kind](settings_for(broker.port, username="anshao", password="new"))
        await link.start()
        try:
            await until(lambda: "refused" in link.status.detail)
            assert "not authori" in link.status.detail
            assert not link.status.connected
            with pytest.raises(LinkDown, match="refused"):
                await link.publish("elsewhere", b"")
            set_password("new")
            assert broker.process is not None
            broker.process.send_signal(signal.SIGHUP)
            await until(lambda: link.status.connected)
        finally:
            await link.stop()


async def test_a_publish_returns_when_the_broker_has_it(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port, publish_window=50) as link:
        async with asyncio.TaskGroup() as group:  # more than the window
            for body in numbered(500):
                group.create_task(link.publish(DATA, body))
        assert sorted(payloads(await take(link, 500))) == sorted(numbered(500))
        await link.publish(STATUS, b"online", retain=True)
        await link.publish(DATA, b"no answer expected", qos=0)
        await take(link, 2)
        with pytest.raises(ValueError, match="QoS"):
            await link.publish(DATA, b"", qos=2)


async def test_a_publish_without_connection_says_so(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port) as link:
        broker.pause()
        waiting = [asyncio.create_task(link.publish(DATA, body)) for body in numbered(3)]
        await asyncio.sleep(0)
        broker.kill()
        for outcome in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(outcome, LinkDown)
        await until(lambda: not link.status.connected)
        with pytest.raises(LinkDown):
            await link.publish(DATA, b"")
    with pytest.raises(LinkDown):
        await link.publish(DATA, b"")


async def test_a_publish_that_the_broker_would_not_take_is_refused_and_the_link_stays() -> None:
    with servers.mosquitto(max_packet_size=1000) as broker:
        async with connected("mqtt5", broker.port) as link:
            with pytest.raises(PublishRefused, match="at most 1000"):
                await link.publish(DATA, bytes(2000))
            assert link.generation == 1
            await link.publish(DATA, bytes(100))


async def test_a_broker_that_is_not_there_is_waited_for(kind: str, broker: servers.Broker) -> None:
    broker.stop()
    link = LINKS[kind](settings_for(broker.port))
    changes: list[LinkStatus] = []
    link.on_change = changes.append
    await link.start()
    try:
        await until(lambda: "refused" in link.status.detail.lower())
        assert not link.status.connected
        await asyncio.to_thread(broker.start)
        await until(lambda: link.status.connected)
        assert changes[-1].connected
        assert changes[-1].since >= changes[0].since
    finally:
        await link.stop()


async def test_stopping_ends_the_waiting_and_keeps_the_session(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port) as link:
        waiting = asyncio.create_task(link.messages())
        await asyncio.sleep(0)
        await publish(broker.port, [b"taken"])
        batch = await waiting
        waiting = asyncio.create_task(link.messages())
        await asyncio.sleep(0)
        link.acknowledge(*batch)
        await link.stop()  # the acknowledgement goes out before
        with pytest.raises(LinkDown):
            await waiting
        assert link.status.detail == "stopped"
        link.acknowledge(*batch)
    await publish(broker.port, [b"while away"])
    async with connected(kind, broker.port) as link:
        assert payloads(await take(link, 1)) == [b"while away"]


async def test_a_link_that_was_never_started_stops(kind: str) -> None:
    await LINKS[kind](settings_for(1)).stop()


async def test_a_listener_that_fails_does_not_keep_the_link_down(kind: str, broker: servers.Broker) -> None:
    link = LINKS[kind](settings_for(broker.port))

    def listener(_: LinkStatus) -> None:
        raise RuntimeError("listener")

    link.on_change = listener
    await link.start()
    await until(lambda: link.status.connected)
    await asyncio.to_thread(broker.restart)
    await until(lambda: link.status.connected and link.generation == 2)
    await link.stop()


async def test_a_connection_over_tls(kind: str, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 2 -subj /CN=localhost"
    made = await asyncio.create_subprocess_exec(
        *make.split(), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", stderr=subprocess.DEVNULL
    )
    assert await made.wait() == 0
    trusting = ssl.create_default_context(cafile=str(certificate))
    with servers.mosquitto(certfile=str(certificate), keyfile=str(key)) as broker:
        async with connected(kind, broker.port, tls=trusting) as link:
            large = os.urandom(2 * 1024 * 1024)
            for body in [*numbered(2000), large, b"last"]:
                await link.publish(DATA, body, qos=1 if len(body) > 10 else 0)
            assert payloads(await take(link, 2002)) == [*numbered(2000), large, b"last"]
        stranger = LINKS[kind](settings_for(broker.port, tls=ssl.create_default_context()))
        await stranger.start()
        await until(lambda: "certificate" in stranger.status.detail.lower())
        await stranger.stop()
