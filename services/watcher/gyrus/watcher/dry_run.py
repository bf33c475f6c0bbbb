"""What a dry run finds: how many files each subject folder holds, and the code that its subject would get. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gyrus.shared.subjects import DEFAULT, Rule, code_of, folder_of, stored
from gyrus.watcher.walk import Seen

MOST_FOLDERS = 20_000  # that are told one by one


class DryRun:
    """Counts files by subject folder.

    job: its own `rule` comes before `rules`. Where none gives a file a code, its subject comes from PatientID; where none holds, the
    subject folder is the first below the job's place.
    """

    def __init__(self, job: Mapping[str, Any], rules: Sequence[Rule]) -> None:
        self._source, self._path = job["source"], job["path"]
        self._rules = (*(stored(rule) for rule in job.get("rule", ())), *rules)
        self._by_default = (Rule(source=self._source, path=self._path, pattern=DEFAULT),)
        self._files: Counter[tuple[str, str | None]] = Counter()

    def count(self, files: Iterable[Seen]) -> None:
        """These were seen."""
        for file in files:
            folder = folder_of(file.path, self._rules, self._source) or folder_of(file.path, self._by_default, self._source) or ""
            self._files[folder, code_of(file.path, self._rules, self._source)] += 1

    def told(self, seen: int, unchanged: int) -> dict[str, Any]:
        """As the job's document has it; nothing more is to come."""
        begin = len(self._path) + 1 if self._path else 0
        rows = [
            {"folder": folder[begin:], "files": files, "subject": code} for (folder, code), files in sorted(self._files.items(), key=_name)
        ]
        uncoded = sum(files for (_, code), files in self._files.items() if code is None)
        totals = {"seen": seen, "unchanged": unchanged, "folders": len(rows), "uncoded": uncoded}
        return {"totals": totals, "folders": rows[:MOST_FOLDERS]}


def _name(counted: tuple[tuple[str, str | None], int]) -> tuple[str, str]:
    (folder, code), _ = counted
    return folder, code or ""
