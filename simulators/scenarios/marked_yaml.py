"""YAML text as data with the line of every value. Scalars are read by the rules of YAML 1.2: ``on`` is a word."""

import re
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from simulators.scenarios.faults import Loc, ScenarioFault, ScenarioRefused, field_name

MAX_DEPTH = 30
"""Deeper nesting is refused before it can exhaust the stack."""
_PREFIX = "tag:yaml.org,2002:"
_NUMBER = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")


class _Loader(yaml.SafeLoader):
    """Safe loader that knows booleans, null and numbers beside text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own protocol


_Loader.add_implicit_resolver(f"{_PREFIX}bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver(f"{_PREFIX}null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver(f"{_PREFIX}int", re.compile(r"^[-+]?[0-9]{1,15}$"), list("-+0123456789"))
_Loader.add_implicit_resolver(f"{_PREFIX}float", _NUMBER, list("-+.0123456789"))
_Loader.add_constructor(f"{_PREFIX}int", lambda _, node: int(node.value))
_Loader.add_constructor(f"{_PREFIX}float", lambda _, node: float(node.value))


class Marked:
    """One file: its data, and the line of every value in it."""

    def __init__(self, file: str, data: Any, root: Node) -> None:
        self.file = file
        self.data = data
        self._root = root

    def fault(self, loc: Loc, message: str, remedy: str) -> ScenarioFault:
        """A fault of the value at ``loc``."""
        return ScenarioFault(self.file, self.line(loc), field_name(loc), message, remedy)

    def line(self, loc: Loc) -> int:
        """Line, from 1, of the value at ``loc``, or of the nearest value around it that exists."""
        node = self._root
        for step in loc:
            found = _child(node, step)
            if found is None:
                break
            node = found
        return int(node.start_mark.line) + 1


def read_marked(path: Path) -> Marked:
    """Read a file. Raises ScenarioRefused."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _refused(str(path), 0, f"cannot be read: {error.strerror}", "Give the path of a file.") from None
    except ValueError:
        raise _refused(str(path), 0, "not UTF-8 text", "Save the file as UTF-8.") from None
    return parse_marked(str(path), text)


def parse_marked(file: str, text: str) -> Marked:
    """As ``read_marked``, of a text that was read already."""
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or depth > MAX_DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else 0
                remedy = "Write the value out: scenarios have no aliases, and few levels."
                raise _refused(file, line, "an alias (*name), or nested too deep", remedy)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            if not isinstance(root, MappingNode):
                raise _refused(file, 1, "a scenario is a mapping of keys", "Write `name: …` and so on.")
            _check(file, root)
            return Marked(file, loader.construct_document(root), root)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = (error.problem_mark or error.context_mark) if isinstance(error, yaml.MarkedYAMLError) else None
        problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else None
        line = mark.line + 1 if mark else 0
        remedy = "Correct the YAML here: indent with spaces, put a blank after each colon, close every bracket."
        raise _refused(file, line, str(problem or "not readable as YAML"), remedy) from None


def _check(file: str, node: Node) -> None:
    """Refuse keys that are given twice or are no words, and type tags."""
    if isinstance(node, MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode) or key.tag.rpartition(":")[2] not in {"str", "int", "float"}:
                raise _refused(file, line, "a key must be a word", "Write `key: value`.")
            if key.value in seen:
                raise _refused(file, line, f"key `{key.value}` is given twice", "Keep one of the two.")
            seen.add(key.value)
            _check(file, value)
    elif isinstance(node, SequenceNode):
        for value in node.value:
            _check(file, value)
    elif not node.tag.startswith(_PREFIX) or node.tag.removeprefix(_PREFIX) not in {
        "str", "bool", "null", "int", "float"
    }:  # fmt: skip
        raise _refused(file, node.start_mark.line + 1, "a YAML type tag (!…)", "Delete it, or quote the text.")


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(node, MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
        found: Node = node.value[step]
        return found
    return None


def _refused(file: str, line: int, message: str, remedy: str) -> ScenarioRefused:
    return ScenarioRefused([ScenarioFault(file, line, "", message, remedy)])
