"""Configuration read from documents: the files on disk, or a revision in memory."""

import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from alerting.incidents.grading import load_grading
from service.config import ConfigurationError, load, load_revision
from service.config.documents import DISK, DocumentSet, Held, Recorded, document_name

SITE = """\
regions: [{code: "370000", name: 山东省}]
enterprises:
  - id: works
    name: 测试厂
    region: "370000"
    gateways: [{id: gw1, name: 网关}]
    units:
      - id: tanks
        name: 罐区
        tag_tables: [points/tanks.csv]
"""
POINTS = "tag,measurand,engineering_unit,low,high,H\nTI-1,temperature,°C,0,100,80\n"


@pytest.fixture
def main(tmp_path: Path) -> Path:
    (tmp_path / "sites" / "points").mkdir(parents=True)
    (tmp_path / "sites" / "site.yaml").write_text(SITE, encoding="utf-8")
    (tmp_path / "sites" / "points" / "tanks.csv").write_text(POINTS, encoding="utf-8")
    own = load_grading().model_dump(mode="json") | {"hold": 5}
    (tmp_path / "grades.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    path = tmp_path / "anshao.yaml"
    path.write_text("sites: [sites/site.yaml]\ngrading: grades.yaml\nhistorian: {kind: duckdb}\n", encoding="utf-8")
    return path


def test_all_that_the_main_file_leads_to_is_kept_by_name(main: Path) -> None:
    documents = load(main, {}).documents
    assert list(documents.contents) == ["grades.yaml", "sites/points/tanks.csv", "sites/site.yaml"]
    assert documents.contents["sites/points/tanks.csv"] == POINTS.encode()
    assert documents.roots == {"sites": ["sites/site.yaml"], "grading": "grades.yaml"}


def test_a_revision_in_memory_reads_as_its_files_did(main: Path) -> None:
    before = load(main, {})
    held = before.documents
    (main.parent / "sites" / "points" / "tanks.csv").unlink()
    (main.parent / "grades.yaml").write_text("garbage", encoding="utf-8")
    (main.parent / "sites" / "site.yaml").write_text("{}", encoding="utf-8")
    after = load_revision(before, held)
    assert [tag.path for tag in after.site.tags] == [tag.path for tag in before.site.tags]
    assert np.array_equal(after.site.rules.setpoint, before.site.rules.setpoint)
    assert after.grading_table.hold == 5
    assert after.documents.digest == held.digest
    assert (after.tokens, after.data_dir) == (before.tokens, before.data_dir)


def test_what_a_revision_lacks_is_a_fault_of_the_line_that_names_it(main: Path) -> None:
    settings = load(main, {})
    held = settings.documents
    without = {name: content for name, content in held.contents.items() if not name.endswith(".csv")}
    with pytest.raises(ConfigurationError) as raised:
        load_revision(settings, DocumentSet.of(held.roots, without))
    (fault,) = raised.value.faults
    assert (Path(fault.file).name, fault.line) == ("site.yaml", 10)
    assert "no such document" in fault.message


def test_a_document_that_nothing_names_is_no_part_of_the_set(main: Path) -> None:
    settings = load(main, {})
    held = settings.documents
    more = DocumentSet.of(held.roots, {**held.contents, "left-over.csv": b"x"})
    assert more.digest != held.digest
    assert load_revision(settings, more).documents.digest == held.digest


def test_the_digest_tells_sets_apart_by_content_name_and_root() -> None:
    one = DocumentSet.of({"sites": ["a"]}, {"a": b"1", "b": b"2"})
    assert one.digest == DocumentSet.of({"sites": ["a"], "grading": None}, {"b": b"2", "a": b"1"}).digest
    others = [
        DocumentSet.of({"sites": ["a"]}, {"a": b"1", "b": b"3"}),
        DocumentSet.of({"sites": ["a"]}, {"a": b"2", "b": b"1"}),
        DocumentSet.of({"sites": ["a"]}, {"a": b"1", "c": b"2"}),
        DocumentSet.of({"sites": ["b"]}, {"a": b"1", "b": b"2"}),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 5


def test_listings(tmp_path: Path) -> None:
    for name in ("b.md", "a.md", "c.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "deeper.md").mkdir()
    expected = [tmp_path / "a.md", tmp_path / "b.md"]
    assert DISK.listing(tmp_path, ".md") == expected
    assert Recorded(tmp_path.parent).listing(tmp_path, ".md") == expected
    held = Held(tmp_path.parent, {f"{tmp_path.name}/{name}": b"x" for name in ("b.md", "a.md", "c.txt", "d/e.md")})
    assert held.listing(tmp_path, ".md") == expected
    assert DISK.listing(tmp_path / "absent", ".md") == []


def test_names_are_relative_to_the_folder_by_whatever_way(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert document_name(tmp_path / "link" / "a.csv", tmp_path / "real") == "a.csv"
    assert document_name(tmp_path / "real" / "deep" / ".." / "a.csv", tmp_path / "link") == "a.csv"
    assert document_name(tmp_path / "a.csv", tmp_path / "real") == "../a.csv"


def test_only_plain_files_are_compared_with_a_document(tmp_path: Path) -> None:
    """A document may bear any name below or beside the folder: that of a pipe, whose reading never ends, too."""
    (tmp_path / "points.csv").write_bytes(b"tag")
    os.mkfifo(tmp_path / "pipe.csv")
    assert DISK.holds(tmp_path / "points.csv", b"tag")
    assert not DISK.holds(tmp_path / "points.csv", b"gat")
    for name in ("points.csv", "pipe.csv", "absent.csv", "", "../../../../../../../../dev/zero", "a\0b"):
        assert not DISK.holds(tmp_path / name, b"more")
