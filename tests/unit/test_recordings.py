"""Recordings: what is written is read, in the order of its arrival; what is damaged is refused with a remedy."""

import pickle
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.samples import SampleBlock
from domain.truth import Event, Expected, Truth
from tuning.readings import merging, recording
from tuning.readings.recording import About, InForce, RecordedTag, Recording, RecordingError, RecordingWriter

TAGS = (RecordedTag("e/A"), RecordedTag("e/B", "e/u", "°C", "temperature", 500), RecordedTag("e/C"))


def block(tag: int | Sequence[int], source: Sequence[int], received: Sequence[int] | None = None) -> SampleBlock:
    count = len(source)
    tags = [tag] * count if isinstance(tag, int) else tag
    return SampleBlock.of(tags, source, received or source, [float(at) for at in source], [192] * count, [0] * count)


def written(path: Path, *blocks: SampleBlock, about: About | None = None, by_tag: bool = True) -> Recording:
    with RecordingWriter(path, about or About(TAGS)) as writer:
        for each in blocks:
            (writer.write_tag if by_tag else writer.write)(each)
    return Recording(path)


def rows(blocks: Sequence[SampleBlock]) -> list[tuple[int, int]]:
    whole = SampleBlock.concatenate(list(blocks))
    return list(zip(whole.tag.tolist(), whole.source_time.tolist(), strict=True))


def test_everything_that_is_said_of_a_recording_is_read_back(tmp_path: Path) -> None:
    truth = Truth(
        (Event("leak", {"zh": "泄漏", "en": "leak"}, 10, 20, 15, ("e/A",), ("e/u",)),),
        (Expected("e/A/H", 11, 12),),
        ("e/B/HH",),
    )
    about = About(TAGS, "simulate leak seed 7", live_clock=True, in_force=(InForce(5, 3, "abc"),), truth=truth)
    read = written(tmp_path / "a.parquet", block(1, [10, 20]), about=about)
    assert read.about == about
    assert (read.begin, read.end, read.heard) == (10, 21, (10, 20))
    assert read.counts.tolist() == [0, 2, 0]
    assert read.index_of("e/B") == 1
    assert read.index_of("e/D") is None
    assert pickle.loads(pickle.dumps(read)).about == about


def test_every_column_comes_back_as_it_was(tmp_path: Path) -> None:
    given = SampleBlock.of([2, 2, 2], [1, 2, 3], [5, 4, 9], [1.5, float("nan"), -0.0], [192, 0, 64], [0, 5, 2])
    (read,) = written(tmp_path / "a.parquet", given).read_tag(2)
    for column in SampleBlock.__slots__:
        np.testing.assert_array_equal(getattr(read, column), getattr(given, column))


def test_the_same_readings_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        written(tmp_path / f"{name}.parquet", block(0, range(1_000)), block(2, range(7)))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_range_of_source_time_begins_inside_and_ends_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "ROWS", 4)
    read = written(tmp_path / "a.parquet", block(0, range(10)), block(1, range(5, 15)))
    assert [at for _, at in rows(list(read.read_tag(0, 3, 9)))] == [3, 4, 5, 6, 7, 8]
    assert rows(list(read.read_tags([0, 1], 8, 10))) == [(0, 8), (1, 8), (0, 9), (1, 9)]
    assert list(read.read_tag(0, 100, 200)) == []
    assert list(read.read_tag(2)) == []


@pytest.mark.parametrize("held", [3, 100])
def test_tags_come_in_the_order_of_arrival(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    """Also those that were received in the same ms, over the flushes of the writer and the parts of the reader."""
    monkeypatch.setattr(recording, "HELD", held)
    monkeypatch.setattr(recording, "MERGED_ROWS", 0)
    monkeypatch.setattr(recording, "LEAST_ROWS", 2)
    random = np.random.default_rng(1)
    received = np.sort(random.integers(0, 12, 60))
    tags = random.integers(0, 3, 60)
    whole = block(tags.tolist(), list(range(60)), received.tolist())
    cuts = [0, 7, 8, 31, 60]
    parts = [whole.take(slice(a, b)) for a, b in pairwise(cuts)]
    read = written(tmp_path / "a.parquet", *parts, by_tag=False)
    assert rows(list(read.read_tags([0, 1, 2]))) == list(zip(tags.tolist(), range(60), strict=True))
    expected = [(tag, at) for tag, at in zip(tags.tolist(), range(60), strict=True) if tag != 1]
    assert rows(list(read.read_tags([0, 2]))) == expected


def test_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that was imported in one go: a reader of parts must still come to an end."""
    monkeypatch.setattr(recording, "LEAST_ROWS", 2)
    monkeypatch.setattr(recording, "MERGED_ROWS", 0)
    whole = block([0, 1] * 20, list(range(40)), [7] * 40)
    assert rows(list(written(tmp_path / "a.parquet", whole, by_tag=False).read_tags([0, 1]))) == [
        (number % 2, number) for number in range(40)
    ]


def test_a_recorders_clock_that_was_set_back_keeps_the_order_of_each_tag(tmp_path: Path) -> None:
    read = written(tmp_path / "a.parquet", block(0, [1, 2, 3, 4], [10, 20, 5, 30]), block(1, [1, 2, 3], [12, 22, 6]))
    found = rows(list(read.read_tags([0, 1])))
    assert [at for tag, at in found if tag == 0] == [1, 2, 3, 4]
    assert [at for tag, at in found if tag == 1] == [1, 2, 3]
    assert found.index((0, 2)) < found.index((1, 2)) < found.index((0, 4))


def test_a_folder_is_one_recording_whatever_the_numbers_of_its_tags(tmp_path: Path) -> None:
    written(tmp_path / "b.parquet", block(0, [1, 2]), about=About((RecordedTag("e/B"), RecordedTag("e/A"))))
    written(tmp_path / "a.parquet", block(0, [10, 20]), about=About((RecordedTag("e/A"),), live_clock=True))
    read = Recording(tmp_path)
    a, b = read.index_of("e/A"), read.index_of("e/B")
    assert a is not None
    assert b is not None
    assert read.counts[a] == 2
    assert read.counts[b] == 2
    assert read.about.live_clock
    assert rows(list(read.read_tags([a, b]))) == [(b, 1), (b, 2), (a, 10), (a, 20)]


def test_an_empty_recording(tmp_path: Path) -> None:
    read = written(tmp_path / "a.parquet")
    assert (read.begin, read.end, read.heard, read.counts.sum()) == (0, 0, (0, 0), 0)
    assert list(read.read_tags([0, 1])) == []


def test_a_writer_that_fails_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"

    def fail() -> None:
        with RecordingWriter(path, About(TAGS)) as writer:
            writer.write(block(0, [1]))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not path.exists()


def test_a_writer_that_is_left_while_a_thread_writes_waits_for_it(tmp_path: Path) -> None:
    path, long = tmp_path / "a.parquet", block(0, range(10 * recording.ROWS))
    with ThreadPoolExecutor(1) as thread:

        def fail() -> None:
            with RecordingWriter(path, About(TAGS)) as writer:
                writing.append(thread.submit(writer.write_tag, long))
                while path.stat().st_size <= 4:  # the thread is in the midst of it
                    assert not writing[0].done()
                raise KeyboardInterrupt

        writing: list[Future[None]] = []
        with pytest.raises(KeyboardInterrupt):
            fail()
        assert not path.exists()
        assert writing[0].exception() is not None, "what it writes later fails"


# ---- damage


def test_what_is_no_recording_is_refused_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": [1, 2]}), path)
    with pytest.raises(RecordingError, match=r"a\.parquet: not a recording of AnShao .* make one with anshao record"):
        Recording(path)
    path.write_text("tag,value\n1,2\n")
    with pytest.raises(RecordingError, match="not a recording"):
        Recording(path)
    path.write_bytes(b"")
    with pytest.raises(RecordingError, match="not a recording"):
        Recording(path)
    with pytest.raises(RecordingError, match="No such file"):
        Recording(tmp_path / "b.parquet")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RecordingError, match=r"no \.parquet file"):
        Recording(tmp_path / "folder")


def test_another_format_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "FORMAT", 99)
    with RecordingWriter(tmp_path / "a.parquet", About(TAGS)) as writer:
        writer.write_tag(block(0, [1]))
    monkeypatch.undo()
    with pytest.raises(RecordingError, match="of another format: record it anew"):
        Recording(tmp_path / "a.parquet")


def test_several_tags_in_one_row_group_are_refused(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.parquet", About(TAGS)) as writer:
        writer.write_tag(block([0, 1], [1, 2]))
    with pytest.raises(RecordingError, match="a row group holds several tags"):
        Recording(tmp_path / "a.parquet")


def test_a_tag_that_the_description_does_not_have_is_refused(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.parquet", About(TAGS)) as writer:
        writer.write_tag(block(7, [1, 2]))
    with pytest.raises(RecordingError, match="tag 7"):
        Recording(tmp_path / "a.parquet")


def test_a_file_that_was_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    """As after a full disk or a copy that broke off."""
    written(tmp_path / "a.parquet", block(0, range(2_000)), block(1, range(2_000)))
    whole = (tmp_path / "a.parquet").read_bytes()
    cut = tmp_path / "cut.parquet"
    for length in [*range(0, len(whole), max(len(whole) // 40, 1)), len(whole) - 1]:
        cut.write_bytes(whole[:length])
        with pytest.raises(RecordingError, match=r"cut\.parquet"):
            Recording(cut)


def test_flipped_bytes_never_go_unnoticed_among_the_readings(tmp_path: Path) -> None:
    """Pages carry checksums. What is flipped elsewhere is refused too, or does not matter."""
    read = written(tmp_path / "a.parquet", *(block(tag, range(3_000)) for tag in range(3)))
    whole, expected = (tmp_path / "a.parquet").read_bytes(), rows(list(read.read_tags([0, 1, 2])))
    random = np.random.default_rng(2)
    refused = 0
    for number in range(150):
        data = bytearray(whole)
        for at in random.integers(0, len(data), 3):
            data[at] ^= int(random.integers(1, 256))
        damaged = tmp_path / f"{number}.parquet"
        damaged.write_bytes(data)
        found = _rows_or_refusal(damaged)
        refused += found is None
        assert found is None or found == expected
    assert refused > 100


def _rows_or_refusal(path: Path) -> list[tuple[int, int]] | None:
    try:
        return rows(list(Recording(path).read_tags([0, 1, 2])))
    except RecordingError as error:
        return None if path.name in str(error) else []


def test_a_damaged_row_group_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    written(path, block(0, range(5_000)))
    data = bytearray(path.read_bytes())
    data[4:400] = bytes(396)
    path.write_bytes(data)
    with pytest.raises(RecordingError, match="row group 0 is damaged"):
        list(Recording(path).read_tag(0))


def test_arrivals_follow_each_other() -> None:
    one = merging.Arrivals.of(block(0, [1, 2], [9, 5]), np.zeros(2, dtype=np.int32), 7)
    assert one.clock.tolist() == [9, 9]
    assert replace(one, clock=np.array([1, 2])).followed_by(one).clock.tolist() == [1, 2, 9, 9]
