"""A small model learns from the sample cohort, through a plain loader with two workers."""

from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from gyrus.classifier.core import load_rules
from gyrus.console import offline, volumes
from gyrus.console.sample.phantom import read_head
from gyrus.console.sample.table import SERIES
from gyrus.console.sample.writer import FORMS, path_of
from gyrus.datasets import ImageDataset

WANTED = {"sub-01": (2, 3, 9, 10, 11, 13), "sub-02": (2,)}  # numbers of series: MR of one subject, a CT of another


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some series of the sample cohort, as `gyrus sample` writes them, prepared as `gyrus preprocess` does."""
    folder, out, head = tmp_path_factory.mktemp("sample"), tmp_path_factory.mktemp("prepared"), read_head()
    for series in SERIES:
        if series.number in WANTED.get(series.study.subject.code, ()):
            for image, header in FORMS[series.form](series, head):
                path = folder / path_of(image)
                path.parent.mkdir(parents=True, exist_ok=True)
                header.save_as(path, enforce_file_format=True)
    stacks = offline.classify(offline.extract(folder, 1).stacks, load_rules())
    list(volumes.preprocess(stacks, out, 1))
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
