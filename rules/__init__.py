"""Rules as numpy kernels over columns. Pure: no asyncio, no clock, no I/O."""
