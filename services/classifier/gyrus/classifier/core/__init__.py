"""What is this stack? Pure functions: fingerprints, a ruleset and corrections in, verdicts with evidence out."""

from gyrus.classifier.core.context import ClassificationContext
from gyrus.classifier.core.errors import ClassifierError, CorrectionError, RulesetError
from gyrus.classifier.core.evidence import AxisResult, Evidence, confidence
from gyrus.classifier.core.explain import explain
from gyrus.classifier.core.loader import load_rules, packaged_rules
from gyrus.classifier.core.rules import Ruleset
from gyrus.classifier.core.study import AxisDetector, classify_study
from gyrus.classifier.core.verdict import Verdict, create_excluded_result

__all__ = [
    "AxisDetector",
    "AxisResult",
    "ClassificationContext",
    "ClassifierError",
    "CorrectionError",
    "Evidence",
    "Ruleset",
    "RulesetError",
    "Verdict",
    "classify_study",
    "confidence",
    "create_excluded_result",
    "explain",
    "load_rules",
    "packaged_rules",
]
