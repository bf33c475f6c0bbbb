"""Rules as they are kept in a document: everything that was written, so that a version can be active again."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from gyrus.classifier.core.loader import Written, ruleset_of
from gyrus.classifier.core.rules import Ruleset
from gyrus.classifier.core.yaml_lines import Page

KEPT = 4
"""Rulesets of a process that stay ready; a compiled one takes some 20 MB with its memory."""


def content_of(written: Written) -> str:
    """Everything as one JSON text. The order of the rules counts, so that keys are not sorted; a date of YAML is its text."""
    pages = {name: page.content for name, page in written.pages.items()}
    return json.dumps(
        {"pages": pages, "fit": {key: written.fit.get(key, {}) for key in ("curves", "familiar")}}, ensure_ascii=False, default=str
    )


@lru_cache(maxsize=KEPT)
def ruleset_from(content: str) -> Ruleset:
    """The ruleset of a stored text. Raises RulesetError where this version of gyrus no longer understands it."""
    kept: Mapping[str, Any] = json.loads(content)
    return ruleset_of(Written({name: Page(Path(name), page, {}) for name, page in kept["pages"].items()}, kept["fit"]))
