"""A unit's model from a recording: its tags, the rows of normal operation, the training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from domain.components import ComponentModel
from domain.site import SERVICE_ENTERPRISE, Site
from tuning.multivariate.alignment import align, usual_period
from tuning.multivariate.artefact import Origin, document_of
from tuning.multivariate.normal import Span, alarm_spans, event_spans, most_named, within
from tuning.multivariate.training import Options, Trained, TrainingError, train
from tuning.readings.recording import Recording

LEAST_TAGS = 2


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the engineer asks for. Times in ms UTC."""

    options: Options = field(default_factory=Options)
    begin: int | None = None
    end: int | None = None
    excluded: tuple[Span, ...] = ()
    tags: tuple[str, ...] = ()
    """Names; empty: all of the unit that are recorded."""
    left_out: tuple[str, ...] = ()
    period: int | None = None
    keep_alarms: bool = False


@dataclass(frozen=True, slots=True)
class Learned:
    """A model with the document that holds it."""

    trained: Trained
    origin: Origin
    document: dict[str, Any]
    rows: int
    """Of the span, with those that were left out."""

    @property
    def model(self) -> ComponentModel:
        """As the live rules take it."""
        return self.trained.model(str(self.document["digest"]))


class Progress:
    """Told how far the work is; does nothing."""

    def begin(self, step: str, total: int | None) -> None:
        """A step of so many parts begins; None: nobody knows how many."""

    def advance(self, parts: int) -> None:
        """So many parts are done."""


def unit_path(site: Site, name: str) -> tuple[str, str]:
    """Enterprise and id of a unit that is named ``enterprise/unit``, or by its id alone. Raises TrainingError."""
    known = [key for key in site.units if name in {f"{key[0]}/{key[1]}", key[1]}]
    if len(known) == 1:
        return known[0]
    own = {(tag.enterprise, tag.unit) for tag in site.tags if not tag.system and tag.enterprise != SERVICE_ENTERPRISE}
    listed = ", ".join(f"{enterprise}/{unit}" for enterprise, unit in known or sorted(own))
    told = f"several units are called {name!r}" if known else f"no unit {name!r}"
    raise TrainingError(f"{told}; use one of: {listed}")


def learn(
    site: Site, unit: str, recording: Recording, wishes: Wishes, data: str, progress: Progress | None = None
) -> Learned:
    """Train a unit's model. ``data``: what the recording is called, for the record.

    Raises TrainingError, AlignmentError, RecordingError.
    """
    told = progress or Progress()
    enterprise, own = unit_path(site, unit)
    names = _names(site, enterprise, own, recording, wishes)
    paths = [f"{enterprise}/{name}" for name in names]
    indices = [index for path in paths if (index := recording.index_of(path)) is not None]
    begin = recording.begin if wishes.begin is None else wishes.begin
    end = recording.end if wishes.end is None else wishes.end
    period = usual_period(recording, indices, begin, end) if wishes.period is None else wishes.period
    told.begin("readings", int(recording.counts[indices].sum()))
    table = align(recording, indices, begin, end, period, told.advance)
    told.begin("alarms", None)
    spans = [*wishes.excluded, *event_spans(recording, f"{enterprise}/{own}", paths)]
    if not wishes.keep_alarms:
        spans += alarm_spans(site, recording, paths)
    abnormal = within(table, spans)
    if abnormal.all():
        raise TrainingError(
            f"not one row of normal operation: all are within or near {most_named(spans)}. "
            "Give another span, correct the limits, or use --keep-alarms"
        )
    normal = table.where(~abnormal)
    told.begin("components", None)
    step: Callable[[str], None] = lambda name: told.begin(name, None)  # noqa: E731
    units = [site.tags[site.tag_index[path]].engineering_unit for path in paths]
    trained = train(normal, names, units, wishes.options, wishes.left_out, step)
    kept = [names.index(name) for name in trained.names]
    origin = Origin(
        unit=f"{enterprise}/{own}",
        data=data,
        made_by=f"anshao train {enterprise}/{own}",
        rule_revision=recording.about.in_force[-1].revision if recording.about.in_force else None,
        rows_in_alarm=int(abnormal.sum()),
        rows_incomplete=int(np.isnan(normal.value[:, kept]).any(axis=1).sum()),
    )
    return Learned(trained, origin, document_of(trained, origin), len(table))


def _names(site: Site, enterprise: str, unit: str, recording: Recording, wishes: Wishes) -> Sequence[str]:
    """The tags to look at, in the order of the site."""
    own = [tag.name for tag in site.tags if (tag.enterprise, tag.unit) == (enterprise, unit) and not tag.system]
    asked = wishes.tags or tuple(own)
    for name in (*wishes.tags, *wishes.left_out):
        if f"{enterprise}/{name}" not in site.tag_index:
            raise TrainingError(f"no tag {name!r} in enterprise {enterprise!r}")
    recorded = [name for name in asked if recording.index_of(f"{enterprise}/{name}") is not None]
    if wishes.tags and len(recorded) < len(asked):
        lacking = ", ".join(name for name in asked if name not in recorded)
        raise TrainingError(f"the recording does not know {lacking}")
    if len(recorded) < LEAST_TAGS:
        told = ", ".join(tag.path for tag in recording.tags[:5])
        raise TrainingError(
            f"a model needs {LEAST_TAGS} tags of {enterprise}/{unit} or more, and the recording has {len(recorded)} of "
            f"those that are asked for: look at --tag and --leave-out. It holds {told} …"
        )
    return recorded
