"""The axes and every value that a rule or a person may give them. Rules cover a part of this vocabulary; it grows here first."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One question about a stack. `plural` is the top key of its rule file; a `many` axis may have several values at once."""

    name: str
    plural: str
    values: tuple[str, ...]
    many: bool = False

    @property
    def file_name(self) -> str:
        return f"{self.name}-detection.yaml"


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


BASE = Axis(name="base", plural="bases", values=("T1w", "T2w", "PDw", "T2*w", "DWI", "PWI", "SWI", "MTw", "T1rho", "T2rho", "CESTw"))

TECHNIQUE = Axis(
    name="technique",
    plural="techniques",
    values=_names(
        """MS-EPI DWI-EPI DWI-TSE DWI-STEAM BOLD-EPI ASL-EPI Perfusion-EPI GRASE SE-EPI GRE-EPI MRF MDME 3D-TSE SS-TSE IR-TSE
        ME-SE VFA-TSE TSE SE QALAS MP2RAGE MEMPRAGE MPRAGE TOF-MRA PC-MRA CE-MRA DCE comb-ME-GRE ME-GRE CISS bSSFP DESS SSFP
        VFA-GRE VI-GRE FSP-GRE SP-GRE SS-GRE GRE EPI ZTE UTE MRS STAGE"""
    ),
)

MODIFIER = Axis(
    name="modifier",
    plural="modifiers",
    values=_names("""FLAIR STIR DIR PSIR IR Radial Spiral FatSat WaterExcitation Dixon MT FlowComp BlackBlood BrightBlood MoCo"""),
    many=True,
)

CONSTRUCT = Axis(
    name="construct",
    plural="constructs",
    values=_names(
        """ADC eADC FA ColFA Trace MD Tensor CalcBvalue CBF CBV MTT Tmax TTP PBP M0 DeltaM Ktrans Water Fat InPhase OutPhase
        FatFraction T1map T2map T2starmap R1map R2map R2starmap PDmap T1rhomap MTR APTmap MultiQmap MyelinMap INV1 INV2
        Uniform UniformDenoised SyntheticT1w SyntheticT2w SyntheticFLAIR SyntheticPDw SyntheticDIR SyntheticPSIR SyntheticSTIR
        SWI QSM MIP MinIP MPR B0map B1map Magnitude Phase Real Imaginary Subtraction SBRef"""
    ),
    many=True,
)

PROVENANCE = Axis(
    name="provenance",
    plural="provenances",
    values=_names(
        """RawRecon SyMRI EPIMix STAGE SWIRecon DTIRecon PerfusionRecon ASLRecon BOLDRecon Localizer ProjectionDerived
        SubtractionDerived"""
    ),
)

ACCELERATION = Axis(
    name="acceleration",
    plural="accelerations",
    values=("ParallelImaging", "SimultaneousMultiSlice", "PartialFourier", "CompressedSensing", "ViewSharing"),
    many=True,
)

CONTRAST = Axis(name="contrast", plural="contrasts", values=("yes", "no"))
"""Contrast agent. Silence is the third answer, `unknown`; no rule may claim it."""

BODY_PART = Axis(name="body_part", plural="body_parts", values=("brain", "head", "neck", "spine", "chest", "abdomen", "heart", "other"))

INTENT = Axis(name="intent", plural="intents", values=("anat", "dwi", "func", "fmap", "perf", "localizer", "misc", "excluded"))

RULED: tuple[Axis, ...] = (PROVENANCE, CONSTRUCT, TECHNIQUE, MODIFIER, BASE, ACCELERATION, CONTRAST)
"""Axes with a rule file, in the order in which they are decided: a later one may use what an earlier one found."""

MR_ONLY = frozenset({"base", "technique", "modifier", "construct", "provenance", "acceleration"})

AXES: dict[str, Axis] = {axis.name: axis for axis in (*RULED, BODY_PART, INTENT)}
