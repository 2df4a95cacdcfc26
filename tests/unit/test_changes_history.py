"""A stretch of the historian as a recording, given up in the middle."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from service.changes import history
from tests.unit.test_changes_trial import TAGS, Pages
from tuning.readings.recording import RecordingWriter


async def test_a_file_is_not_closed_under_the_thread_that_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    writing, go_on = threading.Event(), threading.Event()
    write, leave = history._write, RecordingWriter.__exit__

    def slowly(*arguments: Any) -> history.Span:
        writing.set()
        assert go_on.wait(20)
        span = write(*arguments)
        happened.append("written")
        return span

    def closing(*arguments: Any) -> None:
        happened.append("closed")
        leave(*arguments)

    monkeypatch.setattr(history, "_write", slowly)
    monkeypatch.setattr(RecordingWriter, "__exit__", closing)
    path = tmp_path / "given-up.parquet"
    given_up = asyncio.ensure_future(history.record(Pages(100), TAGS[:1], 0, 1_000_000, path, 1_000))  # type: ignore[arg-type]
    await asyncio.to_thread(writing.wait, 20)
    given_up.cancel()
    await asyncio.sleep(0)
    given_up.cancel()  # by somebody else too
    done, _ = await asyncio.wait([given_up], timeout=0.05)
    assert not done
    assert happened == []
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert happened == ["written", "closed"]
    assert not path.exists()
