"""What runs along the volumes of a stack."""

from collections.abc import Sequence

from gyrus.dicom.grouping import Label, asl_label, cardiac_phase, temporal, weighting
from gyrus.dicom.members import Member

LONGEST_HEARTBEAT_MS = 2000.0  # trigger times that spread further were counted from the beginning of a run, as GE and Philips do
_CLOCKS = ("acquisition_number", "acquisition_date_time", "acquisition_time", "content_time", "trigger_time")


def volumes_axis(members: Sequence[Member], volumes: list[list[int]]) -> str | None:
    """What changes from volume to volume, or None for one volume.

    `diffusion`: b-value or direction; `asl_label`; `cardiac_phase`: a number of the phase, or trigger times within one heartbeat;
    `time`: the contrast is constant and a clock or count goes on; `repetition`: nothing that we read changes.
    """
    if len(volumes) < 2:
        return None
    first = [members[volume[0]] for volume in volumes]
    named: tuple[tuple[str, Label], ...] = (("diffusion", weighting), ("asl_label", asl_label), ("cardiac_phase", cardiac_phase))
    for name, by in named:
        if len({by(member) for member in first}) > 1:
            return name
    is_timed = len({temporal(member) for member in first}) > 1
    if not is_timed and _within_a_heartbeat(first):
        return "cardiac_phase"
    return "time" if is_timed or any(len({member.known.get(clock) for member in first}) > 1 for clock in _CLOCKS) else "repetition"


def _within_a_heartbeat(first: Sequence[Member]) -> bool:
    times = [member.known.get("trigger_time") for member in first]
    told = [time for time in times if time is not None]
    return len(told) == len(times) and 0 < max(told) - min(told) < LONGEST_HEARTBEAT_MS
