"""Reading DICOM: header, fields, vendors, frames, stacks, geometry. Pure; pydicom is imported only by what reads files."""
