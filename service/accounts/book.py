"""All accounts and sessions, as the ledger has them, and the acts that change them.

A session that was ended is removed at once, one that has run out at the next signing in.

Every act is journaled by name, without passwords, secrets and tokens.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import asdict, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.journal.journal import Journal
from alerting.ledger.accounts_schema import account as accounts
from alerting.ledger.accounts_schema import account_session as sessions
from alerting.ledger.ledger import reaching
from alerting.records import SERVICE, Change
from alerting.refusals import Conflict, NotFound
from service.accounts.account import LASTS, Account, Role, Scope, Session, unfit

MOST_SESSIONS = 20
"""Of one account at a time: the oldest ends then [ours]."""


def digest_of(token: str) -> str:
    """What a session, or a bearer token of the main file, is known by: its SHA-256, hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def csrf_of(token: str) -> str:
    """What a page shows with an act, so that a page of another site, which cannot read it, does none."""
    return hashlib.sha256(b"csrf " + token.encode("utf-8", "surrogateescape")).hexdigest()


class AccountBook:
    """Accounts by name. Acts are done inside of a commit: they take ``now`` and the ``change`` that they go into."""

    def __init__(self, journal: Journal, known: Iterable[Account] = (), open_: Iterable[Session] = ()) -> None:
        self._journal = journal
        self._accounts = {each.name: each for each in known}
        self._sessions = {each.digest: each for each in open_}

    @property
    def accounts(self) -> list[Account]:
        """All, by name."""
        return sorted(self._accounts.values(), key=lambda each: each.name)

    def find(self, name: str) -> Account | None:
        """The account of a name as somebody types it."""
        return self._accounts.get(name.strip().lower())

    def require(self, name: str) -> Account:
        """The same. Raises NotFound."""
        found = self.find(name)
        if found is None:
            raise NotFound(f"there is no account {name[:64]!r}; GET /api/v1/accounts lists them")
        return found

    def session_of(self, token: str, now: int) -> tuple[Session, Account] | None:
        """The session of a token and its account; None if it has ended or the account is disabled."""
        session = self._sessions.get(digest_of(token))
        if session is None or not self.counts(session, now):
            return None
        return session, self._accounts[session.account]

    def counts(self, session: Session, now: int) -> bool:
        """Whether a session has not ended, in whatever way."""
        account = self._accounts.get(session.account)
        known = self._sessions.get(session.digest)
        return known is not None and known.ends_at > now and account is not None and account.disabled_at is None

    # ---- acts

    def add(
        self,
        name: str,
        display_name: str,
        role: Role,
        scope: Scope,
        password: str,
        actor: str,
        now: int,
        change: Change,
    ) -> Account:
        """Make an account; ``password``: hash of the first one.

        Raises Conflict: there is one of that name, or the role cannot be bound so.
        """
        _must_fit(role, scope)
        if name in self._accounts:
            raise Conflict(f"there is an account {name} already; choose another name, or set a new first password")
        made = Account(
            name,
            display_name,
            role,
            password,
            must_change=True,
            totp=None,
            made_at=now,
            changed_at=now,
            **scope._asdict(),
        )
        bound = {"display_name": display_name, "role": role.value, **scope._asdict()}
        self._note("account.added", actor, made, now, change, **bound)
        return self._keep(made, change)

    def put_sample(
        self, name: str, display_name: str, role: Role, scope: Scope, password: str, now: int, change: Change
    ) -> Account:
        """An account of a demonstration, anew at each of its starts: no password has to be changed.

        Raises Conflict: there is an account of that name that is none.
        """
        known = self._accounts.get(name)
        if known is not None and not known.sample:
            raise Conflict(f"there is an account {name} already, which is no sample")
        if known is not None:
            self._end_all(known, change)
        made = Account(
            name, display_name, role, password, must_change=False, totp=None, made_at=now, changed_at=now, sample=True,
            **scope._asdict(),
        )  # fmt: skip
        bound = {"display_name": display_name, "role": role.value, **scope._asdict(), "sample": True}
        self._note("account.added", SERVICE, made, now, change, **bound)
        return self._keep(made, change)

    def give_password(self, name: str, password: str, reason: str, actor: str, now: int, change: Change) -> Account:
        """Set a first password anew, and take one-time codes off; all sessions end. Raises NotFound."""
        account = self.require(name)
        self._note("account.password_given", actor, account, now, change, reason=reason)
        self._end_all(account, change)
        return self._keep(replace(account, password=password, must_change=True, totp=None, changed_at=now), change)

    def change_password(self, name: str, password: str, keep: Session | None, now: int, change: Change) -> Account:
        """Somebody sets a password of their own; all other sessions end. Raises NotFound."""
        account = self.require(name)
        self._note("account.password_changed", account.name, account, now, change)
        self._end_all(account, change, keep)
        return self._keep(replace(account, password=password, must_change=False, changed_at=now), change)

    def set_role(
        self, name: str, role: Role, scope: Scope, reason: str, actor: str, now: int, change: Change
    ) -> Account:
        """Give an account another role, and bind it; it holds at once.

        Raises NotFound, Conflict: the last administrator, or the role cannot be bound so.
        """
        account = self.require(name)
        _must_fit(role, scope)
        if role is not Role.ADMINISTRATOR:
            self._must_leave_an_administrator(account)
        before = {"role": account.role.value, **account.scope._asdict()}
        bound = {"role": role.value, **scope._asdict()}
        self._note("account.role_set", actor, account, now, change, **bound, before=before, reason=reason)
        # A wall screen's months are no administrator's.
        for session in [each for each in self._sessions.values() if each.account == account.name]:
            if session.ends_at > now + LASTS[role]:
                self._sessions[session.digest] = shorter = replace(session, ends_at=now + LASTS[role])
                change.upsert(sessions.name, asdict(shorter))
        return self._keep(replace(account, role=role, changed_at=now, **scope._asdict()), change)

    def disable(self, name: str, reason: str, actor: str, now: int, change: Change) -> Account:
        """Nobody signs in by it any more; its sessions end. Raises NotFound, Conflict: the last administrator."""
        account = self.require(name)
        self._must_leave_an_administrator(account)
        if account.disabled_at is not None:
            return account
        self._note("account.disabled", actor, account, now, change, reason=reason)
        self._end_all(account, change)
        return self._keep(replace(account, disabled_at=now, changed_at=now), change)

    def enable(self, name: str, reason: str, actor: str, now: int, change: Change) -> Account:
        """Undo ``disable``. Raises NotFound."""
        account = self.require(name)
        if account.disabled_at is None:
            return account
        self._note("account.enabled", actor, account, now, change, reason=reason)
        return self._keep(replace(account, disabled_at=None, changed_at=now), change)

    def set_totp(self, name: str, secret: str | None, now: int, change: Change) -> Account:
        """From now on one-time codes of this secret are asked for; None: none. Raises NotFound."""
        account = self.require(name)
        self._note("account.codes_on" if secret else "account.codes_off", account.name, account, now, change)
        return self._keep(replace(account, totp=secret, changed_at=now), change)

    def begin(self, account: Account, address: str, now: int, change: Change) -> tuple[str, Session]:
        """Sign in: the token for the cookie, which is told only here, and the session."""
        for ended in [each for each in self._sessions.values() if each.ends_at <= now]:
            self._close(ended, change)
        own = sorted((each for each in self._sessions.values() if each.account == account.name), key=_begun)
        for oldest in own[: max(len(own) - MOST_SESSIONS + 1, 0)]:
            self._close(oldest, change)
        token = secrets.token_urlsafe(32)
        session = Session(digest_of(token), account.name, now, now + LASTS[account.role], address)
        self._sessions[session.digest] = session
        change.upsert(sessions.name, asdict(session))
        self._note("session.begun", account.name, account, now, change, address=address)
        return token, session

    def end(self, session: Session, now: int, change: Change) -> None:
        """Sign out."""
        account = self._accounts[session.account]
        self._note("session.ended", account.name, account, now, change, address=session.address)
        self._close(session, change)

    def vouched(self, account: Account, by: str, act: str, address: str, now: int, change: Change) -> None:
        """Somebody has proved who he is, as the second person of an act of another one's session."""
        self._note("session.seconded", account.name, account, now, change, by=by, act=act, address=address)

    def locked_out(self, name: str, address: str, wait: int, now: int, change: Change) -> None:
        """Somebody, or a program, tries passwords; told once each time that the wait grows."""
        data = {"account": name[:64], "address": address, "seconds": wait // 1000}
        change.entries.append(self._journal.append(now, "session.held_off", SERVICE, data))

    def _must_leave_an_administrator(self, account: Account) -> None:
        others = [
            each
            for each in self._accounts.values()
            if each.role is Role.ADMINISTRATOR and each.disabled_at is None and each.name != account.name
        ]
        if account.role is Role.ADMINISTRATOR and account.disabled_at is None and not others:
            raise Conflict(f"{account.name} is the last administrator; make another one first")

    def _end_all(self, account: Account, change: Change, keep: Session | None = None) -> None:
        for session in [each for each in self._sessions.values() if each.account == account.name and each != keep]:
            self._close(session, change)

    def _close(self, session: Session, change: Change) -> None:
        self._sessions.pop(session.digest, None)
        change.remove(sessions.name, session.digest)

    def _keep(self, account: Account, change: Change) -> Account:
        self._accounts[account.name] = account
        change.upsert(accounts.name, asdict(account) | {"role": account.role.value})
        return account

    def _note(self, kind: str, actor: str, account: Account, now: int, change: Change, **more: object) -> None:
        change.entries.append(self._journal.append(now, kind, actor, {"account": account.name, **more}))


def _must_fit(role: Role, scope: Scope) -> None:
    fault = unfit(role, scope)
    if fault is not None:
        raise Conflict(fault)


def _begun(session: Session) -> int:
    return session.begun_at


async def load(engine: AsyncEngine, journal: Journal, *, samples: bool = False) -> AccountBook:
    """The book as the ledger has it; without ``samples`` those of a demonstration are left out.

    Raises LedgerUnavailable.
    """
    async with reaching(engine) as connection:
        known = (await connection.execute(select(accounts))).mappings().all()
        begun = (await connection.execute(select(sessions))).mappings().all()
    return AccountBook(
        journal,
        [Account(**dict(row) | {"role": Role(row["role"])}) for row in known if samples or not row["sample"]],
        [Session(**row) for row in begun],
    )
