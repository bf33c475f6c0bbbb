"""The many receipts are fair: copied documents name each other as the visit's own do, and share no name with another copy."""

from typing import Any

from bench.stored import Visit, copied

UIDS = {"sop": "1.2.3.1", "series": "1.2.3.2", "study": "1.2.3.3"}


def a_small_visit() -> Visit:
    subject, study, series = "bench/S0123456789abcdef", f"bench/{UIDS['study']}", f"bench/{UIDS['series']}"
    parents: dict[str, Any] = {"cohort": "bench", "subject": subject, "study": study}
    file = {**parents, "_id": "a", "source": "files", "path": "one.dcm", "series": series, "header": f"{series}/block", "jobs": ["01JOB"]}
    return {
        "jobs": [{"_id": "01JOB", "cohort": "bench", "open": True}],
        "files": [{**file, "sop_instance_uid": UIDS["sop"], "digest": "kept"}],
        "headers": [{"_id": f"{series}/block", "series": series, "fields": {"modality": "MR"}}],
        "series": [{**parents, "_id": series, "series_instance_uid": UIDS["series"], "studies": [study], "subjects": [subject]}],
        "studies": [{"_id": study, "subject": subject, "study_instance_uid": UIDS["study"], "owed": {"classify": {}}}],
        "subjects": [{"_id": subject, "code": "S0123456789abcdef"}],
        "stacks": [{**parents, "_id": f"{series}/key", "series": series, "series_instance_uid": UIDS["series"]}],
    }


def test_documents_of_a_copied_visit_name_each_other() -> None:
    copy = copied(a_small_visit(), 7)

    [file], [series], [study], [subject] = (copy[name] for name in ("files", "series", "studies", "subjects"))
    assert file["header"] == copy["headers"][0]["_id"] == f"{series['_id']}/block"
    assert (file["series"], file["study"], file["subject"]) == (series["_id"], study["_id"], subject["_id"])
    assert copy["stacks"][0]["_id"] == f"{series['_id']}/key"
    assert (series["studies"], series["subjects"], file["jobs"]) == ([study["_id"]], [subject["_id"]], [copy["jobs"][0]["_id"]])
    assert (file["digest"], copy["headers"][0]["fields"]) == ("kept", {"modality": "MR"})
    assert "owed" not in study
    assert "open" not in copy["jobs"][0]


def test_copies_of_a_visit_share_no_name() -> None:
    first, second = copied(a_small_visit(), 1), copied(a_small_visit(), 2)

    for collection in first:
        assert {document["_id"] for document in first[collection]}.isdisjoint(document["_id"] for document in second[collection])
    assert first["files"][0]["sop_instance_uid"] != second["files"][0]["sop_instance_uid"]
