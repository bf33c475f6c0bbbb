"""What was odd about images that were taken all the same: the closed list. Counted, never fatal, and never with a value of the header.

A code may name a field: `value_invalid:echo_time`. Diagnostics are in no digest and no version: an oddity that is counted anew makes
nothing anew.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

DIAGNOSTICS: dict[str, str] = {
    "value_invalid": "A value is not of the form that its element must have, and was left out.",
    "multi_valued": "There are several values where one is expected; the first was taken.",
    "date_placeholder": "A date stands for no date, such as 00000000, and was left out.",
    "charset_fallback": "A text is not in the character set that the file declares, and was guessed.",
    "uid_malformed": "An identifier has other signs than digits and points, or is too long; it was kept as it is.",
    "pixel_data_truncated": "The pixels break off before their announced end.",
    "frame_count_mismatch": "The number of frames is not the number of their descriptions; the smaller one was taken.",
    "stack_cap": "The frames of an object make more stacks than are kept apart; they are one stack.",
    "field_disagreement": "Files of the series say different things of it; the most frequent value was taken.",
    "conflicting_duplicate": "A file has the identifier of another one and other content; the older one was taken.",
    "uncompared_duplicate": "A file seems to be a copy of another one, but their pixels could not be compared.",
    "duplicate_representation": "The series holds classic images and enhanced objects, as a rule the same images twice.",
    "duplicate_content": "An image came twice, under two identifiers, with equal pixels.",
    "repeated_position": "Several images lie in one place, and nothing but their pixels tells them apart.",
    "series_multi_study": "Files of the series name another study; it is kept in the one that most of them name.",
    "two_subjects": "Files name another subject; what they belong to is kept with the one that most of them name.",
    "identity_fallback": "A file has no PatientID; its subject is made from its study.",
    "mixed_orientation": "The planes of a stack are not parallel.",
    "mixed_matrix": "The images of a stack differ in their number of rows or columns.",
    "incomplete_volumes": "Some volumes of a stack lack slices.",
    "volumes_uncertain": "The images of a stack could not be sorted into volumes for certain.",
}


def is_listed(code: str) -> bool:
    """Whether a code, perhaps with a field, is on the list."""
    return code.partition(":")[0] in DIAGNOSTICS


def sentence_of(code: str) -> str:
    """What a code means, for people; the field comes first where the code names one."""
    kind, _, field = code.partition(":")
    said = DIAGNOSTICS.get(kind, "")
    return f"{field}: {said[:1].lower()}{said[1:]}" if field else said


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts of several, together, by code."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return {code: total[code] for code in sorted(total) if total[code]}
