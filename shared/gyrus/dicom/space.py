"""Where the voxels of a volume lie in the patient: origin, spacing and direction (LPS, mm)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Space:
    """A regular grid in the patient's axes."""

    origin_mm: tuple[float, ...]  #: centre of the first voxel
    spacing_mm: tuple[float, ...]  #: (x, y, z): between columns, rows, slices
    direction: tuple[float, ...]  #: 3 x 3 cosines row by row; its columns are the axes x, y, z

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The cosines, (3, 3)."""
        return np.reshape(self.direction, (3, 3)).astype(np.float64)
