"""Key figures once more, from the journal's bodies and docs/kpi.md alone: slow, plain, and by other ways.

Nothing here is shared with ``alerting.kpi`` but the numbers of its table of targets.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from alerting.kpi.targets import Targets

Body = Mapping[str, Any]
GRADES = ("blue", "yellow", "orange", "red")
TEN, DAY = 600_000, 86_400_000


class Plain:
    """``bodies``: the whole journal in its order; the period is start <= t < end; ``ours`` of enterprise and region."""

    def __init__(
        self, bodies: Sequence[Body], start: int, end: int, ours: Callable[[str, str], bool], targets: Targets
    ) -> None:
        self.start, self.end, self.targets = start, end, targets
        self.everything = [body for body in bodies if body["at"] < end]
        drills = {body["data"]["drill"] for body in bodies if body["data"].get("drill") is not None}
        self._drill_alarms = {
            body["alarm"] for body in bodies if body["data"].get("drill") in drills and body["alarm"] is not None
        } - {None}
        self._drill_incidents = {
            body["incident"] for body in bodies if body["data"].get("drill") in drills and body["incident"]
        }
        self.ours = [
            body for body in self.everything if not body["enterprise"] or ours(body["enterprise"], body["region"])
        ]
        self.real = [body for body in self.ours if not self._is_drill(body)]
        self.by_alarm: dict[int, list[Body]] = defaultdict(list)
        for body in self.real:
            if body["alarm"] is not None:
                self.by_alarm[body["alarm"]].append(body)
        self.calls = sorted(self._calls())

    def _is_drill(self, body: Body) -> bool:
        return (
            body["data"].get("drill") is not None
            or body["alarm"] in self._drill_alarms
            or body["incident"] in self._drill_incidents
        )

    def _in(self, at: int) -> bool:
        return self.start <= at < self.end

    def _path(self, body: Body) -> str:
        return f"{body['enterprise']}/{body['tag']}/{body['rule']}"

    def _calls(self) -> list[tuple[int, str, str]]:
        """Annunciations in the period: time, condition, grade."""
        found = []
        for bodies in self.by_alarm.values():
            grade = "blue"
            for body in bodies:
                data = body["data"]
                grade = data.get("grade", grade)
                visible = data.get("suppression") is None and data.get("cause") is None
                if body["kind"] in {"alarm.annunciated", "alarm.realarmed"} or (
                    body["kind"] == "alarm.entered" and visible
                ):
                    found.append((body["at"], self._path(body), grade))
        return [call for call in found if self._in(call[0])]

    def figures(self) -> dict[str, Any]:
        """All that a test compares."""
        total = len(self.calls)
        length = self.end - self.start
        bins = Counter((at - self.start) // TEN for at, _, _ in self.calls)
        number = -(-length // TEN)
        floods = self._floods()
        top = Counter(path for _, path, _ in self.calls)
        most = sorted(top.values(), reverse=True)[:10]
        stale = self._stale()
        return {
            "alarms": total,
            "average_per_ten_minutes": total / (length / TEN),
            "peak_per_ten_minutes": max(bins.values(), default=0),
            "busy_share": sum(count > 10 for count in bins.values()) / number,
            "floods": floods,
            "flood_share": sum(flood["ended_at"] - flood["began_at"] for flood in floods) / length,
            "top_ten_counts": most,
            "top_ten_share": sum(most) / total if total else 0.0,
            "chattering": self._chattering(),
            "fleeting": self._fleeting(),
            "stale_per_day": {"mean": sum(stale) / len(stale), "most": max(stale)},
            "standing": self._standing(),
            "priorities": {
                grade: {
                    "alarms": sum(one == grade for _, _, one in self.calls),
                    "share": sum(one == grade for _, _, one in self.calls) / max(total, 1),
                }
                for grade in GRADES
            },
            "acknowledge": self._incidents("acknowledge"),
            "feedback": self._incidents("feedback"),
            "alarm_acknowledge": self._alarm_answers(),
            "lost": self._lost(),
            "left_out": self._left_out(),
            "unsigned_suppressions": sum(
                body["kind"] in {"alarm.shelved", "maintenance.announced", "sound.silenced"}
                and not (body["data"].get("name") and (body["data"].get("reason") or body["data"].get("comment")))
                for body in self.real
                if self._in(body["at"])
            ),
            "unsigned_changes": sum(
                body["kind"].startswith("config.") and body["data"].get("author") is None
                for body in self.real
                if self._in(body["at"])
            ),
            "histogram": {
                **{str(count): sum(one == count for one in bins.values()) for count in range(1, 11)},
                "0": number - len(bins),
                "more": sum(count > 10 for count in bins.values()),
            },
        }

    def _floods(self) -> list[dict[str, int]]:
        """Look at every instant at which something can change."""
        times = [at for at, _, _ in self.calls]
        instants = sorted({*times, *(at + TEN for at in times)})
        floods: list[dict[str, int]] = []
        began = None
        for now in instants:
            if now > self.end:
                break
            window = [at for at in times if now - TEN < at <= now]
            if began is None and len(window) > 10:
                # The instant of the eleventh, were several to come at one.
                began = {"began_at": now, "first": window[0]}
            elif began is not None and len(window) < 5:
                alarms = [at for at in times if began["first"] <= at < now]
                floods.append({"began_at": began["began_at"], "ended_at": now, "alarms": len(alarms)})
                began = None
        if began is not None:
            alarms = [at for at in times if began["first"] <= at]
            floods.append({"began_at": began["began_at"], "ended_at": self.end, "alarms": len(alarms)})
        return floods

    def _visits(self) -> list[dict[str, Any]]:  # noqa: PLR0912 - one entry after the other, as told
        """Each time that a condition was in: since when and until when, what was seen to move, when it was visible."""
        visits: list[dict[str, Any]] = []
        for bodies in self.by_alarm.values():
            now: dict[str, Any] | None = None
            suppressed = follows = False
            for body in bodies:
                kind, data = body["kind"], body["data"]
                if kind == "alarm.entered":
                    suppressed, follows = data.get("suppression") is not None, data.get("cause") is not None
                    now = {
                        "path": self._path(body), "from": data["source_time"], "heard": False, "to": None,
                        "left_at": None, "moves": [], "visible": [],
                    }  # fmt: skip
                    visits.append(now)
                elif kind == "alarm.unsuppressed":
                    suppressed = False
                if now is None:
                    continue
                if kind == "alarm.annunciated":
                    suppressed = False
                elif kind == "alarm.suppressed" or (kind == "alarm.shelved" and data["suppression"] is not None):
                    suppressed = True
                elif kind == "alarm.grouped":
                    follows = data["cause"] is not None
                seen = not suppressed and not follows
                over = kind in {"alarm.returned", "alarm.withdrawn"}
                if kind in {"alarm.annunciated", "alarm.realarmed"} or (kind == "alarm.entered" and seen):
                    now["heard"] = True
                if seen and (kind in {"alarm.entered", "alarm.damped"} or (over and not data.get("damped"))):
                    now["moves"].append((body["at"], data.get("source_time", body["at"])))
                is_listed = bool(now["visible"]) and now["visible"][-1][1] is None
                if seen and not over and not is_listed:
                    now["visible"].append([body["at"], None])
                elif is_listed and (over or not seen):
                    now["visible"][-1][1] = body["at"]
                if over:
                    if kind == "alarm.returned":
                        now.update(to=data["source_time"], left_at=body["at"])
                    now = None
        return visits

    def _chattering(self) -> dict[str, int]:
        moves: dict[str, list[int]] = defaultdict(list)
        for visit in self._visits():
            moves[visit["path"]] += [source for at, source in visit["moves"] if self._in(at)]
        limits = self.targets.chattering
        found: dict[str, int] = {}
        for path, times in moves.items():
            times.sort()
            within: set[int] = set()
            for first in range(len(times) - limits.transitions + 1):
                if times[first + limits.transitions - 1] - times[first] <= limits.within * 1000:
                    within.update(range(first, first + limits.transitions))
            if within:
                found[path] = len(within)
        for body in self.real:
            if body["kind"] == "alarm.chattering" and self._in(body["at"]):
                found.setdefault(self._path(body), 0)
        return found

    def _fleeting(self) -> dict[str, int]:
        return dict(
            Counter(
                visit["path"]
                for visit in self._visits()
                if visit["heard"]
                and visit["to"] is not None
                and self._in(visit["left_at"])
                and visit["to"] - visit["from"] < self.targets.fleeting.within * 1000
            )
        )

    def _listed(self) -> list[tuple[int, int | None, str]]:
        """Spans in which an alarm stood in the list: from, to, condition."""
        return [(since, to, visit["path"]) for visit in self._visits() for since, to in visit["visible"]]

    def _stale(self) -> list[int]:
        counts = []
        for day in range(self.start, self.end, DAY):
            until = min(day + DAY, self.end)
            counts.append(
                sum(
                    since + self.targets.stale.after * 1000 < until and (to is None or to > max(since + DAY, day))
                    for since, to, _ in self._listed()
                )
            )
        return counts

    def _standing(self) -> dict[str, Any]:
        spans = self._listed()
        lasting = [span for span in spans if span[1] is None or span[1] >= self.end]
        seconds = sum(
            max(min(to if to is not None else self.end, self.end) - max(since, self.start), 0) for since, to, _ in spans
        )
        return {"count": len(lasting), "mean": seconds / (self.end - self.start)}

    def _incidents(self, step: str) -> dict[str, dict[str, Any]]:
        cases: dict[int, dict[str, Any]] = {}
        for body in self.real:
            data = body["data"]
            if body["kind"] == "incident.opened":
                cases[body["incident"]] = {
                    "at": body["at"],
                    "grade": data["grade"],
                    "acknowledge": None,
                    "feedback": None,
                    "sides": [],
                }
            case = cases.get(body["incident"] or 0)
            if case is None:
                continue
            if body["kind"] == "incident.graded" and case["acknowledge"] is None:
                case["grade"] = max(case["grade"], data["to"], key=GRADES.index)
            if body["kind"] == "incident.fed_back" and case["feedback"] is None:
                case["feedback"] = body["at"]
            if body["kind"] == "incident.acknowledged":
                case["sides"].append(data["side"])
                both = case["grade"] in {"orange", "red"}
                if case["acknowledge"] is None and len(set(case["sides"])) >= (2 if both else 1):
                    case["acknowledge"] = body["at"]
        limits = getattr(self.targets, step).model_dump()
        chosen = [case for case in cases.values() if self._in(case["at"])]
        return {
            grade: self._answers(
                [(case["at"], case[step]) for case in chosen if case["grade"] == grade], limits[grade] * 1000
            )
            for grade in GRADES
        }

    def _alarm_answers(self) -> dict[str, dict[str, Any]]:
        waits: dict[str, list[tuple[int, int | None]]] = {grade: [] for grade in GRADES}
        for bodies in self.by_alarm.values():
            asked: tuple[int, str] | None = None
            grade = "blue"
            for body in bodies:
                kind, data = body["kind"], body["data"]
                grade = data.get("grade", grade)
                visible = data.get("suppression") is None and data.get("cause") is None
                calls = kind in {"alarm.annunciated", "alarm.realarmed"} or (kind == "alarm.entered" and visible)
                if calls and asked is None:
                    asked = body["at"], grade
                elif kind == "alarm.acknowledged" and asked is not None:
                    waits[asked[1]].append((asked[0], body["at"]))
                    asked = None
            if asked is not None:
                waits[asked[1]].append((asked[0], None))
        limits = self.targets.acknowledge.model_dump()
        return {
            grade: self._answers([one for one in waits[grade] if self._in(one[0])], limits[grade] * 1000)
            for grade in GRADES
        }

    def _answers(self, pairs: Sequence[tuple[int, int | None]], limit: int) -> dict[str, Any]:
        spans = sorted(done - at for at, done in pairs if done is not None)
        waiting = [at for at, done in pairs if done is None]
        missing = sum(at + limit <= self.end for at in waiting)
        in_time = sum(span <= limit for span in spans)
        return {
            "within": limit,
            "answered": len(spans),
            "in_time": in_time,
            "late": len(spans) - in_time,
            "missing": missing,
            "open": len(waiting) - missing,
            "median": median(spans) if spans else None,
            "nine_in_ten": spans[-(-len(spans) * 9 // 10) - 1] if spans else None,
            "share": in_time / (len(spans) + missing) if spans or missing else None,
        }

    def _lost(self) -> int:
        """Ms without link within the period, of all gateways."""
        total = 0
        for bodies in self.by_alarm.values():
            since = None
            for body in bodies:
                if body["rule"] != "LINK":
                    continue
                if body["kind"] == "alarm.entered":
                    since = body["data"]["source_time"]
                elif body["kind"] == "alarm.returned" and since is not None:
                    total += max(min(body["data"]["source_time"], self.end) - max(since, self.start), 0)
                    since = None
            if since is not None:
                total += max(self.end - max(since, self.start), 0)
        return total

    def _left_out(self) -> dict[str, int]:
        inside = [body for body in self.ours if self._in(body["at"])]
        entered = [body for body in inside if body["kind"] == "alarm.entered"]
        real = [body for body in entered if not self._is_drill(body)]
        return {
            "drill": len(entered) - len(real),
            "suppressed": sum(body["data"].get("suppression") is not None for body in real),
            "followed": sum(
                body["data"].get("suppression") is None and body["data"].get("cause") is not None for body in real
            ),
            "retrospective": sum(body["kind"] == "alarm.retrospective" for body in inside),
        }
