"""The comparison is fair: the naive program keeps what gyrus keeps."""

from pathlib import Path

from pydicom import dcmread

from bench import naive
from bench.files import write_visits
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.reader import Header, read


def test_the_naive_program_keeps_every_standard_element_that_gyrus_keeps(tmp_path: Path) -> None:
    write_visits(tmp_path, 518)  # the images of a visit's seven series

    for path in sorted(tmp_path.rglob("*.*"))[::5]:
        header, dataset = read(path), dcmread(path, stop_before_pixels=True)
        assert isinstance(header, Header)
        said = header.shared | header.image
        tags = dataset.keys() | dataset.file_meta.keys()
        ours = {name for name in said if name in STANDARD.by_name and STANDARD.by_name[name].tag in tags}
        facts = {name: value for level in naive.read(path).values() for name, value in level.items()}

        assert ours <= facts.keys()
        numbers = {name: said[name] for name in ours if isinstance(said[name], int | float) and name != "patient_age_years"}
        assert numbers == {name: facts[name] for name in numbers}
