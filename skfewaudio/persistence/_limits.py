"""Limits of sizes and counts in model files, which hold before anything is built."""

# Objects and levels of JSON in an estimator. An object takes about 25 microseconds to build.
MAX_OBJECTS = 100_000
MAX_DEPTH = 200
MAX_SCHEMA_BYTES = 2**25
# Arrays of an estimator, and entries of the zip that holds them.
MAX_ARRAYS = 20_000
MAX_ENTRY_BYTES = 1000  # of an entry of a zip's directory, with its name
MAX_CARD_BYTES = 2**24
# Tensors of all networks. Building a layer with two tensors takes up to a millisecond.
MAX_TENSORS = 10_000
MAX_TENSOR_HEADER_BYTES = 2**23
# Larger sizes in zips need the 64-bit extension.
ZIP64_FROM = 2**31

# Numbers in fitted arrays. Products of two numbers stay finite in single precision, within reason.
LARGEST = 1e30
SMALLEST_DIVISOR = 1e-35

# Samples of a clip that a transformer was fitted to: weeks of sound.
MAX_SAMPLES = 2**36
# Front-ends: sizes of one spectrogram relative to the sound, and of the filters.
MAX_SAMPLE_RATE = 2**20
MAX_FFT = 2**17
MAX_MELS = 2**11
MAX_FILTER_BANK = 2**25  # bands times samples of a frame
MAX_OVERLAP = 2**8  # frames that cover a sample
MAX_MELS_PER_STEP = 2**4  # bands per sample between frames: values of a spectrogram per sample
MAX_COLUMNS = 2**20
MAX_GROWTH = 2**10  # columns that unions compute per column of X
MAX_CHANNEL = 2**8
# Front-ends with random weights: samples to which a clip is padded, arguments, and weights.
MAX_CLIP_SAMPLES = 2**22
MAX_ARGUMENT = 2**12
MAX_WEIGHTS = 2**24

# Pre-trained networks: seconds of windows and between them.
SMALLEST_HOP = 1e-3
LONGEST_WINDOW = 3600

MAX_JOBS = 2**10  # processors that a negative n_jobs leaves unused

# Classifiers with networks.
MAX_PATCH_VALUES = 2**20
MAX_BATCH = 2**16

# Classifiers to which clips are added: clips so far, a number that a float holds exactly.
MAX_CLIPS = 2**53
