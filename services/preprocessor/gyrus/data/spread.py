"""A few of many, spread evenly: volumes of a run, slices of a montage. Pure."""

from collections.abc import Sequence


def spread(n: int, most: int) -> list[int]:
    """At most so many places of 0 … n − 1, in order: the middles of equal parts, so that neither end stands for the whole."""
    if n <= most:
        return list(range(n))
    return [(2 * part + 1) * n // (2 * most) for part in range(most)]


def chosen_volumes(b_values: Sequence[float | None], most: int) -> list[int]:
    """Which volumes of a run are made, from 0; most: at most so many, 0: all.

    b_values: one a volume, None where it has none. The first of each b-value comes before any other, then the run is filled up evenly: a
    short choice of a diffusion run still has its b = 0, and one of a time series leaves out the first, which are not yet steady.
    """
    if not most or len(b_values) <= most:
        return list(range(len(b_values)))
    told = sorted({b for b in b_values if b is not None})
    firsts = [b_values.index(b) for b in told][:most] if len(set(b_values)) > 1 else []
    others = [place for place in range(len(b_values)) if place not in firsts]
    return sorted([*firsts, *(others[place] for place in spread(len(others), most - len(firsts)))])
