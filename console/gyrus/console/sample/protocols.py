"""What ordinary protocols of several scanners have in common, and how expected labels are written."""

from collections.abc import Iterator

from gyrus.console.sample.cohort import Elements, Labels, Volume

HOUR_S = 3600

MR_3T: Elements = {
    "Modality": "MR",
    "BodyPartExamined": "BRAIN",
    "PatientPosition": "HFS",
    "MagneticFieldStrength": "3",
    "ImagedNucleus": "1H",
    "NumberOfAverages": "1",
    "EchoNumbers": "1",
    "PercentSampling": "100",
    "PercentPhaseFieldOfView": "100",
    "VariableFlipAngleFlag": "N",
}


def labels(base: str | None, technique: str, intent: str, **more: object) -> Labels:
    """Labels of an ordinary MR series, and what differs from it."""
    ordinary = {"modifier": [], "construct": [], "provenance": "RawRecon", "acceleration": []}
    return {"base": base, "technique": technique, **ordinary, "intent": intent, **more}


def two_shells() -> Iterator[Volume]:
    """One b = 0, three directions of 500 and six of 1000 s/mm²; the six are the ± diagonals of a cube's faces, normalised."""
    half = 0.7071067811865476
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    diagonals = ((half, half, 0.0), (half, -half, 0.0), (half, 0.0, half), (-half, 0.0, half), (0.0, half, half), (0.0, half, -half))
    yield Volume(b_value=0)
    for b_value, directions in ((500, axes), (1000, diagonals)):
        for number, direction in enumerate(directions, start=1):
            yield Volume(b_value=b_value, direction=direction, number=number)
