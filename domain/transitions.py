"""What the rules say: conditions that enter and leave."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transition:
    """A condition entered (``entered``) or left. Times in ms UTC.

    ``source_time`` is when the condition became so by the gateway's clock, ``received_time`` when the service
    could know it. ``value`` is the value that decided it, NaN where there is none.
    """

    rule: int
    """Index into ``Site.rules``."""
    entered: bool
    source_time: int
    received_time: int
    value: float
    inputs: tuple[tuple[int, float], ...] = ()
    """Of a rule over several tags: each with the value that it had, NaN where it was bad."""
    shares: tuple[float, ...] = ()
    """Of T2 and SPE: what share of it each of ``inputs`` makes, 0 to 1; the greatest first."""
    retrospective: bool = False
    """追溯: found in samples older than the lateness; journaled, raises nothing."""
    drill: int | None = None
    """演练: the drill that it was made for."""
