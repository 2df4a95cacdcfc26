"""Revisions of the configuration as the API answers them, and what callers send to change it.

Instants in answers are ISO 8601 in UTC with milliseconds.
"""

import posixpath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from service.api.models import Document, Instant
from service.api.requests import PageLimit, Request, printable
from service.config.quantities import refusal
from service.config.sections import Roots

LARGEST_CONFIGURATION = 64 * 1024 * 1024
"""Bytes of a body that holds documents [ours]."""
MOST_ITEMS = 10_000
MOST_DOCUMENTS = 10_000
_LARGEST_NUMBER = 2**31 - 1


def _whole(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise refusal("not a whole number", "Give a whole number.")
    return value


def _document_name(name: str) -> str:
    plain = posixpath.normpath(name)  # a site file may lie beside the main file's folder: ../sites/site.yaml
    if plain != name or name.startswith("/") or not name.isprintable() or name.endswith(".."):
        raise refusal("not the name of a document", "Give its path relative to the main file: points/tanks.csv.")
    return name


RevisionNumber = Annotated[int, Field(ge=1, le=_LARGEST_NUMBER), BeforeValidator(_whole)]
DocumentName = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_document_name)]
Limit = Annotated[int, Field(ge=0, le=MOST_ITEMS, description="Most things listed."), BeforeValidator(_whole)]
Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), AfterValidator(printable)
]


class RevisionPath(Request):
    """Path of one revision."""

    number: RevisionNumber


class DocumentPath(Request):
    """Path of one document; a / in its name is written %2F."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(printable)]


class RevisionsQuery(Request):
    """Which revisions."""

    limit: PageLimit = 100
    after: RevisionNumber | None = Field(None, description="The `next` of the page before.")


class DifferenceQuery(Request):
    """What a revision is compared with."""

    against: RevisionNumber | None = Field(None, description="Another revision; by default the one before it.")
    limit: Limit = 1_000


class DocumentsQuery(Request):
    """Documents of which revision."""

    revision: RevisionNumber | None = Field(None, description="By default the one that holds.")


class ConfigFile(Request):
    """A file as it is: a workbook, a table or a text."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(printable)]
    content: str = Field(description="In Base64.")
    document: DocumentName | None = Field(
        None, description="The document that it is to become; by default told by its name, of a workbook by its sheets."
    )


class ConfigProposal(Request):
    """Documents to be put in place of those that hold; the others stay as they are."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"documents": {"site.yaml": "regions: […]\nenterprises: […]\n"}}]}
    )

    documents: Annotated[dict[DocumentName, str | None], Field(max_length=MOST_DOCUMENTS)] = Field(
        default_factory=dict, description="Text by name; null takes a document away."
    )
    files: Annotated[list[ConfigFile], Field(max_length=1_000)] = Field(default_factory=list)
    roots: Roots | None = Field(None, description="The main file's keys that lead to documents, where they change.")


class ConfigCheckRequest(ConfigProposal):
    """A proposal, and how much of its difference is wanted."""

    limit: Limit = 1_000


class ConfigSignature(Request):
    """Who changes the configuration, and why."""

    author: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(printable)
    ] = Field(description="The person, as it shall stand in the journal.")
    reason: Words
    based_on: RevisionNumber = Field(description="The revision that holds; 409 if another one came meanwhile.")


class RevisionRequest(ConfigProposal, ConfigSignature):
    """A proposal to be applied."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "author": "王芳",
                    "reason": "新装两台探测器",
                    "based_on": 41,
                    "documents": {"site.yaml": "regions: […]\nenterprises: […]\n"},
                }
            ]
        }
    )


class FieldChange(Document):
    """One field; null: not there, or nothing. Durations in ms."""

    name: str
    old: Any
    new: Any


class ConfigItem(Document):
    """One thing that was added, removed or changed."""

    what: Literal["region", "enterprise", "unit", "gateway", "mode", "tag", "rule"]
    path: str
    act: Literal["added", "removed", "changed"]
    fields: list[FieldChange]


class DocumentChange(Document):
    """One document; `patch` shows a small one's lines as `diff -u` does."""

    name: str
    act: Literal["added", "removed", "changed"]
    patch: str


class Difference(Document):
    """What two configurations differ in."""

    counts: dict[str, dict[str, int]] = Field(description="What, to `added`, `removed` or `changed`, to a number.")
    items: list[ConfigItem]
    more: int = Field(description="Things that are counted and not listed.")
    documents: list[DocumentChange]


class Revision(Document):
    """修订版: one state of the configuration."""

    number: int
    at: Instant
    author: str
    reason: str
    source: Literal["files", "api", "restore", "change"]
    digest: str = Field(description="SHA-256 over all its documents.")
    counts: dict[str, dict[str, int]] = Field(description="As in `Difference`, against the revision before it.")


class RevisionPage(Document):
    """A page of revisions, newest first."""

    items: list[Revision]
    next: str | None


class ConfigDocument(Document):
    """One document of a revision."""

    name: str
    digest: str
    bytes: int


class RevisionDetail(Revision):
    """A revision with its documents, and what it differs in from another."""

    roots: dict[str, Any]
    documents: list[ConfigDocument]
    against: int | None
    difference: Difference | None
    unreadable: str | None = Field(description="Why there is no difference: this version cannot read one of the two.")


class ConfigDocumentList(Document):
    """The documents of a revision."""

    revision: int
    divergence: str | None = Field(description="Why the files on disk do not hold.")
    roots: dict[str, Any]
    items: list[ConfigDocument]


class ConfigDocumentText(ConfigDocument):
    """One document with its text."""

    revision: int
    encoding: Literal["utf-8", "base64"] = Field(description="base64: of a document that is no text, such as .xlsx.")
    content: str


class ConfigFault(Document):
    """One thing that is wrong, and where: in a document, or in a file that was sent."""

    file: str = Field(description="A document, a file, or `file [sheet]`.")
    line: int = Field(description="From 1, in a sheet its row; 0: the file as a whole.")
    column: int = Field(description="From 1; 0: unknown.")
    cell: str | None = Field(description="In a sheet, as Excel names it: H12.")
    field: str
    message: str
    remedy: str


class ConfigCheck(Document):
    """What a proposal comes to."""

    revision: int = Field(description="The revision that it is compared with.")
    faults: list[ConfigFault]
    difference: Difference | None = Field(description="Without the rows that have faults; null where nothing is left.")
