"""Times of the slices of one volume, in ms."""

_DAY = 86_400_000


def without_midnight(times: list[float]) -> list[float]:
    """Times of which some were written on the other side of midnight; they are then counted from the first slice."""
    if max(times) - min(times) < _DAY / 2:
        return times
    before = [time - _DAY if time > _DAY / 2 else time for time in times]
    first = min(before)
    return [time - first for time in before]
