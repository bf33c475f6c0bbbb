"""Words, not letters inside words."""

import pytest

from gyrus.classifier.core.lexicon import Lexicon
from gyrus.classifier.core.text import keyword, lines_of, search_blob


def stands_in(text: str, wanted: str) -> bool:
    return bool(Lexicon.of({keyword(wanted): 1, "fmri": 2}).facts(lines_of(text)) & 1)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("t1_mprage_sag", "mprage"),
        ("3DpCASL", "casl"),
        ("BOLD210", "bold"),
        ("AxT2 FLAIR", "t2"),
        ("T2* GRE", "t2*"),
        ("fat_sat", "fat sat"),
        ("FatSat", "fat sat"),
        ("T2 FLAIR", "t2 flair"),
        ("Übersicht", "ubersicht"),
        ("bold_mb8", "mb#"),
        ("Ax T1 +C", "+c"),
        ("T1 -Gd", "-gd"),
        ("localizers", "localiz~"),
        ("mbPCASLhr_PA", "pcasl"),
        ("SpinEchoFieldMap_AP", "field map"),
        ("IRMf_langage", "irm"),
        ("FMRIREST", "rest"),
        ("AAHead_Scout", "localizer"),
        ("dark-fluid", "dark fluid"),
        ("ep2d_b1000", "b##"),
        ("DWI b=50", "b##"),
        ("sb3000", "sb##"),
        ("mprages", "mprage~"),
        ("samprage", "~mprage"),
        ("T1 SUB post-pre", "sub"),
        ("DR tra", "tra"),
        ("t1_gre_iso_ACS+C", "+c"),
        ("T1WI CE(-) kubi", "-c"),
        ("ep2d_1p5mm_p2", "p#"),
        ("sms4p2", "p#"),
    ],
)
def test_a_word_is_found_however_it_is_glued_or_spelt(text: str, wanted: str):
    assert stands_in(text, wanted)


@pytest.mark.parametrize(
    ("text", "unwanted"),
    [
        ("HeadCoil", "adc"),
        ("multitasking", "task"),
        ("SWISS cohort", "swi"),
        ("T2* GRE", "t2"),
        ("dir98", "di"),
        ("mb1", "mb#"),
        ("mb1907", "mb#"),
        ("C-spine", "-c"),
        ("Brain+C spine", "+c"),
        ("bold_1p5mm", "p#"),
        ("gre_0p7", "p#"),
        ("acq2p4iso", "p#"),
        ("GD0", "+gd"),
        ("flair t2", "t2 flair"),
        ("b0", "b##"),
        ("b20260101", "b##"),
        ("db1000", "b##"),
        ("sub-01_T2w", "sub"),
        ("sub-CC110_T2w", "sub"),
        ("SUB01_T2w", "sub"),
        ("T1 tra Dr M Gad", "gad"),
        ("Prof. K. M. Flair T1", "flair"),
        ("DR. PC", "pc"),
        ("T1_Dr_PC", "pc"),
    ],
)
def test_letters_inside_a_word_are_not_a_word(text: str, unwanted: str):
    assert not stands_in(text, unwanted)


def test_the_search_blob_is_normalised_and_without_repeats():
    assert search_blob("T2 TSE FLAIR tra FS 3mm") == "t2w tse flair tra fatsat 3mm"
    assert search_blob("T2 TSE FLAIR tra", "T2 SE pd") == "t2w tse flair tra spin-echo proton-density"


def test_mpr_means_mprage_where_the_text_says_3d_and_t1():
    assert search_blob("MPR 3D T1 sag") == "mprage 3d t1w sag"
    assert search_blob("MPR sag") == "mpr sag"


def test_a_garbled_word_longer_than_any_description_is_not_searched_for_parts():
    assert not Lexicon.of({"tse": 1}).facts(lines_of("tse" * 5000))
