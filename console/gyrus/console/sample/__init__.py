"""A sample cohort to try gyrus with: fictional subjects, headers as vendors write them, images cut from a brain template."""

from gyrus.console.sample.phantom import NoTemplate
from gyrus.console.sample.writer import SampleSummary, write_sample

__all__ = ["NoTemplate", "SampleSummary", "write_sample"]
