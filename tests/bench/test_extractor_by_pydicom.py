"""The comparison is fair: an extractor without the walk reads the same, in the same workers."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.extractor_by_pydicom import BY, read_file
from bench.files import write_visits
from gyrus.dicom.reader import read
from gyrus.extractor.files import Said, said
from gyrus.shared.workers import Workers

KEY = b"a secret for tests only"


async def test_workers_of_the_extractor_without_its_walk_read_the_same_by_pydicom(tmp_path: Path) -> None:
    write_visits(tmp_path, 20)
    paths = [str(path) for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    workers = Workers(1, [])
    try:
        answers = await workers.each(60, partial(read_file, cohort="bench", subject_key=KEY), paths)
    finally:
        workers.close()

    for path, answer in zip(paths, answers, strict=True):
        assert isinstance(answer, Said)
        assert answer.unusual == BY
        assert replace(answer, unusual="") == said(read(path), "bench", KEY)
