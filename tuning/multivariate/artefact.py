"""The file of a model: JSON that people can read, and that tells if it was changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.components import FORMAT, ComponentModel, digest_of
from tuning.multivariate.training import Limit, Trained


@dataclass(frozen=True, slots=True)
class Origin:
    """What a model was made of, for people."""

    unit: str
    """``enterprise/unit``."""
    data: str
    made_by: str
    rule_revision: int | None = None
    """Revision of the configuration that held when the data were recorded, where that is known."""
    rows_in_alarm: int = 0
    """Rows that were left out because an alarm was in, or an event is known."""
    rows_incomplete: int = 0


def document_of(trained: Trained, origin: Origin) -> dict[str, Any]:
    """What the file says."""
    said: dict[str, Any] = {
        "format": FORMAT,
        "kind": "principal components",
        "unit": origin.unit,
        "trained": {
            "from": _instant(trained.begin),
            "to": _instant(trained.end),
            "data": origin.data,
            "made_by": origin.made_by,
            "rule_revision": origin.rule_revision,
            "rows": trained.rows,
            "rows_in_alarm": origin.rows_in_alarm,
            "rows_incomplete": origin.rows_incomplete,
            "left_out": {each.name: f"{each.reason} ({each.figure:.4g})" for each in trained.left_out},
            "false_rate_held_out": trained.false_rate,
        },
        "period_ms": trained.period,
        "smoothing": trained.options.smoothing,
        "components": {
            "retained": trained.retained,
            "chosen_by": trained.chosen_by,
            "variance": trained.variance,
        },
        "limits": {
            "significance": trained.options.significance,
            "t2": _limit(trained.t2),
            "spe": _limit(trained.spe),
        },
        "tags": [
            {"tag": name, "engineering_unit": unit, "mean": mean, "scale": scale}
            for name, unit, mean, scale in zip(
                trained.names, trained.units, trained.mean.tolist(), trained.scale.tolist(), strict=True
            )
        ],
        "eigenvalues": trained.eigenvalues.tolist(),
        "loadings": trained.loadings.tolist(),
    }
    return {**said, "digest": digest_of(said)}


def model_of(trained: Trained, origin: Origin) -> ComponentModel:
    """The model as the rules take it when they read the file."""
    return trained.model(document_of(trained, origin)["digest"])


def write_model(path: Path, document: Mapping[str, Any]) -> None:
    """Write the file, a tag's loadings on a line; the same model makes the same bytes. Raises OSError."""
    lines = []
    for key, value in document.items():
        if key in {"tags", "loadings"}:
            rows = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in value)
            lines.append(f"{json.dumps(key)}: [\n  {rows}\n ]")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    text = "{\n " + ",\n ".join(lines) + "\n}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _limit(limit: Limit) -> dict[str, float | None]:
    return {"limit": limit.limit, "theory": limit.theory, "held_out": limit.held_out}


def _instant(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds")
