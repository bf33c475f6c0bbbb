"""Batches of studies: exact numbers, equal on every rank, disjoint, and over an epoch everything."""

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from gyrus.datasets import ImageDataset, StudyAwareBatchSampler


@dataclass
class Listed:
    """A data set of which only the index matters."""

    image_index: list[tuple[str, str]]


def of_sizes(sizes: list[int]) -> Listed:
    """Studies of so many images, those of a study not side by side."""
    pairs = [(number, f"s{study}") for study, size in enumerate(sizes) for number in range(size)]
    return Listed([(study, str(number)) for number, study in sorted(pairs)])


def ranks(of: Listed, count: int, epoch: int = 0, **more: bool) -> list[StudyAwareBatchSampler]:
    made = [StudyAwareBatchSampler(of, 4, num_replicas=count, rank=rank, **more) for rank in range(count)]  # type: ignore[arg-type]
    for sampler in made:
        sampler.set_epoch(epoch)
    return made


SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=12)


@given(SIZES, st.integers(1, 5), st.integers(0, 3), st.booleans())
def test_ranks_see_equally_many_batches_and_together_everything(sizes: list[int], count: int, epoch: int, pack: bool) -> None:
    of = of_sizes(sizes)
    samplers = ranks(of, count, epoch, pack=pack)

    seen = [list(sampler) for sampler in samplers]

    assert len({len(batches) for batches in seen}) == 1
    assert [len(sampler) for sampler in samplers] == [len(batches) for batches in seen]
    assert {index for batches in seen for batch in batches for index in batch} == set(range(len(of.image_index)))


@given(SIZES, st.integers(1, 5), st.booleans())
def test_a_study_is_whole_and_on_one_rank(sizes: list[int], count: int, pack: bool) -> None:
    of = of_sizes(sizes)

    homes: dict[str, set[int]] = {}
    batches = 0
    for rank, sampler in enumerate(ranks(of, count, pack=pack)):
        for batch in sampler:
            images = Counter(of.image_index[index][0] for index in batch)
            assert all(n == sizes[int(study[1:])] for study, n in images.items())
            assert pack or len(images) == 1
            assert len(batch) <= 4 or len(images) == 1
            for study in images:
                homes.setdefault(study, set()).add(rank)
            batches += 1
    if len(sizes) >= count and not pack:
        assert all(len(on) == 1 for on in homes.values())
        assert batches < len(sizes) + count


@given(SIZES, st.integers(1, 5))
def test_with_drop_last_nothing_is_repeated_and_full_batches_stay(sizes: list[int], count: int) -> None:
    seen = [tuple(batch) for sampler in ranks(of_sizes(sizes), count, drop_last=True) for batch in sampler]

    assert len(seen) == len(set(seen)) == len(sizes) // count * count


def test_two_and_three_ranks_of_five_studies() -> None:
    for count in (2, 3):
        seen = [[batch[0] for batch in sampler] for sampler in ranks(of_sizes([1] * 5), count)]
        assert [len(batches) for batches in seen] == [-(-5 // count)] * count
        assert sum(len(set(batches)) for batches in seen) == len(set().union(*seen)) == 5


def test_more_ranks_than_studies_share() -> None:
    assert [list(sampler) for sampler in ranks(of_sizes([1, 1]), 5, shuffle=False)] == [[[0]], [[1]], [[0]], [[1]], [[0]]]


def test_epochs_shuffle_and_can_be_repeated() -> None:
    sampler = StudyAwareBatchSampler(of_sizes([2] * 8), 4, seed=3)

    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))

    assert orders[0] == orders[2] != orders[1]
    assert list(StudyAwareBatchSampler(of_sizes([2] * 8), 4, seed=4)) != orders[0]
    assert [batch[0] for batch in StudyAwareBatchSampler(of_sizes([2] * 4), 4, shuffle=False)] == [0, 1, 2, 3]


def test_a_loader_gives_one_study_a_batch(data_dir: Path) -> None:
    dataset = ImageDataset(data_dir)
    sampler = StudyAwareBatchSampler(dataset=dataset, batch_size=8, shuffle=True, seed=42)

    loader = DataLoader(dataset, batch_sampler=sampler, num_workers=2)

    studies = [set(batch["study"]) for batch in loader]
    assert len(loader) == len(studies) == 5
    assert sorted(next(iter(one)) for one in studies if len(one) == 1) == ["001", "002", "003", "004", "1"]


def test_a_study_larger_than_a_batch_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    StudyAwareBatchSampler(of_sizes([2, 5]), 4)

    assert "study s1 has 5 images, more than batch_size 4" in caplog.text


@pytest.mark.parametrize("wrong", [{"rank": 2, "num_replicas": 2}, {"rank": -1, "num_replicas": 2}, {"batch_size": 0}, {"seed": -1}])
def test_what_cannot_be_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"rank|batch_size|seed"):
        StudyAwareBatchSampler(of_sizes([1]), **{"batch_size": 4, **wrong})


RANK = """
import sys, torch.distributed as dist
from gyrus.datasets import ImageDataset, StudyAwareBatchSampler
rank, count, meeting, data_dir = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=count)
dataset = ImageDataset(data_dir)
print(*(dataset.image_index[batch[0]][0] for batch in StudyAwareBatchSampler(dataset, 8)))
dist.barrier()
dist.destroy_process_group()
"""


def test_real_processes_of_torch_distributed_are_ranks(data_dir: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", RANK]
    started = [
        subprocess.Popen([*command, str(rank), "2", str(tmp_path / "meeting"), str(data_dir)], stdout=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    seen = [process.communicate(timeout=60)[0].split() for process in started]

    assert [len(studies) for studies in seen] == [3, 3]
    assert sum(len(set(studies)) for studies in seen) == 5 and set().union(*seen) == {"001", "002", "003", "004", "1"}
