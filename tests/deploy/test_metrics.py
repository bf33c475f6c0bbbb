"""The metrics: names, units and labels as Prometheus asks for them, and children that are there from the start."""

import subprocess
import sys

import pytest
from prometheus_client import Counter, Gauge, Histogram, Info
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from gyrus.shared import metrics
from gyrus.shared.topology import STAGES

METRICS: dict[str, MetricWrapperBase] = {name: found for name, found in vars(metrics).items() if isinstance(found, MetricWrapperBase)}
LABELS = {"by", "stage", "result", "outcome", "reason"}  # each takes few values, and none that comes from a file
BASE_UNITS = {"seconds", "bytes", "ratio"}
OTHER_UNITS = {"s", "ms", "milliseconds", "minutes", "hours", "days", "kb", "mb", "gb", "kilobytes", "megabytes", "percent"}
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
SCRAPE = """
import sys
from prometheus_client import generate_latest
from gyrus.shared import metrics
metrics.prepare(sys.argv[1], "1.2.3")
sys.stdout.buffer.write(generate_latest(metrics.REGISTRY))
"""


def name_of(metric: MetricWrapperBase) -> str:
    (family,) = metric.describe()
    return family.name


def labels_of(metric: MetricWrapperBase) -> set[str]:
    return set(metric._labelnames)


@every_metric
def test_a_metric_has_our_prefix_and_a_base_unit(metric: MetricWrapperBase) -> None:
    words = name_of(metric).split("_")

    assert words[0] == "gyrus"
    assert not set(words) & OTHER_UNITS
    assert not set(words[:-1]) & BASE_UNITS, "the unit stands last"
    assert not {"total", "count", "sum", "bucket", "info"} & set(words), "the client appends these"
    if isinstance(metric, Histogram):
        assert words[-1] in BASE_UNITS


@every_metric
def test_a_metric_has_a_meaning_and_closed_labels(metric: MetricWrapperBase) -> None:
    (family,) = metric.describe()

    assert family.documentation.endswith(".")
    assert labels_of(metric) <= LABELS
    assert isinstance(metric, Counter | Gauge | Histogram | Info)


def test_metrics_are_exported_by_name_and_none_twice() -> None:
    names = [name_of(metric) for metric in METRICS.values()]

    assert set(METRICS) == set(metrics.__all__) - {"REGISTRY", "RESULTS", "prepare"}
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("room", sorted({stage.room for stage in STAGES.values()}))
def test_a_room_that_did_nothing_yet_shows_every_series_of_its_stages(room: str) -> None:
    shown = subprocess.run([sys.executable, "-c", SCRAPE, room], check=True, capture_output=True, text=True).stdout

    samples = [sample for family in text_string_to_metric_families(shown) for sample in family.samples if sample.name.startswith("gyrus_")]
    stages = {stage.name for stage in STAGES.values() if stage.room == room}
    staged = {name_of(metric): metric for metric in METRICS.values() if "stage" in labels_of(metric)}
    for name, metric in staged.items():
        suffix = {Counter: "_total", Histogram: "_count"}.get(type(metric), "")
        found = {(sample.labels["stage"], sample.labels.get("result")) for sample in samples if sample.name == name + suffix}
        results = metrics.RESULTS if "result" in labels_of(metric) else (None,)
        assert found == {(stage, result) for stage in stages for result in results}
    assert [sample.labels for sample in samples if sample.name == "gyrus_build_info"] == [{"room": room, "version": "1.2.3"}]
    assert all(sample.value == 0 for sample in samples if "stage" in sample.labels and not sample.name.endswith("_created"))
