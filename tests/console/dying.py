"""Work that ends its process. In a module of its own, since worker processes import it by name."""

import os
import signal

from gyrus.dicom.field import Field
from gyrus.dicom.reader import Header, Rejected, read


def read_unless_hostile(path: str, site: tuple[Field, ...]) -> Header | Rejected:
    """Read a header; a file named `hostile.dcm` kills its reader."""
    if path.endswith("hostile.dcm"):
        os.kill(os.getpid(), signal.SIGKILL)
    assert not site
    return read(path)
