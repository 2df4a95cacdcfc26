"""Sharing work out over processes."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tuning.backtest.sharing import Shared, WorkerLost

PATIENCE = 60.0
"""Seconds for another process to be there."""


def meet(folder: Path, end: str, task: str, progress: Callable[[int], None]) -> tuple[str, int]:
    """Wait until as many processes are at work as there are tasks; then those apart from the first ``end``."""
    (folder / task).touch()
    until = time.monotonic() + PATIENCE
    while len(list(folder.iterdir())) < 2:
        assert time.monotonic() < until, "nobody else came"
        time.sleep(0.01)
    progress(1)
    if os.environ.get("SHARING_TEST") != str(os.getpid()):
        if end == "killed":
            os._exit(9)
        if end == "failing":
            raise LookupError("the tag is gone")
    return task.upper(), os.getpid()


@pytest.fixture(autouse=True)
def own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARING_TEST", str(os.getpid()))


def test_two_processes_work_side_by_side(tmp_path: Path) -> None:
    seen: list[int] = []
    found = Shared(partial(meet, tmp_path, "well"), 2).run(["a", "b"], seen.append)
    assert [name for name, _ in found] == ["A", "B"]
    assert len({pid for _, pid in found}) == 2
    assert os.getpid() in {pid for _, pid in found}
    assert sum(seen) == 2


def test_one_process_does_it_alone() -> None:
    def more(task: int, progress: Callable[[int], None]) -> int:
        progress(1)
        return task + 1

    assert Shared(more, 1).run([1, 2, 3], lambda _: None) == [2, 3, 4]


def test_what_another_process_raises_is_raised_here(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="the tag is gone"):
        Shared(partial(meet, tmp_path, "failing"), 2).run(["a", "b"], lambda _: None)


def test_a_process_that_is_killed_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkerLost, match="ended too early"):
        Shared(partial(meet, tmp_path, "killed"), 2).run(["a", "b"], lambda _: None)
