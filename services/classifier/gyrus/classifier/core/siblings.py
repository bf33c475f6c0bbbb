"""What the images of one acquisition tell each other: magnitude and phase, reference and run, raw and processed image.

A stack looks at its siblings' fingerprints, never at their verdicts; who looks first makes no difference.
"""

from collections import defaultdict
from collections.abc import Mapping

from gyrus.classifier.core.context import ClassificationContext
from gyrus.classifier.core.reader import Reader


def beside_siblings(contexts: Mapping[str, ClassificationContext], reader: Reader) -> dict[str, ClassificationContext]:
    """The stacks of a study, each knowing what the others of its acquisition are."""
    if len(contexts) < 2:
        return dict(contexts)
    acquisitions: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for stack, context in contexts.items():
        acquisitions[context.acquisition].append(stack)
    lent = dict.fromkeys(contexts, 0)
    for stacks in acquisitions.values():
        if len(stacks) > 1:
            lent |= _lent({stack: reader.traits(contexts[stack].reading.facts) for stack in stacks})
    return {stack: context.beside(lent[stack]) for stack, context in contexts.items()}


def _lent(traits: Mapping[str, int]) -> dict[str, int]:
    """For each stack the traits of the others."""
    once = twice = 0
    for trait in traits.values():
        twice |= once & trait
        once |= trait
    return {stack: twice | (once & ~trait) for stack, trait in traits.items()}
