"""Parts of the service, made from the settings."""

import numpy as np

from alerting.announcer import BrokerAddress
from domain.clock import Clock
from domain.scales import RuleKind
from domain.site import Site
from historian.embedded import DuckDBHistorian
from historian.influx import InfluxHistorian
from historian.protocol import Historian
from historian.spool import Spool
from ingest.decoder import live_clock
from ingest.links.mqtt5_link import Mqtt5Link
from ingest.links.paho_link import PahoLink
from ingest.links.protocol import Link, LinkSettings, Subscription, parse_broker_url
from rules.engine import RuleEngine, TagColumns
from rules.expressions import programs_of
from service.config import Settings

SHORTEST_MEMORY, LONGEST_MEMORY = 120_000, 900_000
"""ms of readings kept in the spool to rebuild the state of the rules from; at least, at most [ours]."""


def broker_address(settings: Settings, embedded_port: int | None) -> BrokerAddress:
    """Where to publish; ``embedded_port`` is the port of the broker in our own process, if there is one."""
    broker = settings.broker
    password = broker.password.get_secret_value() if broker.password else None
    host, port, tls = parse_broker_url(broker.url)
    if embedded_port is not None:
        host, port = "127.0.0.1", embedded_port
    return BrokerAddress(host, port, f"{broker.client_id}-alarms", broker.username, password, tls=tls is not None)


def make_link(settings: Settings, address: BrokerAddress, clock: Clock) -> Link:
    """The link that readings come in by."""
    broker = settings.broker
    _, _, tls = parse_broker_url(broker.url)
    asked = LinkSettings(
        client_id=broker.client_id,
        subscriptions=(Subscription("anshao/v1/+/+/data"), Subscription("anshao/v1/+/+/status", retained=True)),
        host=address.host,
        port=address.port,
        tls=tls,
        username=address.username,
        password=address.password,
        session_expiry=broker.session_expiry // 1000,
    )
    if broker.link == "paho" or broker.embedded:
        return PahoLink(asked, clock)
    return Mqtt5Link(asked, clock)


def make_historian(settings: Settings) -> Historian:
    """The store of samples."""
    chosen = settings.historian
    if chosen.kind == "duckdb":
        return DuckDBHistorian(chosen.path)
    return InfluxHistorian(
        chosen.url,
        write_api=chosen.write_api,
        database=chosen.database,
        org=chosen.org,
        bucket=chosen.bucket,
        username=chosen.username,
        password=chosen.password.get_secret_value() if chosen.password else None,
        token=chosen.token.get_secret_value() if chosen.token else None,
    )


def open_spool(settings: Settings, retention: int) -> Spool:
    """The spool on disk."""
    return Spool(
        settings.data_dir / "spool",
        [tag.path for tag in settings.site.tags],
        settings.site.revision,
        max_bytes=settings.spool.max_bytes,
        segment_bytes=settings.spool.segment_bytes,
        retention=retention,
    )


def make_engine(settings: Settings, part: Site | None = None) -> RuleEngine:
    """The rules, all out; of a part of the site, where one is given."""
    site = settings.site if part is None else part
    tags = TagColumns(np.array([tag.period for tag in site.tags], dtype=np.int64), live_clock(site))
    return RuleEngine(site.rules, tags, settings.lateness, settings.clock_tolerance, programs_of(site), site.selectors)


def memory_of(site: Site) -> int:
    """How far back, ms, the state of a rule can reach."""
    rules = site.rules
    timed = rules.kind != RuleKind.STALE
    spans = [int(column[timed].max(initial=0)) for column in (rules.on_delay, rules.off_delay, rules.window)]
    spans += [extra.reference.window for extra in rules.extras.values() if extra.reference is not None]
    spans += [extra.model.memory for extra in rules.extras.values() if extra.model is not None]
    return min(max(max(spans) + 60_000, SHORTEST_MEMORY), LONGEST_MEMORY)
