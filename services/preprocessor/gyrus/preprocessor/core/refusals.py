"""Why a stack has no volume: the closed list of codes, and what each means and asks for. Documents bear the code."""

from collections.abc import Mapping
from typing import Final

REFUSALS: Final[Mapping[str, str]] = {
    "vanished": "A file of the stack is no longer there. Put it back, or scan its source again.",
    "no_geometry": "Position, orientation or pixel spacing is missing or unusable. Export the images again with their geometry.",
    "single_image": "One image is no volume. Nothing to do for localizers and screenshots; else look for the missing images.",
    "several_volumes": "Several images lie at one position: time points, b-values or copies share this stack. Separate them first.",
    "missing_slices": "Slices are missing inside the stack. Send the missing images; the stack is made again when they arrive.",
    "uneven_spacing": "The slices do not lie at even steps. Reconstruct the series with even spacing.",
    "mixed_orientation": "The images do not lie in parallel planes. Separate them by orientation first.",
    "mixed_matrix": "The images differ in matrix or pixel spacing. Separate them by matrix first.",
    "tilted": "The slices are shifted sideways against each other, as by a tilted gantry. Straighten the volume and send it again.",
    "mosaic": "Each image is a grid of many slices (Siemens mosaic, UIH grid). Convert it to one image a slice.",
    "undecodable_pixels": "The pixels are missing, cut short or packed in a way that cannot be read. Send the file again, uncompressed.",
    "unsupported_pixels": "The pixels are not plain grey values (colour, inverted, a look-up table). Send the original images.",
    "unsupported_modality": "Only MR (mode mri) and CT (mode ct) can be prepared. Correct the mode, or leave this stack out.",
    "no_hounsfield": "This CT does not say how its pixels become Hounsfield units. Send the original images.",
    "too_small": "The volume has fewer than 3 slices, or is smaller than one patch: 4 slices of 4 mm, each 16 x 16 mm. Nothing to do.",
    "too_large": "The volume is larger than any scanner makes. Look for a wrong pixel spacing or slice distance.",
    "constant_image": "The image shows nothing: one value fills it. Look at the source; its pixels were blanked or never filled.",
}
