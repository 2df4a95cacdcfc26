"""Memory of the process."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading_code() -> Iterator[None]:
    """For imports: what they load stays for good, and looking at it meanwhile takes a sixth of their time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def settle_memory() -> None:
    """What was loaded stays for good: the collector need not look at it again and again.

    What reading the configuration left free is given back to the system, where the C library can (glibc). Of a site of
    440,000 tags it is 150 MB: the point tables' text, which nothing else of that size takes again.
    """
    gc.collect()
    gc.freeze()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
