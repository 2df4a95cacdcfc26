"""Times and counts of the life cycle that a site may choose. Times in ms."""

from dataclasses import dataclass

HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class AlarmLimits:
    """Shipped values; the settings' section ``alarms`` replaces them."""

    longest_shelving: int = 8 * HOUR
    """From the act on; at most eight hours, as the command centre's rules have it."""
    longest_maintenance: int = 30 * 24 * HOUR
    """Length of a maintenance window [ours]."""
    longest_silence: int = 600_000
    """Of the sound [ours]."""
    chattering_transitions: int = 3
    chattering_within: int = 60_000
    """So many transitions within so long are chattering: 3 a minute, the KPI of ISA-18.2-2016 / IEC 62682."""
    damping: int = 60_000
    """Off-delay of a chattering alarm below orange; and the time without a transition after which it is calm [ours]."""
    stale_after: int = 24 * HOUR
    """An alarm that is in for longer is stale, as in ISA-18.2-2016 / IEC 62682."""
    cause_grace: int = 60_000
    """How long after a gateway is back its silent tags still count as its loss; and how long before it was found
    lost [ours]."""
