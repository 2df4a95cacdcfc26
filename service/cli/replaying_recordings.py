"""``anshao replay`` of recordings: what arrived, in its order, each gateway by a connection of its own."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import typer

from domain.samples import SampleBlock
from domain.scales import Quality
from domain.site import Site
from ingest.links.protocol import parse_broker_url
from service.cli.datasets import LISTED, bars, refused
from service.config import ConfigurationError, format_faults, load_site
from simulators.link import Link, Value
from simulators.publisher import LinkLost
from simulators.scenarios.publishing import Message, publish_messages
from tuning.readings.recorded import Clocking
from tuning.readings.recording import Recording, RecordingError

ROWS = 4_096
"""Readings that are made messages of at once."""


def replay_recording(
    path: Path,
    site_file: Path,
    pace: float | None,
    clocking: Clocking,
    broker: str,
    username: str | None,
    password: str | None,
) -> None:
    """Publish a recording as the gateways of the site that its tags have. Exit status 2, or 1 for what failed."""
    try:
        site = load_site([site_file])
        host, port, tls = parse_broker_url(broker)
        recording = Recording(path)
        gateways = _gateways(site, recording, clocking)
    except ConfigurationError as error:
        raise refused(format_faults(error.faults)) from None
    except (RecordingError, ValueError) as error:
        raise refused(str(error)) from None
    links = {
        name: Link(
            name.partition("/")[0], name.partition("/")[2], host, port, password=password, tls=tls, username=username
        )
        for name in dict.fromkeys(gateways.values())
    }
    now = time.time_ns() // 1_000_000
    shift = {Clocking.SOURCE: 0, Clocking.BEGINS_NOW: now - recording.begin, Clocking.ENDS_NOW: now - recording.end + 1}
    try:
        with bars() as progress:
            bar = progress.add_task(path.name, total=int(recording.counts[list(gateways)].sum()))
            batches = _messages(recording, gateways, lambda count: progress.advance(bar, count))
            count = asyncio.run(publish_messages(batches, links, shift=shift[clocking], speed=pace))
    except LinkLost as error:
        typer.echo(f"{error}; published in part. Is the broker running at {broker}?", err=True)
        raise typer.Exit(1) from None
    except RecordingError as error:
        typer.echo(f"{error}; published in part", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{count:,} messages published as {', '.join(links)}")
    unknown = [tag.path for tag in recording.tags if tag.path not in site.tag_index]
    if unknown:
        more = " …" if len(unknown) > LISTED else ""
        typer.echo(f"left out {len(unknown)} tags that the site does not have: {', '.join(unknown[:LISTED])}{more}")


def _gateways(site: Site, recording: Recording, clocking: Clocking) -> dict[int, str]:
    """Path of the gateway of each recorded tag, by its index in the recording."""
    found = {}
    for index, recorded in enumerate(recording.tags):
        place = site.tag_index.get(recorded.path)
        if place is not None and not site.tags[place].system:
            tag = site.tags[place]
            gateway = site.gateways[tag.enterprise, tag.gateway]
            if clocking is Clocking.SOURCE and gateway.clock != "source":
                raise ValueError(
                    f"--clock source: the service would take old readings of {gateway.path} for late ones. "
                    "Set `clock: source` on this gateway in the site file, and restart the service with that file."
                )
            found[index] = gateway.path
    if not found:
        raise ValueError(f"{recording.path}: the site has none of its tags; is it the right --site?")
    return found


def _messages(
    recording: Recording, gateways: Mapping[int, str], done: Callable[[int], None]
) -> Iterator[Sequence[Message]]:
    """What arrived, as messages: one for the readings of a gateway that were made and arrived together."""
    names = [tag.path.partition("/")[2] for tag in recording.tags]
    for block in recording.read_tags(list(gateways)):
        for begin in range(0, len(block), ROWS):
            part = block.take(slice(begin, begin + ROWS))
            yield _grouped(part, names, gateways)
            done(len(part))


def _grouped(block: SampleBlock, names: Sequence[str], gateways: Mapping[int, str]) -> Sequence[Message]:
    found: list[Message] = []
    together: tuple[int, str, int] | None = None
    values: dict[str, Value] = {}
    columns = (block.tag, block.source_time, block.received_time, block.value, block.quality)
    for tag, source, received, value, quality in zip(*(column.tolist() for column in columns), strict=True):
        key, name = (received, gateways[tag], source), names[tag]
        if key != together or name in values:
            values = {}
            together = key
            found.append((*key, values))
        values[name] = value if quality == Quality.GOOD else _flagged(value, quality)
    return found


def _flagged(value: float, quality: int) -> Value:
    none = quality == Quality.BAD or value != value  # noqa: PLR0124 - not a number
    return {"v": None if none else value, "q": quality}
