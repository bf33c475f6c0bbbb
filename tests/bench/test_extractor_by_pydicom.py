"""The comparison is fair: an extractor without the walk reads the same, in the same workers."""

from dataclasses import replace
from pathlib import Path

from bench.extractor_by_pydicom import BY, read_file
from bench.files import write_visits
from gyrus.dicom.reader import Header, read
from gyrus.shared.workers import Workers


async def test_workers_of_the_extractor_without_its_walk_read_the_same_by_pydicom(tmp_path: Path) -> None:
    write_visits(tmp_path, 20)
    paths = [str(path) for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    workers = Workers(1, [])
    try:
        answers = await workers.each(60, read_file, paths)
    finally:
        workers.close()

    for path, answer in zip(paths, answers, strict=True):
        assert isinstance(answer, Header)
        assert answer.unusual == BY
        assert replace(answer, unusual="") == read(path)
