"""One value where several headers disagree: the most frequent one, ties by the smallest id. A function of the set, not of its order."""

from collections.abc import Iterable, Mapping, Sequence

from gyrus.dicom.values import Value

Member = tuple[str, Mapping[str, Value]]


def hashable(value: Value) -> Value:
    """A value that can be counted: lists become tuples."""
    return tuple(hashable(part) for part in value) if isinstance(value, list | tuple) else value


def most_frequent(pairs: Iterable[tuple[str, Value]]) -> Value:
    """The most frequent value of (id, value) pairs, ties by the smallest id; None values do not count."""
    return most_weighty((identity, value, 1) for identity, value in pairs)


def most_weighty(votes: Iterable[tuple[str, Value, int]]) -> Value:
    """The value with the greatest sum of weights of (id, value, weight) votes, ties by the smallest id; None values do not count."""
    weights: dict[Value, int] = {}
    smallest: dict[Value, tuple[str, str]] = {}
    originals: dict[Value, Value] = {}
    for identity, value, weight in votes:
        if value is None:
            continue
        key = hashable(value)
        rank = (identity, repr(value))
        weights[key] = weights.get(key, 0) + weight
        if key not in smallest or rank < smallest[key]:
            smallest[key], originals[key] = rank, value
    if not weights:
        return None
    return originals[min(weights, key=lambda key: (-weights[key], smallest[key]))]


def merged(members: Sequence[Member], names: Iterable[str]) -> dict[str, Value]:
    """The fields of a whole from its members, (id, fields) each: series of images, study of series. Fields nobody has are absent."""
    values = {name: most_frequent((identity, fields.get(name)) for identity, fields in members) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def disagreements(members: Sequence[Member], names: Iterable[str]) -> dict[str, int]:
    """The fields on which members disagree, each with the number of different values; absent is not a value."""
    counts = {name: len({hashable(fields[name]) for _, fields in members if fields.get(name) is not None}) for name in names}
    return {name: count for name, count in counts.items() if count > 1}
