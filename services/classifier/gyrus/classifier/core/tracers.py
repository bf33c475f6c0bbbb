"""The tracer of a PET, under one name however it is spelt: "F-18 FDG", "Fluorodeoxyglucose F18" and C-B1031 are FDG."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LONGEST = 4
"""Words that a name may fall into ("AV-45", "Pittsburgh compound B")."""
WORD = re.compile(r"[a-z0-9]+")
NUCLIDE = re.compile(r"(?:18f|f18|11c|c11|13n|n13|15o|o15|68ga|ga68|64cu|cu64|89zr|zr89|82rb|rb82|124i|i124)(?=[a-z]{3})")
"""A radionuclide glued before a name."""


@dataclass(frozen=True)
class Tracers:
    """`names`: each way to write a tracer, small letters and digits alone → its one name."""

    names: Mapping[str, str]

    @classmethod
    def of(cls, rows: Mapping[str, Iterable[str]]) -> "Tracers":
        return cls({_plain(written): name for name, all_written in rows.items() for written in (name, *all_written)})

    def find(self, written: str) -> str | None:
        """The tracer that a text names; of several the one that the rules list first. None where it names none that is known."""
        words = [NUCLIDE.sub("", word) for word in WORD.findall(written.lower())]
        runs = {"".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, start + 1 + LONGEST)}
        return next((name for known, name in self.names.items() if known in runs), None)


def _plain(written: str) -> str:
    return "".join(WORD.findall(written.lower()))
