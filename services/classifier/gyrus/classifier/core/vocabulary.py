"""What the tokens of five DICOM tags mean. Tables only; one row, one fact.

ImageType (0008,0008), ScanningSequence (0018,0020), SequenceVariant (0018,0021) and ScanOptions (0018,0022) are read token by
token; sequence names (0018,0024), (0018,9005) and the vendors' own by anchored patterns. Vendor words: Siemens, GE, Philips,
Canon and UIH conformance statements and public sidecars.
"""

TokenTable = dict[str, tuple[str, ...]]


def _table(rows: str) -> TokenTable:
    """Read rows of `flag: TOKEN TOKEN …` into token → flags."""
    table: dict[str, tuple[str, ...]] = {}
    for row in filter(None, map(str.strip, rows.splitlines())):
        flag, tokens = row.split(":")
        for token in tokens.split():
            table[token] = (*table.get(token, ()), flag.strip())
    return table


IMAGE_TYPE = _table(
    """
    is_original: ORIGINAL
    is_derived: DERIVED
    is_primary: PRIMARY
    is_secondary: SECONDARY
    is_combined: COMBINED
    is_localizer: LOCALIZER
    is_error: ERROR_MAP MR_ERROR_MESSAGE
    is_screenshot: SCREENSHOT SCREEN_SAVE PASTED
    is_report: CSA_REPORT VXTL_STATE RAWDATA
    has_magnitude: M MAGNITUDE M_FFE M_SE M_IR M_PCA SW_M_FFE
    has_phase: PHASE PHASE_MAP SW_P_FFE
    has_real: REAL R_IR
    has_imaginary: IMAGINARY
    hint_gre: M_FFE SW_M_FFE SW_P_FFE
    hint_se: M_SE
    hint_ir: M_IR R_IR
    hint_pca: M_PCA
    is_normalized: NORM
    is_2d_view: DIS2D
    is_3d_view: DIS3D
    has_nd: ND
    has_diffusion: DIFFUSION
    has_adc: ADC
    has_eadc: EADC
    has_fa: FA
    has_trace: TRACEW ISODWI
    has_moco: MOCO MOTIONCORRECTION
    has_perfusion: PERFUSION PWI PERFUSION_ASL
    has_asl: ASL PERFUSION_ASL
    has_cbf: CBF RCBF RELCBF
    has_cbv: CBV RCBV RELCBV
    has_mtt: MTT RELMTT
    has_fmri: FMRI
    has_qmap: QMAP MULTI_QMAP
    has_t1_map: T1_MAP T1MAP
    has_t2_map: T2_MAP T2MAP
    has_b0_map: B0_MAP B0MAP FIELDMAP
    has_b1_map: B1_MAP B1MAP
    has_dixon: DIXON
    has_water: WATER W
    has_fat: FAT F
    has_in_phase: IN_PHASE IP
    has_out_phase: OUT_PHASE OPP_PHASE OP
    has_swi: SWI SW_M_FFE SW_P_FFE
    is_mip: MIP MAX_IP
    is_minip: MINIP MNIP MIN_IP
    is_mpr: MPR MPR_THICK REFORMATTED
    is_projection: PROJECTION_IMAGE
    is_subtraction: SUB SUBTRACT SUBTRACTION
    has_uniform: UNI UNIFORM
    is_synthetic: SYNTHETIC
    """
)
"""Whole values; blanks inside a value are underscores here ("PHASE MAP")."""

LATE_IMAGE_TYPE = _table(
    """
    has_phase: P
    has_real: R
    has_imaginary: I
    """
)
"""Single letters that mean a component only behind the two obligatory values."""

SCANNING_SEQUENCE = _table(
    """
    has_se: SE
    has_gre: GR GE FE FE3D
    has_ir: IR
    has_epi: EP
    has_fse: FSE
    has_irfse: IRFSE
    has_research: RM
    """
)

SEQUENCE_VARIANT = _table(
    """
    has_segmented_kspace: SK
    has_spoiled: SP
    has_mag_prepared: MP
    has_steady_state: SS TRSS
    has_mtc: MTC
    has_oversampling: OSP
    is_tof: TOF
    """
)

SCAN_OPTIONS = _table(
    """
    has_parallel_gems: ACC_GEMS
    has_hypersense: HYPERSENSE_GEMS
    has_cs_gems: CS_GEMS
    has_hyperband: HYPERBAND_GEMS
    has_ideal_gems: IDEAL_GEMS
    has_mrf_gems: MRF_GEMS
    has_tof_gems: VASCTOF_GEMS
    has_epi_gems: EPI_GEMS
    has_t1flair_gems: T1FLAIR_GEMS
    has_t2flair_gems: T2FLAIR_GEMS
    has_partial_fourier_phase: PFP
    has_partial_fourier_freq: PFF
    has_fat_sat: FS SFS
    has_water_exc: WE
    has_flow_comp: FC FC_SLICE_AX_GEMS FC_FREQ_AX_GEMS
    has_ir: IR
    has_mt: MT MT_GEMS
    has_gating: CG RG PPG
    has_scout_mode: SCOUT_MODE
    """
)

SEQUENCE_NAME: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"tfl3d1(?!\d)|mprage|mp-rage|bravo", ("is_mprage",)),
    (r"tfl3d(?!1(?!\d))", ("is_memprage",)),
    (r"tfl|t1tfe|tfe|gre_fsp", ("is_tfl",)),
    (r"tse(?!_vfl)|fse(?!_mx|_ssh)|frfse|ts[12](?!\d)", ("is_tse",)),
    (r"spc|tse_vfl|cube|fse_mx", ("is_space",)),
    (r"spcir", ("is_space_ir",)),
    (r"h[23]d|haste|ssfse|fse_ssh|fase", ("is_haste",)),
    (r"tir|fir2d", ("is_ir_tse",)),
    (r"se2d\d?(?!\d)|se$", ("is_se",)),
    (r"se2d\d\d", ("is_me_se",)),
    (r"fl[23]d1(?!\d)|spgr|t1ffe", ("is_flash",)),
    (r"fl[23]d(?!1(?!\d))\d+|me[23]d|fm2d", ("is_me_gre",)),
    (r"e?fgre|fspgr|efspgr", ("is_fgre",)),
    (r"gre|ffe|fe[23]d|3dgrass", ("is_gre",)),
    (r"ep_b|ep_calc|ep_d3ta|ep2d_diff|cmrr_mbep2d_diff|dwise|seepi2d|epi_d[tw]i", ("is_epi_diff",)),
    (r"re_b", ("is_epi_diff_resolve",)),
    (r"epfid|ep2d_bold|cmrr_mbep2d_bold|feepi|epirt|epi_bold", ("is_epi_gre",)),
    (r"epse|cmrr_mbep2d_se|seepi|dwise|epi_pepolar", ("is_epi_se",)),
    (r"ep2d_bold|cmrr_mbep2d_bold|epirt|epi_bold", ("is_bold",)),
    (r"ep2d_p?c?asl|tgse_p?c?asl|3dasl|mbpcasl", ("is_asl",)),
    (r"q?swi|swan|gre_swi|fsbb", ("is_swi",)),
    (r"tof|gre_tof|fl[23]d\d_ts|fl[23]d\d_t\d", ("is_tof",)),
    (r"pc[23]d|fl[23]d\d_v\d", ("is_pc",)),
    (r"de3d|psif", ("is_unbalanced_ssfp",)),
    (r"tfi[23]d|fiesta|b-?ffe|b-?tfe|ci3d", ("is_trufisp",)),
    (r"scout|localizer", ("is_localizer",)),
    (r"mdme", ("is_mdme",)),
    (r"qalas", ("is_qalas",)),
)
"""Patterns at the beginning of a sequence name, lower case, without a leading `*`, folders or `%`."""

ATTRIBUTES: dict[str, TokenTable] = {
    "mr_acquisition_type": {"3D": ("is_3d",), "3": ("is_3d",), "2D": ("is_2d",), "2": ("is_2d",)},
    "echo_pulse_sequence": {"SPIN": ("has_se",), "GRADIENT": ("has_gre",), "BOTH": ("has_se", "has_gre")},
    "inversion_recovery": {"YES": ("has_ir",)},
    "echo_planar_pulse_sequence": {"YES": ("has_epi",)},
    "phase_contrast": {"YES": ("is_pc",)},
    "time_of_flight_contrast": {"YES": ("is_tof",)},
    "spoiling": {"RF": ("has_spoiled",), "GRADIENT": ("has_spoiled",), "RF_AND_GRADIENT": ("has_spoiled",)},
    "spectrally_selected_suppression": {"FAT": ("has_fat_sat",), "FAT_AND_WATER": ("has_fat_sat",)},
    "complex_image_component": {"PHASE": ("has_phase",), "MAGNITUDE": ("has_magnitude",)},
    "arterial_spin_labeling_contrast": {"CONTINUOUS": ("is_asl",), "PSEUDOCONTINUOUS": ("is_asl",), "PULSED": ("is_asl",)},
    "stack_key": {"MULTI_ECHO": ("is_multi_echo",), "MULTI_TI": ("is_multi_ti",), "MULTI_FLIP_ANGLE": ("is_multi_fa",)},
    "partial_fourier": {"YES": ("has_partial_fourier",)},
    "parallel_acquisition": {"YES": ("has_parallel_technique",)},
    "parallel_acquisition_technique": {
        **dict.fromkeys(("GRAPPA", "SENSE", "PILS", "SMASH", "ARC", "ASSET", "SPEEDER", "OTHER"), ("has_parallel_technique",)),
    },
}
"""Enumerated attributes of the enhanced MR modules (PS3.3 C.8.13) and of the stack."""

NUMBERS: tuple[tuple[str, float, float, str], ...] = (
    ("diffusion_b_value", 0.0, 20000.0, "has_b_value"),
    ("parallel_reduction_factor_in_plane", 1.0, 64.0, "is_reduced_in_plane"),
    ("parallel_reduction_factor_in_plane", 0.0, 1.0, "is_full_in_plane"),
    ("multiband_factor", 1.0, 64.0, "is_multiband"),
    ("partial_fourier", 0.0, 0.99, "has_partial_fourier"),
    ("n_temporal_positions", 19.0, 1e6, "has_many_time_points"),
    ("n_echoes", 1.0, 64.0, "is_multi_echo"),
)
"""Field, above, up to, flag. Above 20000 s/mm² a b-value is a vendor's packing, not a measurement."""

NO_AGENT = frozenset({"none", "no", "no contrast", "non contrast", "without", "n/a", "na", "0", "nil"})
"""What people write into ContrastBolusAgent (0018,0010) when nothing was given."""

NON_IMAGE_MODALITIES = frozenset({"SR", "PR", "KO", "OT", "SC", "DOC", "REG", "RTSTRUCT"})
NON_IMAGE_CLASSES = (
    "secondary capture",
    "non-image",
    "structured report",
    " sr storage",
    "presentation state",
    "key object",
    "encapsulated",
)

BODY_PARTS = {
    **dict.fromkeys(("BRAIN",), "brain"),
    **dict.fromkeys(("HEAD", "SKULL"), "head"),
    **dict.fromkeys(("NECK",), "neck"),
    **dict.fromkeys(("SPINE", "CSPINE", "TSPINE", "LSPINE", "SSPINE", "CTSPINE", "TLSPINE", "LSSPINE"), "spine"),
    **dict.fromkeys(("CHEST", "THORAX", "LUNG"), "chest"),
    **dict.fromkeys(("ABDOMEN", "LIVER", "PELVIS"), "abdomen"),
    **dict.fromkeys(("HEART",), "heart"),
    **dict.fromkeys(("KNEE", "SHOULDER", "HIP", "ANKLE", "FOOT", "HAND", "WRIST", "ELBOW", "PHANTOM"), "other"),
}
"""BodyPartExamined (0018,0015), PS3.16 annex L, folded to few places. PELVIS lies with the abdomen for want of its own."""
