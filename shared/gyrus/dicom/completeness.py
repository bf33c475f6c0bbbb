"""Whether a stack has all its images, and why not, in codes for rules and in sentences for people."""

from collections.abc import Callable, Sequence
from typing import Any

from gyrus.dicom.values import Value

SENTENCES_EACH = 5  # of one reason; what is more is counted
_POSITIONS_EACH = 3

Entry = dict[str, Any]


def completeness(shape: dict[str, Value], announced: int | None, n_truncated: int, is_sure: bool) -> dict[str, Value]:
    """`verdict`: `incomplete` if something is known to lack, `uncertain` if that cannot be told, else `complete`.

    `reasons` are codes, `words` sentences: of the reasons, and of what is worth knowing beside them. shape: the geometry with its
    findings. announced: slices that the scanner says a volume has. n_truncated: files whose pixels break off.
    """
    lacks = _lacks(shape, announced, n_truncated)
    doubts = _doubts(shape, is_sure)
    told = {**lacks, **doubts, **_remarks(shape)}
    verdict = "incomplete" if lacks else "uncertain" if doubts else "complete"
    return {"verdict": verdict, "reasons": [*lacks, *doubts], "words": [sentence for sentences in told.values() for sentence in sentences]}


def _lacks(shape: dict[str, Value], announced: int | None, n_truncated: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    slices = shape["n_slices"]
    if shape["status"] == "missing_slices":
        total = slices + shape["n_missing"]
        found["missing_slices"] = _each(shape.get("missing", ()), lambda hole: _hole(hole, total), "hole")
    if shape["n_extra"]:
        found["incomplete_volumes"] = _each(shape.get("partial", ()), lambda volume: _partial(volume, slices), "volume")
    if n_truncated:
        found["pixel_data_truncated"] = [f"The pixels of {_count(n_truncated, 'file')} break off."]
    if announced and slices and shape["status"] == "uniform" and slices < announced:
        found["fewer_slices_than_announced"] = [f"The scanner announced {announced} slices; there are {slices}."]
    return found


def _doubts(shape: dict[str, Value], is_sure: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if shape["status"] == "no_geometry":
        found["no_geometry"] = ["Position or orientation is missing or unusable, so nobody can tell whether slices are missing."]
    if shape["status"] == "mixed_orientation":
        planes = _listed([f"{plane['orientation']} ({_count(plane['n'], 'image')})" for plane in shape.get("planes", ())])
        found["mixed_orientation"] = [f"The planes are not parallel: {planes}."]
    if shape["status"] == "variable_spacing":
        steps = _listed([_step(step) for step in shape.get("steps", ())])
        found["variable_spacing"] = [f"The steps between slices differ: {steps}."]
    if shape["mixed_matrix"]:
        found["mixed_matrix"] = ["The images differ in their number of rows or columns."]
    if not is_sure:
        found["volumes_uncertain"] = [
            "The images could not be sorted into volumes for certain: b-value, direction or time point differ within."
        ]
    if several := [entry for entry in shape.get("repeated", ()) if entry.get("pixels") != "equal"]:
        found["repeated_position"] = _each(several, _repeated, "place")
    return found


def _remarks(shape: dict[str, Value]) -> dict[str, list[str]]:
    """What is no reason for the verdict."""
    found: dict[str, list[str]] = {}
    if copies := [entry for entry in shape.get("repeated", ()) if entry.get("pixels") == "equal"]:
        found["duplicate_content"] = _each(copies, _repeated, "place")
    if shape.get("is_sheared"):
        told = f"; the scanner says {abs(shape['gantry_tilt_deg']):g}°" if shape.get("gantry_tilt_deg") else ""
        found["sheared"] = [f"The slices are shifted against each other by {shape['shear_deg']:.1f}°, as by a tilted gantry{told}."]
    elif shape.get("is_gantry_tilt") is False:
        found["sheared"] = [
            f"The scanner says that its gantry was tilted by {abs(shape['gantry_tilt_deg']):g}°; the positions say it was not."
        ]
    return found


def _hole(hole: Entry, total: int) -> str:
    first, last = hole["slice"], hole["slice"] + hole["n"] - 1
    between = f"between {hole['between'][0]} and {hole['between'][1]}"
    if first == last:
        return f"Slice {first} of {total} is missing: nothing lies at {hole['at_mm'][0]:.1f} mm, {between}."
    until = hole["at_mm"][0] + (hole["at_mm"][1] - hole["at_mm"][0]) * (hole["n"] - 1)
    return f"Slices {first} to {last} of {total} are missing: nothing lies from {hole['at_mm'][0]:.1f} to {until:.1f} mm, {between}."


def _partial(volume: Entry, slices: int) -> str:
    places = _listed([f"{at:.1f} mm" for at in volume["lacks_mm"]], volume["n_lacks"])
    return f"Volume {volume['volume']} lacks {volume['n_lacks']} of {slices} slices: nothing lies at {places}."


def _repeated(entry: Entry) -> str:
    seen = {"equal": "with equal pixels", "different": "with different pixels"}.get(entry.get("pixels", ""), "and nothing tells them apart")
    return f"{entry['n']} images lie at {entry['at_mm']:.1f} mm, {seen}: {_listed(entry['images'], entry['n'])}."


def _step(step: Entry) -> str:
    if step["n"] == 1:
        return f"{step['mm']:g} mm once, between {step['between'][0]} and {step['between'][1]}"
    return f"{step['mm']:g} mm {step['n']} times"


def _each(entries: Sequence[Entry], sentence: Callable[[Entry], str], what: str) -> list[str]:
    told = [sentence(entry) for entry in entries[:SENTENCES_EACH]]
    more = len(entries) - len(told)
    return [*told, f"The same holds for {_count(more, f'more {what}')}."] if more else told


def _listed(words: Sequence[str], total: int = 0) -> str:
    """Some of the words, and how many there are beside them."""
    more = max(total, len(words)) - min(len(words), _POSITIONS_EACH)
    return ", ".join(words[:_POSITIONS_EACH]) + (f" and {more} more" if more else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
