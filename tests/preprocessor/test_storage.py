"""Where volumes lie: a folder and a bucket keep the same promises."""

import json
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
import torch

from gyrus.data import CacheManager, DatasetMetadata
from gyrus.data.storage import RemoteError, Storage, place_of
from gyrus.preprocessor.core.make import Made, Request, make
from preprocessor.synthetic import write_stack
from s3 import s3_server


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with s3_server(monkeypatch) as (address, _):
        yield f"{address}/lab"


@pytest.fixture(params=["folder", "file://", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "s3":
        return Storage(request.getfixturevalue("bucket"))
    return Storage(f"file://{tmp_path}/out" if request.param == "file://" else tmp_path / "out")


def test_what_is_written_is_there_whole_and_what_is_deleted_is_gone(storage: Storage) -> None:
    storage.write("c/study/t1.pt", b"one")
    storage.write("c/study/t1.pt", b"another")

    assert storage.read("c/study/t1.pt") == b"another"
    assert (storage.exists("c/study/t1.pt"), storage.exists("c/study"), storage.exists("c/study/t2.pt")) == (True, False, False)
    storage.delete(["c/study/t1.pt", "c/study/never.pt"])
    assert not storage.exists("c/study/t1.pt")
    with pytest.raises(FileNotFoundError):
        storage.read("c/study/t1.pt")


def test_files_are_found_by_their_ending_with_their_age(storage: Storage) -> None:
    for name in ("a/1/x_metadata.json", "a/1/x.pt", "b/2/y_metadata.json"):
        storage.write(name, b"")

    assert [name for name, _ in storage.find()] == ["a/1/x.pt", "a/1/x_metadata.json", "b/2/y_metadata.json"]
    assert [name for name, age_s in storage.find("_metadata.json") if -5 < age_s < 60] == ["a/1/x_metadata.json", "b/2/y_metadata.json"]
    assert [name for name, _ in storage.below("a").find()] == ["1/x.pt", "1/x_metadata.json"]


def test_a_storage_travels_to_another_process(storage: Storage) -> None:
    storage.write("x", b"here")

    assert pickle.loads(pickle.dumps(storage)).read("x") == b"here"


def test_a_file_and_a_folder_can_be_had_as_paths_of_this_machine(storage: Storage) -> None:
    for number in range(3):
        storage.write(f"raw/series/{number}", bytes([number]))

    with storage.local("raw/series") as folder:
        assert sorted((path.name, path.read_bytes()) for path in folder.iterdir()) == [("0", b"\0"), ("1", b"\1"), ("2", b"\2")]
    with storage.local("raw/series/2") as file:
        assert file.read_bytes() == b"\2"


def test_the_stamp_of_a_folder_changes_with_its_files(storage: Storage) -> None:
    storage.write("raw/series/0", b"0")
    before = storage.stamp("raw/series")
    storage.write("raw/series/1", b"11")

    assert (before[:2], storage.stamp("raw/series")[:2]) == ([1, 1], [2, 3])
    assert storage.stamp("raw/series/1") != storage.stamp("raw/series/0")
    with pytest.raises(FileNotFoundError):
        storage.stamp("raw/nothing")


def test_the_outputs_of_a_stack_are_the_same_bytes_in_a_folder_and_in_a_bucket(tmp_path: Path, bucket: str) -> None:
    slices = write_stack(tmp_path / "raw", size=(32, 32, 8))
    outcomes = [make(Request(slices=slices, mode="mri", folder=at, name="t1")) for at in (str(tmp_path / "out"), f"{bucket}/study")]

    assert isinstance(outcomes[0], Made) and outcomes[0] == outcomes[1]
    for name in outcomes[0].outputs:
        assert Storage(bucket).read(f"study/{name}") == (tmp_path / "out" / name).read_bytes()


def test_a_cache_in_a_bucket_is_built_read_and_known_to_be_current(tmp_path: Path, bucket: str) -> None:
    write_stack(tmp_path / "raw/p1/t1", size=(32, 32, 8))
    DatasetMetadata.from_directory(tmp_path, {"p1": "mri"}).save(tmp_path / "metadata.json")
    fsspec.filesystem("s3", skip_instance_cache=True).put(str(tmp_path) + "/", bucket.removeprefix("s3://"), recursive=True)
    here, there = CacheManager(tmp_path), CacheManager(bucket)

    assert (here.build_cache().made, there.build_cache().made, there.build_cache().kept) == (1, 1, 1)
    one, other = (cache.load_image("p1", "t1") for cache in (here, there))
    assert torch.equal(one["data"], other["data"]) and torch.equal(one["mask"], other["mask"])
    assert torch.equal(here.load_mask("p1", "t1"), there.load_mask("p1", "t1"))
    assert json.loads(Storage(bucket).read("processed/p1/t1_metadata.json"))["source_file"] == "raw/p1/t1"
    assert there.get_cache_stats()["cached_images"] == 1
    Storage(bucket).write("raw/p1/t1/more", b"")
    assert there.get_cache_stats()["cached_images"] == 0


def test_a_bucket_that_is_not_there_is_named_and_no_missing_file(bucket: str) -> None:
    with pytest.raises(RemoteError, match=r"s3://other/lab/x"):
        Storage("s3://other/lab").write("x", b"")


def test_a_store_that_does_not_answer_does_not_say_that_a_file_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    pytest.importorskip("s3fs", reason="gyrus[s3] is not installed")

    with pytest.raises(RemoteError, match=r"s3://lab/metadata\.json"):
        Storage("s3://lab").exists("metadata.json")


def test_an_address_that_nothing_here_reaches_is_an_error_at_once() -> None:
    with pytest.raises(ValueError, match=r"gyrus\[s3\]"):
        Storage("gopher://lab/volumes")


def test_a_writer_whose_folder_is_taken_meanwhile_makes_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(tmp_path)
    mkdir, taken = Path.mkdir, []

    def taking(path: Path, *how: object, **more: object) -> None:
        mkdir(path, *how, **more)  # type: ignore[arg-type]
        if not taken:
            taken.append(path)
            shutil.rmtree(path)

    monkeypatch.setattr(Path, "mkdir", taking)
    storage.write("a/b", b"kept")

    assert storage.read("a/b") == b"kept"


def test_the_place_of_a_file_is_its_folder_and_its_name(tmp_path: Path) -> None:
    storage, name = place_of(tmp_path / "metadata.json")

    assert (storage.address, name) == (str(tmp_path), "metadata.json")


def test_the_cache_of_an_address_of_this_machine_is_that_of_its_folder(tmp_path: Path) -> None:
    write_stack(tmp_path / "raw/p1/t1")
    DatasetMetadata.from_directory(tmp_path, {"p1": "mri"}).save(f"file://{tmp_path}/metadata.json")

    assert CacheManager(f"file://{tmp_path}").build_cache().made == 1
    assert CacheManager(tmp_path).build_cache().kept == 1
