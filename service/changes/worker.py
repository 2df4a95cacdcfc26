"""The process that tries figures out, beside the service: ``python -m service.changes.worker``.

It takes jobs as lines of JSON, ``{"job": path}``, the path of a pickled ``Job`` that the service wrote, and answers
in lines of JSON: ``{"progress": 0.4}``, and at the end ``{"result": path}`` or ``{"fault": text}``. It ends with its
input.
"""

import contextlib
import os
import pickle
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import orjson

from service.changes.trial import Trial, try_out
from tuning.readings.recording import RecordingError

NICE = 10
"""Less urgent than the service: alarms come first."""
TELL = 0.2
"""Seconds between two lines of progress at the least."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to try, on which recording, and where to put the result."""

    trial: Trial
    recording: Path
    result: Path


def main() -> None:
    """Take jobs until there are no more."""
    with contextlib.suppress(OSError):
        os.nice(NICE)
    with contextlib.suppress(OSError):  # of Linux: where memory runs out, this process is ended and not the service
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    answers = sys.stdout
    sys.stdout = sys.stderr  # nothing else may speak into the answers
    for line in sys.stdin:
        _say(answers, _do(Path(orjson.loads(line)["job"]), answers))


def _do(path: Path, answers: TextIO) -> dict[str, Any]:
    told = 0.0

    def progress(part: float) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= TELL:
            told = now
            _say(answers, {"progress": part})

    try:
        job: Job = pickle.loads(path.read_bytes())  # noqa: S301 - the service itself wrote it, for us alone
        result = try_out(job.trial, job.recording, progress)
        job.result.write_bytes(orjson.dumps(result, option=orjson.OPT_SORT_KEYS))
    except (RecordingError, MemoryError, OSError) as fault:
        return {"fault": f"{type(fault).__name__}: {fault}"}
    except Exception as fault:  # noqa: BLE001 - the edge of a supervised task: the service is told, and goes on
        traceback.print_exc()
        return {"fault": f"a fault of the service ({type(fault).__name__}); its log has the details"}
    return {"result": str(job.result)}


def _say(answers: TextIO, what: dict[str, Any]) -> None:
    answers.write(orjson.dumps(what).decode() + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
