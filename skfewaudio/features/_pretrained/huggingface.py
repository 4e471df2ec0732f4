"""Networks of the Hugging Face transformers library."""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from skfewaudio._torch import resolve_device, to_tensor, torch_threads
from skfewaudio._torch_state import own_state
from skfewaudio.audio.io import resolve_threads
from skfewaudio.exceptions import WeightsNotFoundError

from .backend import import_extra
from .huggingface_files import find_folder, find_weight_files, list_files
from .huggingface_network import FAMILIES, Family, WaveformNetwork

AUDIO_INPUTS = ("input_values", "input_features")
OTHER_INPUTS = ("input_ids", "pixel_values", "bbox")
# Weights that only training needs; checkpoints of other tasks lack them.
UNUSED_WEIGHTS = ("masked_spec_embed",)


class HuggingFaceBackend:
    """Network of the Hugging Face library that embeds sound.

    The families of audio classification (AST, wav2vec 2.0, HuBERT, WavLM, SEW, data2vec, UniSpeech, ...), the
    audio part of CLAP and the encoder of Whisper are read. The model's own feature extractor computes its
    input. No code of a repository is run, and weights are read by safetensors, or by torch without pickled
    objects.

    Parameters
    ----------
    module : WaveformNetwork
        The network with its feature extractor.
    device : torch.device
        Device of the network.
    n_threads : int
        Number of threads on a CPU.

    Attributes
    ----------
    n_dims : int or None
        Size of an embedding, if it is known without running the network.
    """

    fill = None  # the feature extractors fill short clips
    parallel = False

    def __init__(self, module: WaveformNetwork, device: torch.device, n_threads: int) -> None:
        self.module = module
        self._device = device
        self._n_threads = n_threads
        self.sample_rate = module.sample_rate
        self.window = module.window
        self.min_duration = module.min_duration
        self.layers = module.layers
        self.n_dims: int | None = None

    @classmethod
    def open(
        cls,
        location: str,
        *,
        output: str | int | None = None,
        n_threads: int | None = None,
        device: str | None = None,
    ) -> Self:
        """Load a network.

        Parameters
        ----------
        location : str
            A folder written by ``save_pretrained``, or the name of a repository, such as
            ``"facebook/wav2vec2-base"``, in the cache of the library. A repository that is not in the cache
            is downloaded. ``@`` and a branch, tag or commit may follow the name.
        output : str or int, default=None
            ``"pooled"`` is the output of the network per clip, ``"last"`` that of its last layer per frame. A
            number is the index of a hidden layer, where 0 is the input of the first layer. None is "pooled",
            or "last" for networks without.
        n_threads : int, default=None
            Number of threads on a CPU. None uses one per available core.
        device : str, default=None
            Torch device. None selects CUDA if available.

        Returns
        -------
        HuggingFaceBackend

        Raises
        ------
        ImportError
            If transformers is not installed.
        WeightsNotFoundError
            If the model is not found, is damaged, or lacks weights.
        ValueError
            If it is no network for sound alone, or has no such output.
        """
        library = import_extra("transformers", extra="huggingface")
        torch_device = resolve_device(device)
        folder = find_folder(location)
        options = {"local_files_only": True, "trust_remote_code": False}
        # Building a network draws random numbers even though all weights are read, in part from the generator
        # of the process, because the library replaces functions of torch.
        with _quiet(library), torch.random.fork_rng(devices=[]), own_state(0, torch.device("cpu")):
            with _reading("configuration", folder, location):
                config = library.AutoConfig.from_pretrained(folder, **options)
            check_inputs(library, config, location)
            with _reading("feature extractor", folder, location):
                extractor = library.AutoFeatureExtractor.from_pretrained(folder, **options)
            family = FAMILIES.get(config.model_type, Family())
            with _reading("weights", folder, location):
                model_class = getattr(library, family.model_class)
                model = _load_model(model_class, config, folder, location)
        module = WaveformNetwork(model, extractor, config.model_type, output).eval().to(torch_device)
        backend = cls(module, torch_device, resolve_threads(n_threads))
        if family.is_tried:
            backend.n_dims = backend._find_dims(location)
        return backend

    @classmethod
    def files(cls, location: str) -> list[Path]:
        """Return the files on which the embeddings depend: settings and weights.

        Parameters
        ----------
        location : str
            As in `open`.

        Returns
        -------
        list of Path
        """
        return list_files(find_folder(location))

    def embed(self, batch: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Embed waveforms.

        Parameters
        ----------
        batch : ndarray of shape (n, n_samples), float32
            Waveforms of equal lengths, from `min_duration` to `window` seconds.

        Returns
        -------
        ndarray of shape (n, d) or (n, n_frames, d), float32
            For networks that fill short clips, the frames of the filling are left out.
        """
        # Networks draw random numbers for the layers that training would drop.
        with own_state(0, self._device), torch.inference_mode(), torch_threads(self._n_threads):
            return self.module(to_tensor(batch)).cpu().numpy()

    def _find_dims(self, location: str) -> int:
        """Embed a short silence, so that networks of another kind are found when they are loaded."""
        silence = np.zeros((1, round(2 * self.min_duration * self.sample_rate)), dtype=np.float32)
        try:
            return self.embed(silence).shape[-1]
        except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(
                f"hf:{location}: {type(self.module.model).__name__} cannot embed sound ({error}). Expected a "
                "network for sound with its own feature extractor"
            ) from error


def check_inputs(library: Any, config: Any, location: str) -> None:
    """Check that a network reads sound and nothing else.

    Parameters
    ----------
    library : module
        The Hugging Face library.
    config : object
        Configuration of the network.
    location : str
        Name for error messages.

    Raises
    ------
    ValueError
        If it reads something else.
    """
    if config.model_type in FAMILIES:
        return
    model_class = library.MODEL_MAPPING.get(type(config), None)
    if not hasattr(model_class, "forward"):
        raise ValueError(f"hf:{location}: networks of type {config.model_type!r} are not read as a whole")
    inputs = signature(model_class.forward).parameters
    others = [name for name in OTHER_INPUTS if name in inputs]
    if not any(name in inputs for name in AUDIO_INPUTS):
        raise ValueError(
            f"hf:{location}: {config.model_type!r} reads {' and '.join(others) or 'no sound'}; expected a "
            "network for sound, such as AST, CLAP, wav2vec 2.0, HuBERT, WavLM or Whisper"
        )
    if others:
        raise ValueError(
            f"hf:{location}: {config.model_type!r} reads {' and '.join(others)} together with sound; "
            "expected a network for sound alone"
        )


def _load_model(model_class: Any, config: Any, folder: Path, location: str) -> torch.nn.Module:
    model, found = model_class.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=find_weight_files(folder)[0].suffix == ".safetensors",
        weights_only=True,
        ignore_mismatched_sizes=True,  # refused below, with a message
        output_loading_info=True,
    )
    mismatched = {key if isinstance(key, str) else key[0] for key in found["mismatched_keys"]}
    missing = sorted(key for key in found["missing_keys"] if not key.endswith(UNUSED_WEIGHTS))
    wrong = [*sorted(mismatched), *missing]
    if wrong:
        raise WeightsNotFoundError(
            f"hf:{location}: {folder} has weights of another network than config.json: "
            f"{', '.join(wrong[:3])} ({len(wrong)} tensors in all) are missing or have another shape"
        )
    if config.is_encoder_decoder:
        model = model.get_encoder()
    return model.float()


@contextmanager
def _reading(part: str, folder: Path, location: str) -> Iterator[None]:
    """Report that a part of a folder cannot be read."""
    try:
        yield
    except WeightsNotFoundError:
        raise
    # Damaged files raise errors of many libraries, some of which are plain exceptions.
    except Exception as error:
        raise WeightsNotFoundError(
            f"hf:{location}: the {part} in {folder} cannot be read ({error}). Expected the files written by "
            "save_pretrained, of a network that needs no code of its own"
        ) from error


@contextmanager
def _quiet(library: Any) -> Iterator[None]:
    """Load without progress bars, and without a report on the weights of other tasks."""
    logging = library.utils.logging
    verbosity, has_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if has_bars:
            logging.enable_progress_bar()
