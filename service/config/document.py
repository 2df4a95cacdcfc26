"""YAML files with the place of every value, read by the scalar rules of YAML 1.2.

YAML 1.2 leaves ``off``, ``on``, ``1:30`` and ``2026-01-01`` as text and reads ``010`` as ten, where YAML 1.1 makes
a boolean, 90, a date and eight of them. Merge keys (``<<: *defaults``) are understood as well.
"""

import re
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from service.config.documents import DISK, Documents
from service.config.faults import Fault, FaultList

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

Loc = tuple[str | int, ...]
"""Way from a document's root to a value: keys and list indices, as pydantic's ``loc``."""

MAX_DEPTH = 60
"""Deeper nesting is refused before it can exhaust the stack."""

_PREFIX = "tag:yaml.org,2002:"
_GENERAL_REMEDY = (
    "Correct the YAML here: indent with spaces, put a space after each colon, "
    "close every bracket and quote, and quote text that holds special characters."
)

_PROBLEMS = (
    ("alias", "an alias (*name) without its anchor (&name)", "Define the anchor, or quote a text with *."),
    ("anchor", "an anchor (&name) that cannot be used here", "Give each anchor once, or quote a text with &."),
    ("tag", "a YAML tag (!…) that cannot be used here", "Delete the tag, or quote a text with !."),
    ("another document", "more than one document in the file", "Delete the line `---` that begins the second one."),
    ("merging", "a merge key (<<) that names no mapping", "Write `<<: *name` with the anchor of a mapping."),
)
"""Word in the parser's complaint, message, remedy. The complaint itself may quote the file, and so a secret."""


class _Loader(_SafeLoader):
    """Safe loader with the implicit scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own protocol


_Loader.add_implicit_resolver(f"{_PREFIX}bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(f"{_PREFIX}null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(f"{_PREFIX}int", re.compile(r"^[-+]?[0-9]{1,18}$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    f"{_PREFIX}float",
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+.0123456789"),
)
_Loader.add_implicit_resolver(f"{_PREFIX}merge", re.compile(r"^<<$"), ["<"])
_Loader.add_constructor(f"{_PREFIX}int", lambda _, node: int(node.value))
_Loader.add_constructor(f"{_PREFIX}merge", lambda _, node: str(node.value))


class Document:
    """One YAML file: its data, and the place of every value in it."""

    def __init__(self, path: Path, data: Any, root: Node, faults: FaultList, documents: Documents = DISK) -> None:
        self.path = path
        self.data = data
        self.documents = documents
        """Where the documents that this one names are read from."""
        self.faults = faults
        self._root = root

    def fault(self, loc: Loc, message: str, remedy: str, *, at_key: bool = False) -> None:
        """Report a fault of the value at ``loc``, or of its key (``at_key``)."""
        line, column = self.place(loc, at_key=at_key)
        self.faults.add(Fault(str(self.path), line, column, field_name(loc), message, remedy))

    def place(self, loc: Loc, *, at_key: bool = False) -> tuple[int, int]:
        """Line and column, both from 1, of the value at ``loc``, or of the nearest value around it that exists."""
        node = self._root
        last = len(loc) - 1
        for depth, step in enumerate(loc):
            found = _child(node, step)
            if found is None:
                break
            key, value = found
            node = key if at_key and depth == last and key is not None else value
        return node.start_mark.line + 1, node.start_mark.column + 1


def read_document(
    path: Path, faults: FaultList, named_by: tuple[Document, Loc] | None = None, documents: Documents = DISK
) -> Document | None:
    """Read one YAML file; None where it cannot be read, with the reason in ``faults``.

    A file that is missing is a fault of the place that names it (``named_by``), if there is one; it is read from where
    that one is, else from ``documents``.
    """
    source = documents if named_by is None else named_by[0].documents
    text = read_text(path, faults, named_by, source)
    return None if text is None else parse_document(path, text, faults, source)


def parse_document(path: Path, text: str, faults: FaultList, documents: Documents = DISK) -> Document | None:
    """As ``read_document``, of a text that was read already."""
    try:
        _check_depth(text)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                _report(path, faults, 0, 0, "the file is empty", "Write the configuration into it; see config/*.yaml.")
                return None
            known = len(faults)
            _NodeCheck(path, loader, faults).visit(root)
            if len(faults) > known:
                return None
            return Document(path, loader.construct_document(root), root, faults, documents)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        _report(path, faults, *_explain(error, text))
        return None


def read_text(
    path: Path, faults: FaultList, named_by: tuple[Document, Loc] | None = None, documents: Documents = DISK
) -> str | None:
    """Text of a UTF-8 file; None where it cannot be read, with the reason in ``faults``."""
    try:
        raw = (documents if named_by is None else named_by[0].documents).read(path)
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"cannot read {str(path)!r}: {told}"
        remedy = "Correct the path (relative paths start from the folder of the file that names them)."
        if named_by is None:
            _report(path, faults, 0, 0, message, "Give the path of a file that exists and may be read.")
        else:
            named_by[0].fault(named_by[1], message, remedy)
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        _report(path, faults, line, 0, "not UTF-8 text", "Save the file as UTF-8 (in Excel: CSV UTF-8).")
        return None


def field_name(loc: Loc) -> str:
    """``("tags", 3, "limits", "H")`` as ``tags[3].limits.H``."""
    name = ""
    for step in loc:
        if isinstance(step, int):
            name += f"[{step}]"
        else:
            name += f".{step}" if name else step
    return name


def _report(path: Path, faults: FaultList, line: int, column: int, message: str, remedy: str) -> None:
    faults.add(Fault(str(path), line, column, "", message, remedy))


def _child(node: Node, step: str | int) -> tuple[Node | None, Node] | None:
    """Key node (None in a list) and value node of one step; later pairs hide earlier ones, which are merged in."""
    if isinstance(node, MappingNode):
        for key, value in reversed(node.value):
            if isinstance(key, ScalarNode) and key.value == str(step):
                return key, value
    elif isinstance(node, SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
        return None, node.value[step]
    return None


def _check_depth(text: str) -> None:
    """Refuse deep nesting on the flat stream of events: composing recurses in C, where no limit catches it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise yaml.MarkedYAMLError(
                    problem=f"nested deeper than {MAX_DEPTH} levels",
                    problem_mark=event.start_mark,  # type: ignore[arg-type]
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _NodeCheck:
    """Finds what YAML allows and a configuration must not have: type tags, doubled keys, a value that holds itself."""

    def __init__(self, path: Path, loader: _Loader, faults: FaultList) -> None:
        self._path = path
        self._loader = loader
        self._faults = faults
        self._open: set[int] = set()
        self._done: set[int] = set()

    def visit(self, node: Node) -> None:
        """Check a node and all below it, each once."""
        if id(node) in self._open:
            self._report(node, "a value that contains itself by an alias", "Write the value out instead of the alias.")
            return
        if id(node) in self._done:
            return
        self._open.add(id(node))
        if not _has_plain_type(self._loader, node):
            self._report(node, "a YAML type tag (!…) is not used here", "Delete the tag, or put the text in quotes.")
        if isinstance(node, MappingNode):
            self._check_keys(node)
            for _, value in node.value:
                self.visit(value)
        elif isinstance(node, SequenceNode):
            for value in node.value:
                self.visit(value)
        self._open.discard(id(node))
        self._done.add(id(node))

    def _check_keys(self, node: MappingNode) -> None:
        first: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, ScalarNode):
                self._report(key, "a key must be a single word", "Write `key: value`; quote a text that holds braces.")
            elif (name := _key_name(key)) in first and name != "<<":
                self._report(key, f"key `{name}` is given twice, first in line {first[name]}", "Keep one of the two.")
            else:
                first[name] = key.start_mark.line + 1

    def _report(self, node: Node, message: str, remedy: str) -> None:
        mark = node.start_mark
        _report(self._path, self._faults, mark.line + 1, mark.column + 1, message, remedy)


def _key_name(key: ScalarNode) -> str:
    """Text of a key, by which two are compared: 1 and 01 are one number."""
    return str(int(key.value)) if key.tag == f"{_PREFIX}int" else str(key.value)


def _has_plain_type(loader: _Loader, node: Node) -> bool:
    """Whether the type of a node is the one that its form alone gives it."""
    if isinstance(node, MappingNode):
        return bool(node.tag == f"{_PREFIX}map")
    if isinstance(node, SequenceNode):
        return bool(node.tag == f"{_PREFIX}seq")
    implicit = loader.resolve(ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
    return node.tag in (f"{_PREFIX}str", implicit)


def _explain(error: yaml.YAMLError, text: str) -> tuple[int, int, str, str]:
    """Line, column, message and remedy. A file's own text is not quoted: it may be a secret."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.encode()[: error.position].count(b"\n") + 1
        return line, 0, "a control character that YAML does not allow", "Delete the invisible character."
    mark = (error.problem_mark or error.context_mark) if isinstance(error, yaml.MarkedYAMLError) else None
    if not isinstance(error, yaml.MarkedYAMLError) or mark is None:
        return 0, 0, "not readable as YAML", _GENERAL_REMEDY
    line, column = mark.line + 1, mark.column + 1
    problem = str(error.problem or "not readable as YAML")
    if "cannot start any token" in problem:
        remedy = "Put the text in quotes: plain text must not begin with this character."
        if text[mark.index : mark.index + 1] == "\t":
            problem, remedy = "a tab where YAML allows only spaces", "Indent with spaces."
        return line, column, problem, remedy
    told = f"{error.context or ''} {problem}"
    for word, message, remedy in _PROBLEMS:
        if word in told:
            return line, column, message, remedy
    return line, column, problem, _GENERAL_REMEDY
