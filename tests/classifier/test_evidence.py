"""What evidence is worth."""

from gyrus.classifier.core import Evidence, confidence
from gyrus.classifier.core.evidence import TRUST, WEIGHT

TOKEN = Evidence.from_token("unified_flags", "has_adc", "ADC")
WORD = Evidence.from_text_search("adc", "ADC")


def test_no_evidence_is_no_confidence():
    assert confidence([]) == 0.0


def test_one_source_is_worth_its_weight_however_often_it_speaks():
    assert confidence([WORD]) == 0.75
    assert confidence([WORD, WORD, WORD]) == 0.75


def test_each_further_source_adds_five_hundredths():
    physics = Evidence.from_physics("TE 100 ms", "T2w", distinct=False)

    assert confidence([WORD, physics]) == 0.80
    assert confidence([WORD, physics, Evidence.from_modifier("FLAIR", "TE 100 ms", "T2w")]) == 0.90


def test_agreement_never_makes_certain():
    assert confidence([TOKEN, WORD]) == 0.99


def test_what_a_person_said_is_certain():
    assert confidence([Evidence.from_correction("construct", "ADC")]) == 1.0


def test_every_source_has_a_weight_and_a_place_in_the_order_of_trust():
    assert set(TRUST) == set(WEIGHT)
