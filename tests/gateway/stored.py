"""Documents as the rooms write them, with defaults."""

from typing import Any

from gyrus.shared.store import Store

PATIENT = {"patient_id": "P-4711", "patient_name": "DOE^JANE", "patient_birth_date": "19600102", "issuer_of_patient_id": "HOSPITAL-X"}


def a_stack(cohort: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "_id": f"{cohort}/1.2/{name}",
        "cohort": cohort,
        "series": f"{cohort}/1.2",
        "study": f"{cohort}/1",
        "subject": f"{cohort}/S0",
        "series_instance_uid": "1.2",
        "stack_key": "MR|TE=2.5",
        "kind": "single",
        "modality": "MR",
        "n_files": 5,
        "retired": False,
        "version": "aa",
        "winners": "bb",
        "fingerprint": {"series_description": "t1_mprage", "echo_time": 2.5},
        "geometry": {"n_slices": 5},
        "history": [],
        **more,
    }


def a_file(cohort: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "_id": f"{cohort}-{name}",
        "cohort": cohort,
        "source": "inbox",
        "path": f"DOE^JANE/{name}.dcm",
        "outcome": "extracted",
        "gone": False,
        "size": 500,
        "mtime_ns": 1_000,
        "rev": 3,
        "jobs": ["j"],
        "series": f"{cohort}/1.2",
        "sop_instance_uid": f"1.2.{name}",
        "header": f"{cohort}/1.2/cc",
        "image": {"instance_number": 1},
        **more,
    }


def a_subject(cohort: str) -> dict[str, Any]:
    return {"_id": f"{cohort}/S0", "cohort": cohort, "code": "S0", "fields": {**PATIENT, "patient_sex": "F"}, "n_files": 5, "touched": 4}


def a_study(cohort: str, **fields: Any) -> dict[str, Any]:
    return {
        "_id": f"{cohort}/1",
        "cohort": cohort,
        "subject": f"{cohort}/S0",
        "study_instance_uid": "1",
        "fields": {"study_description": "head", **fields},
        "subject_fields": dict(PATIENT),
        "touched": 4,
    }


def a_series(cohort: str) -> dict[str, Any]:
    return {
        "_id": f"{cohort}/1.2",
        "cohort": cohort,
        "study": f"{cohort}/1",
        "subject": f"{cohort}/S0",
        "series_instance_uid": "1.2",
        "series_fields": {"modality": "MR"},
        "subject_fields": dict(PATIENT),
        "study_fields": {"study_description": "head"},
    }


async def put(store: Store, **documents: list[dict[str, Any]]) -> None:
    """Insert documents by collection."""
    for collection, some in documents.items():
        await store[collection].insert_many(some)
