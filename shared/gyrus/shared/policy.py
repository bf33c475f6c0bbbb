"""Of which stacks volumes are made, and what of each: the plan that goes with a label. Pure.

A *policy* is a list of wishes; the first that fits a label asks for volumes of its stack. What a plan names is that wish and not the whole
policy, so that a policy that changes owes only what it changed.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from pydantic import ConfigDict, Field, field_validator
from pydantic.dataclasses import dataclass
from pydantic_settings import BaseSettings, SettingsConfigDict

from gyrus.shared import documents
from gyrus.shared.ids import digest

MODES: Final = {"MR": "mri", "CT": "ct"}
NOT_ASKED: Final = "not_asked_for"
FACTS: Final = ("modality", "intent", "construct", "body_part")


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Wish:
    """Stacks of which volumes are wanted: all that is said here must hold, of each list one word; an empty list is no condition."""

    name: str = Field(default="", description="What it is called in plans; default: its words.")
    modality: tuple[str, ...] = Field(default=(), description="MR, CT (there are volumes of no other).")
    intent: tuple[str, ...] = Field(default=(), description="anat, dwi, func, fmap, perf, ct, …: docs/axes/intent.md.")
    construct: tuple[str, ...] = Field(default=(), description="ADC, FA, …: docs/axes/construct.md.")
    body_part: tuple[str, ...] = Field(default=(), description="brain, head, …: docs/axes/body_part.md.")

    @field_validator(*FACTS, mode="before")
    @classmethod
    def _one_word(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("modality")
    @classmethod
    def _have_volumes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if strangers := sorted(set(value) - set(MODES)):
            raise ValueError(f"there are no volumes of {', '.join(strangers)}, only of {' and '.join(MODES)}")
        return value

    @property
    def called(self) -> str:
        """Its name in plans."""
        words = " ".join("/".join(getattr(self, fact)) for fact in FACTS if getattr(self, fact))
        return self.name or words or "everything"

    def fits(self, said: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether a stack is meant; said: its words by fact."""
        return all(not getattr(self, fact) or set(getattr(self, fact)) & set(said[fact]) for fact in FACTS)


MAPS: Final = ("ADC", "eADC", "FA", "ColFA", "Trace", "MD", "RD", "AD", "MK")
DEFAULT: Final = (
    Wish(name="anatomical MR", modality=("MR",), intent=("anat",)),
    Wish(name="diffusion maps", modality=("MR",), intent=("dwi",), construct=MAPS),
    Wish(name="CT head", modality=("CT",), intent=("ct",), body_part=("brain", "head")),
)


class Policy(BaseSettings):
    """The settings of plans: of the classifier, which makes them, and of `gyrus preprocess`."""

    model_config = SettingsConfigDict(env_prefix="GYRUS_", frozen=True, extra="ignore")

    policy: tuple[Wish, ...] = Field(DEFAULT, description='Of which stacks volumes are made: JSON, [{"modality": ["MR"]}, …].')
    most_volumes: int = Field(10, ge=0, description="How many volumes at most are made of a run (time, b-values); 0: all of them.")

    @property
    def parameters(self) -> dict[str, Any]:
        """How volumes are made."""
        return {"recipe": documents.RECIPE, "volumes": self.most_volumes}

    @property
    def digest(self) -> str:
        """Of all that plans depend on beside labels."""
        return digest([self.parameters, [asdict(wish) for wish in self.policy]], 8)

    def plan(self, modality: str | None, label: Mapping[str, Any]) -> dict[str, Any]:
        """What the preprocessor shall make of a stack.

        mode (`mri`, `ct`, or None: there is no recipe), policy (the wish that asks for volumes, or None: pictures only), parameters.
        """
        said = _said(modality, label)
        asks = next((wish.called for wish in self.policy if wish.fits(said)), None)
        return {"mode": MODES.get(modality or ""), "policy": asks, "parameters": self.parameters}


def why_not(plan: Mapping[str, Any], modality: str | None, label: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why a plan asks for no volume, as a code and in words; None if it asks for one."""
    if plan["mode"] is None:
        return "unsupported_modality", "only MR and CT have a recipe"
    if plan["policy"] is None:
        said = "; ".join(f"{fact.replace('_', ' ')} {'/'.join(words) or 'unknown'}" for fact, words in _said(modality, label).items())
        return NOT_ASKED, f"no wish of the policy fits: {said}"
    return None


def _said(modality: str | None, label: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found = {"modality": modality, **{fact: label.get(fact) for fact in FACTS[1:]}}
    return {fact: tuple(words) if isinstance(words, list | tuple) else (words,) if words else () for fact, words in found.items()}
