"""Work that ends its process. In a module of its own, since worker processes import it by name."""

import os
import signal

from gyrus.dicom.field import Field
from gyrus.extractor.files import Said
from gyrus.extractor.opening import read_file


def read_unless_hostile(path: str, cohort: str, subject_key: bytes, site: tuple[Field, ...]) -> Said:
    """Read a header; a file named `hostile.dcm` kills its reader."""
    if path.endswith("hostile.dcm"):
        os.kill(os.getpid(), signal.SIGKILL)
    return read_file(path, cohort, subject_key, site)
