"""Accounts: passwords, one-time codes, waiting after wrong ones, and the book that is journaled."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from alerting.journal.journal import Journal
from alerting.ledger.accounts_schema import account_session
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from alerting.refusals import Conflict, NotFound
from service.accounts import WHOLE_SITE, Account, Role, Scope, Session
from service.accounts.account import LASTS
from service.accounts.book import MOST_SESSIONS, AccountBook, csrf_of, digest_of, load
from service.accounts.control import (
    ACCOUNT_FROM_ADDRESS,
    AccountControl,
    CodeNeeded,
    HeldOff,
    SignInRefused,
    WeakPassword,
)
from service.accounts.lockout import LONGEST_WAIT, MOST_KNOWN, Lockout
from service.accounts.passwords import Codes, Passwords, fault_of, first_password, new_totp_secret, totp_uri

NOW = 1_780_000_000_000
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
GOOD, OTHER = "three calm herons", "four calm herons"


class Host:
    """A clock that the test moves, and acts that are done at once; what they would commit is kept."""

    def __init__(self) -> None:
        self.time = NOW
        self.changes: list[Change] = []
        self.clock = self

    def now(self) -> int:
        return self.time

    async def act(self, act: Callable[[Any, int, Change], Any]) -> Any:
        change = Change()
        result = act(None, self.time, change)
        self.changes.append(change)
        return result

    @property
    def kinds(self) -> list[str]:
        return [entry.kind for change in self.changes for entry in change.entries]

    @property
    def written(self) -> str:
        return "".join(repr(change.entries) for change in self.changes)


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def control(host: Host) -> AccountControl:
    return AccountControl(AccountBook(Journal(100)), host, Passwords(CHEAP))


async def somebody(control: AccountControl, name: str = "wangfang", role: Role = Role.DUTY_OFFICER) -> Account:
    """An account with the password GOOD."""
    account, first = await control.add(name, "王芳", role, "desk")
    return await control.change_password(account, None, first, GOOD)


# ---- passwords and codes


async def test_a_password_is_known_again_and_nothing_else_is() -> None:
    passwords = Passwords(CHEAP)
    known = await passwords.hashed(GOOD)
    assert known.startswith("$argon2id$")
    assert GOOD not in known
    assert await passwords.matches(known, GOOD)
    for wrong in (GOOD.upper(), GOOD + " ", "", "\0", "密码" * 50):
        assert not await passwords.matches(known, wrong)
        assert not await passwords.matches(None, wrong)
        assert not await passwords.matches("not a hash", wrong)
    assert not await passwords.matches(None, "nobody has this account")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "10 to 200"),
        ("x" * 201, "10 to 200"),
        ("aaaaaaaaaaaa", "guessed"),
        ("WangFang2026", "guessed"),
        ("abababababab", "guessed"),
    ],
)
def test_passwords_that_cannot_be_taken(password: str, why: str) -> None:
    assert why in str(fault_of(password, "wangfang"))


def test_first_passwords_are_good_enough_and_differ() -> None:
    made = [first_password() for _ in range(200)]
    assert len(set(made)) == len(made)
    assert not [each for each in made if fault_of(each, "wangfang")]


def test_a_code_counts_once_and_not_for_long() -> None:
    secret, codes = new_totp_secret(), Codes()
    totp = pyotp.TOTP(secret)
    now = NOW // 30_000 * 30_000
    code = totp.at(now // 1000)
    assert not codes.takes("a", secret, "000000" if code != "000000" else "111111", now)
    assert codes.takes("a", secret, code, now)
    assert not codes.takes("a", secret, code, now), "read over the shoulder"
    assert not codes.takes("a", secret, totp.at(now // 1000 - 30), now), "older than the last"
    assert codes.takes("b", secret, code, now)
    assert codes.takes("a", secret, totp.at(now // 1000 + 60), now + 30_000), "the telephone's clock is ahead"
    assert not codes.takes("a", secret, totp.at(now // 1000 + 300), now + 60_000)
    assert secret in totp_uri(secret, "wangfang")


def test_wrong_ones_have_to_wait_longer_and_longer() -> None:
    lockout = Lockout(2)
    assert [lockout.wrong("a", NOW) for _ in range(5)] == [0, 1_000, 2_000, 4_000, 8_000]
    assert lockout.wait("a", NOW + 7_999) == 1
    assert lockout.wait("a", NOW + 8_000) == 0
    assert lockout.wait("b", NOW) == 0
    for _ in range(40):
        longest = lockout.wrong("a", NOW)
    assert longest == LONGEST_WAIT
    assert lockout.wrong("a", NOW + 2 * LONGEST_WAIT + 1) == 0, "forgotten"
    lockout.right("a")
    assert lockout.wrong("a", NOW) == 0
    for number in range(MOST_KNOWN + 10):
        lockout.wrong(str(number), NOW)
    assert len(lockout._wrong) == MOST_KNOWN


# ---- signing in


async def test_signing_in_and_out(control: AccountControl, host: Host) -> None:
    await somebody(control)
    token, session = await control.sign_in(" WangFang ", GOOD, None, "10.0.0.9")
    assert session.digest == digest_of(token)
    assert session.ends_at == NOW + LASTS[Role.DUTY_OFFICER]
    assert csrf_of(token) != digest_of(token)
    found = control.book.session_of(token, NOW)
    assert found is not None
    assert found[1].display_name == "王芳"
    assert control.book.session_of(token, session.ends_at) is None
    assert control.book.session_of("another", NOW) is None
    await control.sign_out(session)
    assert control.book.session_of(token, NOW) is None
    assert host.kinds == ["account.added", "account.password_changed", "session.begun", "session.ended"]
    assert token not in host.written
    assert GOOD not in host.written
    assert "argon2" not in host.written


async def test_a_refusal_does_not_say_whether_there_is_such_an_account(control: AccountControl) -> None:
    await somebody(control)
    told = []
    for name, password in (("wangfang", "not this one"), ("nobody", GOOD), ("", "")):
        with pytest.raises(SignInRefused) as refusal:
            await control.sign_in(name, password, None, "10.0.0.9")
        told.append(str(refusal.value))
    assert len(set(told)) == 1


async def test_too_many_wrong_ones_are_held_off_and_journaled(control: AccountControl, host: Host) -> None:
    await somebody(control)
    for _ in range(ACCOUNT_FROM_ADDRESS):
        with pytest.raises(SignInRefused):
            await control.sign_in("wangfang", "not this one", None, "10.0.0.9")
    with pytest.raises(HeldOff) as held_off:
        await control.sign_in("wangfang", GOOD, None, "10.0.0.9")
    assert held_off.value.seconds == 1
    assert host.kinds[-1] == "session.held_off"
    await control.sign_in("wangfang", GOOD, None, "10.0.0.8")  # the officer at another desk gets in
    host.time += 1_000
    await control.sign_in("wangfang", GOOD, None, "10.0.0.9")
    with pytest.raises(SignInRefused):  # what was wrong is forgotten
        await control.sign_in("wangfang", "not this one", None, "10.0.0.9")
    await control.sign_in("wangfang", GOOD, None, "10.0.0.9")


async def test_attempts_side_by_side_are_counted_one_by_one(control: AccountControl) -> None:
    await somebody(control)
    tried = [control.sign_in("wangfang", f"guess number {number}", None, "10.0.0.9") for number in range(100)]
    refused = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(type(each) is SignInRefused for each in refused) == ACCOUNT_FROM_ADDRESS
    assert sum(type(each) is HeldOff for each in refused) == 100 - ACCOUNT_FROM_ADDRESS


async def test_codes_once_confirmed_are_asked_for(control: AccountControl, host: Host) -> None:
    await somebody(control)
    account = control.book.require("wangfang")
    secret = await control.offer_codes(account, GOOD)
    await control.sign_in("wangfang", GOOD, None, "a")  # not confirmed yet
    with pytest.raises(SignInRefused, match="clock"):
        await control.confirm_codes(account, "000000")
    account = await control.confirm_codes(account, pyotp.TOTP(secret).at(host.time // 1000))
    with pytest.raises(CodeNeeded):
        await control.sign_in("wangfang", GOOD, None, "a")
    with pytest.raises(SignInRefused):
        await control.sign_in("wangfang", GOOD, "000000", "a")
    host.time += 60_000
    code = pyotp.TOTP(secret).at(host.time // 1000)
    with pytest.raises(SignInRefused):  # a code is no hint about the password
        await control.sign_in("wangfang", "not this one", code, "a")
    await control.sign_in("wangfang", GOOD, code, "a")
    with pytest.raises(SignInRefused):
        await control.end_codes(account, "not this one")
    assert (await control.end_codes(account, GOOD)).totp is None
    assert secret not in host.written


async def test_a_new_password_ends_all_other_sessions(control: AccountControl, host: Host) -> None:
    await somebody(control)
    here, session = await control.sign_in("wangfang", GOOD, None, "a")
    there, _ = await control.sign_in("wangfang", GOOD, None, "b")
    account = control.book.require("wangfang")
    with pytest.raises(SignInRefused):
        await control.change_password(account, session, "not this one", "four calm herons")
    for weak in ("short", GOOD):
        with pytest.raises(WeakPassword):
            await control.change_password(account, session, GOOD, weak)
    await control.change_password(account, session, GOOD, "four calm herons")
    assert control.book.session_of(here, host.time) is not None
    assert control.book.session_of(there, host.time) is None


async def test_what_administrators_do(control: AccountControl, host: Host) -> None:
    await somebody(control, "boss", Role.ADMINISTRATOR)
    await somebody(control)
    token, _ = await control.sign_in("wangfang", GOOD, None, "a")
    with pytest.raises(Conflict, match="already"):
        await control.add("wangfang", "王芳", Role.VIEWER, "boss")
    with pytest.raises(NotFound):
        await control.give_password("nobody", "", "boss")

    account, first = await control.give_password("wangfang", "forgotten", "boss")
    assert account.must_change
    assert control.book.session_of(token, NOW) is None
    with pytest.raises(SignInRefused):
        await control.sign_in("wangfang", GOOD, None, "a")
    token, _ = await control.sign_in("wangfang", first, None, "a")

    book = control.book
    await host.act(lambda _, now, change: book.disable("wangfang", "left", "boss", now, change))
    assert book.session_of(token, NOW) is None
    with pytest.raises(SignInRefused):
        await control.sign_in("wangfang", first, None, "a")
    await host.act(lambda _, now, change: book.enable("wangfang", "", "boss", now, change))
    await control.sign_in("wangfang", first, None, "a")
    await host.act(
        lambda _, now, change: book.set_role("wangfang", Role.SUPERVISOR, WHOLE_SITE, "promoted", "boss", now, change)
    )
    assert book.require("wangfang").role is Role.SUPERVISOR

    for deed in (
        lambda _, now, change: book.disable("boss", "", "boss", now, change),
        lambda _, now, change: book.set_role("boss", Role.VIEWER, WHOLE_SITE, "", "boss", now, change),
    ):
        with pytest.raises(Conflict, match="last administrator"):
            await host.act(deed)
    kinds = {"account.password_given", "account.disabled", "account.enabled", "account.role_set"}
    assert kinds <= set(host.kinds)
    assert "forgotten" in host.written


async def test_what_an_account_is_bound_to(control: AccountControl, host: Host) -> None:
    county, huarui = Scope(region="370783"), Scope(enterprise="huarui")
    account, _ = await control.add("wangfang", "王芳", Role.DUTY_OFFICER, "boss", county)
    assert account.scope == county
    assert not account.scope.is_whole
    for role, scope, why in (
        (Role.ENTERPRISE, WHOLE_SITE, "belongs to an enterprise"),
        (Role.ENTERPRISE, county, "belongs to an enterprise"),
        (Role.ADMINISTRATOR, county, "whole site's"),
        (Role.VIEWER, Scope("370783", "huarui"), "not both"),
    ):
        with pytest.raises(Conflict, match=why):
            await control.add("other", "某人", role, "boss", scope)
        with pytest.raises(Conflict, match=why):
            control.book.set_role("wangfang", role, scope, "", "boss", NOW, Change())
    assert control.book.find("other") is None
    moved = await host.act(
        lambda _, now, change: control.book.set_role("wangfang", Role.ENTERPRISE, huarui, "moved", "boss", now, change)
    )
    assert (moved.role, moved.scope) == (Role.ENTERPRISE, huarui)
    assert '"before":{"enterprise":null,"region":"370783","role":"duty_officer"}' in host.written


async def test_a_signature_is_of_one_act_of_one_session(control: AccountControl, host: Host) -> None:
    account = await somebody(control)
    sessions = [(await control.sign_in("wangfang", GOOD, None, "a"))[1] for _ in range(2)]
    with pytest.raises(SignInRefused):
        await control.sign(account, sessions[0], "wrong", None)
    with pytest.raises(SignInRefused):
        await control.sign(account, sessions[0], None, "123456")
    signature, until = await control.sign(account, sessions[0], GOOD, None)
    assert not control.takes_signature(sessions[1], signature), "another session's"
    assert not control.takes_signature(sessions[0], "")
    assert not control.takes_signature(sessions[0], "x")
    assert control.takes_signature(sessions[0], signature)
    assert not control.takes_signature(sessions[0], signature), "it counts once"
    late, until = await control.sign(account, sessions[0], GOOD, None)
    host.time = until
    assert not control.takes_signature(sessions[0], late)


async def test_a_one_time_code_signs_as_well(control: AccountControl, host: Host) -> None:
    account = await somebody(control)
    secret = await control.offer_codes(account, GOOD)
    account = await control.confirm_codes(account, pyotp.TOTP(secret).at(host.time // 1000))
    host.time += 60_000
    code = pyotp.TOTP(secret).at(host.time // 1000)
    _, session = await control.sign_in("wangfang", GOOD, code, "a")
    with pytest.raises(SignInRefused):
        await control.sign(account, session, None, code)
    host.time += 60_000
    signature, _ = await control.sign(account, session, None, pyotp.TOTP(secret).at(host.time // 1000))
    assert control.takes_signature(session, signature)


async def test_samples_are_let_in_where_they_are_asked_for(control: AccountControl, host: Host, tmp_path: Path) -> None:
    people = [
        ("wangfang", "王芳", Role.DUTY_OFFICER, Scope(region="370783")),
        ("admin", "管理员", Role.ADMINISTRATOR, WHOLE_SITE),
    ]
    await somebody(control, "own")
    await control.put_samples(people, GOOD)
    await control.put_samples(people, OTHER)
    _, session = await control.sign_in("wangfang", OTHER, None, "a")
    assert control.book.counts(session, NOW)
    with pytest.raises(SignInRefused):
        await control.sign_in("wangfang", GOOD, None, "a")
    with pytest.raises(Conflict, match="no sample"):
        await control.put_samples([("own", "x", Role.VIEWER, WHOLE_SITE)], GOOD)

    ledger = Ledger(f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite")
    try:
        await ledger.start()
        for change in host.changes:
            await ledger.commit(replace(change, entries=[]))
        for samples, names in ((True, ["admin", "own", "wangfang"]), (False, ["own"])):
            book = await load(ledger.engine, Journal(), samples=samples)
            assert [each.name for each in book.accounts] == names
            assert (book.session_of("x", NOW), book.counts(session, NOW)) == (None, samples)
    finally:
        await ledger.close()


async def test_sessions_of_one_account_do_not_pile_up(control: AccountControl, host: Host) -> None:
    await somebody(control)
    tokens = []
    for _ in range(MOST_SESSIONS + 2):
        host.time += 1
        tokens.append((await control.sign_in("wangfang", GOOD, None, "a"))[0])
    still = [control.book.session_of(token, host.time) is not None for token in tokens]
    assert still == [False, False] + [True] * MOST_SESSIONS


async def test_passwords_are_checked_one_at_a_time() -> None:
    """Each takes 64 MiB: a hundred at once would take the machine."""
    running, most = 0, 0

    class Hasher(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - as there
            nonlocal running, most
            running += 1
            most = max(most, running)
            time.sleep(0.002)
            running -= 1
            return super().verify(hash, password)

    passwords = Passwords(Hasher(time_cost=1, memory_cost=8, parallelism=1))
    known = await passwords.hashed(GOOD)
    assert all(await asyncio.gather(*(passwords.matches(known, GOOD) for _ in range(20))))
    assert most == 1


# ---- in the ledger


async def test_accounts_and_sessions_outlive_the_service(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/ledger.db"
    ledger = Ledger(url)
    await ledger.start()
    journal = Journal(1)
    try:

        class Committing(Host):
            async def act(self, act: Callable[[Any, int, Change], Any]) -> Any:
                result = await super().act(act)
                await ledger.commit(self.changes[-1])
                return result

        host = Committing()
        control = AccountControl(AccountBook(journal), host, Passwords(CHEAP))
        await somebody(control)
        token, session = await control.sign_in("wangfang", GOOD, None, "a")
        _, ended = await control.sign_in("wangfang", GOOD, None, "b")
        await control.sign_out(ended)
    finally:
        await ledger.close()
    engine = create_async_engine(url)
    try:
        book = await load(engine, Journal(100))
    finally:
        await engine.dispose()
    found = book.session_of(token, NOW)
    assert found is not None
    assert found == (session, control.book.require("wangfang"))
    assert [type(each) for each in found] == [Session, type(found[1])]
    assert found[1].role is Role.DUTY_OFFICER
    assert not book.accounts[0].must_change
    assert len(book._sessions) == 1


async def test_the_ledger_keeps_no_session_that_has_ended(control: AccountControl, host: Host, tmp_path: Path) -> None:
    """One that has run out goes when somebody signs in, also after a restart of the service."""
    await somebody(control)
    _, first = await control.sign_in("wangfang", GOOD, None, "a")
    _, second = await control.sign_in("wangfang", GOOD, None, "b")
    await control.sign_out(second)
    ledger = Ledger(f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite")
    try:
        await ledger.start()

        async def kept() -> list[str]:
            for change in host.changes:
                await ledger.commit(replace(change, entries=[]))
            host.changes.clear()
            async with ledger.engine.connect() as connection:
                return list(await connection.scalars(select(account_session.c.digest)))

        assert await kept() == [first.digest]
        restarted = AccountControl(await load(ledger.engine, Journal()), host, Passwords(CHEAP))
        host.time = first.ends_at
        assert not restarted.book.counts(first, host.time)
        _, third = await restarted.sign_in("wangfang", GOOD, None, "a")
        assert await kept() == [third.digest]
        await host.act(lambda _, now, change: restarted.book.disable("wangfang", "离职", "desk", now, change))
        assert await kept() == []
    finally:
        await ledger.close()


async def test_nobody_keeps_another_from_signing(control: AccountControl) -> None:
    await somebody(control)
    officer, first = await control.add("lina", "李娜", Role.DUTY_OFFICER, "zhou")
    await control.change_password(officer, None, first, GOOD)
    _, session = await control.sign_in("lina", GOOD, None, "10.0.0.8")
    officer = control.book.require("lina")
    for number in range(ACCOUNT_FROM_ADDRESS * 20):  # by an account of his own, and by who has none
        with pytest.raises(SignInRefused):
            await control.prove(control.book.require("wangfang"), "not this one")
        with pytest.raises(SignInRefused):
            await control.sign_in("lina", "not this one", None, f"10.0.1.{number}")
    assert await control.sign(officer, session, GOOD, None)
    with pytest.raises(HeldOff):
        await control.prove(control.book.require("wangfang"), GOOD)


async def test_what_was_wrong_is_forgotten_by_what_was_right(control: AccountControl) -> None:
    await somebody(control)
    account = control.book.require("wangfang")
    _, session = await control.sign_in("wangfang", GOOD, None, "10.0.0.8")
    for _ in range(ACCOUNT_FROM_ADDRESS * 2):  # an officer mistypes now and then
        with pytest.raises(SignInRefused):
            await control.sign(account, session, "not this one", None)
        await control.sign(account, session, GOOD, None)


async def test_a_session_lasts_no_longer_than_the_new_role_lets_it(control: AccountControl, host: Host) -> None:
    await somebody(control)
    account, first = await control.add("wall", "大屏", Role.VIEWER, "zhou")
    await control.change_password(account, None, first, GOOD)
    token, session = await control.sign_in("wall", GOOD, None, "10.0.0.7")
    assert session.ends_at == host.time + LASTS[Role.VIEWER]
    await host.act(
        lambda _, now, change: control.book.set_role("wall", Role.ADMINISTRATOR, WHOLE_SITE, "r", "zhou", now, change)
    )
    found = control.book.session_of(token, host.time)
    assert found is not None
    assert found[0].ends_at == host.time + LASTS[Role.ADMINISTRATOR]
    host.time += LASTS[Role.ADMINISTRATOR]
    assert control.book.session_of(token, host.time) is None
