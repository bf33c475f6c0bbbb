"""Every MR and CT stack of the public sets with real pixels: what becomes of it, and a sheet of pictures of those that become volumes.

python -m soak.real_stacks DICOM SHEET.png      DICOM: where the sets are unpacked; from the folder `tests`
"""

import io
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Picture
from PIL import ImageDraw

from gyrus.dicom.layouts import layout_of
from gyrus.dicom.planes import Image
from gyrus.dicom.reader import Header, read
from gyrus.dicom.refused import Refused
from gyrus.preprocessor.core.pictures import MONTAGE, pictures_of
from gyrus.preprocessor.core.prepare import Ready, prepare_one
from gyrus.shared.policy import MODES

MANIFEST = Path(__file__).parents[3] / "shared" / "data" / "dicom" / "MANIFEST.jsonl"
NO_VOLUME = ("single_image", "too_small")  # scouts, single slices, and cut-outs thinner than a token
ACROSS, TILE_PX, LABEL_PX, GREYS = 9, 180, 12, 16


@dataclass(frozen=True, eq=False)
class Found:
    """A stack: the folder of its first file below the sets, its key, its images."""

    folder: str
    key: str
    images: tuple[Image, ...]

    @property
    def outcome(self) -> Ready | Refused:
        """Its first volume, or why there is none."""
        try:
            layout = layout_of(self.images)
            return prepare_one(layout, MODES[layout.modality], 0)
        except Refused as refused:
            return refused


def real_stacks(real: Path) -> Iterator[Found]:
    """Stacks whose pixels are real, each SOP instance once, by set and series."""
    groups: dict[tuple[str, str, str], dict[str, Image]] = defaultdict(dict)
    with MANIFEST.open() as lines:
        for entry in map(json.loads, lines):
            if entry["kind"] != "dicom" or entry["reduced"] or entry["modality"] not in MODES:
                continue
            header = read(str(real / entry["path"]))
            for share in header.stacks if isinstance(header, Header) else ():
                group = groups[entry["archive"], header.series_instance_uid, share["key"]]
                group.setdefault(header.sop_instance_uid, Image(str(real / entry["path"]), header, share["frames"]))
    for (_, _, key), images in sorted(groups.items()):
        found = tuple(images.values())
        yield Found(str(Path(found[0].path).parent.relative_to(real)), key, found)


def sheet(volumes: Sequence[tuple[str, Ready]]) -> bytes:
    """Montages with the end of their folder's name, in a few greys: small enough for a repository."""
    height = TILE_PX + LABEL_PX
    canvas = Picture.new("L", (ACROSS * TILE_PX, -(-len(volumes) // ACROSS) * height), 40)
    for place, (name, ready) in enumerate(volumes):
        montage = Picture.open(io.BytesIO(pictures_of(ready.prepared)[MONTAGE]))
        montage.thumbnail((TILE_PX - 4, TILE_PX - 4))
        left, top = place % ACROSS * TILE_PX, place // ACROSS * height
        canvas.paste(montage, (left, top + LABEL_PX))
        ImageDraw.Draw(canvas).text((left, top), name[-30:], fill=255)
    buffer = io.BytesIO()
    canvas.quantize(GREYS).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def main(real: Path, to: Path) -> None:
    volumes, refused = [], Counter[str]()
    for found in real_stacks(real):
        outcome = found.outcome
        if isinstance(outcome, Ready):
            volumes.append((found.folder, outcome))
        else:
            refused[outcome.reason] += 1
    to.write_bytes(sheet(volumes))
    print(f"{len(volumes)} volumes, {to.stat().st_size} bytes; refused: {dict(refused.most_common())}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
