"""The extractor as a service: batches are read, series are settled, deletions are done."""

from gyrus.extractor.deleting import Deleting
from gyrus.extractor.reading import Reading
from gyrus.extractor.settings import ExtractorSettings
from gyrus.extractor.settling import Settling
from gyrus.shared.service import Service
from gyrus.shared.workers import Workers

PRELOAD = ["gyrus.extractor.opening", "gyrus.extractor.settlement", "gyrus.dicom.pixel_digest"]


def make() -> Service:
    """The extractor, wired."""
    settings = ExtractorSettings()
    service = Service("extractor", settings)
    workers = Workers(settings.read_workers, PRELOAD, settings.read_memory_mb, settings.crash_points)
    service.at_end(workers.close)
    service.answers("read", Reading(service, settings, workers).read, workers=settings.read_batches)
    settling = Settling(service, settings, workers)
    service.every(settings.settle_every_s, "settle", settling.settle_due)
    service.every(settings.sweep_every_s, "sweep_unsettled", settling.sweep_unsettled)
    service.every(settings.settle_every_s, "delete", Deleting(service, settling).delete_due)
    return service
