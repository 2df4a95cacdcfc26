"""Signing in, and accounts: as callers send and get them."""

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from service.accounts import Role
from service.api.access import SecondedAct
from service.api.models import Document, Instant
from service.api.requests import Request, Text, printable

_ACCOUNT: dict[str, Any] = {
    "name": "wangfang",
    "display_name": "王芳",
    "role": "duty_officer",
    "region": "370783",
    "enterprise": None,
    "must_change": False,
    "codes": True,
    "made_at": "2026-06-01T00:00:00.000Z",
    "disabled_at": None,
}
AccountName = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
]
DisplayName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(printable)
]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{6}$")]


class AccountPath(Request):
    """Path of one account."""

    name: AccountName


class SignIn(Request):
    """Who signs in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "wangfang", "password": "…", "code": "492817"}]})

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    password: Secret
    code: Code | None = Field(None, description="One-time code, where the account asks for one.")


class NewPassword(Request):
    """A password of somebody's own."""

    password: Secret = Field(description="The present one.")
    new_password: Secret


class Proof(Request):
    """The password again, before something that weighs."""

    password: Secret


class SignatureProof(Request):
    """The password again, or a one-time code where the account asks for them."""

    password: Secret | None = None
    code: Code | None = None


class SecondProof(SignatureProof):
    """Who the second person is, by his own account, and what he agrees to."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "zhangqiang", "password": "…", "act": "silence_sound", "times": 2}]}
    )

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)] = Field(
        description="Of the account: another one than that of the session."
    )
    act: SecondedAct = Field(description="The operation.")
    times: Annotated[int, Field(ge=1, le=20, description="How many of them.")] = 1


class CodeProof(Request):
    """A code that the authenticator application shows."""

    code: Code


class AccountReason(Request):
    """Why, for the journal."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000), AfterValidator(printable)] = ""


class RoleBody(AccountReason):
    """A role, and whose enterprises are seen: those of a region and all below it, or one; neither: the whole site's."""

    role: Role
    region: Text | None = Field(None, description="GB/T 2260 code. Not for the roles administrator and enterprise.")
    enterprise: Text | None = Field(None, description="Id. The role enterprise needs it; not for administrators.")


class NewAccount(RoleBody):
    """An account to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "wangfang", "display_name": "王芳", "role": "duty_officer", "region": "370783"},
                {"name": "huarui-ehs", "display_name": "赵敏", "role": "enterprise", "enterprise": "huarui"},
            ]
        }
    )

    name: AccountName = Field(description="What is typed to sign in: letters, digits, dot, dash, underscore.")
    display_name: DisplayName


class Account(Document):
    """账号."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ACCOUNT]})

    name: str
    display_name: str
    role: Role
    region: str | None = Field(description="Bound to it and all below it.")
    enterprise: str | None = Field(description="Bound to it. Neither: the whole site.")
    must_change: bool = Field(description="The password was given out; nothing is possible before it is changed.")
    codes: bool = Field(description="Whether one-time codes are asked for.")
    made_at: Instant
    disabled_at: Instant | None


class AccountList(Document):
    """All accounts."""

    items: list[Account]


class GivenPassword(Document):
    """An account with its first password, which is told this once."""

    account: Account
    first_password: str


class SessionState(Document):
    """Who is signed in, or whose token calls."""

    name: str
    role: Role
    region: str | None = Field(description="What is seen ends with it and all below it.")
    enterprise: str | None = Field(description="What is seen ends with it. Neither: the whole site.")
    account: Account | None = Field(description="None: a bearer token of the main file.")
    csrf: str = Field(description="To be sent with every act, in the header AnShao-CSRF. Empty for a token.")
    ends_at: Instant | None
    may: list[str] = Field(
        description="Operations of this document that the role and what it is bound to allow, by name."
    )
    signed: list[str] = Field(description="Those among them that ask for `POST /session/signature` each time.")


class GivenSignature(Document):
    """A signature for one act, to be sent in the header AnShao-Signature."""

    signature: str
    until: Instant


class GivenSecond(Document):
    """The word of a second person, to be sent in the header AnShao-Second."""

    second: str
    name: str = Field(description="The person, as the journal will have it.")
    until: Instant


class NewCodes(Document):
    """A secret for one-time codes; it counts once a code of it was confirmed."""

    secret: str
    uri: str = Field(description="What an authenticator application reads from a QR code.")


class Done(Document):
    """It is done."""

    done: bool = True
