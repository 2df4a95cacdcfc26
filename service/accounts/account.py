"""Accounts, their roles, and sessions. Times are ms UTC."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """角色: what somebody may do."""

    VIEWER = "viewer"
    """大屏: looks, and does nothing."""
    DUTY_OFFICER = "duty_officer"
    """值班员: acts on alarms and incidents."""
    SUPERVISOR = "supervisor"
    """值班长: that, and plans, rosters, contacts and drills; approves changes."""
    ENGINEER = "engineer"
    """工程师: limits, the configuration and maintenance."""
    ENTERPRISE = "enterprise"
    """企业: its own people; look at what is theirs, acknowledge and feed back."""
    ADMINISTRATOR = "administrator"
    """管理员: everything, accounts among it."""


LASTS = {
    Role.VIEWER: 90 * 86_400_000,
    Role.DUTY_OFFICER: 14 * 3_600_000,
    Role.SUPERVISOR: 14 * 3_600_000,
    Role.ENGINEER: 14 * 3_600_000,
    Role.ENTERPRISE: 14 * 3_600_000,
    Role.ADMINISTRATOR: 2 * 3_600_000,
}
"""ms of a session: a shift of twelve hours with its handover; a wall screen is not signed in every day [ours]."""


class Scope(NamedTuple):
    """管辖: whose enterprises somebody sees: those of a region and all below it, or one; neither: the whole site's."""

    region: str | None = None
    enterprise: str | None = None

    @property
    def is_whole(self) -> bool:
        """Bound to nothing: everything is seen, the service itself among it."""
        return self == WHOLE_SITE

    def __str__(self) -> str:
        if self.enterprise is not None:
            return f"enterprise {self.enterprise}"
        return "the whole site" if self.region is None else f"region {self.region}"


WHOLE_SITE = Scope()


def unfit(role: Role, scope: Scope) -> str | None:
    """Why a role cannot be bound so; None: it can."""
    if scope.region is not None and scope.enterprise is not None:
        return "give a region or an enterprise, not both"
    if role is Role.ENTERPRISE and scope.enterprise is None:
        return "the role enterprise belongs to an enterprise: give it"
    if role is Role.ADMINISTRATOR and not scope.is_whole:
        return "an administrator is the whole site's: give neither a region nor an enterprise"
    return None


@dataclass(frozen=True, slots=True)
class Account:
    """账号: one person's, or a wall screen's."""

    name: str
    """What is typed to sign in; lower case."""
    display_name: str
    role: Role
    password: str
    """argon2id, as a PHC string."""
    must_change: bool
    """The password was given out: nothing but changing it is possible."""
    totp: str | None
    """Shared secret of the one-time codes, base32; None: none are asked for."""
    made_at: int
    changed_at: int
    disabled_at: int | None = None
    region: str | None = None
    enterprise: str | None = None
    sample: bool = False
    """A demonstration has printed its password: it is let in on loopback only."""

    @property
    def scope(self) -> Scope:
        """What it is bound to."""
        return Scope(self.region, self.enterprise)


class ApiToken(NamedTuple):
    """A bearer token of the main file. ``expires_at``: ms UTC; None: never."""

    name: str
    sha256: str
    role: Role = Role.ADMINISTRATOR
    expires_at: int | None = None
    scope: Scope = WHOLE_SITE


@dataclass(frozen=True, slots=True)
class Session:
    """会话: a browser that has signed in. Its token is known here by its SHA-256 alone."""

    digest: str
    account: str
    begun_at: int
    ends_at: int
    address: str
