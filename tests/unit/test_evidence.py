"""Evidence of an incident: it holds, and whatever byte of it is changed is found, and the place is named."""

import asyncio
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import duckdb
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.journal.journal import chain
from alerting.journal.keys import SigningKey
from alerting.ledger.ledger import Ledger
from alerting.refusals import NotFound
from historian.embedded import DuckDBHistorian
from historian.protocol import HistorianUnavailable
from service.config import Settings
from service.config.response_file import shipped_book
from service.evidence import archive
from service.evidence.making import EvidenceMaker
from service.evidence.manifest import build
from service.evidence.pieces import wrong_byte
from service.evidence.proofs import NotSigned
from service.evidence.verification import verify_evidence
from tests.evidence_case import PHOTO, PICTURE, Made, make_case
from tests.watched_unit import WatchedUnit, ms

ATTACHMENT = 15
"""Number of the entry that the photo was attached by."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with asyncio.Runner() as runner:
        yield runner.run(make_case(tmp_path_factory.mktemp("evidence")))


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    return tmp_path / "spoilt.zip"


def members(made: Made) -> dict[str, bytes]:
    with zipfile.ZipFile(made.file) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_it_holds_and_says_what_it_is(made: Made) -> None:
    verdict = verify_evidence(made.file)
    assert verdict.faults == []
    assert verdict.facts["incident"] == made.incident
    assert verdict.facts["made_by"] == "王芳"
    assert verdict.days == ["2025-06-16", "2025-06-17"]
    assert verdict.entries == made.facts["entries"] == len(members(made)["journal.jsonl"].splitlines())
    assert verdict.keys == [made.maker.key.fingerprint]


def test_any_program_opens_it(made: Made) -> None:
    with zipfile.ZipFile(made.file) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == [
            "manifest.json", "manifest.sig", "report.html", "journal.jsonl", "proof.json", "ledger.json", "rules.json",
            "plan.json", "samples.csv", "samples.parquet", f"attachments/{ATTACHMENT}-现场_1_2.png",
        ]  # fmt: skip


def test_its_files_are_in_it(made: Made) -> None:
    assert members(made)[f"attachments/{ATTACHMENT}-现场_1_2.png"] == PICTURE
    rows = orjson.loads(members(made)["ledger.json"])
    assert [row["sha256"] for row in rows["attachment"]] == [PHOTO.sha256]
    assert [row["id"] for row in rows["incident"]] == [made.incident]
    assert {row["tag"] for row in rows["alarm"]} == {"GT-1"}
    rules = orjson.loads(members(made)["rules.json"])["rules"]
    assert {(row["tag"], row["key"], row["setpoint"], row["version"]) for row in rules} >= {
        ("GT-1", "H", 10.0, 3),
        ("GT-1", "HH", 20.0, 1),
    }


def test_it_is_the_same_for_the_same_members(made: Made, tmp_path: Path) -> None:
    again = [(archive.measure(name, content), content) for name, content in members(made).items()]
    copy = tmp_path / "again.zip"
    with copy.open("wb") as file:
        archive.write(file, again)
    assert copy.read_bytes() == made.content


def test_nothing_of_the_other_enterprise_is_in_it(made: Made) -> None:
    for name, content in members(made).items():
        if name != "samples.parquet":
            assert b"LI-1" not in content, name


def test_its_samples_are_those_of_the_unit_half_an_hour_around(made: Made, tmp_path: Path) -> None:
    (tmp_path / "samples.parquet").write_bytes(members(made)["samples.parquet"])
    with duckdb.connect() as connection:
        query = f"SELECT * FROM '{tmp_path}/samples.parquet' ORDER BY tag, source_time"
        rows = connection.execute(query).fetchall()
    assert {row[0] for row in rows} == {"works/GT-1", "works/PI-1"}
    assert len(rows) == made.facts["samples"]
    assert min(row[1] for row in rows) == ms(10 - 1_800)
    csv = members(made)["samples.csv"].decode().splitlines()
    assert len(csv) == len(rows) + 1
    assert csv[1].startswith("works/GT-1,2025-06-15T23:30:10.000Z,2025-06-15T23:30:10.080Z,1.0,192,0")


def test_its_report_is_escaped_and_loads_nothing(made: Made) -> None:
    page = members(made)["report.html"].decode()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    assert "GT-1" in page


def test_every_header_and_every_place_of_members_is_watched(made: Made, spoilt: Path) -> None:
    """Every byte that is not a member's content, and some that are."""
    content = made.content
    inside: set[int] = set()
    with zipfile.ZipFile(made.file) as opened:
        for info in opened.infolist():
            begin = info.header_offset + 30 + len(info.filename)
            inside.update(range(begin, begin + info.file_size))
    places = [at for at in range(len(content)) if at not in inside] + sorted(inside)[::49_999]
    for at in places:
        spoilt.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        verdict = verify_evidence(spoilt)
        assert verdict.faults, at
        assert any(f"byte {at} " in fault for fault in verdict.faults), (at, verdict.faults)


@given(data=st.data())
@settings(max_examples=120)
def test_any_changed_byte_is_found_and_its_place_named(made: Made, data: st.DataObject) -> None:
    content = made.content
    at = data.draw(st.integers(0, len(content) - 1))
    flip = data.draw(st.integers(1, 255))
    file = made.file.with_name("flipped.zip")
    file.write_bytes(content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :])
    faults = verify_evidence(file).faults
    assert faults
    assert any(f"byte {at} " in fault for fault in faults), (at, faults)


@given(data=st.data())
@settings(max_examples=60)
def test_cut_filled_and_doubled_files_are_found(made: Made, data: st.DataObject) -> None:
    content = made.content
    at = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(1, 2_000))
    file = made.file.with_name("other.zip")
    kind = data.draw(st.sampled_from(["cut", "removed", "filled", "added"]))
    other = {
        "cut": content[: max(at - 1, 0)],
        "removed": content[:at] + content[at + length :],
        "filled": content[:at] + bytes(length) + content[at:],
        "added": content + bytes(length),
    }[kind]
    file.write_bytes(other)
    assert bool(verify_evidence(file).faults) == (other != content)


def resigned(made: Made, **changed: bytes) -> list[tuple[str, bytes]]:
    """A package of other members, signed by somebody who has a key of his own."""
    kept = {name: content for name, content in members(made).items() if not name.startswith("manifest")}
    kept |= {name.replace("_", "."): content for name, content in changed.items()}
    mallory = SigningKey.make()
    facts = orjson.loads(members(made)["manifest.json"])
    facts["keys"] = [mallory.public.raw.hex(), *facts["keys"]]
    manifest, signature = build({**facts, "members": None}, list(kept.items()), mallory)
    return [("manifest.json", manifest), ("manifest.sig", signature), *kept.items()]


def write(file: Path, contents: list[tuple[str, bytes]]) -> None:
    with file.open("wb") as opened:
        archive.write(opened, [(archive.measure(name, content), content) for name, content in contents])


def test_a_package_signed_by_another_key_is_told_by_the_key(made: Made, spoilt: Path) -> None:
    write(spoilt, resigned(made))
    assert verify_evidence(spoilt).holds
    trusted = [made.maker.key.fingerprint[:16]]
    assert "none of those that you named" in verify_evidence(spoilt, trusted).faults[0]
    assert verify_evidence(made.file, trusted).holds
    assert not verify_evidence(made.file, [made.maker.key.fingerprint[:8]]).holds


def test_a_changed_entry_is_found_even_where_the_package_is_signed_anew(made: Made, spoilt: Path) -> None:
    journal = members(made)["journal.jsonl"]
    write(spoilt, resigned(made, journal_jsonl=journal.replace("王芳".encode(), "李四".encode(), 1)))
    (fault,) = verify_evidence(spoilt).faults
    assert fault.startswith("journal.jsonl, line ")
    assert "it is not among the entries that the head of" in fault


def test_an_entry_made_up_is_found_even_where_the_package_is_signed_anew(made: Made, spoilt: Path) -> None:
    lines = members(made)["journal.jsonl"].split(b"\n")[:-1]
    proof = orjson.loads(members(made)["proof.json"])
    body = orjson.loads(lines[-1]) | {"sequence": orjson.loads(lines[-1])["sequence"] + 1}
    made_up = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    before = chain(bytes.fromhex(proof["entries"][-1]["before"]), lines[-1])
    proof["entries"].append(proof["entries"][-1] | {"sequence": body["sequence"], "before": before.hex()})
    given_ = b"".join(line + b"\n" for line in [*lines, made_up])
    write(spoilt, resigned(made, journal_jsonl=given_, proof_json=orjson.dumps(proof)))
    assert len(verify_evidence(spoilt).faults) == 1


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive at all" * 100, bytes(100_000)])
def test_what_is_no_evidence_is_said_to_be_none(content: bytes, spoilt: Path) -> None:
    spoilt.write_bytes(content)
    assert verify_evidence(spoilt).faults == ["the file holds no manifest that is signed: it is no evidence of AnShao"]


async def test_a_zip_of_the_same_files_by_another_program_is_not_the_package(made: Made, spoilt: Path) -> None:
    with zipfile.ZipFile(spoilt, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members(made).items():
            opened.writestr(name, content)
    assert not verify_evidence(spoilt).holds


async def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite'}")
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=10)
    historian = DuckDBHistorian(tmp_path)  # a folder: it cannot be opened
    key = SigningKey.make()
    maker = EvidenceMaker(
        ledger.engine, historian, cast("Settings", SimpleNamespace(site=unit.site, response=shipped_book())),
        key, {}, "0.1.0", lambda digest: tmp_path / digest,
    )  # fmt: skip
    try:
        await ledger.start()
        await ledger.commit(unit.last)
        with pytest.raises(NotFound, match="there is no incident 77"):
            await maker.make(77, tmp_path / "x.zip", "", ms(7_200))
        with pytest.raises(NotSigned, match="not signed yet"):
            await maker.make(unit.incident().id, tmp_path / "x.zip", "", ms(7_200))
    finally:
        await historian.close()
        await ledger.close()


async def test_without_its_historian_it_is_refused_or_made_without_samples(tmp_path: Path) -> None:
    made = await make_case(tmp_path, with_samples=False)
    assert made.facts["samples"] is None
    assert verify_evidence(made.file).holds
    assert not [name for name in members(made) if name.startswith("samples")]
    (tmp_path / "attachments" / PHOTO.sha256).unlink()
    facts = await made.maker.make(made.incident, tmp_path / "less.zip", "", ms(90_000), with_samples=False)
    assert facts["attachments_missing"] == [ATTACHMENT]
    assert verify_evidence(tmp_path / "less.zip").holds
    (tmp_path / "history.duckdb").unlink()
    (tmp_path / "history.duckdb").mkdir()
    broken = replace(made.maker, historian=DuckDBHistorian(tmp_path / "history.duckdb"))
    with pytest.raises(HistorianUnavailable):
        await broken.make(made.incident, tmp_path / "again.zip", "", ms(90_000))
    assert not (tmp_path / "again.zip").exists()
    await broken.historian.close()
    await broken.engine.dispose()


@given(st.binary(min_size=1, max_size=3_000), st.data())
def test_the_wrong_byte_of_a_piece_is_computed(piece: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(piece) - 1))
    wrong = piece[:at] + bytes([piece[at] ^ data.draw(st.integers(1, 255))]) + piece[at + 1 :]
    assert wrong_byte(wrong, zlib.crc32(piece)) == (at, piece[at])
