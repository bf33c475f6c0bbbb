"""An item: nine keys, of the cache or of the source the same, and refusals that say what to do."""

import contextlib
import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import gyrus.datasets
from datasets.small import N_IMAGES, voxels, write_cached, write_data_set, write_image
from gyrus.data import CacheManager, DatasetMetadata
from gyrus.data.tokens import tokens_of
from gyrus.datasets import ImageDataset, StudyAwareBatchSampler, concatenate

KEYS = ["img", "coords", "filtered", "size", "path", "label", "study", "mode", "window"]


def only(dataset: ImageDataset, path: str) -> Any:
    return dataset[[ref.path for ref in dataset.images].index(path)]


def test_the_arguments_are_those_that_were_published_and_more_are_by_name() -> None:
    published = {
        ImageDataset: "data_dir use_cache=True fallback_to_raw=True mode_filter=None transform=None ct_window_probs=None random_crop=False "
        "augment=False max_crop_size=(20,20,20) tokenize=True use_original_labels=True class_to_idx=None study_labels=None",
        StudyAwareBatchSampler: "dataset batch_size shuffle=True seed=0 drop_last=False num_replicas=None rank=None",
    }
    for what, wanted in published.items():
        found = inspect.signature(what).parameters.values()
        by_place = [one for one in found if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
        told = [one.name if one.default is one.empty else f"{one.name}={str(one.default).replace(' ', '')}" for one in by_place]
        assert " ".join(told) == wanted


def test_every_public_name_is_there_and_no_other() -> None:
    for name in set(gyrus.datasets.__all__) - {"ImageDataModule"}:
        assert getattr(gyrus.datasets, name)
    with pytest.raises(AttributeError, match="has no name 'ImageDataset2'"):
        gyrus.datasets.ImageDataset2  # noqa: B018


def test_a_cache_is_read_without_servers_and_without_simpleitk(data_dir: Path) -> None:
    run = (
        "import sys; sys.modules['SimpleITK'] = None\n"
        "from gyrus.datasets import ImageDataset, StudyAwareBatchSampler, split_by_subject, select, pad, read_labels\n"
        f"print(len(ImageDataset({str(data_dir)!r})[0]), set(sys.modules) & {{'nats', 'motor', 'pymongo', 'faststream', 'starlette'}})"
    )
    assert subprocess.run([sys.executable, "-c", run], check=True, capture_output=True, text=True).stdout == "9 set()\n"


def test_an_item_has_nine_keys_of_the_promised_types(data_dir: Path) -> None:
    item = only(ImageDataset(data_dir), "001/T1")

    assert list(item) == KEYS
    shapes = {name: (item[name].dtype, tuple(item[name].shape)) for name in KEYS[:4]}
    n = 3 * 3 * 2
    assert shapes == {
        "img": (torch.float32, (n, 1024)),
        "coords": (torch.int32, (n, 3)),
        "filtered": (torch.uint8, (n,)),
        "size": (torch.int32, (3,)),
    }
    assert item["size"].tolist() == [3, 3, 2]
    assert item["coords"].tolist() == [[d, h, w] for d in range(3) for h in range(3) for w in range(2)]
    assert {name: item[name] for name in KEYS[4:]} == {
        "path": "001/T1",
        "label": None,
        "study": "001",
        "mode": "mri",
        "window": None,
    }


def test_tokens_are_those_of_the_cached_volume(data_dir: Path) -> None:
    cached = CacheManager(data_dir).load_image("004", "T2")

    item = only(ImageDataset(data_dir), "004/T2")

    assert np.array_equal(item["img"].numpy(), tokens_of(cached["data"][0].numpy()))
    assert torch.equal(item["filtered"], cached["mask"])
    assert 0 < int(item["filtered"].sum()) < item["filtered"].numel()


def test_without_tokenize_an_item_is_the_volume(data_dir: Path) -> None:
    item = only(ImageDataset(data_dir, tokenize=False), "004/T2")

    assert torch.equal(item["img"], CacheManager(data_dir).load_image("004", "T2")["data"])
    assert (item["size"].tolist(), tuple(item["coords"].shape)) == ([2, 4, 2], (16, 3))


def test_probabilities_may_be_an_array_as_well_as_a_list(data_dir: Path) -> None:
    for kind in (np.array, torch.tensor, tuple):
        data_set = ImageDataset(data_dir, mode_filter="ct", ct_window_probs=kind([0.0, 0.0, 2.0]))

        assert data_set[0]["window"] == "bone"


def test_an_image_that_is_not_cached_gives_the_same_item(data_dir: Path) -> None:
    cached, fresh = ImageDataset(data_dir), ImageDataset(data_dir, use_cache=False)

    for one, other in ((cached[index], fresh[index]) for index in range(N_IMAGES)):
        assert all(torch.equal(one[name], other[name]) for name in KEYS[:4])
        assert [one[name] for name in KEYS[4:]] == [other[name] for name in KEYS[4:]]


@pytest.mark.parametrize(("number", "window"), [(0, "brain"), (1, "blood"), (2, "bone")])
def test_the_window_of_a_ct_is_drawn_by_its_probability(data_dir: Path, number: int, window: str) -> None:
    probabilities = [float(place == number) for place in range(3)]

    item = ImageDataset(data_dir, mode_filter="CT", ct_window_probs=probabilities)[0]

    assert (item["window"], item["mode"]) == (window, "ct")
    cached = CacheManager(data_dir).load_image("003", "head", window=window)
    assert np.array_equal(item["img"].numpy(), tokens_of(cached["data"][0].numpy()))


def test_windows_are_mostly_brain(data_dir: Path) -> None:
    dataset = ImageDataset(data_dir, mode_filter="ct")

    drawn = [dataset[0]["window"] for _ in range(400)]

    assert [round(drawn.count(window) / 400, 1) for window in ("brain", "blood", "bone")] == pytest.approx([0.7, 0.15, 0.15], abs=0.11)


def test_modes_and_studies_are_chosen(data_dir: Path) -> None:
    assert {ref.mode for ref in ImageDataset(data_dir, mode_filter="MR").images} == {"mri"}
    assert ImageDataset(data_dir, studies=["002", "004"]).image_index == [("002", "T1"), ("004", "FLAIR"), ("004", "T1"), ("004", "T2")]
    with pytest.raises(ValueError, match="1 of the wanted studies are not here: 02"):
        ImageDataset(data_dir, studies=["02"])


def test_a_transform_is_called_with_the_image(data_dir: Path) -> None:
    seen: list[tuple[int, ...]] = []

    def inverted(image: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(image.shape))
        return 1 - image

    plain = ImageDataset(data_dir)
    item = ImageDataset(data_dir, transform=inverted)[0]

    assert seen == [(1, 12, 48, 32)]
    assert torch.equal(item["img"], 1 - plain[0]["img"])
    with pytest.raises(ValueError, match="must keep the shape"):
        ImageDataset(data_dir, transform=lambda image: image[:, 1:])[0]


def test_a_crop_is_at_most_as_large_as_allowed_and_its_size_follows(data_dir: Path) -> None:
    dataset = ImageDataset(data_dir, random_crop=True, max_crop_size=(2, 2, 1))

    sizes = {tuple(item["size"].tolist()) for _ in range(20) for item in (dataset[0], dataset[5])}

    assert max(sizes) == (2, 2, 1) and len(sizes) == 4
    item = dataset[0]
    assert len(item["img"]) == len(item["coords"]) == len(item["filtered"]) == int(item["size"].prod())


def test_what_is_not_cached_is_an_error_where_nothing_else_is_allowed(tmp_path: Path) -> None:
    dataset = ImageDataset(write_data_set(tmp_path), fallback_to_raw=False)

    with pytest.raises(FileNotFoundError, match=r"001/T1 is not in the cache.*build_cache\(\) makes it"):
        dataset[0]
    with pytest.raises(ValueError, match="nothing to read images from"):
        ImageDataset(tmp_path, use_cache=False, fallback_to_raw=False)


def test_a_source_that_changed_is_not_read_from_an_old_cache(tmp_path: Path) -> None:
    write_cached(tmp_path, {"p": {"T1": (8, 32, 32)}}, {"p": "mri"})
    before = ImageDataset(tmp_path)[0]

    write_image(tmp_path / "raw/p/T1.nii", (8, 32, 32), seed=77)

    assert not torch.equal(ImageDataset(tmp_path)[0]["img"], before["img"])
    with pytest.raises(FileNotFoundError):
        ImageDataset(tmp_path, fallback_to_raw=False)[0]


def test_a_cache_that_was_copied_without_its_sources_is_read(tmp_path: Path, data_dir: Path) -> None:
    shutil.copytree(data_dir / "processed", tmp_path / "processed")
    shutil.copy(data_dir / "metadata.json", tmp_path)

    assert torch.equal(ImageDataset(tmp_path)[0]["img"], ImageDataset(data_dir)[0]["img"])


def test_a_folder_of_prepared_images_needs_no_metadata(tmp_path: Path, data_dir: Path) -> None:
    shutil.copytree(data_dir / "processed", tmp_path, dirs_exist_ok=True)

    assert sorted(ImageDataset(tmp_path).image_index) == sorted(ImageDataset(data_dir).image_index)
    (tmp_path / "002/T1.pt").unlink()
    with pytest.raises(FileNotFoundError, match=r"002/T1 is not \(or not whole\)"):
        only(ImageDataset(tmp_path), "002/T1")


def test_of_a_stack_that_was_made_twice_the_last_making_is_read(tmp_path: Path, data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copytree(data_dir / "processed", tmp_path, dirs_exist_ok=True)
    for image, n in (("T1", 2), ("T2", 10)):
        path = tmp_path / f"004/{image}_metadata.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "about": {"stack": "c/1/a", "n": n}}))

    assert [image for study, image in ImageDataset(tmp_path).image_index if study == "004"] == ["FLAIR", "T2"]
    assert "T1_metadata.json is left out" in caplog.text


def test_a_folder_with_nothing_in_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds neither metadata\.json .* nor prepared images"):
        ImageDataset(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ct_window_probs": [1, 0]}, "one number, not below 0, for each of brain, blood, bone"),
        ({"ct_window_probs": []}, "one number, not below 0, for each of"),
        ({"ct_window_probs": np.zeros(3)}, "one number, not below 0"),
        ({"ct_window_probs": [0, 0, 0]}, "one number, not below 0"),
        ({"max_crop_size": (0, 1, 1), "random_crop": True}, "three numbers of tokens"),
        ({"mode_filter": "pet"}, "neither 'ct' nor 'mri'"),
        ({"flip_axes": "hw"}, "names the patient's axes"),
        ({"seed": -1}, "seed is -1; it is a whole number, not below 0"),
        ({"seed": 0.5}, "seed is 0.5; it is a whole number"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(data_dir: Path, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ImageDataset(data_dir, **wrong)


def test_an_image_that_cannot_be_prepared_is_raised_with_its_name(tmp_path: Path) -> None:
    write_data_set(tmp_path, {"p": {"T1": (8, 32, 32)}}, {"p": "mri"})
    (tmp_path / "raw/p/T1.nii").write_bytes(b"no image")

    with pytest.raises(ValueError, match=r"raw/p/T1\.nii"):
        ImageDataset(tmp_path)[0]


def test_images_that_cannot_be_read_may_be_left_out_of_their_batch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_data_set(tmp_path, {"p": {"T1": (8, 32, 32), "T2": (8, 32, 32)}}, {"p": "mri"})
    (tmp_path / "raw/p/T1.nii").write_bytes(b"no image")
    dataset = ImageDataset(tmp_path, failures="skip")

    for collate in (None, concatenate):
        batch = next(iter(DataLoader(dataset, batch_size=2, collate_fn=collate)))
        assert batch["path"] == ["p/T2"] and [why.partition(":")[0] for why in batch["failed"]] == ["p/T1"]
    assert "p/T1 is left out" in caplog.text
    with pytest.raises(ValueError, match=r"no image of a batch can be read: p/T1: .*T1\.nii"):
        next(iter(DataLoader(dataset, batch_size=1)))


def test_an_image_that_lies_on_the_grid_is_kept_as_it_is(data_dir: Path) -> None:
    values = voxels((12, 48, 32), seed=30).astype(np.float64)
    low, high = np.percentile(values, (0.5, 99.5))
    wanted = ((values.clip(low, high) - low) / (high - low + 1e-8) * 255).astype(np.uint8)

    for use_cache in (True, False):
        item = only(ImageDataset(data_dir, use_cache=use_cache), "001/T1")
        assert np.array_equal(np.rint(item["img"].numpy() * 255), tokens_of(wanted))


def test_metadata_of_another_hand_is_read(tmp_path: Path) -> None:
    write_data_set(tmp_path, {"p": {"T1": (8, 32, 32)}}, {"p": "mri"})
    written = json.loads((tmp_path / "metadata.json").read_text())
    del written["dataset_name"], written["created"]
    (tmp_path / "metadata.json").write_text(json.dumps(written))

    assert len(DatasetMetadata.from_file(tmp_path / "metadata.json")) == len(ImageDataset(tmp_path)) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"unlabelled": "dropp"}, "unlabelled is 'dropp'; it is one of error, keep, drop"),
        ({"failures": "ignore"}, "failures is 'ignore'; it is one of raise, skip"),
        ({"blank_labels": "0"}, "blank_labels is '0'; it is one of error, nan"),
        ({"studies": "001"}, r"studies is '001'; it is a list of studies, e\.g\. \['001'\]"),
        ({"ct_window_probs": [float("nan"), 1, 1]}, "ct_window_probs"),
    ],
)
def test_a_word_that_is_none_is_not_taken_for_another(data_dir: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageDataset(data_dir, **arguments)


def test_that_no_image_is_left_is_told(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert len(ImageDataset(data_dir, studies=["001"], mode_filter="ct")) == 0

    assert f"no image is left of {N_IMAGES}" in caplog.text


DAMAGES = {
    "cut in the middle": lambda content: content[: len(content) // 2],
    "cut at its end": lambda content: content[:-30],
    "empty": lambda _: b"",
    "no tensor": lambda _: b"once I was a tensor",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_of_the_cache_counts_as_not_cached_and_is_made_again(tmp_path: Path, damage: str) -> None:
    write_cached(tmp_path)
    file = tmp_path / "processed/001/T1.pt"
    whole, expected = file.read_bytes(), only(ImageDataset(tmp_path), "001/T1")["img"]
    file.write_bytes(DAMAGES[damage](whole))

    assert torch.equal(only(ImageDataset(tmp_path), "001/T1")["img"], expected)
    with pytest.raises(FileNotFoundError, match="001/T1 is not in the cache"):
        only(ImageDataset(tmp_path, fallback_to_raw=False), "001/T1")
    assert CacheManager(tmp_path).get_cache_stats()["cached_images"] == N_IMAGES - 1
    assert CacheManager(tmp_path).build_cache().made == 1
    assert file.read_bytes() == whole


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_without_its_source_is_named_or_left_out(tmp_path: Path, damage: str) -> None:
    write_cached(tmp_path / "there")
    shutil.copytree(tmp_path / "there/processed", tmp_path / "copy")
    for path in (tmp_path / "copy").glob("*/*_metadata.json"):  # as the service writes them
        path.write_text(json.dumps({name: said for name, said in json.loads(path.read_text()).items() if name != "bytes"}))
    file = tmp_path / "copy/001/T1.pt"
    file.write_bytes(DAMAGES[damage](file.read_bytes()))

    with pytest.raises(OSError, match=r"001/T1\.pt is damaged, or of another layout .*: delete it, and prepare the image again"):
        only(ImageDataset(tmp_path / "copy"), "001/T1")
    assert "T1.pt is damaged" in only(ImageDataset(tmp_path / "copy", failures="skip"), "001/T1")["failed"]


def flipped(content: bytes, position: int) -> bytes:
    """With one bit turned; of all bits that one at which zip makes a folder of a file."""
    return content[:position] + bytes([content[position] ^ 0x10]) + content[position + 1 :]


def test_a_flipped_bit_in_the_cache_is_found_by_whoever_reads_it_and_mended_by_a_build(tmp_path: Path) -> None:
    write_cached(tmp_path)
    cache, file = CacheManager(tmp_path), tmp_path / "processed/001/T1.pt"
    whole = file.read_bytes()
    file.write_bytes(flipped(whole, len(whole) // 2))

    with pytest.raises(OSError, match=r"001/T1\.pt is damaged, .*: delete it, and prepare the image again"):
        only(ImageDataset(tmp_path), "001/T1")
    assert "T1.pt is damaged" in only(ImageDataset(tmp_path, failures="skip"), "001/T1")["failed"]
    with pytest.raises(OSError, match=r"001/T1\.pt is damaged .*: delete it, and build_cache\(\) makes it again"):
        cache.load_image("001", "T1")
    mask = tmp_path / "processed/001/T2_mask.pt"
    mask.write_bytes(flipped(mask.read_bytes(), mask.stat().st_size // 2))
    with pytest.raises(OSError, match=r"001/T2_mask\.pt is damaged"):
        cache.load_mask("001", "T2")
    assert (cache.build_cache().made, file.read_bytes()) == (2, whole)
    assert cache.build_cache().made == 0


def test_no_flipped_bit_of_a_cached_file_gives_another_image(tmp_path: Path) -> None:
    write_cached(tmp_path, {"004": {"FLAIR": (4, 16, 16)}}, {"004": "mri"})
    dataset, cache, file = ImageDataset(tmp_path), CacheManager(tmp_path), tmp_path / "processed/004/FLAIR.pt"
    whole, item, image = file.read_bytes(), dataset[0]["img"], cache.load_image("004", "FLAIR")
    found = 0

    for position in range(len(whole)):
        file.write_bytes(flipped(whole, position))
        with contextlib.suppress(OSError):
            read = ImageDataset(tmp_path)[0]
            assert torch.equal(read["img"], item) and read["size"].tolist() == [1, 1, 1], position
            found += 1
        with contextlib.suppress(OSError):
            read = cache.load_image("004", "FLAIR")
            assert torch.equal(read["data"], image["data"]) and read["spacing"] == image["spacing"], position
    assert 0 < found < len(whole)  # what lies between the parts says nothing


def test_an_image_file_of_the_first_layout_is_named(tmp_path: Path) -> None:
    write_cached(tmp_path / "there")
    shutil.copytree(tmp_path / "there/processed", tmp_path / "copy")
    meta = tmp_path / "copy/001/T1_metadata.json"
    meta.write_text(json.dumps({name: said for name, said in json.loads(meta.read_text()).items() if name != "bytes"}))
    torch.save({"data": torch.zeros(12, 48, 32, dtype=torch.uint8), "view": 0, "shape": (12, 48, 32)}, tmp_path / "copy/001/T1.pt")

    with pytest.raises(OSError, match=r"001/T1\.pt is damaged, or of another layout"):
        only(ImageDataset(tmp_path / "copy"), "001/T1")


@pytest.mark.parametrize("content", ["[]", "5", "{"])
def test_metadata_of_an_image_that_are_none_count_as_not_there(tmp_path: Path, content: str) -> None:
    write_cached(tmp_path)
    shutil.copytree(tmp_path / "processed", tmp_path / "copy")
    for folder in ("processed", "copy"):
        (tmp_path / folder / "001/T1_metadata.json").write_text(content)

    assert CacheManager(tmp_path).build_cache().made == 1
    with pytest.raises(ValueError, match=r"001/T1_metadata\.json is damaged"):
        ImageDataset(tmp_path / "copy")


def test_an_object_store_is_no_folder() -> None:
    with pytest.raises(ValueError, match="s3://bucket/data is no folder: training reads files"):
        ImageDataset("s3://bucket/data")
