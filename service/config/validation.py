"""Pydantic's verdict on a part of a document, as faults with their place and remedy."""

import difflib
import typing
from collections.abc import Collection, Iterator
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from service.config.document import Loc


class Section(BaseModel):
    """What every part of a configuration file is: known keys only, never changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Report(Protocol):
    """Where a fault goes: ``Document.fault``, or what stands before it."""

    def __call__(self, loc: Loc, message: str, remedy: str, *, at_key: bool = False) -> None:
        """Take one fault of the value at ``loc``, or of its key (``at_key``)."""
        ...


Model = TypeVar("Model", bound=BaseModel)

_SECRETS = frozenset({"password", "token", "secret", "sha256", "url"})
"""Keys whose value no message repeats."""


def validate(model: type[Model], data: Any, report: Report, loc: Loc) -> Model | None:
    """The part of a document that stands at ``loc`` as a model; None where it has faults, which are reported."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            inner, message, remedy = explain(details, model)
            at_key = details["type"] == "extra_forbidden" or inner[-1:] == ("[key]",)
            inner = inner[:-1] if inner[-1:] == ("[key]",) else inner
            report(loc + inner, message, remedy, at_key=at_key)
        return None


def explain(details: ErrorDetails, model: type[BaseModel]) -> tuple[Loc, str, str]:
    """Where within the model, what is wrong, and how to mend it."""
    loc: Loc = details["loc"]
    context = details.get("ctx", {})
    kind = details["type"]
    if kind == "refused":
        return loc + tuple(context["at"]), context["message"], context["remedy"]
    if kind == "extra_forbidden":
        return loc, f"unknown key `{loc[-1]}`", suggestion(str(loc[-1]), _keys(model, loc[:-1]))
    if kind == "missing":
        return loc, f"`{loc[-1]}` is missing", f"Add `{loc[-1]}: …` here."
    if kind == "literal_error":
        expected = str(context["expected"])
        return loc, f"must be one of {expected}{_given(details)}", f"Write one of {expected}."
    for prefix, message, remedy in _BY_TYPE:
        if kind.startswith(prefix):
            return loc, message, remedy
    remedy = "Write a value within this bound." if "than" in kind else "Correct the value."
    return loc, details["msg"].replace("Input should", "must") + _given(details), remedy


def suggestion(word: str, known: Collection[str]) -> str:
    """A sentence that offers the nearest known word, or all of them where they are few."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if not near:
        lowered = {name.lower(): name for name in known}
        near = [lowered[word.lower()]] if word.lower() in lowered else []
    listed = ", ".join(sorted(known)) if known else "none"
    if near:
        return f"Did you mean `{near[0]}`? Known: {listed}."
    return f"Use one of: {listed}."


_BY_TYPE = (
    ("string_type", "must be text", "Put the value in quotes."),
    ("string_too_short", "too short a text", "Write a longer text here, or delete the line."),
    ("too_short", "must not be empty", "Write at least one element here."),
    ("string_too_long", "too long a text", "Shorten it."),
    ("float", "must be a number", "Write a plain number such as 12.5."),
    ("finite_number", "must be a finite number", "Write a plain number such as 12.5."),
    ("int", "must be a whole number", "Write a whole number such as 5."),
    ("bool", "must be true or false", "Write true or false."),
    ("tuple", "must be a list", "Write each element on a line of its own that begins with `- `."),
    ("model", "must be a mapping", "Write its keys below, each as `key: value`, indented by two spaces."),
    ("dict", "must be a mapping", "Write its keys below, each as `key: value`, indented by two spaces."),
    ("datetime", "must be a date and time", "Write for example 2026-01-01T00:00:00+08:00."),
    ("timezone", "must be a time with its offset", "Write for example 2026-01-01T00:00:00+08:00."),
)


def _given(details: ErrorDetails) -> str:
    """The value given, where repeating it is short and gives nothing away."""
    value = details["input"]
    if isinstance(value, str | int | float) and not _SECRETS.intersection(map(str, details["loc"])):
        text = repr(value)
        return f", not {text if len(text) <= 60 else text[:60] + '…'}"  # noqa: PLR2004 - what fits on a line
    return ""


def _keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """Names of the fields of the model that stands at ``loc`` within another."""
    at: type[BaseModel] = model
    for step in loc:
        field = {held.alias or name: held for name, held in at.model_fields.items()}.get(str(step))
        if field is not None:
            at = next(_models(field.annotation), at)
    return sorted(field.alias or name for name, field in at.model_fields.items())


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation speaks of, however wrapped."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models(argument)
