"""What can be loaded from a path: a file, or the stacks among the DICOM files of a folder."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import index
from pathlib import Path
from typing import Any, Final

from gyrus.data.errors import ImageError
from gyrus.data.remains import NO_DICOM, named_as, was_image
from gyrus.dicom.keys import parsed_key
from gyrus.dicom.pixel_digest import pixel_digest, place_of
from gyrus.dicom.pixels import PLAIN
from gyrus.dicom.planes import FIELDS, Image, Slices
from gyrus.dicom.reader import Header, Rejected, read
from gyrus.dicom.rejects import NO_IMAGE
from gyrus.dicom.sniff import looks_like

DICOM_SUFFIXES: Final = (".dcm", ".dicom")
OF_VOXELS: Final = sorted({*FIELDS, "frames"} - {"pixel_offset", "pixel_length"})  # where pixels lie in a file says nothing about them
MOST_NAMED: Final = 20  # stacks in a message


@dataclass(frozen=True)
class ImageSource:
    """One image to load: a file that is no DICOM, or a stack of DICOM images; of one that has several volumes, one of them."""

    path: str  #: the file, or where the stack was found
    series_uid: str = ""
    stack_key: str = ""
    description: str = ""
    images: tuple[Image, ...] = ()  #: of DICOM
    slices: Slices = ()  #: of DICOM whose headers are still to be read: path and frame from 1
    volume: int | None = None  #: from 0
    uneven: bool = False  #: slices at uneven steps, up to gaps of three, are interpolated instead of refused

    def of_volume(self, volume: int) -> "ImageSource":
        """One volume of a time series, a diffusion run, …"""
        return replace(self, volume=index(volume))

    def regridded(self) -> "ImageSource":
        """The same, with slices at uneven steps interpolated (linearly) at the usual step, where gaps are at most three steps wide."""
        return replace(self, uneven=True)

    @property
    def is_dicom(self) -> bool:
        return bool(self.images or self.slices)

    def __str__(self) -> str:
        n = sum(len(share.header.image.get("frames", {}).get("columns", ())) or 1 for share in self.images)
        return f"series {self.series_uid}, stack {self.stack_key} ({self.description}, {n} images)"


def find_stacks(path: str | os.PathLike[str]) -> list[ImageSource]:
    """What there is to load at a path: each stack of its DICOM files, or the file itself. Raises FileNotFoundError, ImageError."""
    where = Path(path)
    if not os.fspath(path) or not where.exists():  # an empty name would be this folder
        raise FileNotFoundError(f"{os.fspath(path) or repr('')} does not exist")
    if where.is_dir():
        return _stacks(where, _headers(where))
    if not is_dicom(where):
        return [ImageSource(str(where))]
    header = read(os.path.realpath(where))
    if isinstance(header, Rejected):
        reason = "no_image" if header.reason in NO_IMAGE else "undecodable_pixels"
        raise ImageError(reason, f"{header.reason} {header.detail}".strip(), where)
    return _stacks(where, [(str(where), header)])


def source_of(what: Any) -> ImageSource:
    """The one image of a path; or a stack as find_stacks gives it, or as the service knows it: (path, frame from 1 or None) a slice."""
    if isinstance(what, ImageSource):
        return what
    if not isinstance(what, (str, os.PathLike)):
        slices = [(os.path.realpath(file), frame) for file, frame in _pairs(what)]
        return ImageSource(str(Path(slices[0][0]).parent), slices=slices)
    found = find_stacks(what)
    if len(found) == 1:
        return found[0]
    wanted = [source for source in found if not _is_beside(source)] or found
    if len(wanted) > 1:
        named = "; ".join(map(str, wanted[:MOST_NAMED]))
        raise ImageError("several_stacks", f"{len(wanted)} stacks: {named}", what)
    return wanted[0]


def _pairs(what: Any) -> list[tuple[str, int | None]]:
    pairs = list(what) if isinstance(what, (list, tuple)) else []
    if not pairs or not all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], (str, os.PathLike)) for pair in pairs
    ):
        found = f"an empty {type(what).__name__}" if isinstance(what, (list, tuple)) and not what else type(what).__name__
        raise TypeError(f"an image is a path, a stack of find_stacks, or a list of (path, frame from 1 or None); this is {found}")
    return pairs


def is_dicom(path: Path) -> bool:
    """By the first bytes of a file, or its suffix."""
    with path.open("rb") as file:
        return looks_like(file.read(512)) == "dicom" or path.suffix.lower() in DICOM_SUFFIXES


def is_image(path: Path) -> bool:
    """Whether a file is a DICOM image, also a broken one, whatever its name."""
    header = read(os.path.realpath(path))
    return isinstance(header, Header) or header.reason not in NO_IMAGE


def has_dicom(folder: Path) -> bool:
    """Whether a file at any depth is DICOM."""
    return any(is_dicom(path) for path in _files(folder) if path.is_file())


def _is_beside(source: ImageSource) -> bool:
    """A scout beside what the series was made for."""
    parts = parsed_key(source.stack_key)
    return bool({"LOCALIZER", "OTHER"} & {*parts.get("ROLE", "").split("+"), parts.get("TYPE", "")})


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(where, name) for name in sorted(names))


def _headers(folder: Path) -> list[tuple[str, Header]]:
    """The DICOM images of a folder; if there are none in it, those below it."""
    found = _read(path for path in sorted(folder.iterdir()) if not path.is_dir()) or _read(_files(folder))
    if not found:
        raise ImageError("no_image", "no DICOM image in this folder", folder)
    return found


def _read(paths: Iterable[Path]) -> list[tuple[str, Header]]:
    """The images among files. A broken one is refused, or it would be a missing slice: at the end of a stack nobody would see that."""
    found: list[tuple[str, Header]] = []
    others: list[tuple[Path, str]] = []
    for path in paths:
        header = read(os.path.realpath(path))
        if isinstance(header, Header):
            found.append((str(path), header))
        elif header.reason in NO_IMAGE:
            others.append((path, header.reason))
        else:
            raise ImageError("undecodable_pixels", f"{header.reason} {header.detail}".strip(), path)
    named = {named_as(Path(path)) for path, _ in found}
    for path, reason in others:
        if reason in NO_DICOM and named_as(path) in named and was_image(path, reason):
            refused_as = "vanished" if reason == "vanished" else "undecodable_pixels"
            raise ImageError(refused_as, f"{reason}, and named as the images beside it", path)
    return found


def _stacks(where: Path, headers: Iterable[tuple[str, Header]]) -> list[ImageSource]:
    groups: dict[tuple[str, str], list[Image]] = defaultdict(list)
    for path, header in headers:
        for share in header.stacks:
            groups[header.series_instance_uid, share["key"]].append(Image(os.path.realpath(path), header, share["frames"]))
    return [
        ImageSource(str(where), series, key, str(images[0].header.shared.get("series_description", "")), tuple(_once(images)))
        for (series, key), images in sorted(groups.items())
    ]


def _once(images: Sequence[Image]) -> Iterator[Image]:
    """Each instance once. Files that bear one SOPInstanceUID and differ in the value or place of a voxel are refused."""
    seen: dict[str, Image] = {}
    for image in images:
        before = seen.setdefault(image.header.sop_instance_uid, image)
        if before is image:
            yield image
        elif differing := _differing(before, image):
            raise ImageError("several_volumes", f"bears the SOPInstanceUID of {before.path} and {differing}", image.path)


def _differing(one: Image, other: Image) -> str:
    """What in two files of one instance would make other voxels; "" if nothing would."""
    says, says_too = (_of_voxels(image) for image in (one, other))
    differ = [name for name in says if says[name] != says_too[name]]
    if differ or one.frames != other.frames:
        return f"another {', '.join(differ or ['frames'])}"
    return "" if _pixels(one) == _pixels(other) else "other pixels"


def _of_voxels(image: Image) -> dict[str, Any]:
    known = {**image.header.shared, **image.header.image}
    said = {name: known.get(name) for name in OF_VOXELS}
    return {**said, "transfer_syntax_uid": None} if said["transfer_syntax_uid"] in PLAIN else said  # both store pixels alike


def _pixels(image: Image) -> str | None:
    header = image.header
    return pixel_digest(image.path, (header.size, header.mtime_ns), place_of(header.image))[1]
