"""By which channel a message is tried next, and when. Pure functions of message, book and time (ms UTC)."""

from collections.abc import Sequence

from alerting.notify.message import ERROR_SHOWN, Message
from alerting.response.book import Limits, ResponseBook
from alerting.response.contacts import Contact


def routes_of(book: ResponseBook, contact: Contact, by: Sequence[str]) -> list[list[str]]:
    """[channel, address] of a contact, as far as it is on these channels."""
    routes: list[list[str]] = []
    for identity in by:
        channel = book.channels.get(identity)
        address = channel.address_of(contact) if channel is not None else None
        if address is not None:
            routes.append([identity, address])
    return routes


def after_failure(message: Message, error: str, book: ResponseBook, now: int) -> None:
    """Wait for the next try, or go on to the next route. After the first round each has one try a round."""
    message.last_error = f"{message.channel}: {error}"[:ERROR_SHOWN]
    message.tries += 1
    if message.route < len(message.routes) and message.tries < _retries(message, book):
        message.next_attempt_at = now + _backoff(message.tries, book.limits)
        return
    next_route(message, book, now)


def next_route(message: Message, book: ResponseBook, now: int) -> None:
    """Go on to the next route: at once, or after a wait where a new round begins."""
    message.tries = 0
    message.route += 1
    round_, turn = divmod(message.route, len(message.routes))
    message.channel = message.routes[turn][0]
    wait = 0 if turn else _backoff(round_ + max(2, _retries(message, book)), book.limits)
    message.next_attempt_at = now + wait


def reroute(message: Message, book: ResponseBook, now: int) -> bool:
    """Take a message off channels that the book no longer has. False: it was on none of them."""
    if all(channel in book.channels for channel, _ in message.routes):
        return False
    contact = book.contacts.get(message.contact)
    left = [route for route in message.routes if route[0] in book.channels]
    if not left and contact is not None:
        left = routes_of(book, contact, tuple(book.channels))
    message.routes, message.route, message.tries = left, 0, 0
    if message.channel is not None:  # it is not held for a digest
        message.channel = left[0][0] if left else None
        message.next_attempt_at = now if left else None
    return True


def _retries(message: Message, book: ResponseBook) -> int:
    channel = book.channels.get(message.channel or "")
    return 1 if channel is None else channel.retries


def _backoff(tries: int, limits: Limits) -> int:
    return min(limits.backoff << min(tries - 1, 20), limits.longest_backoff)
