"""What ``response.yaml`` may say: desks, channels, contacts, rosters, plans, cards, templates, limits.

The parts of its lists are read one by one (``Any`` here), so that a fault in one hides none in another.
"""

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from alerting.response.plans import SCOPES, TIERS
from service.config.quantities import Duration, Identifier, Name, PathText, PositiveDuration, RegionCode, refusal
from service.config.validation import Section, suggestion

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_REGION = re.compile(r"[0-9]{6,12}")
_CONTACT = re.compile(r"[^\s,;#/]{1,64}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_ADDRESSES = ("phone", "mail", "address")


def parse_day(value: object) -> date:
    """A calendar day. Raises ``refusal``."""
    if not isinstance(value, str) or len(value) != len("2026-01-31"):
        raise refusal("not a day", "Write it as 2026-10-01.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise refusal("not a day of the calendar", "Write it as 2026-10-01.") from None


def parse_time_of_day(value: object) -> int:
    """Milliseconds since midnight of ``08:30``; ``24:00`` is midnight. Raises ``refusal``."""
    if value == "24:00":
        return 0
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise refusal("not a time of day", "Write it as 08:00, in local time.")
    return (int(match[1]) * 60 + int(match[2])) * 60_000


def check_contact_id(value: object) -> str:
    """Id of a contact: any word, a person's name or number included."""
    if not isinstance(value, str) or not _CONTACT.fullmatch(value) or not value.isprintable():
        raise refusal(
            "an id of a contact is 1 to 64 characters without spaces, commas, semicolons, # and /",
            "Write for example wang-fang or 王芳.",
        )
    return value


def _team(value: Any) -> Any:
    """One contact alone may stand without brackets."""
    return [value] if isinstance(value, str) else value


def _tier(value: str) -> int:
    if value not in TIERS:
        raise refusal(f"unknown tier {value[:40]!r}", suggestion(value[:40], TIERS))
    return TIERS.index(value) + 1


def _scope(value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or (text not in SCOPES and not _REGION.fullmatch(text)):
        raise refusal("not a place", f"Write {', '.join(SCOPES)} or the code of a region.")
    return text


def _channel_url(secret: SecretStr) -> SecretStr:
    """A URL, never repeated: it may hold a password."""
    url = secret.get_secret_value()
    remedy = "Write for example https://county.example/messages or mailtos://user:password@smtp.example?to={mail}."
    if "://" not in url or not url.isprintable() or any(letter.isspace() for letter in url):
        raise refusal("not a URL", remedy)
    unknown = [name for name in _PLACEHOLDER.findall(url) if name not in _ADDRESSES]
    if unknown or len(_PLACEHOLDER.findall(url)) > 1:
        raise refusal(
            "the URL has a placeholder that is not known, or more than one",
            "One of {phone}, {mail}, {address} stands for the recipient's; write other braces as %7B and %7D.",
        )
    return secret


def _public_url(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s?#]+", url):
        raise refusal("not the address of the console", "Write for example https://anshao.example, without ? and #.")
    return url.rstrip("/")


Day = Annotated[date, BeforeValidator(parse_day)]
TimeOfDay = Annotated[int, BeforeValidator(parse_time_of_day)]
ContactId = Annotated[str, BeforeValidator(check_contact_id)]
Team = Annotated[tuple[ContactId, ...], BeforeValidator(_team), Field(min_length=1)]
Tier = Annotated[int, Field(strict=True), BeforeValidator(lambda raw: _tier(raw) if isinstance(raw, str) else raw)]
Scope = Annotated[str, BeforeValidator(_scope)]


class DeskEntry(Section):
    """One desk."""

    id: Identifier
    name: Name
    regions: Annotated[tuple[RegionCode, ...], Field(min_length=1)]


class ChannelEntry(Section):
    """One channel."""

    id: Identifier
    name: Annotated[str, Field(max_length=200)] = ""
    kind: Literal["webhook", "apprise"]
    url: Annotated[SecretStr, AfterValidator(_channel_url)]
    secret: SecretStr | None = None
    format: Literal["text", "html"] = "text"
    retries: Annotated[int, Field(strict=True, ge=1, le=20)] = 3
    timeout: PositiveDuration = 10_000
    receipt_within: Duration = 0
    test_to: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind == "webhook":
            if not re.match(r"https?://", self.url.get_secret_value()):
                raise refusal("a webhook's URL begins with http:// or https://", "Correct it.", at=("url",))
            if self.secret is None or len(self.secret.get_secret_value()) < 8:  # noqa: PLR2004 - as other webhooks
                variable = channel_variable(self.id, "SECRET")
                remedy = f"Set {variable}, or write `secret: whsec_…` of at least 8 characters."
                raise refusal("a webhook needs a secret to be signed with", remedy, at=("secret",))
        return self


def channel_variable(identity: str, what: str) -> str:
    """Environment variable that holds the URL or the SECRET of a channel, by its id."""
    return f"ANSHAO_CHANNEL_{identity.upper().replace('-', '_')}_{what}"


class ShiftEntry(Section):
    """One shift."""

    id: Identifier
    name: Annotated[str, Field(max_length=200)] = ""
    begin: TimeOfDay
    end: TimeOfDay


class HolidayEntry(Section):
    """Days on which other teams have the shifts."""

    first: Day
    last: Day
    rotation: Annotated[tuple[Team, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.last < self.first:
            raise refusal("the last day is before the first", "Exchange them.", at=("last",))
        return self


class SubstituteEntry(Section):
    """Days on which one contact has another's shifts."""

    contact: ContactId
    by: ContactId
    first: Day
    last: Day

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.last < self.first:
            raise refusal("the last day is before the first", "Exchange them.", at=("last",))
        if self.contact == self.by:
            raise refusal("a contact cannot stand in for itself", "Name somebody else.", at=("by",))
        return self


class RosterEntry(Section):
    """One duty roster."""

    id: Identifier
    name: Annotated[str, Field(max_length=200)] = ""
    post: Identifier = "duty"
    desk: Annotated[str, Field(max_length=128)] | None = None
    region: RegionCode | None = None
    enterprise: Annotated[str, Field(max_length=128)] | None = None
    start: Day
    shifts: Annotated[tuple[ShiftEntry, ...], Field(min_length=1)]
    rotation: Annotated[tuple[Team, ...], Field(min_length=1)]
    advance: Literal["shift", "day", "week"] = "shift"
    holidays: tuple[HolidayEntry, ...] = ()
    substitutes: tuple[SubstituteEntry, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(place is not None for place in (self.desk, self.region, self.enterprise)) != 1:
            remedy = "Give one of `desk`, `region` and `enterprise`."
            raise refusal("a roster is of one desk, one region or one enterprise", remedy)
        return self


class WhoEntry(Section):
    """Whom a step tells."""

    contact: ContactId | None = None
    post: Identifier | None = None
    of: Scope = "enterprise"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.contact is None) == (self.post is None):
            raise refusal("a step tells one contact or one post", "Give either `contact` or `post`.")
        return self


class StepEntry(Section):
    """One step of a plan."""

    who: WhoEntry
    by: tuple[Identifier, ...] = ()
    within: Duration = 0
    then: Annotated[tuple["StepEntry", ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.then and not self.within:
            remedy = "Give `within`: how long before those under `then` are told."
            raise refusal("a step with `then` and without `within`", remedy, at=("then",))
        if self.within and not self.then:
            remedy = "Say under `then` who is told next, or delete the line."
            raise refusal("a step with `within` and without `then`", remedy, at=("within",))
        return self


class PlanEntry(Section):
    """One response plan."""

    id: Identifier
    name: Annotated[str, Field(max_length=200)] = ""
    grades: Annotated[tuple[Tier, ...], Field(min_length=1)]
    regions: tuple[RegionCode, ...] = ()
    hazards: tuple[Identifier, ...] = ()
    acknowledge: PositiveDuration
    feedback: PositiveDuration
    acknowledged_by: Literal["either", "both"] = "either"
    call_back: Duration = 0
    repeat: Duration = 300_000
    steps: Annotated[tuple[StepEntry, ...], Field(min_length=1, max_length=100)]


class LimitsEntry(Section):
    """Numbers of notification."""

    digest_after: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 10
    digest_window: PositiveDuration = 600_000
    digest_wait: PositiveDuration = 120_000
    keep_trying: PositiveDuration = 86_400_000
    backoff: PositiveDuration = 2_000
    longest_backoff: PositiveDuration = 300_000
    code_lifetime: PositiveDuration = 86_400_000
    contact_days: Annotated[int, Field(strict=True, ge=1, le=3_650)] = 31
    test_interval: Duration = 86_400_000


class ResponseFile(Section):
    """The whole file."""

    public_url: Annotated[str, AfterValidator(_public_url)] = ""
    contacts: PathText | None = None
    cards: PathText | None = None
    desks: tuple[Any, ...] = ()
    channels: tuple[Any, ...] = ()
    rosters: tuple[Any, ...] = ()
    plans: tuple[Any, ...] = ()
    templates: dict[str, Annotated[str, Field(max_length=20_000)]] = Field(default_factory=dict)
    limits: LimitsEntry = LimitsEntry()
