"""How images are toned: as MRI or as CT."""

from typing import Final

MODES: Final = {"mri": "mri", "mr": "mri", "ct": "ct"}  # how people write them, in any case


def mode_of(mode: str) -> str:
    """`mri` or `ct`. Raises ValueError."""
    found = MODES.get(mode.lower()) if isinstance(mode, str) else None
    if found is None:
        raise ValueError(f"mode {mode!r} is neither 'ct' nor 'mri'")
    return found
