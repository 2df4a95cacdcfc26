"""Sections of the main file. Durations are in ms, sizes in bytes; secrets are ``SecretStr``, shown by no repr."""

import re
from datetime import date, datetime, time, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from alerting.alarms.limits import AlarmLimits
from alerting.kpi.targets import Targets, load_targets, over_shipped
from service.accounts.account import Role, Scope, unfit
from service.config.quantities import Duration, Identifier, Name, PathText, PositiveDuration, Size, refusal
from service.config.validation import Section

_LIMITS = AlarmLimits()
_MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}


def _split(url: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    """Parts of a URL. Raises ``refusal``; never repeats the URL, which may hold a password."""
    remedy = f"Write for example {example}."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refusal("not a URL", remedy) from None
    if parts.scheme not in schemes:
        raise refusal(f"the URL must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}", remedy)
    if not parts.hostname or (port == 0 and "mqtt" not in schemes):
        raise refusal("the URL names no host, or port 0", remedy)
    if parts.username is not None or parts.password is not None:
        raise refusal(
            "the URL holds a user name or a password", "Give them under keys of their own, or by environment."
        )
    return parts


def _mqtt_url(url: str) -> str:
    parts = _split(url, ("mqtt", "mqtts"), "mqtt://127.0.0.1:1883")
    if parts.path not in ("", "/") or parts.query:
        raise refusal("a broker's URL has no path", "Write for example mqtt://127.0.0.1:1883.")
    return url


def _http_url(url: str) -> str:
    _split(url, ("http", "https"), "http://127.0.0.1:8086")
    return url


def _a_shift(milliseconds: int) -> int:
    if milliseconds > _LIMITS.longest_shelving:
        raise refusal("longer than 8 h", "Shelve for 8h at the most, and extend with a new reason.")
    return milliseconds


class BrokerSettings(Section):
    """The MQTT broker, and how to speak to it."""

    url: Annotated[str, AfterValidator(_mqtt_url)] = "mqtt://127.0.0.1:1883"
    link: Literal["mqtt5", "paho"] = "mqtt5"
    client_id: Name = "anshao"
    username: str | None = None
    password: SecretStr | None = None
    embedded: bool = False
    session_expiry: Duration = 86_400_000

    @model_validator(mode="before")
    @classmethod
    def _link_of_embedded_broker(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("embedded") is True:
            return {"link": "paho"} | data
        return data

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.embedded and self.link != "paho":
            remedy = "Write `link: paho` or delete the line: the embedded broker speaks MQTT 3.1.1 only."
            raise refusal("the embedded broker cannot be reached by mqtt5", remedy, at=("link",))
        if self.port == 0 and not self.embedded:
            raise refusal("port 0 is for the embedded broker only", "Write the broker's port.", at=("url",))
        if self.username is not None and self.password is None:
            remedy = "Set ANSHAO_BROKER_PASSWORD, or write `password: …` here."
            raise refusal("a user name without a password", remedy, at=("password",))
        return self

    @property
    def host(self) -> str:
        """Host of the URL."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Port of the URL, else MQTT's own of its scheme; 0, any free one, for the embedded broker only."""
        parts = urlsplit(self.url)
        return _MQTT_PORTS[parts.scheme] if parts.port is None else parts.port

    @property
    def tls(self) -> bool:
        """Whether the URL asks for TLS."""
        return self.url.startswith("mqtts:")


class HistorianSettings(Section):
    """The store of samples."""

    kind: Literal["influxdb", "duckdb"] = "influxdb"
    url: Annotated[str, AfterValidator(_http_url)] = "http://127.0.0.1:8086"
    write_api: Literal["v1", "v2"] = "v2"
    database: Name = "anshao"
    org: Name = "anshao"
    bucket: Name = "anshao"
    username: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    batch: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 5_000
    path: Path = Path("history.duckdb")
    """Absolute in ``Settings``."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind != "influxdb":
            return self
        if self.username is not None and self.password is None:
            remedy = "Set ANSHAO_HISTORIAN_PASSWORD, or write `password: …` here."
            raise refusal("a user name without a password", remedy, at=("password",))
        if self.write_api == "v2" and self.token is None and self.username is None:
            remedy = 'Set ANSHAO_HISTORIAN_TOKEN, or write `token: …`; `token: ""` for a server that asks for none.'
            raise refusal("the v2 write API needs a token", remedy, at=("token",))
        return self


class SpoolSettings(Section):
    """The buffer on disk before the historian."""

    max_bytes: Size = 8 * 10**9
    warn_at: Annotated[float, Field(strict=True, gt=0, lt=1)] = 0.5
    segment_bytes: Size = 16 * 10**6

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.segment_bytes > self.max_bytes:
            remedy = "Make segment_bytes a small part of max_bytes."
            raise refusal("one segment is larger than the whole spool", remedy, at=("segment_bytes",))
        return self


def _ledger_url(secret: SecretStr) -> SecretStr:
    url = secret.get_secret_value()
    remedy = "Write sqlite+aiosqlite:///ledger.sqlite or postgresql+asyncpg://user:password@host/database."
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise refusal("the ledger's URL must begin with sqlite+aiosqlite:// or postgresql+asyncpg://", remedy)
    if scheme == "sqlite+aiosqlite":
        if not rest.startswith("/") or rest == "/":
            raise refusal("the ledger's URL names no file after sqlite+aiosqlite:///", remedy)
        return secret
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname and parts.port != 0 and parts.path.strip("/"))
    except ValueError:
        named = False
    if not named:
        raise refusal("the ledger's URL names no host or no database", remedy)
    return secret


class LedgerSettings(Section):
    """The relational database."""

    url: Annotated[SecretStr, AfterValidator(_ledger_url)] = SecretStr("sqlite+aiosqlite:///ledger.sqlite")
    """A SQLite file is absolute in ``Settings``."""


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise refusal(
            "not an IP address", "Write the address that the proxy calls from, for example 127.0.0.1."
        ) from None


class ConsoleSettings(Section):
    """Where the HTTP API and the console listen."""

    host: Name = "127.0.0.1"
    port: Annotated[int, Field(strict=True, ge=0, le=65_535)] = 8_080
    proxies: tuple[Annotated[str, AfterValidator(_address)], ...] = ()
    """Addresses of reverse proxies, which name their caller by ``X-Forwarded-For``."""

    @property
    def is_loopback(self) -> bool:
        """Nobody beyond this machine reaches it. A name other than ``localhost`` may be anything."""
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return self.host == "localhost"


def _digest(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise refusal("not a SHA-256 digest of 64 hexadecimal digits", "Make it by: printf %s TOKEN | sha256sum.")
    return text.lower()


class TokenSettings(Section):
    """One caller of the API: the digest of its bearer token."""

    name: Name
    sha256: Annotated[str, AfterValidator(_digest)]
    """Of the token, in lower-case hex."""
    role: Role = Role.ADMINISTRATOR
    expires: date | None = None
    """The last day on which it counts, by the clocks of China."""
    region: str | None = None
    """Sees the enterprises of this region and of all below it."""
    enterprise: str | None = None
    """Sees this one alone; neither: the whole site."""

    @model_validator(mode="after")
    def _check_scope(self) -> Self:
        fault = unfit(self.role, self.scope)
        if fault is not None:
            raise refusal("not with this role", f"{fault[:1].upper()}{fault[1:]}.")
        return self

    @property
    def scope(self) -> Scope:
        """What it is bound to."""
        return Scope(self.region, self.enterprise)

    @property
    def expires_at(self) -> int | None:
        """The end of that day, ms UTC."""
        if self.expires is None:
            return None
        end = datetime.combine(self.expires + timedelta(days=1), time(), ZoneInfo("Asia/Shanghai"))
        return round(end.timestamp() * 1000)


class WebhookSettings(Section):
    """One receiver of signed webhooks."""

    name: Identifier
    url: Annotated[str, AfterValidator(_http_url), Field(repr=False)]
    secret: Annotated[SecretStr, Field(min_length=8)]

    @property
    def secret_variable(self) -> str:
        """Environment variable that overrides the secret."""
        return webhook_variable(self.name)


def webhook_variable(name: str) -> str:
    """Environment variable that holds the secret of a webhook, by its name."""
    return f"ANSHAO_WEBHOOK_{name.upper().replace('-', '_')}_SECRET"


class CanarySettings(Section):
    """The synthetic reading that runs through the whole chain."""

    period: PositiveDuration = 60_000
    timeout: PositiveDuration = 90_000

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.timeout <= self.period:
            remedy = "Make the timeout longer than the period: it would pass before the next canary is due."
            raise refusal("the canary's timeout is not longer than its period", remedy, at=("timeout",))
        return self


class LogSettings(Section):
    """Structured logs."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class DutySettings(Section):
    """Duty at the desks."""

    unattended_after: PositiveDuration = 600_000
    """A desk without input for so long, while something waits there, is unattended."""


class AlarmSettings(Section):
    """Times and counts of the alarms' life cycle: sources in ``alerting.alarms.limits``."""

    longest_shelving: Annotated[PositiveDuration, AfterValidator(_a_shift)] = _LIMITS.longest_shelving
    longest_maintenance: PositiveDuration = _LIMITS.longest_maintenance
    longest_silence: PositiveDuration = _LIMITS.longest_silence
    chattering_transitions: Annotated[int, Field(ge=2, le=100)] = _LIMITS.chattering_transitions
    chattering_within: PositiveDuration = _LIMITS.chattering_within
    damping: PositiveDuration = _LIMITS.damping
    stale_after: PositiveDuration = _LIMITS.stale_after
    cause_grace: PositiveDuration = _LIMITS.cause_grace

    @property
    def limits(self) -> AlarmLimits:
        """As the register takes them."""
        return AlarmLimits(**self.model_dump())


class Roots(Section):
    """The keys of the main file that lead to documents."""

    sites: Annotated[tuple[PathText, ...], Field(min_length=1)]
    grading: PathText | None = None
    response: PathText | None = None
    """Who is told, how, and what to do: ``response.yaml``."""
    tuned: PathText | None = None
    """Limits that change control lays over the site files: ``tuned.yaml``."""


class MainFile(Roots):
    """The main file as it is written; ``Settings`` is what becomes of it."""

    data_dir: PathText = "data"
    broker: BrokerSettings = BrokerSettings()
    historian: HistorianSettings
    spool: SpoolSettings = SpoolSettings()
    ledger: LedgerSettings = LedgerSettings()
    console: ConsoleSettings = ConsoleSettings()
    tokens: tuple[TokenSettings, ...] = ()
    webhooks: tuple[WebhookSettings, ...] = ()
    lateness: PositiveDuration = 600_000
    future: PositiveDuration = 600_000
    clock_tolerance: Duration = 5_000
    canary: CanarySettings = CanarySettings()
    duty: DutySettings = DutySettings()
    alarms: AlarmSettings = AlarmSettings()
    drills: PathText = "drills"
    """Folder of the scenarios of drills."""
    log: LogSettings = LogSettings()
    kpi: Annotated[Targets, BeforeValidator(over_shipped)] = Field(default_factory=load_targets)
    """Targets of the key figures: what is written is laid over what is shipped."""
