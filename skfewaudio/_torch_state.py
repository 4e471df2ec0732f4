"""Random numbers and defaults of a block of torch code, independent of those of the process.

torch has one random generator and one default data type for all threads of a process. Here, each block draws
from generators of its own, so that blocks in several threads do not disturb each other or other programs.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from numbers import Number
from typing import Any

import numpy as np
import torch
from torch.nn import functional, init
from torch.overrides import TorchFunctionMode

from ._threads import ProcessLock

Function = Callable[..., Any]


def _find_functions(names: str) -> frozenset[Function]:
    """Return the functions and methods of torch that have one of the names."""
    spaces = (torch, torch.Tensor, torch.fft, functional, init)
    return frozenset(
        getattr(space, name) for space in spaces for name in names.split() if hasattr(space, name)
    )


# Functions that draw from their argument `generator`, and functions that have no such argument.
DRAW_FROM_GENERATOR = _find_functions(
    "bernoulli bernoulli_ binomial cauchy_ exponential_ geometric_ kaiming_uniform_ log_normal_ multinomial "
    "normal normal_ poisson rand randint randn random_ randperm uniform_"
)
DRAW_FROM_PROCESS = _find_functions(
    "alpha_dropout alpha_dropout_ dropout dropout_ dropout1d dropout2d dropout3d feature_alpha_dropout "
    "feature_alpha_dropout_ feature_dropout feature_dropout_ fractional_max_pool2d fractional_max_pool3d gru "
    "gumbel_softmax lstm multi_head_attention_forward native_dropout rand_like randint_like randn_like "
    "rnn_relu rnn_tanh rrelu rrelu_ scaled_dot_product_attention"
)
# Functions that make tensors of the default data type: always, or of Python's floating-point numbers.
OF_DEFAULT_TYPE = _find_functions(
    "bartlett_window blackman_window empty empty_permuted empty_strided eye fftfreq hamming_window "
    "hann_window kaiser_window linspace logspace normal ones rand randn rfftfreq zeros"
)
OF_TYPE_OF_DATA = _find_functions("arange as_tensor asarray full scalar_tensor tensor")

_process_generators_lock = ProcessLock()


@contextmanager
def own_state(seed: int, device: torch.device) -> Iterator[None]:
    """Run a block that trains or builds a network with its own seed, and with torch's original defaults.

    The random state of the process, and the defaults and contexts of the caller (data type, device,
    gradients, precision) do not influence the block. They are unchanged afterwards.

    Parameters
    ----------
    seed : int
        Seed of all random numbers that torch draws in the block.
    device : torch.device
        Device of the computations. Tensors are made there if the caller has set a default device.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        if device.type != "meta":
            # Within a context of autocast, inner ones would use copies of the weights of earlier steps.
            stack.enter_context(torch.autocast(device.type, enabled=False, cache_enabled=False))
        stack.enter_context(_OwnGenerators(seed))
        stack.enter_context(own_defaults(device))
        yield


@contextmanager
def own_defaults(device: torch.device) -> Iterator[None]:
    """Run a block with single precision and a device as defaults, if the caller has set other defaults."""
    with ExitStack() as stack:
        if torch.get_default_dtype() != torch.float32:
            stack.enter_context(_SinglePrecision())
        if device.type == "meta" or torch.empty(0).device.type != "cpu":
            stack.enter_context(device)
        yield


class _OwnGenerators(TorchFunctionMode):
    """Mode in which functions of torch draw from own generators, one per device."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed
        self._generators: dict[torch.device, torch.Generator] = {}

    def __torch_function__(self, func: Function, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in DRAW_FROM_GENERATOR:
            return self._draw(func, args, kwargs)
        if func in DRAW_FROM_PROCESS:
            return self._draw_without_argument(func, args, kwargs)
        return func(*args, **kwargs)

    def _draw(self, func: Function, args: Any, kwargs: dict[str, Any]) -> Any:
        device = _find_device(args, kwargs)
        if device.type != "meta" and kwargs.get("generator") is None:
            kwargs = kwargs | {"generator": self._get_generator(device)}
        return func(*args, **kwargs)

    def _draw_without_argument(self, func: Function, args: Any, kwargs: dict[str, Any]) -> Any:
        device = _find_device(args, kwargs)
        if device.type not in ("cpu", "cuda"):
            return func(*args, **kwargs)
        if device.type == "cpu" and func is functional.dropout:
            return self._drop_out(*args, **kwargs)
        # In a block within a block, the outer mode must not lend its generator in turn.
        with self._lend_generator(device), torch._C.DisableTorchFunction():
            return func(*args, **kwargs)

    def _drop_out(
        self, input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> torch.Tensor:
        """Compute the same as torch's dropout on a CPU, but draw from the own generator."""
        if not training or not 0 < p < 1 or not input.numel():
            return functional.dropout(input, p, training, inplace)
        noise = torch.empty_like(input, requires_grad=False)
        noise.bernoulli_(1 - p, generator=self._get_generator(input.device)).div_(1 - p)
        return input.mul_(noise) if inplace else input * noise

    def _get_generator(self, device: torch.device) -> torch.Generator:
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(self._seed)
        return self._generators[device]

    @contextmanager
    def _lend_generator(self, device: torch.device) -> Iterator[None]:
        """Put the generator of the process into the state of the own generator for a single call."""
        own, of_process = self._get_generator(device), _process_generator(device)
        with _process_generators_lock:
            before = of_process.get_state()
            of_process.set_state(own.get_state())
            try:
                yield
            finally:
                own.set_state(of_process.get_state())
                of_process.set_state(before)


class _SinglePrecision(TorchFunctionMode):
    """Mode in which functions of torch make tensors of single precision, whatever the default data type."""

    def __torch_function__(self, func: Function, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if kwargs.get("dtype") is None and all(map(_is_python, args)):
            if func in OF_DEFAULT_TYPE:
                kwargs = kwargs | {"dtype": torch.float32}
            elif func in OF_TYPE_OF_DATA:
                made = func(*args, **kwargs)
                return made.float() if made.is_floating_point() else made
        return func(*args, **kwargs)


def _is_python(value: Any) -> bool:
    """Return whether a value is a number of Python or a sequence."""
    return isinstance(value, Number | list | tuple) and not isinstance(value, np.generic)


def _find_device(args: Any, kwargs: dict[str, Any]) -> torch.device:
    """Return the device of a tensor among the arguments of a function, or else of its result."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, torch.Tensor):
            return value.device
    device = torch.device(kwargs.get("device") or "cpu")  # a default device is among the arguments by now
    return torch.device("cuda", torch.cuda.current_device()) if device == torch.device("cuda") else device


def _process_generator(device: torch.device) -> torch.Generator:
    """Return the generator that all threads of the process share."""
    if device.type == "cpu":
        return torch.default_generator
    return torch.cuda.default_generators[device.index]
