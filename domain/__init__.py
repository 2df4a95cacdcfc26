"""The vocabulary of the service. Pure: no asyncio, no clock, no I/O, nothing of ours imported."""
