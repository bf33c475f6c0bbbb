"""From what a file says to its documents: one of the file, one of the header block that it shares with others. Pure."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gyrus.dicom.fields import STANDARD
from gyrus.dicom.reader import Header, Rejected
from gyrus.dicom.rejects import RETRYABLE
from gyrus.shared.ids import digest

Document = dict[str, Any]

AGAIN_AFTER_S = (60, 300, 1800, 7200, 43_200)  # delays before a file rejected for a passing reason is read again: five times

PASSING = frozenset({"unsettled", "again", "again_at", "trouble"})  # what a document bears only for a while


@dataclass(frozen=True)
class Said:
    """What a file says now: the content of its document, its header block if it is an image, and the series that it belongs to.

    errno: of the system, where it is behind a rejection. unusual: why pydicom had to read the header, "" if the walk did.
    """

    content: Document
    header: Document | None = None
    series: str | None = None
    errno: int | None = None
    unusual: str = ""

    @property
    def gone(self) -> bool:
        return bool(self.content["gone"])


def said(answer: Header | Rejected, cohort: str, subject_key: bytes, fields_version: str = STANDARD.version) -> Said:
    """The documents of what the reader answered. fields_version: of the table that the reader read by."""
    content: Document = {"size": answer.size, "mtime_ns": answer.mtime_ns, "gone": False, "fields_version": fields_version}
    if isinstance(answer, Rejected):
        if answer.reason == "vanished":
            return Said({"gone": True}, errno=answer.errno)
        return Said(content | {"outcome": "rejected", "reason": answer.reason, "detail": answer.detail}, errno=answer.errno)
    series = f"{cohort}/{answer.series_instance_uid}"
    block = answer.block or digest(answer.shared)
    header = {"_id": f"{series}/{block}", "cohort": cohort, "series": series, "fields": answer.shared}
    content |= {
        "sop_instance_uid": answer.sop_instance_uid,
        "series": series,
        "study": f"{cohort}/{answer.study_instance_uid}",
        "subject": f"{cohort}/{subject_code(answer.shared, answer.study_instance_uid, subject_key)}",
        "subject_from": "patient_id" if answer.shared.get("patient_id") else "study",
        "header": header["_id"],
        "image": answer.image,
        "stacks": answer.stacks,
        "digest": digest([block, fields_of(answer.image), answer.stacks, answer.study_instance_uid]),
    }
    if answer.diagnostics:
        content["diagnostics"] = answer.diagnostics
    return Said(content, header, series, unusual=answer.unusual)


def by_rule(now: Said, cohort: str, code: str | None, unmapped: bool) -> Said:
    """What an image says where a rule of the cohort knows its subject's code. unmapped: a rule holds for its folder, and gives it none."""
    if now.header is None or not (code or unmapped):
        return now
    own = {"subject": f"{cohort}/{code}", "subject_from": "rule"} if code else {"unmapped": True}
    return replace(now, content=now.content | own)


def fields_of(image: Mapping[str, Any]) -> Document:
    """What an image says, without where in its file the pixels lie: a copy with a shifted header says the same."""
    return {name: value for name, value in image.items() if name not in ("pixel_offset", "pixel_length")}


def subject_code(shared: Mapping[str, Any], study_uid: str, key: bytes) -> str:
    """`S` and 16 digits of a keyed digest of PatientID and its issuer; without a PatientID, of StudyInstanceUID."""
    patient = shared.get("patient_id")
    identity = f"{patient}\n{shared.get('issuer_of_patient_id') or ''}" if patient else f"study\n{study_uid}"
    return "S" + hmac.digest(key, identity.encode(), "sha256").hex()[:16]


def replaced(before: Mapping[str, Any] | None, now: Said, identity: Mapping[str, Any], job: str) -> tuple[Document, bool]:
    """The document of a file after it was read, and whether it moved.

    identity: {_id, cohort, source, path, batch}. A document that is gone keeps what it said; every series that the file had, has or left
    unsettled is put into `unsettled`, and settling takes itself out.
    """
    there = before or {"rev": 0, "size": None, "mtime_ns": None, "outcome": "rejected", "reason": "vanished", "detail": ""}
    jobs = sorted({*there.get("jobs", ()), job})
    content = now.content
    if now.gone:
        content = {key: value for key, value in there.items() if key not in PASSING} | {"gone": True}
    if before and _is_trouble(before, content):
        content = {key: value for key, value in before.items() if key not in PASSING} | {"gone": False, "trouble": content["reason"]}
    elif before and not _moved(before, content):
        return {**before, "jobs": jobs}, False
    document = {**content, **identity, "rev": there["rev"] + 1, "jobs": jobs}
    document.setdefault("outcome", None)  # an image: settling gives it
    if again := _again(there, document):
        document["again"] = again
    if series := touched(before, now):
        document["unsettled"] = sorted(series)
    return document, True


def _is_trouble(before: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """A file that was read once and cannot be read now, for a passing reason: what it said stays, and it is tried again."""
    return "image" in before and content.get("reason") in RETRYABLE and not content["gone"]


def _moved(before: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Whether a file says something else than its document; what was refused for a passing reason was tried once more."""
    if (content.get("reason") in RETRYABLE and not content["gone"]) or "trouble" in before:
        return True
    same = all(before.get(key) == value for key, value in content.items() if key not in ("outcome", "jobs"))
    return not same or any((name in before) != (name in content) for name in ("image", "unmapped", "diagnostics"))


def touched(before: Mapping[str, Any] | None, now: Said | None) -> set[str]:
    """The series that must settle after this read: those that the file had, has, or left unsettled. now: None if it was not opened."""
    had = {before["series"]} if before and before.get("series") else set()
    return had | set(before.get("unsettled", ()) if before else ()) | ({now.series} if now and now.series else set())


def _again(before: Mapping[str, Any], document: Mapping[str, Any]) -> int:
    """How often a file could not be read for a passing reason; 0 if it was not, or too often."""
    if document.get("trouble", document.get("reason")) not in RETRYABLE or document["gone"]:
        return 0
    count = int(before.get("again", 0)) + 1
    return count if count <= len(AGAIN_AFTER_S) else 0
