"""A reference for the register, written from ISA-18.2 / IEC 62682 and DOMAIN's tables, apart from the code.

It keeps plain facts of each condition and decides everything else anew from them whenever something happens: what lies
over an alarm, what it follows from, what grade a unit has. It is slow where the service must be quick, and knows of no
index, heap or ledger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

BLUE, YELLOW, ORANGE, RED = 1, 2, 3, 4
MINUTE, HOUR = 60_000, 3_600_000
HOLD, PERSISTS = 10 * MINUTE, MINUTE
GASES = {"GT": "toxic", "AT": "flammable", "MT": "methane"}
UNITS = {"TI-9": "boiler", "LI-1": "tank", "@gw1": "gateways"}
"""Units of the tags that are not in the tank farm."""


@dataclass(frozen=True)
class Plan:
    """A configuration: the rules that there are, and their relations."""

    rules: frozenset[str]
    latching: frozenset[str] = frozenset()
    grades: Mapping[str, int] = field(default_factory=dict)
    suppressors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    re_alarm: Mapping[str, int] = field(default_factory=dict)
    """ms."""


@dataclass
class Alarm:
    """One alarm, in plain words. Times in ms."""

    path: str
    born: int
    since: int
    seen: int
    latches: bool
    grade: int
    says_in: bool = True
    """What the rule says; a return may be damped."""
    is_in: bool = True
    acknowledged_at: int | None = None
    latched: bool = False
    left_unheard: bool = False
    """It left while nobody was to hear of it."""
    times: int = 1
    left_at: int | None = None
    hidden: tuple[str, str, int | None] | None = None
    """What lies over it: suppression, by whom or by what, until when."""
    calm_at: int | None = None
    """It chatters until then."""
    stale: bool = False
    cause: str | None = None
    first: bool = False
    case: str | None = None
    """The unit to whose incident it has come."""

    @property
    def state(self) -> str:
        if self.is_in:
            return "acknowledged" if self.acknowledged_at else "unacknowledged"
        if self.latched:
            return "latched_acknowledged" if self.acknowledged_at else "latched_unacknowledged"
        return "normal" if self.acknowledged_at or self.left_unheard else "returned_unacknowledged"

    @property
    def drill(self) -> str:
        return self.path[: self.path.rfind(":") + 1]

    @property
    def rule_path(self) -> str:
        return bare(self.path)

    @property
    def rule(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def tag(self) -> str:
        return self.path.split("/")[1]

    @property
    def gas(self) -> str | None:
        return GASES.get(self.tag[:2])

    @property
    def is_second_level(self) -> bool:
        return self.rule in {"HH", "CH4-2"}

    @property
    def is_fault(self) -> bool:
        return self.rule in {"STALE", "BAD", "LINK"}

    @property
    def follows_lost_link(self) -> bool:
        return self.rule == "STALE" and self.cause is not None and self.cause.endswith("/LINK")

    @property
    def own_unit(self) -> str:
        return self.drill + UNITS.get(self.tag, "tankfarm")

    @property
    def unit(self) -> str:
        """Whose incident it belongs to."""
        return f"{self.drill}gateways" if self.follows_lost_link else self.own_unit

    @property
    def counts(self) -> bool:
        return self.is_in and self.hidden is None and not self.follows_lost_link

    @property
    def is_present(self) -> bool:
        """As a process alarm, for others to be first-out or not."""
        waits = self.is_in or self.state in {"returned_unacknowledged", "latched_unacknowledged"}
        return not self.is_fault and not self.stale and self.hidden is None and waits


@dataclass
class Incident:
    """The case of one unit."""

    grade: int
    peak: int
    total: int = 0
    clear_since: int | None = None


@dataclass
class Shelf:
    """What a person has shelved."""

    until: int
    reason: str
    name: str


@dataclass
class Window:
    """A maintenance window."""

    number: int
    scope: str
    enterprise: str
    target: str
    begins: int
    ends: int
    name: str
    runs: bool = False


class Reference:
    """What should be. ``told``: what should be journaled, as ``kind about``, in no order within an act."""

    def __init__(self, plan: Plan, hazard_level: int | None) -> None:
        self.plan = plan
        self.hazard_level = hazard_level
        self.alarms: dict[str, Alarm] = {}
        self.incidents: dict[str, Incident] = {}
        self.shelves: dict[str, Shelf] = {}
        self.windows: dict[int, Window] = {}
        self.waiting: list[int] = []
        """Windows that are due while something is red."""
        self.toggles: dict[str, list[int]] = {}
        self.linked: dict[str, int] = {}
        """Path of a link that is back -> when its tags' silence will be their own."""
        self.told: list[str] = []
        self.touched: set[str] = set()
        self.seen_grades: dict[str, int] = {}
        self.contests: dict[str, list[tuple[int, int]]] = {}
        """Units that were calm -> source time and number of what has come up there since."""
        self.born = 0

    # ---- conditions

    def block(self, happenings: Iterable[tuple[str, int, int, bool]], now: int) -> None:
        """Several at once: path, source time, received time, enters."""
        for path, at, seen, enters in happenings:
            self.happens(path, at, seen, now, enters=enters)
        self.settle(now)

    def happens(self, path: str, at: int, seen: int, now: int, *, enters: bool) -> None:
        """A condition enters or leaves."""
        known = self.alarms.get(path)
        if (known is not None and known.says_in) == enters:
            return
        times = self.toggles.setdefault(path, [])
        times.append(at)
        often = len(times) >= 3 and times[-1] - times[-3] <= MINUTE
        if enters:
            if self.plan.grades.get(bare(path)) == RED:
                self.unshelve(path, now)
            if known is not None and known.is_in:
                known.says_in = True
                self.agitate(known, now)
                self.tell("alarm.damped", known)
            else:
                self.enters(path, known, at, seen, now, often=often)
        elif known is not None:
            if often or known.calm_at is not None:
                self.agitate(known, now)
            known.left_at = at
            if known.calm_at is not None and known.grade < ORANGE:
                known.says_in = False
                self.tell("alarm.damped", known)
            else:
                self.goes_out(known, now)

    def enters(self, path: str, known: Alarm | None, at: int, seen: int, now: int, *, often: bool) -> None:
        present_before = known is not None and known.is_present
        if known is None:
            self.born += 1
        alarm = Alarm(
            path=path,
            born=known.born if known else self.born,
            since=at,
            seen=seen,
            latches=bare(path) in self.plan.latching,
            grade=self.grade_of(path),
            times=known.times + 1 if known else 1,
            calm_at=known.calm_at if known else None,
            case=known.case if known else None,
            first=known.first if known else False,
        )
        alarm.cause = self.cause_of(alarm)
        alarm.hidden = self.what_lies_over(alarm)
        if alarm.hidden is not None or alarm.unit in self.contests or not (alarm.first and present_before):
            self.may_be_first(alarm)
        if known is not None and known.unit != alarm.unit:
            self.touched.add(known.unit)
            alarm.case = None
        self.alarms[path] = alarm
        if alarm.hidden is None:
            self.join(alarm, now)
        self.tell("alarm.entered", alarm)
        if often or alarm.calm_at is not None:
            self.agitate(alarm, now)
        self.look_at(alarm.unit, now)
        self.condition_changed(alarm, now)

    def may_be_first(self, alarm: Alarm) -> None:
        alarm.first = False
        if alarm.is_fault or alarm.hidden is not None:
            return
        if alarm.unit in self.contests or self.is_calm(alarm):
            self.contests.setdefault(alarm.unit, []).append((alarm.since, alarm.born))

    def choose_first(self) -> None:
        """Of what came up in a calm and is there yet the earliest."""
        contests, self.contests = self.contests, {}
        for contest in contests.values():
            by_number = {alarm.born: alarm for alarm in self.alarms.values()}
            there = [one for one in contest if one[1] in by_number and by_number[one[1]].is_present]
            for _, number in contest:
                if number in by_number:
                    by_number[number].first = bool(there) and number == min(there)[1]

    def is_calm(self, alarm: Alarm) -> bool:
        return not any(
            other.is_present and other.unit == alarm.unit and other.path != alarm.path for other in self.alarms.values()
        )

    def agitate(self, alarm: Alarm, now: int) -> None:
        began, alarm.calm_at = alarm.calm_at is None, now + MINUTE
        if began:
            self.tell("alarm.chattering", alarm)
            self.lay_over(now)

    def goes_out(self, alarm: Alarm, now: int) -> None:
        alarm.is_in = alarm.says_in = alarm.stale = False
        alarm.latched = alarm.latches
        alarm.left_unheard = alarm.hidden is not None and not alarm.latches
        self.tell("alarm.returned", alarm)
        self.forget_if_normal(alarm)
        self.condition_changed(alarm, now)

    def condition_changed(self, alarm: Alarm, now: int) -> None:
        """What is hidden or caused by it is so no more, or from now on."""
        self.lay_over(now)
        if alarm.rule == "LINK":
            silent = [other for other in self.of_drill(alarm.drill) if other.rule == "STALE" and other.is_in]
            silent = [other for other in silent if other.path.startswith(f"{alarm.drill}works/")]
            if alarm.is_in:
                self.linked.pop(alarm.path, None)
                for other in silent:
                    if other.cause is None and other.since >= alarm.since - MINUTE:
                        self.put_under(other, alarm.path, now)
            elif any(other.cause == alarm.path for other in silent):
                self.linked[alarm.path] = now + MINUTE
        for other in self.of_drill(alarm.drill):
            if other.is_in and alarm.drill + self.plan.parents.get(other.rule_path, "?") == alarm.path:
                if alarm.is_in and other.cause is None:
                    self.put_under(other, alarm.path, now)
                elif not alarm.is_in and other.cause == alarm.path:
                    self.put_under(other, None, now)

    def of_drill(self, drill: str) -> list[Alarm]:
        return [alarm for alarm in self.alarms.values() if alarm.drill == drill]

    def put_under(self, alarm: Alarm, cause: str | None, now: int) -> None:
        before = alarm.unit
        self.touched.add(before)
        alarm.cause = cause
        if alarm.unit != before:
            alarm.case = None
            if alarm.hidden is None:
                self.join(alarm, now)
        self.tell("alarm.grouped", alarm)

    def cause_of(self, alarm: Alarm) -> str | None:
        link = f"{alarm.drill}works/@gw1/LINK"
        if alarm.rule == "STALE" and alarm.path.startswith(f"{alarm.drill}works/") and self.is_in(link):
            return link
        parent = self.plan.parents.get(alarm.rule_path)
        return alarm.drill + parent if parent is not None and self.is_in(alarm.drill + parent) else None

    def is_in(self, path: str) -> bool:
        return path in self.alarms and self.alarms[path].is_in

    # ---- suppression

    def what_lies_over(self, alarm: Alarm) -> tuple[str, str, int | None] | None:
        running = [window for window in self.windows.values() if window.runs and self.covers(window, alarm)]
        if running:
            window = max(running, key=lambda one: (one.ends, -one.number))
            return "out_of_service", window.name, window.ends
        for path in self.plan.suppressors.get(alarm.rule_path, ()):
            if self.suppresses(alarm.drill + path):
                return "by_design", path, None
        shelf = self.shelves.get(alarm.path)
        if shelf is not None and alarm.grade < RED:
            return "shelved", shelf.name, shelf.until
        return None

    def suppresses(self, path: str) -> bool:
        """It is in and does not chatter, and what it says is not the last word of a tag that is silent or bad."""
        if not self.is_in(path) or self.alarms[path].calm_at is not None:
            return False
        place = path.rpartition("/")[0]
        return self.alarms[path].is_fault or not (self.is_in(f"{place}/STALE") or self.is_in(f"{place}/BAD"))

    def covers(self, window: Window, alarm: Alarm) -> bool:
        if alarm.drill or alarm.path.partition("/")[0] != window.enterprise:
            return False
        if window.scope == "gateway":
            return alarm.is_fault and window.target == "gw1"
        return window.target == (alarm.tag if window.scope == "tag" else alarm.own_unit)

    def lay_over(self, now: int) -> None:
        """Bring every alarm up to what lies over it."""
        for alarm in list(self.alarms.values()):
            lying = self.what_lies_over(alarm)
            if lying == alarm.hidden:
                continue
            alarm.hidden = lying
            if lying is not None:
                self.tell("alarm.suppressed", alarm)
                continue
            if alarm.is_in:
                alarm.acknowledged_at = None
                self.may_be_first(alarm)
            self.join(alarm, now)
            self.tell("alarm.annunciated" if alarm.is_in else "alarm.unsuppressed", alarm)
            self.look_at(alarm.unit, now)

    def shelve(self, path: str, until: int, reason: str, name: str, now: int) -> bool:
        """A person does; False: it is refused."""
        alarm, known = self.alarms.get(path), self.shelves.get(path)
        if alarm is None or alarm.grade == RED or not now < until <= now + 8 * HOUR:
            return False
        red = {unit for unit, incident in self.incidents.items() if incident.grade == RED}
        if red & {alarm.case, alarm.own_unit} or (known is not None and known.reason == reason):
            return False
        self.shelves[path] = Shelf(until, reason, name)
        alarm.hidden = self.what_lies_over(alarm)
        self.tell("alarm.shelved", alarm)
        self.settle(now)
        return True

    def unshelve(self, path: str, now: int) -> bool:
        """A shelf ends; False: there is none."""
        if path not in self.shelves:
            return False
        del self.shelves[path]
        self.told.append(f"alarm.unshelved {path}")
        if path in self.alarms:
            self.touched.add(self.alarms[path].unit)
        self.lay_over(now)
        return True

    def announce(self, window: Window, now: int) -> bool:
        """A person does; False: it is refused."""
        at_once = window.begins <= now
        window.begins = max(window.begins, now)
        if not window.begins < window.ends or (at_once and self.is_red(window)):
            return False
        self.windows[window.number] = window
        self.told.append(f"maintenance.announced {window.target}")
        if at_once:
            self.begin(window, now)
            self.settle(now)
        return True

    def begin(self, window: Window, now: int) -> None:
        window.runs = True
        self.told.append(f"maintenance.began {window.target}")
        self.lay_over(now)

    def close_window(self, number: int, now: int, kind: str) -> None:
        window = self.windows.pop(number)
        self.waiting = [waiting for waiting in self.waiting if waiting != number]
        self.told.append(f"maintenance.{kind} {window.target}")
        self.lay_over(now)

    def window_due(self, number: int, now: int) -> None:
        window = self.windows[number]
        if window.runs:
            self.close_window(number, now, "ended")
        elif window.ends <= now:
            self.close_window(number, now, "cancelled")
        elif self.is_red(window):
            self.waiting.append(number)
        else:
            self.begin(window, now)

    def is_red(self, window: Window) -> bool:
        unit = {"unit": window.target, "gateway": "gateways"}.get(window.scope) or UNITS.get(window.target, "tankfarm")
        return unit in self.incidents and self.incidents[unit].grade == RED

    # ---- people

    def acknowledge(self, path: str, now: int) -> bool:
        """A person does; False: there is nothing to acknowledge."""
        alarm = self.alarms.get(path)
        if alarm is None or alarm.acknowledged_at or alarm.state == "normal":
            return False
        alarm.acknowledged_at = now
        self.tell("alarm.acknowledged", alarm)
        self.forget_if_normal(alarm)
        return True

    def reset(self, path: str) -> bool:
        """A person does; False: it is not latched."""
        alarm = self.alarms.get(path)
        if alarm is None or not alarm.latched:
            return False
        alarm.latched = False
        self.tell("alarm.reset", alarm)
        self.forget_if_normal(alarm)
        return True

    # ---- time, configuration, restarts

    def wait(self, now: int) -> None:
        """Time passes."""
        waiting, self.waiting = self.waiting, []
        for number in waiting:
            self.window_due(number, now)
        while True:
            due = [each for each in self.timers() if each[0] <= now]
            if not due:
                break
            instant = min(due)[0]
            self.settle(now)
            while True:
                found = min((each for each in self.timers() if each[0] == instant), default=None)
                if found is None:
                    break
                self.come_due(found[1], found[2], found[3], now)
        self.settle(now)
        for unit, incident in self.incidents.items():
            self.touched.add(unit)
            self.look(unit, now)
            is_held = incident.clear_since is not None and now - incident.clear_since >= HOLD
            if is_held and incident.grade > BLUE:
                incident.grade = BLUE
                self.told.append(f"incident.graded {unit}")
        self.settle(now)

    def timers(self) -> Iterable[tuple[int, str, int, str]]:
        """Instant, kind, number, path."""
        for alarm in self.alarms.values():
            if alarm.calm_at is not None:
                yield alarm.calm_at, "calm", alarm.born, alarm.path
            if alarm.is_in and not alarm.stale:
                yield alarm.seen + 24 * HOUR + 1, "stale", alarm.born, alarm.path
            again = self.plan.re_alarm.get(alarm.rule_path)
            if again and alarm.state == "acknowledged" and alarm.acknowledged_at and alarm.hidden is None:
                yield alarm.acknowledged_at + again, "re-alarm", alarm.born, alarm.path
        for link, due in self.linked.items():
            yield due, "cause", 0, link
        for path, shelf in self.shelves.items():
            yield shelf.until, "shelf", 0, path
        for window in self.windows.values():
            if window.number not in self.waiting:
                yield window.ends if window.runs else window.begins, "window", window.number, ""

    def come_due(self, kind: str, number: int, path: str, now: int) -> None:
        if kind == "shelf":
            self.unshelve(path, now)
        elif kind == "window":
            self.settle(now)
            self.window_due(number, now)
        elif kind == "cause":
            del self.linked[path]
            for alarm in [other for other in self.alarms.values() if other.cause == path and other.is_in]:
                self.put_under(alarm, self.cause_of(alarm), now)
        else:
            alarm = self.alarms[path]
            if kind == "stale":
                alarm.stale = True
                self.tell("alarm.stale", alarm)
            elif kind == "re-alarm":
                alarm.acknowledged_at = None
                self.tell("alarm.realarmed", alarm)
            else:
                alarm.calm_at = None
                self.tell("alarm.calm", alarm)
                if not alarm.says_in and alarm.is_in:
                    self.goes_out(alarm, now)
                else:
                    self.lay_over(now)

    def restarts(self, now: int) -> None:
        """The process has died and come back."""
        self.linked = {
            alarm.cause: now + MINUTE
            for alarm in self.alarms.values()
            if alarm.is_in and alarm.follows_lost_link and alarm.cause and not self.is_in(alarm.cause)
        }

    def reconfigured(self, plan: Plan, now: int) -> None:
        """The configuration is another; until now the old one held."""
        self.touched |= set(self.incidents)
        self.settle(now)
        self.plan = plan
        were_in = []
        for alarm in [alarm for alarm in self.alarms.values() if alarm.rule_path not in plan.rules]:
            were_in += [alarm] if alarm.is_in else []
            alarm.is_in = alarm.says_in = False
            self.tell("alarm.withdrawn", alarm)
            del self.alarms[alarm.path]
        for alarm in were_in:  # once all are gone: what the new plan shows never stood beside what it has not
            self.condition_changed(alarm, now)
        for path in [path for path in self.shelves if bare(path) not in plan.rules]:
            self.unshelve(path, now)
        for alarm in list(self.alarms.values()):
            cause = self.cause_of(alarm)
            waits = cause is None and alarm.follows_lost_link
            if alarm.is_in and cause != alarm.cause and not waits:
                self.put_under(alarm, cause, now)
        self.lay_over(now)
        self.touched |= set(self.incidents)
        self.settle(now)

    # ---- grades

    def grade_of(self, path: str) -> int:
        rule = path.rpartition("/")[2]
        return max(self.plan.grades.get(bare(path), BLUE), YELLOW if rule in {"HH", "CH4-2"} else BLUE)

    def join(self, alarm: Alarm, now: int) -> None:
        if alarm.case is not None:
            return
        unit = alarm.case = alarm.unit
        if unit not in self.incidents:
            grade = self.grade_now(unit, now) or alarm.grade
            self.incidents[unit] = Incident(grade, grade)
            self.told.append(f"incident.opened {unit}")
        self.incidents[unit].total += 1

    def look_at(self, unit: str, now: int) -> None:
        """Remember the highest grade that a unit had, however shortly."""
        self.seen_grades[unit] = max(self.seen_grades.get(unit, 0), self.grade_now(unit, now) or 0)

    def settle(self, now: int) -> None:
        """Say what was first, and give the units concerned their grades; what is red is on no shelf."""
        while self.touched:
            self.choose_first()
            touched, self.touched = self.touched, set()
            for unit in touched:
                if unit in self.incidents:
                    self.look(unit, now)
            self.seen_grades = {}
            red = {unit for unit, incident in self.incidents.items() if incident.grade == RED}
            for path in list(self.shelves):
                alarm = self.alarms.get(path)
                own = path[: path.rfind(":") + 1] + UNITS.get(path.split("/")[1], "tankfarm")
                if red & {own, alarm.case if alarm else None}:
                    self.unshelve(path, now)

    def look(self, unit: str, now: int) -> None:
        """Raise the unit's grade if it is higher than it was.

        It is clear when no alarm that has come to it is in; hiding one clears nothing.
        """
        incident = self.incidents[unit]
        grade = max(self.grade_now(unit, now) or 0, self.seen_grades.pop(unit, 0))
        if any(alarm.is_in and alarm.case == unit for alarm in self.alarms.values()):
            incident.clear_since = None
        elif incident.clear_since is None or grade:
            incident.clear_since = now
        if grade > incident.grade:
            incident.grade = grade
            incident.peak = max(incident.peak, grade)
            self.told.append(f"incident.graded {unit}")

    def grade_now(self, unit: str, now: int) -> int | None:
        """DOMAIN's table, row by row."""
        present = [alarm for alarm in self.alarms.values() if alarm.counts and alarm.unit == unit]
        if not present:
            return None
        second = [alarm for alarm in present if alarm.is_second_level]
        grades = [alarm.grade for alarm in present]
        found = max(grades)
        if grades.count(BLUE) >= 4:
            found = max(found, YELLOW)
        if len({alarm.tag for alarm in second}) >= 2:
            found = max(found, ORANGE)
        if any(alarm.gas == "toxic" and now - alarm.seen >= PERSISTS for alarm in second):
            found = max(found, ORANGE)
        if grades.count(YELLOW) >= 3:
            found = max(found, ORANGE)
        if grades.count(ORANGE) >= 2:
            found = max(found, RED)
        if any(alarm.rule == "HH" and not alarm.gas for alarm in present) and any(alarm.gas for alarm in second):
            found = max(found, RED)
        if unit.endswith("tankfarm") and self.hazard_level in {1, 2}:
            found = min(found + 1, RED)
        return found

    # ---- bookkeeping

    def tell(self, kind: str, alarm: Alarm) -> None:
        self.told.append(f"{kind} {alarm.path}")
        self.touched.add(alarm.unit)

    def forget_if_normal(self, alarm: Alarm) -> None:
        if alarm.state == "normal":
            del self.alarms[alarm.path]


def bare(path: str) -> str:
    """Path of a condition's rule, whether it is of a drill or not."""
    return path[path.rfind(":") + 1 :]
