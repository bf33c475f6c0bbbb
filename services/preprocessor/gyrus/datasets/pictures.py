"""What a batch holds, as a picture: `python -m gyrus.datasets.pictures DIR OUT` makes those of docs/training.md.

A row is an image: slices from its first token to its last, as they lie in memory (columns to the right, rows downwards), voxels of
background tokens in blue. The bar below is its line in the batch: green tokens of the image, blue those of background, grey padding.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch.utils.data import DataLoader

from gyrus.data.tokens import PATCH, volume_of
from gyrus.datasets.collating import pad
from gyrus.datasets.dataset import ImageDataset

SLICES: Final = 8
SIDE: Final = 112  # pixels of a slice
LINE, BAR, GAP = 14, 8, 4
INK, PAPER = (30, 30, 30), (255, 255, 255)
OWN, BACKGROUND, PADDING = (70, 150, 90), (60, 110, 200), (215, 215, 215)


def picture(batch: Mapping[str, Any]) -> Image.Image:
    """A padded batch of tokens, one image a row."""
    rows = [_row(batch, place) for place in range(len(batch["path"]))]
    canvas = Image.new("RGB", (max(row.width for row in rows), sum(row.height + GAP for row in rows)), PAPER)
    top = 0
    for row in rows:
        canvas.paste(row, (0, top))
        top += row.height + GAP
    return canvas


def _row(batch: Mapping[str, Any], place: int) -> Image.Image:
    own, size = int(batch["lengths"][place]), [int(n) for n in batch["size"][place]]
    tokens, filtered = batch["img"][place, :own].numpy(), batch["filtered"][place].numpy()
    grey = volume_of(tokens, size)
    dark = volume_of(np.repeat(filtered[:own, None], int(np.prod(PATCH)), axis=1), size)
    canvas = Image.new("RGB", (SLICES * (SIDE + GAP), LINE + SIDE + GAP + BAR), PAPER)
    window = f", {batch['window'][place]} window" if batch["window"][place] else ""
    told = f"{batch['path'][place].partition('/')[2]}{window}: {' x '.join(map(str, size))} = {own} of {len(filtered)} tokens"
    ImageDraw.Draw(canvas).text((0, 0), told, fill=INK)
    for column, depth in enumerate(np.linspace(0, len(grey) - 1, SLICES).round().astype(int)):
        canvas.paste(_slice(grey[depth], dark[depth]), (column * (SIDE + GAP), LINE))
    canvas.paste(_bar(filtered, own, canvas.width - GAP), (0, LINE + SIDE + GAP))
    return canvas


def _slice(grey: NDArray[Any], dark: NDArray[Any]) -> Image.Image:
    """Rows and columns in one scale, in the corner of a square."""
    colours = np.repeat((grey[..., None] * 255), 3, axis=2)
    tint = np.array(BACKGROUND)
    colours[dark == 1] = 0.55 * colours[dark == 1] + 0.45 * tint
    height, width = grey.shape
    scale = SIDE / max(height, width)
    square = Image.new("RGB", (SIDE, SIDE), PAPER)
    square.paste(Image.fromarray(colours.astype(np.uint8)).resize((round(width * scale), round(height * scale))))
    return square


def _bar(filtered: NDArray[Any], own: int, width: int) -> Image.Image:
    places = np.linspace(0, len(filtered) - 1, width).round().astype(int)
    colours = [PADDING if place >= own else BACKGROUND if filtered[place] else OWN for place in places]
    return Image.fromarray(np.tile(np.array(colours, np.uint8), (BAR, 1, 1)))


def _four(dataset: ImageDataset) -> list[int]:
    """Images that differ by mode or size; of anatomy, where names tell it; a CT first."""
    kinds: dict[tuple[bool, tuple[int, ...]], int] = {}
    for index, ref in enumerate(dataset.images):
        if ref.mode == "ct" or any(word in ref.image for word in ("T1w", "T2w", "SWI")):
            kinds.setdefault((ref.mode != "ct", tuple(dataset[index]["size"].tolist())), index)
    return [kinds[kind] for kind in sorted(kinds)][:4] or list(range(min(4, len(dataset))))


def _draws(data_dir: Path, index: int) -> Mapping[str, Any]:
    """One image in four epochs, cropped and turned."""
    dataset = ImageDataset(data_dir, random_crop=True, augment=True, max_crop_size=(8, 12, 12))
    items = []
    for epoch in range(4):
        dataset.set_epoch(epoch)
        item = dataset[index]
        items.append({**item, "path": f"{item['path']}, epoch {epoch}"})
    return pad(items)


def write(data_dir: Path, out: Path) -> Sequence[Path]:
    """batch.png and draws.png."""
    plain = ImageDataset(data_dir, ct_window_probs=[1, 0, 0])
    chosen = _four(plain)
    batch = next(iter(DataLoader(torch.utils.data.Subset(plain, chosen), batch_size=len(chosen))))
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, shown in (("batch.png", batch), ("draws.png", _draws(data_dir, chosen[-1]))):
        picture(shown).quantize(128).save(out / name, optimize=True)
        written.append(out / name)
    return written


def main() -> None:
    """Write both pictures."""
    parser = argparse.ArgumentParser(description="Pictures of what a batch holds.")
    parser.add_argument("data_dir", type=Path, help="What ImageDataset reads.")
    parser.add_argument("out", type=Path, help="Where batch.png and draws.png are written.")
    given = parser.parse_args()
    write(given.data_dir, given.out)


if __name__ == "__main__":
    main()
