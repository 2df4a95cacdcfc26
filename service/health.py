"""The state of the chain, as ``GET /health``, the WebSocket and the console show it."""

from typing import TYPE_CHECKING, Any

from domain.clock import iso
from service.conditions import SPOOL

if TYPE_CHECKING:
    from service.application import Application

RATE_SPAN = 1_000
"""ms over which readings per second are counted at the least."""


class Health:
    """Makes the document; remembers what it needs for the rate of readings."""

    def __init__(self, application: "Application", version: str) -> None:
        self._app = application
        self._version = version
        self._rate = 0.0
        self._counted = (application.clock.now(), 0)

    def document(self) -> dict[str, Any]:
        """Status ``ok``; ``degraded`` (alarms go on, something else is out); ``down`` (alarms do not go on)."""
        app = self._app
        now = app.clock.now()
        components = {
            "broker": self._broker(),
            "ledger": self._ledger(),
            "historian": self._historian(),
            "spool": self._spool(),
            "canary": self._canary(),
            "configuration": self._configuration(),
        }
        down = any(components[name]["status"] == "down" for name in ("broker", "ledger"))
        degraded = any(component["status"] != "ok" for component in components.values())
        counters = app.pipeline.counters
        return {
            "status": "down" if down else "degraded" if degraded else "ok",
            "version": self._version,
            "started_at": iso(app.started_at),
            "now": iso(now),
            "sequence": app.sequence(),
            "components": components,
            "readings": {
                "total": counters.readings,
                "per_second": self._readings_per_second(now, counters.readings),
                "refused": counters.refused,
            },
            "gateways": app.gateway_counts(),
        }

    def _readings_per_second(self, now: int, total: int) -> float:
        since, counted = self._counted
        if now - since >= RATE_SPAN:
            self._rate = round((total - counted) * 1000 / (now - since), 1)
            self._counted = (now, total)
        return self._rate

    def _broker(self) -> dict[str, Any]:
        status = self._app.link_status()
        return {"status": "ok" if status.connected else "down", "since": iso(status.since), "detail": status.detail}

    def _ledger(self) -> dict[str, Any]:
        status = self._app.pipeline.ledger_status
        return {"status": "ok" if status.ok else "down", "since": iso(status.since), "detail": status.detail}

    def _historian(self) -> dict[str, Any]:
        status = self._app.historian_status()
        return {
            "status": "ok" if status.ok else "down",
            "since": iso(status.since),
            "detail": " ".join(filter(None, (status.detail, status.remedy))),
            "backlog": self._app.spool.backlog,
        }

    def _spool(self) -> dict[str, Any]:
        spool = self._app.spool
        filling = self._app.conditions.is_inside(SPOOL)
        unstored = self._app.pipeline.counters.unstored
        return {
            "status": "degraded" if filling else "ok",
            "since": iso(self._app.started_at),
            "detail": f"{unstored} readings were evaluated but not stored" if unstored else "",
            "bytes": spool.size,
            "limit": spool.max_bytes,
            "samples": spool.backlog,
        }

    def _canary(self) -> dict[str, Any]:
        canary = self._app.canary
        status = "down" if canary.is_missing else "unknown" if canary.arrived_at is None else "ok"
        return {
            "status": status,
            "since": iso(self._app.started_at),
            "latency_ms": canary.latency,
            "last": iso(canary.arrived_at) if canary.arrived_at else None,
        }

    def _configuration(self) -> dict[str, Any]:
        revisions = self._app.revisions
        return {
            "status": "degraded" if revisions.divergence else "ok",
            "since": iso(revisions.changed_at),
            "detail": revisions.divergence,
            "revision": revisions.current.number,
        }
