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
THREE = Subject(
    code="sub-03",
    elements={"PatientName": "SAMPLE^THREE", "PatientID": "SAMPLE-03", "PatientBirthDate": "19710101", "PatientSex": "F"},
    scale=(0.97, 1.02, 1.0),
    nod_deg=-3.0,
    lean_deg=0.5,
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
DISCOVERY: Elements = {
    "Manufacturer": "GE MEDICAL SYSTEMS",
    "ManufacturerModelName": "Discovery 690",
    "InstitutionName": "Sample Hospital",
    "StationName": "SAMPLEPT1",
    "DeviceSerialNumber": "900004",
    "SoftwareVersions": "pet_mict.54",
}
ACHIEVA: Elements = {
    "Manufacturer": "Philips Medical Systems",
    "ManufacturerModelName": "Achieva dStream",
    "InstitutionName": "Sample Hospital",
    "StationName": "SAMPLEMR3",
    "DeviceSerialNumber": "90005",
    "SoftwareVersions": ["5.3.0", "5.3.0.3"],
}
INGENIA: Elements = {
    "Manufacturer": "Philips",
    "ManufacturerModelName": "Ingenia Elition X",
    "InstitutionName": "Sample Hospital",
    "StationName": "SAMPLEMR4",
    "DeviceSerialNumber": "90006",
    "SoftwareVersions": ["5.7.1", "5.7.1.1"],
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
TWO_PET = Study(
    code="sub-02/pet",
    subject=TWO,
    vendor="ge",
    scanner=DISCOVERY,
    elements={
        "StudyDate": "20240503",
        "StudyTime": "101000",
        "StudyID": "331",
        "AccessionNumber": "SAMPLE0004",
        "StudyDescription": "PET BRAIN FDG",
        "PatientAge": "072Y",
        "PatientSize": "1.77",
        "PatientWeight": "81",
    },
)
THREE_MR = Study(
    code="sub-03/mr",
    subject=THREE,
    vendor="philips",
    scanner=ACHIEVA,
    elements={
        "StudyDate": "20230614",
        "StudyTime": "110000",
        "StudyID": "569000001",
        "AccessionNumber": "SAMPLE0005",
        "StudyDescription": "MRI Hersenen",
        "PatientAge": "052Y",
        "PatientWeight": "66",
    },
)
THREE_LATER = Study(
    code="sub-03/mr-later",
    subject=THREE,
    vendor="philips",
    scanner=INGENIA,
    elements={
        "StudyDate": "20240620",
        "StudyTime": "100500",
        "StudyID": "603000001",
        "AccessionNumber": "SAMPLE0006",
        "StudyDescription": "MRI Hersenen",
        "PatientAge": "053Y",
        "PatientWeight": "67",
    },
)
