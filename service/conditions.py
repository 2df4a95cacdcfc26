"""Conditions of the service and of gateways: set by the service itself, not by a sample."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

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
        self._row = system_rows(site)
        self._inside = {path for path in inside if path in self._row}
        self._waiting: list[Transition] = []

    def set(self, path: str, now: int, *, inside: bool) -> None:
        """Say how a condition is; only a change counts."""
        if inside == (path in self._inside):
            return
        (self._inside.add if inside else self._inside.remove)(path)
        self._waiting.append(Transition(self._row[path], inside, now, now, float("nan")))

    def has(self, path: str) -> bool:
        """Whether the site has such a condition."""
        return path in self._row

    def is_inside(self, path: str) -> bool:
        """Whether a condition is in."""
        return path in self._inside

    def reconfigure(self, row: Mapping[str, int]) -> None:
        """Go on with the rows of another site; a condition that it has not is out and forgotten."""
        path_of = {number: path for path, number in self._row.items()}
        self._row = dict(row)
        self._inside.intersection_update(row)
        waiting = ((found, path_of[found.rule]) for found in self._waiting)
        self._waiting = [replace(found, rule=row[path]) for found, path in waiting if path in row]

    def take(self) -> list[Transition]:
        """The transitions since the last call."""
        waiting, self._waiting = self._waiting, []
        return waiting


def channel_condition(channel: str) -> str:
    """Path of the condition that a channel fails."""
    return f"{SERVICE_ENTERPRISE}/channel.{channel}/FAILING"


def system_rows(site: Site) -> dict[str, int]:
    """Row of each system condition, by its path."""
    return {site.rule_path(row): row for row in np.flatnonzero(site.rules.kind == RuleKind.SYSTEM).tolist()}
