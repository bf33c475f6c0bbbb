"""Why a stack has no volume: the closed list of codes, and what each means and asks for. Documents bear the code."""

from collections.abc import Mapping
from typing import Final

REFUSALS: Final[Mapping[str, str]] = {
    "not_asked_for": "The policy asks for no volume of such stacks; there are pictures. To have volumes, add a wish to GYRUS_POLICY.",
    "vanished": "A file of the stack is no longer there. Put it back, or scan its source again.",
    "no_geometry": "Position, orientation or pixel spacing is missing or unusable. Export the images again with their geometry.",
    "single_image": "One image is no volume. Nothing to do for localizers and screenshots; else look for the missing images.",
    "several_volumes": "Several images lie at one position: time points, b-values or copies. Choose one volume, or separate them first.",
    "several_stacks": "There are several stacks here: series, echoes, orientations, … Choose one (gyrus.data.find_stacks lists them).",
    "no_image": "There is no image here that we can read. Look at the path; files that are no DICOM images are passed over.",
    "missing_slices": "Slices are missing inside the stack. Send the missing images; the stack is made again when they arrive.",
    "uneven_spacing": "The slices do not lie at even steps. Reconstruct the series with even spacing.",
    "mixed_orientation": "The images do not lie in parallel planes. Separate them by orientation first.",
    "mixed_matrix": "The images differ in matrix or pixel spacing. Separate them by matrix first.",
    "shifted": "A slice lies beside the line of the others. Leave it out, or reconstruct the series.",
    "mosaic": "Each image is a grid of many slices and does not say how many. Convert it to one image a slice.",
    "undecodable_pixels": "The pixels are missing, cut short or packed in a way that cannot be read. Send the file again, uncompressed.",
    "unsupported_pixels": "The pixels are not plain grey values (colour, inverted, a look-up table). Send the original images.",
    "unsupported_modality": "Only MR (mode mri) and CT (mode ct) can be prepared. Correct the mode, or leave this stack out.",
    "no_hounsfield": "This CT does not say how its pixels become Hounsfield units. Send the original images.",
    "too_small": "The volume has fewer than 3 slices, or is smaller than one patch: 4 slices of 4 mm, each 16 x 16 mm. Nothing to do.",
    "too_large": "The volume is larger than any scanner makes. Look for a wrong pixel spacing or slice distance.",
    "not_finite": "Some values are infinite or no numbers; one of them would spread over the volume. Repair the file.",
    "several_components": "The voxels are colours or vectors. Convert the image to grey values.",
    "constant_image": "The image shows nothing: one value fills it. Look at the source; its pixels were blanked or never filled.",
}
