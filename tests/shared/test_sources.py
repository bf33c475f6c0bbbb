"""Named sources: what is not mounted is waited for, what lies outside is refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gyrus.shared.errors import Away, Misuse
from gyrus.shared.settings import Settings
from gyrus.shared.sources import Sources


def sources(**named: Any) -> Sources:
    return Sources(Settings(sources=named))


def test_a_source_that_is_not_configured_is_waited_for_and_the_known_ones_are_named(tmp_path: Path) -> None:
    with pytest.raises(Away, match=r"'x' is not among this service's GYRUS_SOURCES \(a, b\)"):
        sources(b=str(tmp_path), a=str(tmp_path)).root("x")


def test_a_source_whose_folder_is_missing_is_waited_for(tmp_path: Path) -> None:
    with pytest.raises(Away, match="its folder is missing"):
        sources(inbox=str(tmp_path / "none")).root("inbox")


def test_a_source_without_its_marker_file_is_waited_for_until_it_is_there(tmp_path: Path) -> None:
    here = sources(inbox={"path": str(tmp_path), "marker": ".mounted"})

    with pytest.raises(Away, match=r"its marker file '\.mounted' is missing"):
        here.locate("inbox", "a.dcm")
    (tmp_path / ".mounted").touch()

    assert here.locate("inbox", "a.dcm") == str(tmp_path / "a.dcm")


def test_a_file_whose_name_is_not_utf8_is_found(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/M\xfcller"
    Path(os.fsdecode(name)).touch()

    assert os.fsencode(sources(inbox=str(tmp_path)).locate("inbox", "M%FCller")) == name


@pytest.mark.parametrize(
    ("folder", "place"),
    [
        ("/data", ("all", "")),
        ("/data/a/b", ("all", "a/b")),
        ("/data/inbox", ("inbox", "")),
        ("/data/inbox/new/100%41", ("inbox", "new/100%2541")),
        ("/data/inbox2", ("all", "inbox2")),
    ],
)
def test_a_folder_lies_in_the_deepest_source_that_holds_it(folder: str, place: tuple[str, str]) -> None:
    assert sources(all="/data", inbox="/data/inbox").place(Path(folder)) == place


def test_a_folder_outside_is_refused_with_the_list_of_sources() -> None:
    with pytest.raises(Misuse) as refused:
        sources(b="/data/b", a="/data/a").place(Path("/elsewhere"))

    assert str(refused.value) == (
        "/elsewhere lies in no source that the servers see. Sources: a = /data/a, b = /data/b. Name a folder below one of them."
    )


@pytest.mark.parametrize("way", ["/data/a/../secret", "/data/a/.."])
def test_a_way_that_leads_out_of_a_source_is_refused(way: str) -> None:
    with pytest.raises(Misuse):
        sources(a="/data/a").place(Path(way))


def test_a_source_that_was_added_is_seen_by_every_service(tmp_path: Path) -> None:
    file = tmp_path / "sources.json"
    one, other = (Sources(Settings(sources={"a": {"path": "/data/a"}}, sources_file=file)) for _ in range(2))
    assert list(other.all()) == ["a"]

    one.add(tmp_path, "new")

    assert other.root("new") == str(tmp_path)
    assert json.loads(file.read_text()) == {"new": {"path": str(tmp_path)}}


def test_where_sources_come_from_the_settings_only_none_is_added(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="GYRUS_SOURCES only"):
        sources().add(tmp_path, "new")


def test_a_source_is_never_turned_into_another_folder(tmp_path: Path) -> None:
    grown = Sources(Settings(sources_file=tmp_path / "sources.json"))
    grown.add(tmp_path / "one", "name")
    grown.add(tmp_path / "one", "name")

    with pytest.raises(Misuse, match="another folder"):
        grown.add(tmp_path / "two", "name")
    assert grown.all()["name"].path == tmp_path / "one"
