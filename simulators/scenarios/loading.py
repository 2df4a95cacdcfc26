"""Scenario files: reading them, and those that are shipped."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from simulators.scenarios.faults import Loc, ScenarioFault, ScenarioRefused
from simulators.scenarios.marked_yaml import Marked, parse_marked, read_marked
from simulators.scenarios.schema import ScenarioFile

FOLDER = Path(__file__).parent
SITE = FOLDER / "site.yaml"
"""The site that the shipped scenarios take place in."""
_OTHERS = frozenset({SITE.stem, "anshao"})
"""Files of the folder that are no scenarios: the site, and the main file of a service that watches it."""

_REMEDIES = {
    "missing": "Add it.",
    "extra_forbidden": "Delete it, or correct its spelling: docs/scenarios.md lists all keys.",
    "string_pattern_mismatch": "Write names in lower case with digits; inputs as plant.input or plant[2].input.",
    "value_error": "Write it as the message says.",
}
_REMEDY = "Write a value of the kind that docs/scenarios.md gives for this key."


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario file that was read, with the places of its values for what may still be found wrong in it."""

    file: ScenarioFile
    marked: Marked

    def fault(self, loc: Loc, message: str, remedy: str) -> ScenarioFault:
        """A fault of the value at ``loc``."""
        return self.marked.fault(loc, message, remedy)


def shipped() -> dict[str, Path]:
    """The files of the shipped scenarios by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml")) if path.stem not in _OTHERS}


def find(name: str) -> Path:
    """The file of a shipped scenario, or the file of that name. Raises ScenarioRefused."""
    known = shipped()
    if name in known:
        return known[name]
    path = Path(name)
    if path.is_file():
        return path
    raise ScenarioRefused(
        [ScenarioFault(name, 0, "", "there is no such scenario", f"Give a file, or one of: {', '.join(known)}.")]
    )


def load(path: Path) -> Scenario:
    """Read a scenario file. Raises ScenarioRefused."""
    return _validated(read_marked(path))


def parse(text: str, file: str = "scenario.yaml") -> Scenario:
    """As ``load``, of a text that was read already."""
    return _validated(parse_marked(file, text))


def _validated(marked: Marked) -> Scenario:
    try:
        return Scenario(ScenarioFile.model_validate(marked.data), marked)
    except ValidationError as error:
        raise ScenarioRefused([_fault(marked, one.get("loc", ()), one) for one in error.errors()]) from None


def _fault(marked: Marked, loc: Loc, error: object) -> ScenarioFault:
    told = error if isinstance(error, dict) else {}
    kind = str(told.get("type", ""))
    message = str(told.get("msg", "")).removeprefix("Value error, ")
    loc = tuple(step for step in loc if step not in {"[key]", "float", "str", "bool"})
    return marked.fault(loc, message, _REMEDIES.get(kind, _REMEDY))
