"""Settings of the watcher."""

from pydantic import Field, PositiveFloat, PositiveInt

from gyrus.shared.settings import Settings


class WatcherSettings(Settings):
    """What the watcher needs."""

    batch_files: PositiveInt = Field(200, description="Files in one batch, where the job does not say.")
    batches_ahead: PositiveInt = Field(64, description="Batches of one job that may wait to be read before more are announced.")
    scans: PositiveInt = Field(8, description="Jobs that are scanned at once.")
    watch_every_s: PositiveFloat = Field(1.0, description="The shortest rest between two looks at a watched source.")
    watch_whole_s: PositiveFloat = Field(300.0, description="How often each file of a watched source is looked at; else: changed folders.")
    stable_s: PositiveFloat = Field(2.0, description="How long a file of a watched source must have the same size and time.")
    temporary_s: PositiveFloat = Field(60.0, description="The same for names under which files are transferred (.x, x.part, x.tmp, …).")
