"""``anshao record``."""

import asyncio
import secrets
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import structlog
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from domain.clock import Clock
from domain.samples import Int32
from domain.site import Site
from ingest.decoder import Decoder
from ingest.links.mqtt5_link import Mqtt5Link
from ingest.links.paho_link import PahoLink
from ingest.links.protocol import Link, LinkDown, LinkSettings, LinkStatus, Message, Subscription, parse_broker_url
from service.cli.datasets import (
    console,
    has_ledger,
    instant,
    measured,
    record_history,
    refused,
    revisions_in_force,
    settings_or_exit,
    tags_or_exit,
)
from service.cli.held import settings_that_hold
from service.cli.outputs import check_outputs, check_recording
from service.clock import SystemClock
from service.config import ConfigurationError, Settings
from service.config.quantities import parse_positive_duration
from service.logs import configure_logs
from service.parts import broker_address
from tuning.readings.conversion import described
from tuning.readings.recording import About, RecordingWriter

SLICE = 4_096
"""Messages that are taken for received at one instant, as the service does."""
SHOWN_EVERY = 0.25
"""Seconds between two looks at the clock."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    config: Path
    out: Path
    duration: str | None
    begin: str | None
    end: str | None
    tags: str | None


@dataclass(slots=True)
class Counts:
    """What a recording of a live stream has come to."""

    messages: int = 0
    readings: int = 0
    refused: int = 0
    left_out: int = 0
    """Readings of tags that were not asked for."""
    connected: bool = False
    """Whether there was a connection to the broker at all."""
    apart: int = 0
    """ms without a connection to the broker, after the first."""


def run_record(asked: Asked) -> None:
    """Record the live stream, or a range of the historian. Exit status 2 for what cannot be begun."""
    configure_logs("warning", "console")
    check_outputs({"--out": asked.out})
    check_recording("--out", asked.out)
    settings = asyncio.run(_newest(settings_or_exit(asked.config)))
    names = None if asked.tags is None else [name for name in asked.tags.split(",") if name]
    paths = measured(settings.site)
    if names is not None:
        paths = tags_or_exit(settings.site, names)
    if asked.out.exists():
        raise refused(f"{asked.out} is there already: delete it, or write to another file")
    try:
        if asked.begin is not None or asked.end is not None:
            _record_range(settings, asked, paths)
        else:
            _record_live(settings, asked, paths)
    except OSError as error:
        raise refused(f"{asked.out}: {error.strerror or error}") from None


async def _newest(settings: Settings) -> Settings:
    """As the ledger has them, if it is there: a running service goes by its newest revision."""
    from alerting.ledger.ledger import Ledger, LedgerUnavailable  # noqa: PLC0415

    if not has_ledger(settings):
        return settings
    ledger = Ledger(settings.ledger.url.get_secret_value())
    try:
        return await settings_that_hold(settings, ledger)
    except LedgerUnavailable as fault:
        typer.echo(f"note: the ledger cannot be read ({fault}); the files are taken", err=True)
        return settings
    finally:
        await ledger.close()


def _record_range(settings: Settings, asked: Asked, paths: Sequence[str]) -> None:
    if asked.begin is None or asked.end is None or asked.duration is not None:
        raise refused(
            "a range of the historian needs --from and --to, and no --for; without them the live stream is recorded"
        )
    rows = record_history(settings, paths, instant(asked.begin, "--from"), instant(asked.end, "--to"), asked.out)
    typer.echo(f"{rows:,} 读数 readings -> {asked.out}")
    if not rows:
        typer.echo(
            "无读数 the historian has no reading of these tags in this range: look at --from, --to, --tags", err=True
        )


def _record_live(settings: Settings, asked: Asked, paths: Sequence[str]) -> None:
    try:
        length = None if asked.duration is None else parse_positive_duration(asked.duration)
    except (ValueError, ConfigurationError) as error:
        raise refused(f"--for {asked.duration}: {error}") from None
    clock = SystemClock()
    begin = clock.now()
    site = settings.site
    about = About(
        tuple(described(site, path) for path in paths),
        made_by="record",
        live_clock=any(gateway.clock == "live" for gateway in site.gateways.values()),
    )
    counts = Counts()
    with _bars() as progress, RecordingWriter(asked.out, about) as writer:
        bar = progress.add_task("录制 recording", total=length, readings=0)

        def show() -> None:
            progress.update(bar, completed=clock.now() - begin, readings=f"{counts.readings:,}")

        recorder = Recorder(site, paths, settings.future, writer, clock, counts)
        asyncio.run(_until_told(make_link(settings, clock), recorder, length, show))
        writer.describe(replace(about, in_force=asyncio.run(revisions_in_force(settings, begin, None))))
    if not counts.connected:
        asked.out.unlink()
        typer.echo(
            f"未连接 never connected to the broker at {settings.broker.url}: nothing was recorded. Look at broker.url "
            "and its credentials; a broker that speaks only MQTT 3.1.1 wants `link: paho` under broker",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo(f"{counts.readings:,} 读数 readings, {counts.messages:,} 报文 messages -> {asked.out}")
    if counts.refused:
        typer.echo(f"拒收 refused: {counts.refused:,} (the service keeps the same ones in quarantine, with reasons)")
    if counts.left_out:
        typer.echo(f"其他位号 of other tags, not asked for: {counts.left_out:,} 读数 readings")
    if counts.apart:
        typer.echo(f"断开 without a connection for {counts.apart / 1000:.1f} s: what came then is not in the file")


def make_link(settings: Settings, clock: Clock) -> Link:
    """A link of our own, whose session ends with it: a session that is left behind would fill the broker."""
    broker = settings.broker
    address = broker_address(settings, None)
    asked = LinkSettings(
        client_id=f"{broker.client_id}-record-{secrets.token_hex(4)}",
        subscriptions=(Subscription("anshao/v1/+/+/data"),),
        host=address.host,
        port=address.port,
        tls=parse_broker_url(broker.url)[2],
        username=address.username,
        password=address.password,
        session_expiry=0,
    )
    if broker.link == "paho" or broker.embedded:
        return PahoLink(asked, clock)
    return Mqtt5Link(asked, clock)


class Recorder:
    """Decodes messages as the service does and writes their readings."""

    def __init__(
        self, site: Site, paths: Sequence[str], future: int, writer: RecordingWriter, clock: Clock, counts: Counts
    ) -> None:
        self._decoder = Decoder(site, future)
        self._writer = writer
        self._clock = clock
        self.counts = counts
        self._number: Int32 = np.full(len(site.tags), -1, dtype=np.int32)
        self._number[[site.tag_index[path] for path in paths]] = np.arange(len(paths))

    async def record(self, link: Link) -> None:
        """Until the link is stopped."""
        while True:
            try:
                batch = await link.messages()
            except LinkDown:
                return
            for start in range(0, len(batch.messages), SLICE):
                self.take(batch.messages[start : start + SLICE])
                await asyncio.sleep(0)
            link.acknowledge(batch.generation, batch.messages)

    def take(self, messages: Sequence[Message]) -> None:
        """Write the readings of some messages."""
        decoded = self._decoder.decode(messages, self._clock.now())
        block = decoded.block
        self.counts.messages += len(messages)
        self.counts.refused += len(decoded.refusals)
        if not len(block):
            return
        tag = self._number[block.tag]
        asked = tag >= 0
        self.counts.left_out += int((~asked).sum())
        self.counts.readings += int(asked.sum())
        if asked.any():
            self._writer.write(replace(block, tag=tag).take(asked))


async def _until_told(link: Link, recorder: Recorder, length: int | None, show: Callable[[], None]) -> None:
    """Record for ``length`` ms, or until Ctrl-C or SIGTERM."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    gaps = _Gaps(recorder.counts)
    link.on_change = gaps.note
    await link.start()
    recording = asyncio.create_task(recorder.record(link))
    deadline = None if length is None else loop.time() + length / 1000
    try:
        while not told.is_set() and not recording.done() and (deadline is None or loop.time() < deadline):
            rest = SHOWN_EVERY if deadline is None else min(SHOWN_EVERY, max(deadline - loop.time(), 0.0))
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), rest)
            show()
    finally:
        gaps.end(link.status)
        await link.stop()
        await recording


class _Gaps:
    """Adds up for how long there was no connection, and says so when it is lost."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._lost: int | None = None

    def note(self, status: LinkStatus) -> None:
        """The link has changed."""
        if status.connected:
            if not self._counts.connected:
                typer.echo("已连接 connected to the broker, recording", err=True)
            self._counts.connected = True
            self._close(status.since)
        elif self._lost is None:
            self._lost = status.since if self._counts.connected else None
            log.warning("no connection to the broker", detail=status.detail)

    def end(self, status: LinkStatus) -> None:
        """Recording ends."""
        if not status.connected:
            self._close(SystemClock().now())

    def _close(self, now: int) -> None:
        if self._lost is not None:
            self._counts.apart += max(now - self._lost, 0)
        self._lost = None


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[readings]} 读数 readings"),
        console=console,
        transient=True,
    )
