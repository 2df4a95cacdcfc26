"""What the main file and the environment say, ready for use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

import alerting.incidents
from alerting.incidents.grading import GradingTable, load_grading
from alerting.kpi.targets import Targets, load_targets
from alerting.response.book import ResponseBook
from domain.site import Site
from service.config.document import Document, Loc, read_document
from service.config.documents import DocumentSet
from service.config.faults import Fault, FaultList
from service.config.response_file import shipped_book
from service.config.sections import (
    AlarmSettings,
    BrokerSettings,
    CanarySettings,
    ConsoleSettings,
    DutySettings,
    HistorianSettings,
    LedgerSettings,
    LogSettings,
    MainFile,
    Roots,
    SpoolSettings,
    TokenSettings,
    WebhookSettings,
    webhook_variable,
)
from service.config.tuned import TunedLimit
from service.config.validation import validate

_SQLITE = "sqlite+aiosqlite:///"
_PREFIX = "ANSHAO_"
_DATA_DIR = "ANSHAO_DATA_DIR"
_SECRETS: tuple[tuple[str, Loc], ...] = (
    ("ANSHAO_BROKER_PASSWORD", ("broker", "password")),
    ("ANSHAO_HISTORIAN_TOKEN", ("historian", "token")),
    ("ANSHAO_HISTORIAN_PASSWORD", ("historian", "password")),
    ("ANSHAO_LEDGER_URL", ("ledger", "url")),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that ``anshao serve`` runs by. Paths are absolute, durations in ms, sizes in bytes."""

    file: Path
    """The main file."""
    data_dir: Path
    """Spool and embedded stores; not created here."""
    broker: BrokerSettings
    historian: HistorianSettings
    spool: SpoolSettings
    ledger: LedgerSettings
    console: ConsoleSettings
    tokens: tuple[TokenSettings, ...]
    webhooks: tuple[WebhookSettings, ...]
    lateness: int
    """Samples older than this raise nothing live."""
    future: int
    """Samples further ahead than this are refused."""
    clock_tolerance: int
    canary: CanarySettings
    duty: DutySettings
    alarms: AlarmSettings
    drills: Path
    """Folder of the scenarios of drills, which are read when they are asked for."""
    grading: Path
    """Where the table of grades came from."""
    log: LogSettings
    site: Site = field(repr=False)
    kpi: Targets = field(default_factory=load_targets, repr=False)
    """Targets of the key figures."""
    grading_table: GradingTable = field(default_factory=load_grading, repr=False)
    response: ResponseBook = field(default_factory=shipped_book, repr=False)
    tuned: tuple[TunedLimit, ...] = field(default=(), repr=False)
    """Limits that change control has laid over the site files."""
    documents: DocumentSet = field(default_factory=DocumentSet, repr=False)
    """What site, grades and plans were read from."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables ``ANSHAO_…``: secrets that documents do not hold."""


def read_main(document: Document, env: Mapping[str, str], faults: FaultList) -> MainFile | None:
    """The main file with the secrets of the environment laid over it; None where it has faults."""
    if not isinstance(document.data, dict):
        document.fault((), "the main file must be a mapping", "Begin it with `sites: [site.yaml]`.")
        return None
    data, laid_over = _with_environment(document.data, env)
    data.setdefault("historian", {})

    def report(loc: Loc, message: str, remedy: str, *, at_key: bool = False) -> None:
        variable = laid_over.get(loc)
        if variable is not None:  # no line of the file, and no value: it is a secret
            told = f"{message} (environment variable {variable})"
            faults.add(Fault(str(document.path), 0, 0, variable, told, remedy))
            return
        if loc[:1] == ("webhooks",) and loc[2:] == ("secret",):
            remedy = "Write `secret: whsec_…`, or set ANSHAO_WEBHOOK_<NAME>_SECRET."
        document.fault(loc, message, remedy, at_key=at_key)

    main = validate(MainFile, data, report, ())
    if main is None:
        return None
    known = len(faults)
    _check_names(main, document)
    return main if len(faults) == known else None


def read_grading(document: Document, roots: Roots) -> GradingTable | None:
    """The table of grades that the main file names, else the one that is shipped; None where it has faults."""
    if roots.grading is None:
        return load_grading()
    read = read_document(document.path.parent / roots.grading, document.faults, (document, ("grading",)))
    return None if read is None else validate(GradingTable, read.data, read.fault, ())


def settings_of(
    document: Document,
    main: MainFile,
    site: Site,
    grading: GradingTable,
    response: ResponseBook,
    documents: DocumentSet,
    env: Mapping[str, str],
    tuned: tuple[TunedLimit, ...] = (),
) -> Settings:
    """Settings with every relative path made absolute: from the main file's folder, the stores' from ``data_dir``."""
    folder = document.path.resolve().parent
    data_dir = folder / main.data_dir
    return Settings(
        file=document.path.resolve(),
        data_dir=data_dir,
        broker=main.broker,
        historian=main.historian.model_copy(update={"path": data_dir / main.historian.path}),
        spool=main.spool,
        ledger=main.ledger.model_copy(update={"url": absolute_ledger(main.ledger.url, data_dir)}),
        console=main.console,
        tokens=main.tokens,
        webhooks=main.webhooks,
        lateness=main.lateness,
        future=main.future,
        clock_tolerance=main.clock_tolerance,
        canary=main.canary,
        duty=main.duty,
        alarms=main.alarms,
        drills=folder / main.drills,
        grading=_shipped_grading() if main.grading is None else folder / main.grading,
        log=main.log,
        kpi=main.kpi,
        site=site,
        grading_table=grading,
        response=response,
        tuned=tuned,
        documents=documents,
        environment={name: value for name, value in env.items() if name.startswith(_PREFIX)},
    )


def with_documents(
    settings: Settings,
    roots: Roots,
    site: Site,
    grading: GradingTable,
    response: ResponseBook,
    documents: DocumentSet,
    tuned: tuple[TunedLimit, ...] = (),
) -> Settings:
    """Settings with all that comes from documents replaced."""
    return replace(
        settings,
        grading=_shipped_grading() if roots.grading is None else settings.file.parent / roots.grading,
        site=site,
        grading_table=grading,
        response=response,
        tuned=tuned,
        documents=documents,
    )


def site_entries(document: Document) -> Iterator[tuple[Loc, str]]:
    """Site files that the main file names, even where another part of it is at fault."""
    entries = document.data.get("sites") if isinstance(document.data, dict) else None
    if isinstance(entries, list):
        for index, entry in enumerate(entries):
            if isinstance(entry, str) and entry and entry.isprintable():
                yield ("sites", index), entry


def _with_environment(data: dict[Any, Any], env: Mapping[str, str]) -> tuple[dict[Any, Any], dict[Loc, str]]:
    """A copy of the data with what the environment sets, secrets above all, and which variable each came from.

    An empty variable counts as not set: compose files pass on what is unset as empty.
    """
    copy = dict(data)
    laid_over: dict[Loc, str] = {}
    if env.get(_DATA_DIR):
        copy["data_dir"] = env[_DATA_DIR]
        laid_over["data_dir",] = _DATA_DIR
    for variable, loc in _SECRETS:
        section, key = str(loc[0]), loc[1]
        held = copy.get(section, {})
        if env.get(variable) and isinstance(held, dict):
            copy[section] = held | {key: env[variable]}
            laid_over[loc] = variable
    webhooks = copy.get("webhooks")
    if isinstance(webhooks, list):
        copy["webhooks"] = list(webhooks)
        for index, webhook in enumerate(webhooks):
            if isinstance(webhook, dict) and isinstance(webhook.get("name"), str):
                variable = webhook_variable(webhook["name"])
                if env.get(variable):
                    copy["webhooks"][index] = webhook | {"secret": env[variable]}
                    laid_over["webhooks", index, "secret"] = variable
    return copy, laid_over


def _check_names(main: MainFile, document: Document) -> None:
    """Names that must differ."""
    seen: dict[str, int] = {}
    for index, token in enumerate(main.tokens):
        for key, value in (("name", token.name), ("sha256", token.sha256)):
            first = seen.setdefault(f"{key} {value}", index)
            if first != index:
                message = f"the same {key} as tokens[{first}]"
                document.fault(("tokens", index, key), message, "Give each caller a name and a token of its own.")
    variables: dict[str, int] = {}
    for index, webhook in enumerate(main.webhooks):
        first = variables.setdefault(webhook.secret_variable, index)
        if first != index:
            message = f"the same name as webhooks[{first}]"
            remedy = f"Give each its own name: both would take their secret from {webhook.secret_variable}."
            document.fault(("webhooks", index, "name"), message, remedy)


def absolute_ledger(url: SecretStr, data_dir: Path) -> SecretStr:
    """A SQLite file under ``data_dir``, unless it is absolute or in memory."""
    text = url.get_secret_value()
    file, mark, query = text.removeprefix(_SQLITE).partition("?")
    if not text.startswith(_SQLITE) or file == ":memory:":
        return url
    return SecretStr(f"{_SQLITE}{data_dir / file}{mark}{query}")


def _shipped_grading() -> Path:
    return Path(str(alerting.incidents.__file__)).with_name("grading.yaml")
