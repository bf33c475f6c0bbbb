"""Of all tests: how long an example takes is no claim of ours, since a busy machine is no fault."""

from hypothesis import settings

settings.register_profile("gyrus", deadline=None)
settings.load_profile("gyrus")
