"""What is read from a header: one table of fields, from which readers, documents and fingerprints are made.

A field is found at its own tag, else at the end of one of its `nested` paths (functional groups of enhanced objects, sequences of
classic ones), else at one of its `private` places, else by the module of its maker. The first value that is not empty wins, and a
maker's value is stored with its source. A field without a tag is derived, or has only other places.

Levels: subject, study, series and acquisition fields are the same for most images of a series and make the shared block of a header;
image fields change from image to image. docs/fields.md is made from this table.
"""

from gyrus.dicom.field import Field, Table
from gyrus.dicom.fields_ct import CT
from gyrus.dicom.fields_general import CONTRAST, SERIES, STUDY, SUBJECT
from gyrus.dicom.fields_image import ACQUISITION, IMAGE, PIXELS
from gyrus.dicom.fields_makers import MAKERS_FIELDS
from gyrus.dicom.fields_mr import DIFFUSION, HARDWARE, PREPARATION, SAMPLING, SEQUENCE, TIMING
from gyrus.dicom.fields_pt import CORRECTIONS, PET_IMAGE, PET_SERIES, TRACERS

GENERAL: tuple[Field, ...] = SUBJECT + STUDY + SERIES + CONTRAST
IMAGES: tuple[Field, ...] = ACQUISITION + IMAGE + PIXELS
MR: tuple[Field, ...] = SEQUENCE + TIMING + HARDWARE + SAMPLING + PREPARATION + DIFFUSION
PET: tuple[Field, ...] = PET_SERIES + CORRECTIONS + TRACERS + PET_IMAGE

STANDARD = Table(GENERAL + IMAGES + MR + CT + PET + MAKERS_FIELDS)
