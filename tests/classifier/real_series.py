"""Labels of the stacks of real files, as they are or without any free text: python tests/classifier/real_series.py FOLDER [--blank]

Prints what score_series.py of ../shared/tools reads, one stack a line.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gyrus.classifier.core import classify_study, packaged_rules
from gyrus.console.offline import Found, extract

FREE_TEXTS = ("series_description", "protocol_name", "image_comments", "study_description", "text_search_blob")
FREE_TEXTS += ("requested_procedure_description", "performed_procedure_step_description", "derivation_description", "acquisition_comments")


def labelled(found: Found, is_blank: bool) -> Iterator[dict[str, Any]]:
    """The record of each stack with its labels. is_blank: whether free texts are taken out first."""
    studies: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    hidden = FREE_TEXTS if is_blank else ()
    for stack in found.stacks:
        fingerprint = stack.document["fingerprint"]
        studies[stack.study][stack.id] = {name: value for name, value in fingerprint.items() if name not in hidden}
    verdicts = {id_: one for stacks in studies.values() for id_, one in classify_study(stacks, packaged_rules()).items()}
    for stack in found.stacks:
        yield {**stack.record, **verdicts[stack.id].document()}


if __name__ == "__main__":
    for record in labelled(extract(Path(sys.argv[1]), 2), "--blank" in sys.argv):
        print(json.dumps(record, default=str))
