"""Fingerprints with defaults: a test names only what matters to it."""

from typing import Any

from gyrus.classifier.core import Ruleset, Verdict, classify_study


def a_fingerprint(**known: Any) -> dict[str, Any]:
    """An MR stack of Siemens about which nothing else is known."""
    return {"modality": "MR", "manufacturer": "SIEMENS", "image_type": "ORIGINAL\\PRIMARY\\M\\ND", **known}


def an_mprage(**known: Any) -> dict[str, Any]:
    tags = {
        "series_description": "t1_mprage_sag_p2_iso",
        "sequence_name": "*tfl3d1_16ns",
        "scanning_sequence": "GR\\IR",
        "sequence_variant": "SK\\SP\\MP",
        "mr_acquisition_type": "3D",
        "repetition_time": 2300,
        "echo_time": 2.98,
        "inversion_time": 900,
        "flip_angle": 9,
    }
    return a_fingerprint(**{**tags, **known})


def a_tse(**known: Any) -> dict[str, Any]:
    tags = {"scanning_sequence": "SE", "sequence_variant": "SK", "mr_acquisition_type": "2D", "repetition_time": 4000, "echo_time": 100}
    return a_fingerprint(**{**tags, **known})


def a_dwi(**known: Any) -> dict[str, Any]:
    tags = {"series_description": "ep2d_diff", "sequence_name": "*ep_b1000#3", "scanning_sequence": "EP", "repetition_time": 6000}
    return a_fingerprint(**{**tags, **known})


def an_adc(**known: Any) -> dict[str, Any]:
    return a_fingerprint(**{"series_description": "ep2d_diff_ADC", "image_type": "DERIVED\\PRIMARY\\DIFFUSION\\ADC\\ND", **known})


def verdict_of(fingerprint: dict[str, Any], ruleset: Ruleset) -> Verdict:
    return classify_study({"stack": fingerprint}, ruleset)["stack"]


def document_of(fingerprint: dict[str, Any], ruleset: Ruleset) -> dict[str, Any]:
    return verdict_of(fingerprint, ruleset).document()
