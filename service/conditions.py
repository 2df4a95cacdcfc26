"""Conditions of the service and of gateways: set by the service itself, not by a sample."""

from collections.abc import Iterable

import numpy as np

from domain.scales import RuleKind
from domain.site import SERVICE_ENTERPRISE, Site
from domain.transitions import Transition

BROKER = f"{SERVICE_ENTERPRISE}/broker/DOWN"
HISTORIAN = f"{SERVICE_ENTERPRISE}/historian/DOWN"
LEDGER = f"{SERVICE_ENTERPRISE}/ledger/DOWN"
SPOOL = f"{SERVICE_ENTERPRISE}/spool/FILLING"
CANARY = f"{SERVICE_ENTERPRISE}/canary/MISSING"


class SystemConditions:
    """Which system conditions are in, and the transitions that wait to be taken by the pipeline."""

    def __init__(self, site: Site, inside: Iterable[str]) -> None:
        rows = np.flatnonzero(site.rules.kind == RuleKind.SYSTEM).tolist()
        self._row = {site.rule_path(row): row for row in rows}
        self._inside = {path for path in inside if path in self._row}
        self._waiting: list[Transition] = []

    def set(self, path: str, now: int, *, inside: bool) -> None:
        """Say how a condition is; only a change counts."""
        if inside == (path in self._inside):
            return
        (self._inside.add if inside else self._inside.remove)(path)
        self._waiting.append(Transition(self._row[path], inside, now, now, float("nan")))

    def is_inside(self, path: str) -> bool:
        """Whether a condition is in."""
        return path in self._inside

    def take(self) -> list[Transition]:
        """The transitions since the last call."""
        waiting, self._waiting = self._waiting, []
        return waiting
