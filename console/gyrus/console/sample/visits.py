"""Who was scanned where: the subjects, scanners and studies of the sample cohort. Nobody and nothing here exists."""

from gyrus.console.sample.cohort import Elements, Study, Subject

ONE = Subject(
    code="sub-01",
    elements={"PatientName": "SAMPLE^ONE", "PatientID": "SAMPLE-01", "PatientBirthDate": "19850101", "PatientSex": "F"},
    scale=(1.0, 1.0, 1.0),
    nod_deg=0.0,
    lean_deg=1.5,
)
TWO = Subject(
    code="sub-02",
    elements={"PatientName": "SAMPLE^TWO", "PatientID": "SAMPLE-02", "PatientBirthDate": "19520101", "PatientSex": "M"},
    scale=(1.03, 0.96, 0.98),
    nod_deg=6.0,
    lean_deg=-2.5,
)

PRISMA: Elements = {
    "Manufacturer": "SIEMENS",
    "ManufacturerModelName": "Prisma",
    "InstitutionName": "Sample Hospital",
    "StationName": "SAMPLEMR1",
    "DeviceSerialNumber": "900001",
    "SoftwareVersions": "syngo MR E11",
}
SIGNA: Elements = {
    "Manufacturer": "GE MEDICAL SYSTEMS",
    "ManufacturerModelName": "DISCOVERY MR750",
    "InstitutionName": "Sample Hospital",
    "StationName": "SAMPLEMR2",
    "DeviceSerialNumber": "0000000000900002",
    "SoftwareVersions": ["27", "LX", "MR Software release:DV26.0_R02_1810.b"],
}
LIGHTSPEED: Elements = {
    "Manufacturer": "GE MEDICAL SYSTEMS",
    "ManufacturerModelName": "LightSpeed VCT",
    "InstitutionName": "Sample Hospital",
    "StationName": "SAMPLECT1",
    "DeviceSerialNumber": "900003",
    "SoftwareVersions": "07MW18.4",
}

ONE_MR = Study(
    code="sub-01/mr",
    subject=ONE,
    vendor="siemens",
    scanner=PRISMA,
    elements={
        "StudyDate": "20240305",
        "StudyTime": "091000.000000",
        "StudyID": "1",
        "AccessionNumber": "SAMPLE0001",
        "StudyDescription": "Neuro^Head",
        "PatientAge": "039Y",
        "PatientSize": "1.68",
        "PatientWeight": "62",
    },
)
TWO_MR = Study(
    code="sub-02/mr",
    subject=TWO,
    vendor="ge",
    scanner=SIGNA,
    elements={
        "StudyDate": "20240412",
        "StudyTime": "140500",
        "StudyID": "2041",
        "AccessionNumber": "SAMPLE0002",
        "StudyDescription": "MR BRAIN WITHOUT CONTRAST",
        "PatientAge": "072Y",
        "PatientWeight": "81",
    },
)
TWO_CT = Study(
    code="sub-02/ct",
    subject=TWO,
    vendor="ge",
    scanner=LIGHTSPEED,
    elements={
        "StudyDate": "20240411",
        "StudyTime": "221500",
        "StudyID": "5210",
        "AccessionNumber": "SAMPLE0003",
        "StudyDescription": "CT HEAD WITHOUT CONTRAST",
        "PatientAge": "072Y",
    },
)
