"""A process that does a share of the work: see ``tuning.backtest.sharing``, which starts it."""

import os
import pickle
import sys
from typing import Any, BinaryIO

from tuning.backtest.sharing import DONE, FAILED, RESULT


def main() -> None:
    """Take what is to be done, then tasks until there are no more; say how far it is, and the result of each."""
    back = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever is printed must not be taken for a result
    try:
        work = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
        while True:
            task = pickle.load(sys.stdin.buffer)  # noqa: S301
            try:
                _tell(back, RESULT, work(task, lambda count: _tell(back, DONE, count)))
            except Exception as error:  # noqa: BLE001 - it is raised where the work is shared out
                _tell(back, FAILED, error)
    except (EOFError, BrokenPipeError):
        return


def _tell(back: BinaryIO, kind: str, content: Any) -> None:
    pickle.dump((kind, content), back)
    back.flush()


if __name__ == "__main__":
    main()
