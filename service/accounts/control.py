"""Signing in and out, passwords and one-time codes, and what administrators do with accounts."""

import asyncio
import hmac
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, NoReturn, Protocol, TypeVar

import structlog

from alerting.alarms.register import Register
from alerting.ledger.ledger import LedgerUnavailable
from alerting.records import Change
from alerting.refusals import Conflict
from domain.clock import Clock
from service.accounts.account import WHOLE_SITE, Account, Role, Scope, Session
from service.accounts.book import AccountBook, digest_of
from service.accounts.lockout import Lockout
from service.accounts.passwords import Codes, Passwords, fault_of, first_password, new_totp_secret

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

ACCOUNT_FROM_ADDRESS, ACCOUNT, ADDRESS = 5, 30, 50
"""Wrong passwords that cost nothing: for an account from one address, for an account, from an address [ours]."""
SIGNATURE = 60_000
"""ms in which the act that was signed, or that a second person has agreed to, has to be done [ours]."""


class Host(Protocol):
    """What this needs of the service around it."""

    @property
    def clock(self) -> Clock:
        """The service's time."""
        ...

    async def act(self, act: Callable[[Register, int, Change], Result]) -> Result:
        """Do something inside of a commit, and return after it. Raises what ``act`` raises, and LedgerUnavailable."""
        ...


class SignInRefused(Exception):
    """It is told what is wrong, and never whether there is such an account."""


class CodeNeeded(SignInRefused):
    """The password is right, and a one-time code is asked for."""


class HeldOff(SignInRefused):
    """Too many were wrong. ``seconds``: how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many attempts were wrong; wait {seconds} s")
        self.seconds = seconds


class WeakPassword(Exception):
    """A new password cannot be taken; the message says why."""


class _Word(NamedTuple):
    """What a second person has agreed to."""

    digest: str
    """SHA-256 of what the acts show."""
    account: str
    act: str
    until: int
    left: int
    """Acts that it is good for."""


class AccountControl:
    """Signs in and out, and changes accounts. Every act is journaled."""

    def __init__(self, book: AccountBook, host: Host, passwords: Passwords | None = None) -> None:
        self.book = book
        self._host = host
        self._passwords = passwords or Passwords()
        self._codes = Codes()
        self._offered: dict[str, str] = {}
        """Secrets of one-time codes that wait for their first code, by account."""
        self._signatures: dict[str, tuple[str, int]] = {}
        """SHA-256 of the signature that waits for its act, and until when; by the session's digest."""
        self._words: dict[str, _Word] = {}
        """Of second persons, by the digest of the session that waits for them."""
        self._turn = asyncio.Lock()
        """One attempt at a time: a hundred side by side would all be tried before the first is known to be wrong."""
        self._lockouts = (Lockout(ACCOUNT_FROM_ADDRESS), Lockout(ACCOUNT), Lockout(ADDRESS))
        self._proofs = Lockout(ACCOUNT_FROM_ADDRESS)
        """Of who is signed in: nobody else, be he signed in or not, keeps an officer from signing."""

    async def sign_in(self, name: str, password: str, code: str | None, address: str) -> tuple[str, Session]:
        """The token for the cookie, and the session. Raises SignInRefused, LedgerUnavailable."""
        account = self._enabled(name)
        guards = self._guards(name, address)
        async with self._turn:
            self._refuse_while_held_off(guards)
            if not await self._passwords.matches(None if account is None else account.password, password):
                await self._wrong(guards, name, address)
            elif account is not None and account.totp is not None:
                if code is None:
                    raise CodeNeeded("give the one-time code as well")
                if not self._codes.takes(account.name, account.totp, code, self._host.clock.now()):
                    await self._wrong(guards, name, address)
        if account is None:
            raise SignInRefused(_WRONG)
        for lockout, key in guards[:2]:  # an account of his own frees no address
            lockout.right(key)
        found = account
        return await self._host.act(lambda _register, now, change: self.book.begin(found, address, now, change))

    async def sign_out(self, session: Session) -> None:
        """End a session. Raises LedgerUnavailable."""
        await self._host.act(lambda _register, now, change: self.book.end(session, now, change))

    async def change_password(self, account: Account, session: Session | None, present: str, new: str) -> Account:
        """Set a password of one's own. Raises SignInRefused, WeakPassword, LedgerUnavailable."""
        await self.prove(account, present)
        fault = fault_of(new, account.name)
        if fault is None and new == present:
            fault = "the new password is the present one: choose another"
        if fault is not None:
            raise WeakPassword(fault)
        made = await self._passwords.hashed(new)
        return await self._host.act(
            lambda _register, now, change: self.book.change_password(account.name, made, session, now, change)
        )

    async def prove(self, account: Account, password: str) -> None:
        """Whether it is the person of the account. Raises SignInRefused: it is not, or too often was not."""
        guards = [(self._proofs, account.name)]
        async with self._turn:
            self._refuse_while_held_off(guards)
            if not await self._passwords.matches(account.password, password):
                await self._wrong(guards, account.name, "")
            self._proofs.right(account.name)

    async def sign(self, account: Account, session: Session, password: str | None, code: str | None) -> tuple[str, int]:
        """A signature for one act of this session, and until when it counts: it is the person of the account.

        Raises SignInRefused.
        """
        if code is None:
            await self.prove(account, password or "")
        else:
            await self._prove_by_code(account, code)
        now = self._host.clock.now()
        self._signatures = {digest: known for digest, known in self._signatures.items() if known[1] > now}
        signature = secrets.token_urlsafe(24)
        self._signatures[session.digest] = (digest_of(signature), now + SIGNATURE)
        return signature, now + SIGNATURE

    def takes_signature(self, session: Session, signature: str) -> bool:
        """Whether it is that of this session's next act: it counts once."""
        known, until = self._signatures.get(session.digest, ("", 0))
        if not hmac.compare_digest(digest_of(signature), known) or until <= self._host.clock.now():
            return False
        del self._signatures[session.digest]
        return True

    async def vouch(
        self,
        session: Session,
        name: str,
        password: str | None,
        code: str | None,
        address: str,
        act: str,
        times: int,
    ) -> tuple[str, Account, int]:
        """A second person at the place of this session: what so many of its acts show, who it is, and until when.

        Guesses count as those at signing in do. Raises SignInRefused; Conflict: the password was given out;
        LedgerUnavailable.
        """
        account = self._enabled(name)
        guards = self._guards(name, address)
        async with self._turn:
            self._refuse_while_held_off(guards)
            if code is None:
                right = await self._passwords.matches(None if account is None else account.password, password or "")
            else:
                right = account is not None and self._takes_code(account, code)
            if account is None or not right:
                await self._wrong(guards, name, address)
        for lockout, key in guards[:2]:
            lockout.right(key)
        if account.must_change:
            raise Conflict(f"the password of {account.name} was given out: sign in with it and change it first")
        found = account
        await self._host.act(
            lambda _register, at, change: self.book.vouched(found, session.account, act, address, at, change)
        )
        now = self._host.clock.now()
        self._words = {digest: word for digest, word in self._words.items() if word.until > now}
        shown, until = secrets.token_urlsafe(24), now + SIGNATURE
        self._words[session.digest] = _Word(digest_of(shown), account.name, act, until, times)
        return shown, account, until

    def take_word(self, session: Session, act: str, shown: str) -> Account | None:
        """Who has agreed to this act of a session; None: nobody, or no longer. It counts so many times."""
        word = self._words.get(session.digest)
        if word is None or not hmac.compare_digest(digest_of(shown), word.digest):
            return None
        if word.act != act or word.until <= self._host.clock.now():
            return None
        if word.left > 1:
            self._words[session.digest] = word._replace(left=word.left - 1)
        else:
            del self._words[session.digest]
        account = self._enabled(word.account)
        return None if account is None or account.must_change else account

    async def _prove_by_code(self, account: Account, code: str) -> None:
        guards = [(self._proofs, account.name)]
        async with self._turn:
            self._refuse_while_held_off(guards)
            if not self._takes_code(account, code):
                await self._wrong(guards, account.name, "")
            self._proofs.right(account.name)

    def _takes_code(self, account: Account, code: str) -> bool:
        now = self._host.clock.now()
        return account.totp is not None and self._codes.takes(account.name, account.totp, code, now)

    async def offer_codes(self, account: Account, password: str) -> str:
        """A secret for one-time codes, for as long as it is not confirmed. Raises SignInRefused."""
        await self.prove(account, password)
        secret = self._offered[account.name] = new_totp_secret()
        return secret

    async def confirm_codes(self, account: Account, code: str) -> Account:
        """Ask for codes from now on, if this is one of the secret offered. Raises SignInRefused, LedgerUnavailable."""
        secret = self._offered.get(account.name)
        if secret is None or not self._codes.takes(account.name, secret, code, self._host.clock.now()):
            raise SignInRefused("the code is not that of now: look at the clock of the telephone, or begin anew")
        del self._offered[account.name]
        return await self._host.act(
            lambda _register, now, change: self.book.set_totp(account.name, secret, now, change)
        )

    async def end_codes(self, account: Account, password: str) -> Account:
        """Ask for no codes any more. Raises SignInRefused, LedgerUnavailable."""
        await self.prove(account, password)
        return await self._host.act(lambda _register, now, change: self.book.set_totp(account.name, None, now, change))

    # ---- what administrators do

    async def add(
        self, name: str, display_name: str, role: Role, actor: str, scope: Scope = WHOLE_SITE
    ) -> tuple[Account, str]:
        """An account and its first password. Raises Conflict, LedgerUnavailable."""
        password = first_password()
        made = await self._passwords.hashed(password)
        account = await self._host.act(
            lambda _register, now, change: self.book.add(name, display_name, role, scope, made, actor, now, change)
        )
        return account, password

    async def put_samples(self, samples: Iterable[tuple[str, str, Role, Scope]], password: str) -> None:
        """Accounts of a demonstration: name, shown name, role and what each is bound to. Raises LedgerUnavailable."""
        made = await self._passwords.hashed(password)

        def put(_register: Register, now: int, change: Change) -> None:
            for name, display_name, role, scope in samples:
                self.book.put_sample(name, display_name, role, scope, made, now, change)

        await self._host.act(put)

    async def give_password(self, name: str, reason: str, actor: str) -> tuple[Account, str]:
        """A first password anew. Raises NotFound, LedgerUnavailable."""
        self.book.require(name)
        password = first_password()
        made = await self._passwords.hashed(password)
        account = await self._host.act(
            lambda _register, now, change: self.book.give_password(name, made, reason, actor, now, change)
        )
        return account, password

    def _enabled(self, name: str) -> Account | None:
        account = self.book.find(name)
        return None if account is None or account.disabled_at is not None else account

    def _guards(self, name: str, address: str) -> list[tuple[Lockout, str]]:
        known = name.strip().lower()
        return list(zip(self._lockouts, (f"{known} {address}", known, address), strict=True))

    def _refuse_while_held_off(self, guards: Sequence[tuple[Lockout, str]]) -> None:
        now = self._host.clock.now()
        wait = max(lockout.wait(key, now) for lockout, key in guards)
        if wait:
            raise HeldOff(-(-wait // 1000))

    async def _wrong(self, guards: Sequence[tuple[Lockout, str]], name: str, address: str) -> NoReturn:
        now = self._host.clock.now()
        wait = max(lockout.wrong(key, now) for lockout, key in guards)
        if wait:
            try:
                await self._host.act(
                    lambda _register, at, change: self.book.locked_out(name, address, wait, at, change)
                )
            except LedgerUnavailable as fault:
                log.warning("wrong_password_not_journaled", account=name[:64], address=address, fault=str(fault))
        raise SignInRefused(_WRONG)


_WRONG = "the name, the password or the code is wrong"
