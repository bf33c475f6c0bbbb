"""The fields that no element of the standard has: only elements of makers, or what the modules of makers compute from them.

A field that two makers have in the same unit carries a plain name, and its value a source; one that only a single maker knows carries
the maker's name.
"""

from gyrus.dicom.field import Field, Level, Private

_A: Level = "acquisition"
_XA, _SIEMENS, _GE, _PHILIPS, _UIH = "siemens_xa", "siemens_private", "ge_private", "philips_private", "uih_private"


def _xa(element: int, vr: str, scale: float = 1) -> Private:
    return Private(0x0021, "SIEMENS MR SDI 02", element, vr, _XA, scale=scale)


def _siemens(element: int, vr: str) -> Private:
    return Private(0x0051, "SIEMENS MR HEADER", element, vr, _SIEMENS)


def _ge(element: int, vr: str) -> Private:
    return Private(0x0043, "GEMS_PARM_01", element, vr, _GE)


def _philips(element: int, vr: str) -> Private:
    return Private(0x2001, "Philips Imaging DD 001", element, vr, _PHILIPS)


def _philips_mr(element: int, vr: str, number: int = 1) -> Private:
    return Private(0x2005, f"Philips MR Imaging DD {number:03d}", element, vr, _PHILIPS)


def _uih(element: int, vr: str) -> Private:
    return Private(0x0065, "Image Private Header", element, vr, _UIH)


MAKERS_FIELDS: tuple[Field, ...] = (
    # What the scanner was told to do
    Field("siemens_sequence_file", "", 0, _A, makers=("siemens_phoenix",)),
    Field("readout_mode", "", 0, _A, makers=("siemens_phoenix",)),
    Field("partial_fourier_fraction", "", 0, _A, "number", makers=("siemens_phoenix",)),
    Field("compressed_sensing_factor", "", 0, _A, "number", makers=(_GE, _PHILIPS)),
    Field("ge_deep_learning", "", 0, _A, "texts", private=(_ge(0xCA, "LO"),)),
    Field("philips_deep_learning", "", 0, _A, private=(_philips_mr(0x10, "CS", 8),), empty=("NONE",)),
    Field("coil_elements", "", 0, _A, private=(_siemens(0x0F, "LO"), _xa(0x4F, "LO"), _uih(0x03, "LO"))),
    Field("acquisition_matrix_text", "", 0, _A, private=(_siemens(0x0B, "LO"), _xa(0x58, "SH"), _uih(0x04, "SH"))),
    Field("siemens_image_comments", "", 0, "image", "texts", private=(_xa(0x76, "LO"),), phi=True),
    # Echo-planar readout
    Field(
        "phase_encoding_direction_positive",
        "",
        0,
        _A,
        "integer",
        private=(_xa(0x1C, "IS"),),
        makers=("siemens_csa",),
    ),
    Field("uih_phase_encoding_shown", "", 0, _A, private=(_uih(0x05, "SH"),)),
    Field(
        "bandwidth_per_pixel_phase_encode",
        "",
        0,
        _A,
        "number",
        "Hz/px",
        private=(_xa(0x53, "FD"),),
        makers=(_SIEMENS, "siemens_csa"),
        empty=(0.0,),
    ),
    Field("ge_effective_echo_spacing", "", 0, _A, "integer", "µs", private=(_ge(0x2C, "SS"),), empty=(0,)),
    Field("water_fat_shift", "", 0, _A, "number", "px", private=(_philips(0x22, "FL"),)),
    Field("epi_factor", "", 0, _A, "integer", private=(_philips(0x13, "SL"),)),
    Field(
        "slice_times",
        "",
        0,
        "image",
        "numbers",
        "ms",
        private=(_xa(0x04, "DS", 1000),),
        makers=(_SIEMENS, "siemens_csa", _UIH),
    ),
    # Diffusion
    Field("diffusion_b_value_actual", "", 0, "image", "number", "s/mm2", private=(_uih(0x09, "FD"),)),
    # The place and the intensities of a Philips image
    Field("philips_scale_slope", "", 0, "image", "number", private=(_philips_mr(0x0E, "FL"),), empty=(0.0,)),
    Field("philips_scale_intercept", "", 0, "image", "number", private=(_philips_mr(0x0D, "FL"),)),
    Field("philips_cardiac_phase", "", 0, "image", "integer", private=(_philips(0x08, "IS"),)),
    Field("philips_slice_number", "", 0, "image", "integer", private=(_philips(0x0A, "IS"),)),
    Field("philips_dynamics", "", 0, _A, "integer", private=(_philips(0x81, "IS"),)),
    Field("philips_b_value_number", "", 0, "image", "integer", private=(_philips_mr(0x12, "IS", 5),)),
    Field("philips_gradient_number", "", 0, "image", "integer", private=(_philips_mr(0x13, "IS", 5),)),
)
