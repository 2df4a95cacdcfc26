"""停用: maintenance windows over a tag, a unit or a gateway, announced beforehand or at once.

A window over a gateway covers the gateway's own conditions and the faults (silence, bad quality) of its tags; process
alarms come through all the same. While an incident of what it covers is red a window does not begin: one that is asked
for at once is refused, one that was announced waits.
"""

from collections.abc import Iterator
from dataclasses import asdict

from alerting.alarms.limits import AlarmLimits
from alerting.alarms.roll import Roll
from alerting.alarms.suppression import Overlay, Window
from alerting.alarms.timers import Timers
from alerting.records import SERVICE, Change
from alerting.refusals import Conflict, NotFound
from domain.scales import Grade
from domain.site import GATEWAY_UNIT

WINDOW = "window"
"""Kind of timer: a window's beginning or end, by id."""
SCOPES = ("tag", "unit", "gateway")


class Maintenance:
    """Acts on maintenance windows, their beginnings and ends."""

    def __init__(self, overlay: Overlay, roll: Roll, timers: Timers, limits: AlarmLimits) -> None:
        self._overlay = overlay
        self._roll = roll
        self._timers = timers
        self.limits = limits
        self._waiting: dict[int, None] = {}
        """Windows that are due and wait because something is red."""
        for window in overlay.windows.values():
            self._schedule(window)

    def announce(
        self,
        scope: str,
        enterprise: str,
        target: str,
        begins_at: int | None,
        ends_at: int,
        reason: str,
        actor: str,
        name: str,
        now: int,
        change: Change,
    ) -> Window:
        """Announce a window; without a beginning, or with one that is past, it begins at once.

        Raises NotFound: the site has no such tag, unit or gateway; Conflict: its times, or something is red.
        """
        self._refuse_unknown(scope, enterprise, target)
        at_once = begins_at is None or begins_at <= now
        begins = now if begins_at is None else max(begins_at, now)
        longest = self.limits.longest_maintenance
        if not begins < ends_at <= begins + longest:
            raise Conflict(
                f"a window ends after it begins, in the future, within {longest / 86_400_000:g} days; change `ends_at`"
            )
        if at_once and self._is_red(scope, enterprise, target):
            raise Conflict(f"the incident of {scope} {target} is red: nothing of it goes out of service now")
        window = Window(
            id=self._roll.journal.sequence + 1,
            scope=scope,
            enterprise=enterprise,
            target=target,
            region=self._overlay.relations.site.region_of(enterprise),
            begins_at=begins,
            ends_at=ends_at,
            reason=reason,
            name=name,
            state="announced",
            announced_at=now,
        )
        self._overlay.windows[window.id] = window
        self._note(window, "announced", actor, {"name": name, "reason": reason}, now, change)
        if at_once:
            self._begin(window, now, change)
            self._roll.settle(now, change)
        else:
            self._schedule(window)
        return window

    def cancel(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Window:
        """Cancel a window that has not begun. Raises NotFound, Conflict (it is running)."""
        window = self._get(identity)
        if window.state != "announced":
            raise Conflict(
                f"maintenance {identity} is {window.state}: only one that has not begun is cancelled; end it"
            )
        self._close(window, "cancelled", actor, name, {"name": name, "comment": comment}, now, change)
        return window

    def end(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Window:
        """End a running window early. Raises NotFound, Conflict (it has not begun)."""
        window = self._get(identity)
        if window.state != "running":
            raise Conflict(f"maintenance {identity} is {window.state}: only a running one is ended; cancel it")
        self._close(window, "ended", actor, name, {"name": name, "comment": comment}, now, change)
        self._roll.settle(now, change)
        return window

    def come_due(self, identity: int, now: int, change: Change) -> None:
        """A window's beginning or end has come."""
        window = self._overlay.windows.get(identity)
        if window is None:
            return
        if window.state == "running":
            self._close(window, "ended", SERVICE, None, {"why": "over"}, now, change)
        elif window.ends_at <= now:  # the service was away, or something was red all the while
            self._close(window, "cancelled", SERVICE, None, {"why": "over before it could begin"}, now, change)
        elif self._is_red(window.scope, window.enterprise, window.target):
            self._waiting[identity] = None
        else:
            self._begin(window, now, change)

    def retry(self, now: int, change: Change) -> None:
        """Look again at windows that wait because something was red."""
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            for identity in waiting:
                self.come_due(identity, now, change)

    def end_unknown(self, now: int, change: Change) -> None:
        """End windows over what the site no longer has."""
        for window in list(self._overlay.windows.values()):
            try:
                self._refuse_unknown(*window.place)
            except NotFound:
                kind = "ended" if window.state == "running" else "cancelled"
                self._close(window, kind, SERVICE, None, {"why": "removed"}, now, change)

    def _begin(self, window: Window, now: int, change: Change) -> None:
        window.state, window.began_at = "running", now
        self._overlay.index()
        self._schedule(window)
        self._note(window, "began", SERVICE, {"name": window.name, "reason": window.reason}, now, change)
        self._renew(window, now, change)

    def _close(
        self, window: Window, kind: str, actor: str, by: str | None, data: dict[str, object], now: int, change: Change
    ) -> None:
        was_running = window.state == "running"
        window.state, window.ended_at, window.ended_by = kind, now, by
        del self._overlay.windows[window.id]
        self._waiting.pop(window.id, None)
        self._timers.cancel((WINDOW, window.id, ""))
        self._note(window, kind, actor, data, now, change)
        if was_running:
            self._overlay.index()
            self._renew(window, now, change)

    def _renew(self, window: Window, now: int, change: Change) -> None:
        covered = (
            alarm
            for alarm in self._roll.by_id.values()
            if alarm.enterprise == window.enterprise and alarm.drill is None and self._overlay.covers(window, alarm)
        )
        self._overlay.renew_all(covered, now, change)

    def _schedule(self, window: Window) -> None:
        self._timers.set((WINDOW, window.id, ""), window.begins_at if window.state == "announced" else window.ends_at)

    def _get(self, identity: int) -> Window:
        window = self._overlay.windows.get(identity)
        if window is None:
            raise NotFound(f"maintenance {identity} is over, or there is none of that number")
        return window

    def _refuse_unknown(self, scope: str, enterprise: str, target: str) -> None:
        site = self._overlay.relations.site
        known = {
            "tag": f"{enterprise}/{target}" in site.tag_index,
            "unit": (enterprise, target) in site.units,
            "gateway": (enterprise, target) in site.gateways,
        }[scope]
        if not known or enterprise not in site.enterprises:
            raise NotFound(f"there is no {scope} {target} of enterprise {enterprise}")

    def _is_red(self, scope: str, enterprise: str, target: str) -> bool:
        units = set(self._units(scope, enterprise, target))
        return any(
            incident.grade is Grade.RED and incident.unit_key in units for incident in self._roll.casebook.open.values()
        )

    def _units(self, scope: str, enterprise: str, target: str) -> Iterator[tuple[str, str]]:
        if scope == "tag":
            site = self._overlay.relations.site
            yield enterprise, site.tags[site.tag_index[f"{enterprise}/{target}"]].unit
        else:
            yield enterprise, target if scope == "unit" else GATEWAY_UNIT

    def _note(self, window: Window, what: str, actor: str, data: dict[str, object], now: int, change: Change) -> None:
        site, unit, tag = self._overlay.relations.site, None, None
        if window.scope == "unit":
            unit = window.target
        elif window.scope == "tag":
            tag = window.target
            index = site.tag_index.get(f"{window.enterprise}/{window.target}")
            unit = None if index is None else site.tags[index].unit
        facts = {
            "maintenance": window.id,
            "scope": window.scope,
            "target": window.target,
            "begins_at": window.begins_at,
            "ends_at": window.ends_at,
        }
        entry = self._roll.journal.append(
            now,
            f"maintenance.{what}",
            actor,
            facts | data,
            region=window.region,
            enterprise=window.enterprise,
            unit=unit,
            tag=tag,
        )
        change.entries.append(entry)
        change.upsert("maintenance", asdict(window))
