"""The file of a model of principal components, as ``anshao train`` writes it."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, FiniteFloat, ValidationError, model_validator

from domain.components import FORMAT, ComponentModel, digest_of
from service.config.document import Document, Loc, field_name, read_text
from service.config.quantities import LONGEST, PointName, refusal
from service.config.validation import Section, explain

MOST_TAGS = 200
"""Of one model: each round costs their number squared [ours]."""
KIND = "principal components"
_LEAST_NORMAL = 1e-6
"""How far loadings may be from orthonormal: digits that were cut off when the file was written."""
_ANEW = "Train the model anew: anshao train SITE UNIT DATA --out FILE."

_Positive = Annotated[FiniteFloat, Field(gt=0)]
_Whole = Annotated[int, Field(strict=True, ge=1)]


class _TagEntry(Section):
    tag: PointName
    engineering_unit: str = ""
    mean: FiniteFloat
    scale: _Positive


class _ComponentsEntry(Section):
    retained: _Whole
    chosen_by: str
    variance: FiniteFloat


class _LimitEntry(Section):
    limit: _Positive
    theory: _Positive | None
    held_out: _Positive | None


class _LimitsEntry(Section):
    significance: Annotated[float, Field(gt=0, lt=1)]
    t2: _LimitEntry
    spe: _LimitEntry


class _ModelFile(Section):
    """The keys of the file; ``trained`` is for people."""

    format: Literal[1]
    kind: Literal["principal components"]
    unit: str
    trained: dict[str, Any]
    period_ms: Annotated[int, Field(strict=True, ge=1, le=LONGEST)]
    smoothing: Annotated[float, Field(gt=0, le=1)]
    tags: Annotated[tuple[_TagEntry, ...], Field(min_length=2, max_length=MOST_TAGS)]
    eigenvalues: tuple[Annotated[FiniteFloat, Field(ge=0)], ...]
    loadings: tuple[tuple[FiniteFloat, ...], ...]
    components: _ComponentsEntry
    limits: _LimitsEntry
    digest: str

    @model_validator(mode="after")
    def _check(self) -> Self:
        count = len(self.tags)
        names = [entry.tag for entry in self.tags]
        if len(set(names)) < count:
            raise refusal("a tag stands twice in the model", _ANEW, at=("tags",))
        if len(self.eigenvalues) != count:
            raise refusal(f"{len(self.eigenvalues)} eigenvalues for {count} tags", _ANEW, at=("eigenvalues",))
        if len(self.loadings) != count or any(len(row) != count for row in self.loadings):
            raise refusal(f"the loadings are not {count} rows of {count} numbers", _ANEW, at=("loadings",))
        loadings = np.array(self.loadings)
        if np.abs(loadings.T @ loadings - np.eye(count)).max() > _LEAST_NORMAL:
            raise refusal("the loadings are not orthonormal", _ANEW, at=("loadings",))
        if self.components.retained >= count:
            message = f"{self.components.retained} components retained of {count}: none is left for SPE"
            raise refusal(message, _ANEW, at=("components", "retained"))
        if self.eigenvalues[self.components.retained - 1] <= 0:
            raise refusal("a retained component has no variance", _ANEW, at=("eigenvalues",))
        return self


def read_model(path: Path, named_by: tuple[Document, Loc]) -> ComponentModel | None:
    """The model in a file that a rule names; None where it has faults, which are reported."""
    document, loc = named_by
    text = read_text(path, document.faults, named_by)
    if text is None:
        return None
    found = _parsed(text)
    if isinstance(found, ComponentModel):
        return found
    place, message, remedy = found
    document.fault(loc, f"{path.name}: {place + ': ' if place else ''}{message}", remedy)
    return None


@lru_cache(maxsize=32)
def _parsed(text: str) -> ComponentModel | tuple[str, str, str]:
    """The model, or field, message and remedy of the first fault. Two rules mostly name one file."""
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        told = f"line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else "nested too deeply"
        return "", f"not JSON ({told})", _ANEW
    if not isinstance(data, dict) or data.get("kind") != KIND:
        return "", "not a model of principal components", "Name a file that `anshao train` has written."
    if data.get("format") != FORMAT:
        return "format", f"the model is of format {str(data.get('format'))[:20]}, not {FORMAT}", _ANEW
    try:
        file = _ModelFile.model_validate(data)
    except ValidationError as error:
        place, message, remedy = explain(error.errors(include_url=False)[0], _ModelFile)
        return field_name(place), message, remedy
    if digest_of(data) != file.digest:
        return "digest", "the file was changed after it was trained: its digest is another", _ANEW
    return ComponentModel(
        names=tuple(entry.tag for entry in file.tags),
        units=tuple(entry.engineering_unit for entry in file.tags),
        mean=np.array([entry.mean for entry in file.tags]),
        scale=np.array([entry.scale for entry in file.tags]),
        loadings=np.array(file.loadings),
        eigenvalues=np.array(file.eigenvalues),
        retained=file.components.retained,
        smoothing=file.smoothing,
        period=file.period_ms,
        t2_limit=file.limits.t2.limit,
        spe_limit=file.limits.spe.limit,
        digest=file.digest,
    )
