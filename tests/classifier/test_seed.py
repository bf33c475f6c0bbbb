"""What the seed of the detection layer promises holds: its Python blocks run as they are printed, but for their import lines.

Blocks that print a result in braces (with `...` for what they leave out) are compared with what the parser says.
"""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from gyrus.classifier import core
from gyrus.classifier.core import ClassificationContext, Evidence, confidence

SEED = Path(__file__).parents[3] / "shared" / "reference" / "seeds" / "004_fbe5fc91ac080085.txt"
FINGERPRINT = {
    "image_type": "ORIGINAL\\PRIMARY\\M\\NORM\\DIS2D",
    "scanning_sequence": "SE\\IR",
    "sequence_variant": "SK\\SP\\MP",
    "scan_options": "ACC_GEMS\\PFP\\FS",
    "stack_sequence_name": "*tfl3d1_16",
    "text_search_blob": "t2w tse flair tra fatsat 3mm",
    "contrast_search_blob": "agent:gadovist",
    "manufacturer": "SIEMENS",
    "modality": "MR",
    "mr_tr": 9000.0,
    "mr_te": 100.0,
    "mr_ti": 2500.0,
    "mr_flip_angle": 150.0,
    "mr_diffusion_b_value": None,
}
RAW = {"mr_tr": "repetition_time", "mr_te": "echo_time", "mr_ti": "inversion_time", "mr_flip_angle": "flip_angle",
       "mr_diffusion_b_value": "diffusion_b_value", "stack_sequence_name": "sequence_name"}  # fmt: skip

# What the printed results are the answers to, in the order of the seed.
PRINTED = ("parsed_image_type", "parsed_scanning_sequence", "parsed_sequence_variant", "parsed_scan_options", "parsed_sequence_name")


NAMED_BY_THE_SEED = """
    has_se has_gre has_epi has_ir has_ir_se has_saturation is_tse is_space is_haste is_flash is_mprage is_swi is_tof is_dwi
    is_bold is_asl is_mdme is_qalas has_spoiled has_steady_state has_segmented_kspace has_mag_prepared has_fat_sat
    has_water_excitation has_flow_comp has_partial_fourier has_parallel_imaging has_gating is_3d is_2d is_multi_echo is_multi_ti
    is_multi_fa is_derived is_synthetic is_qmap has_t1_map has_t2_map has_adc has_fa has_trace has_cbf has_cbv has_mtt
    has_t1_synthetic has_t2_synthetic is_original is_primary is_secondary is_localizer has_magnitude has_phase has_dixon has_water
    has_fat has_psir has_stir is_mip is_minip is_mpr is_subtraction has_moco is_normalized is_error is_screenshot is_qa is_tune
    is_wip
"""


def blocks() -> list[str]:
    if not SEED.exists():
        return []
    return re.findall(r"```python\n(.*?)```", SEED.read_text(encoding="utf-8"), re.DOTALL)


needs_seed = pytest.mark.skipif(
    not SEED.exists(), reason="the seed is not kept here; it lies in ../shared/reference/seeds where that is present"
)


@needs_seed
@pytest.mark.parametrize("number", range(len([one for one in blocks() if not one.startswith("{")])))
def test_a_block_of_the_seed_runs(number: int):
    block = [one for one in blocks() if not one.startswith("{")][number]
    block = block.replace("from classification.core.context import", "from gyrus.classifier.core import")
    evidence = [Evidence.from_token("unified_flags", "has_adc", "ADC"), Evidence.from_text_search("adc", "ADC")]
    known: dict[str, Any] = {**vars(core), "ctx": ClassificationContext.from_fingerprint(FINGERPRINT), "fingerprint_dict": FINGERPRINT}
    known |= {"evidence": evidence, "source_types": {one.source for one in evidence}}

    names = "\n".join(
        f"    {name} = known[{name!r}]" for name in known if name.isidentifier() and f"{name} =" not in block.replace("==", "")
    )
    rebound = [name for name in known if name.isidentifier() and f"{name} =" in block]
    names += "\n" + "\n".join(f"    {name} = known[{name!r}]" for name in rebound)
    exec(f"def block(known):\n{names}\n{textwrap.indent(block, '    ')}", scope := {})

    scope["block"](known)


@needs_seed
def test_the_parsers_say_what_the_seed_prints():
    context = ClassificationContext.from_fingerprint(FINGERPRINT)
    printed = [eval(re.sub(r"^\s*\.\.\.\s*$", "", one, flags=re.MULTILINE)) for one in blocks() if one.startswith("{")]

    assert len(printed) == len(PRINTED)
    for parser, answer in zip(PRINTED, printed, strict=True):
        flags = getattr(context, parser)
        assert {name: flags[name] for name in answer} == answer, parser


def test_the_seeds_keys_and_the_raw_ones_give_the_same_reading():
    raw = {RAW.get(name, name): value for name, value in FINGERPRINT.items()}

    assert ClassificationContext.from_fingerprint(raw).reading == ClassificationContext.from_fingerprint(FINGERPRINT).reading


def test_the_formula_is_the_seeds():
    evidence = [Evidence.from_token("unified_flags", "has_adc", "ADC"), Evidence.from_text_search("adc", "ADC")]

    assert confidence(evidence) == 0.99
    assert confidence([Evidence.from_technique("MPRAGE", implied_base="T1w")]) == 0.90


@pytest.mark.parametrize("flag", NAMED_BY_THE_SEED.split())
def test_every_flag_that_the_seed_names_exists(flag: str):
    assert ClassificationContext.from_fingerprint({}).unified_flags[flag] is False


def test_there_are_at_least_as_many_flags_as_the_seed_counts():
    context = ClassificationContext.from_fingerprint({})

    assert len(context.unified_flags) >= 107
    assert len(context.parsed_image_type) >= 115
