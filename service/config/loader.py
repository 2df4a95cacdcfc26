"""Reading configuration: settings for the service, a site for tools, faults for ``anshao check``."""

import gc
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alerting.incidents.grading import GradingTable
from alerting.response.book import ResponseBook
from domain.site import Site
from service.config import measurands
from service.config.assembly import SiteAssembly
from service.config.document import Document, Loc, parse_document, read_document
from service.config.documents import ROOTS, DocumentSet, Held, Recorded
from service.config.faults import ConfigurationError, Fault, FaultList
from service.config.replay import Replay
from service.config.response_file import read_response
from service.config.sections import CanarySettings, MainFile, Roots
from service.config.settings import (
    Settings,
    absolute_ledger,
    read_grading,
    read_main,
    settings_of,
    site_entries,
    with_documents,
)
from service.config.site_file import SiteFile
from service.config.tuned import TunedLimit, lay_over
from service.config.validation import validate

_SITE_KEYS = frozenset(SiteFile.model_fields)
_MAIN_KEYS = frozenset(MainFile.model_fields)


def load(path: Path, env: Mapping[str, str], held: DocumentSet | None = None) -> Settings:
    """Settings of a main file and all that it leads to, with secrets of ``env`` over those of the file.

    ``held``: a revision to be read in place of the documents that the main file names. Raises ``ConfigurationError``
    with all faults.
    """
    faults = FaultList()
    document = read_document(path, faults)
    if document is None:
        raise ConfigurationError(faults.sorted())
    folder = document.path.parent
    documents = Recorded(folder) if held is None else Held(folder, held.contents)
    document.documents = documents
    if held is not None and isinstance(document.data, dict):
        own = {key: value for key, value in document.data.items() if key not in ROOTS}
        document.data = own | dict(held.roots)
    main = _read_main(document, env, faults)
    read = _read_documents(document, main, faults, env)
    if main is None or read.grading is None or faults:
        raise ConfigurationError(faults.sorted())
    site, tuned = _built(read, document, main, main.canary.period)
    made = DocumentSet.of(_roots(document), documents.contents)
    return settings_of(document, main, site, read.grading, read.response, made, env, tuned)


def load_main(path: Path, env: Mapping[str, str]) -> MainFile | None:
    """A main file alone, whatever its documents say, its ledger's file made absolute; None where it has faults."""
    faults = FaultList()
    document = read_document(path, faults)
    main = None if document is None else _read_main(document, env, faults)
    if document is None or main is None or faults:
        return None
    url = absolute_ledger(main.ledger.url, document.path.resolve().parent / main.data_dir)
    return main.model_copy(update={"ledger": main.ledger.model_copy(update={"url": url})})


def load_revision(settings: Settings, held: DocumentSet) -> Settings:
    """The same settings with what the documents of a revision say in place of their own.

    Raises ``ConfigurationError`` with all faults.
    """
    faults = FaultList()
    documents = Held(settings.file.parent, held.contents)
    document = parse_document(settings.file, json.dumps(dict(held.roots)), faults, documents)
    roots = None if document is None else validate(Roots, document.data, document.fault, ())
    if document is None or roots is None:
        raise ConfigurationError(faults.sorted())
    read = _read_documents(document, roots, faults, settings.environment)
    if read.grading is None or faults:
        raise ConfigurationError(faults.sorted())
    site, tuned = _built(read, document, roots, settings.canary.period)
    held = DocumentSet.of(held.roots, documents.contents)
    return with_documents(settings, roots, site, read.grading, read.response, held, tuned)


def _built(read: "_Read", document: Document, roots: Roots, canary_period: int) -> tuple[Site, tuple[TunedLimit, ...]]:
    """The site of documents without faults, with the tuned limits over it. Raises ``ConfigurationError``."""
    site = read.assembly.build(canary_period, read.response.channels)
    if roots.tuned is None:
        return site, ()
    tuned = read_document(document.path.parent / roots.tuned, document.faults, (document, ("tuned",)))
    limits = () if tuned is None else lay_over(site, tuned)
    document.faults.raise_if_any()
    return site, limits


def _roots(document: Document) -> dict[str, Any]:
    return {key: document.data[key] for key in ROOTS if document.data.get(key) is not None}


def load_site(paths: Sequence[Path]) -> Site:
    """The site that some site files, at least one, make together. Raises ``ConfigurationError`` with all faults."""
    faults = FaultList()
    assembly = _read_sites([(path, None) for path in paths], faults)
    faults.raise_if_any()
    return assembly.build(CanarySettings().period)


def is_main_file(path: Path) -> bool:
    """Whether a file is a main file, and not a site file. Raises ``ConfigurationError`` if it cannot be read."""
    faults = FaultList()
    document = _read_any(path, faults)
    faults.raise_if_any()
    return document is not None and not _is_site(document)


def load_replay(path: Path) -> Replay:
    """The ``replay`` section of a site file. Raises ``ConfigurationError`` with all faults of the file."""
    faults = FaultList()
    assembly = _read_sites([(path, None)], faults)
    faults.raise_if_any()
    for replay in assembly.replays.values():
        return replay
    message = "the file has no `replay` section"
    raise ConfigurationError(
        [Fault(str(path), 0, 0, "replay", message, "Add it: gateway, format, time, columns; see config/examples.")]
    )


def check(paths: Sequence[Path], env: Mapping[str, str] | None = None) -> list[Fault]:
    """All faults of main files and site files, told apart by their keys.

    Each main file is checked with the site files that it includes. Site files that no main file here includes are
    checked together, as one site. ``env``: as ``load`` takes it; by default the process's own.
    """
    faults = FaultList()
    included: set[Path] = set()
    sites: list[tuple[Path, Document]] = []
    whole = True
    for path in dict.fromkeys(paths):
        document = _read_any(path, faults)
        if document is None:
            whole = False
        elif _is_site(document):
            sites.append((path, document))
        else:
            around = os.environ if env is None else env
            sound = len(faults)
            main = _read_main(document, around, faults)
            read = _read_documents(document, main, faults, around)
            if main is not None and main.tuned is not None and len(faults) == sound:
                with suppress(ConfigurationError):  # its faults are in the list already
                    _built(read, document, main, main.canary.period)
            included.update((path.parent / entry).resolve() for _, entry in site_entries(document))
    alone = [document for path, document in sites if path.resolve() not in included]
    if alone:
        _assemble(alone, faults, whole=whole)
    return faults.sorted()


def _read_any(path: Path, faults: FaultList) -> Document | None:
    """A file of either kind; None where it cannot be read or is neither."""
    if path.suffix.lower() == ".csv":
        remedy = "Check the site file that names it under `tag_tables`."
        faults.add(Fault(str(path), 0, 0, "", "a point table belongs to a unit of a site file", remedy))
        return None
    document = read_document(path, faults)
    if document is None:
        return None
    if isinstance(document.data, dict) and (_SITE_KEYS | _MAIN_KEYS).intersection(document.data):
        return document
    message = "neither a main file nor a site file"
    remedy = "A main file has the key `sites`; a site file has `regions` and `enterprises`."
    document.fault((), message, remedy)
    return None


def _is_site(document: Document) -> bool:
    keys = set(document.data)
    return len(keys & _SITE_KEYS) > len(keys & _MAIN_KEYS)


@dataclass(frozen=True, slots=True)
class _Read:
    """What the roots of a configuration lead to; None where that has faults."""

    assembly: SiteAssembly
    grading: GradingTable | None
    response: ResponseBook


def _read_main(document: Document, env: Mapping[str, str], faults: FaultList) -> MainFile | None:
    """A main file, without what it leads to; None where it has faults."""
    if isinstance(document.data, dict) and _is_site(document):
        document.fault((), "a site file, where a main file is wanted", "Name it under `sites` of a main file.")
    return read_main(document, env, faults)


def _read_documents(document: Document, roots: Roots | None, faults: FaultList, env: Mapping[str, str]) -> _Read:
    """The documents that a main file names; site files are read even where the rest of it is at fault."""
    folder = document.path.parent
    files: list[tuple[Path, tuple[Document, Loc] | None]] = []
    known: set[Path] = set()
    for loc, entry in site_entries(document):
        path = folder / entry
        if path.resolve() in known:
            document.fault(loc, f"site file {entry!r} is named twice", "Delete one of the two lines.")
            continue
        known.add(path.resolve())
        files.append((path, (document, loc)))
    grading = None if roots is None else read_grading(document, roots)
    assembly = _read_sites(files, faults)
    response = None if roots is None or roots.response is None else folder / roots.response
    # Where a site file has faults, what it does not hold may stand in what could not be read.
    places = None if faults else assembly
    sound = len(faults)
    book = read_response(response, env, faults, places, (document, ("response",)))
    if len(faults) == sound:
        assembly.check_cards(book.cards.by_id)
    return _Read(assembly, grading, book)


def _read_sites(files: Sequence[tuple[Path, tuple[Document, Loc] | None]], faults: FaultList) -> SiteAssembly:
    read = [read_document(path, faults, named_by) for path, named_by in files]
    documents = [document for document in read if document is not None]
    return _assemble(documents, faults, whole=len(documents) == len(files))


def _assemble(documents: Sequence[Document], faults: FaultList, *, whole: bool) -> SiteAssembly:
    """Put site files together. ``whole``: False where a file is missing, whose absence would cause further faults."""
    assembly = SiteAssembly(measurands.shipped(), faults)
    with _collector_paused():
        for document in documents:
            assembly.add(document)
        if documents and whole:
            assembly.finish()
    return assembly


@contextmanager
def _collector_paused() -> Iterator[None]:
    """No garbage collection meanwhile: it would search hundreds of thousands of new objects that all stay."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
