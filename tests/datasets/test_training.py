"""A small model learns from the sample cohort, through a plain loader with two workers."""

from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from console.conftest import Sample, sample
from gyrus.classifier.core import load_rules
from gyrus.console import offline, volumes
from gyrus.datasets import ImageDataset

__all__ = ["sample"]

SERIES = (
    "T1_MPRAGE_SAG_P2_0002",
    "T2_TIRM_TRA_DARK-FLUID_P2_0003",
    "T2_TSE_TRA_P2_0009",
    "MAG_IMAGES_0010",
    "PHA_IMAGES_0011",
    "SWI_IMAGES_0013",
)


@pytest.fixture(scope="module")
def prepared(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some series of the sample cohort, prepared as `gyrus preprocess` does, and one CT."""
    out = tmp_path_factory.mktemp("prepared")
    folders = [*(sample.folder / "sub-01" / name for name in SERIES), sample.folder / "sub-02/E5210"]
    stacks = [stack for folder in folders for stack in offline.extract(folder, 1).stacks]
    list(volumes.preprocess(offline.classify(stacks, load_rules()), out, 1))
    return out


class Small(torch.nn.Module):
    """Tokens through a narrow place and back; where they lie is told."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow, self.place, self.wide = torch.nn.Linear(1024, 32), torch.nn.Linear(3, 32), torch.nn.Linear(32, 1024)

    def forward(self, img: torch.Tensor, coords: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.wide(torch.relu(self.narrow(img) + self.place(coords / 16)))
        return made


def test_the_loss_of_a_small_model_falls_over_two_epochs(prepared: Path) -> None:
    torch.manual_seed(0)
    dataset = ImageDataset(prepared, augment=True)
    loader = DataLoader(dataset, batch_size=2, shuffle=True, num_workers=2)
    model = Small()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)

    losses = []
    for _ in range(2):
        total = 0.0
        for batch in loader:
            inside = torch.arange(batch["img"].shape[1]) < batch["lengths"][:, None]
            loss = ((model(batch["img"], batch["coords"].float()) - batch["img"])[inside] ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach())
        losses.append(total / len(loader))

    assert len(dataset) == 7 and {ref.mode for ref in dataset.images} == {"mri", "ct"}
    assert losses[1] < 0.9 * losses[0], losses
