"""States of transformers that run trained networks, whose weights are not in the model file."""

from os import PathLike
from typing import Any

from .. import _limits as limits
from .front_ends import MEASURED, SAMPLES, WAVEFORMS, check_vectors, pass_clips, run
from .objects import part
from .pipelines import named_parts
from .scope import Scope
from .state import State
from .values import checksum, choice, either, integer, none, number, refuse

_ANY_RATE = either(none, integer(1, limits.MAX_SAMPLE_RATE))


def _model(value: Any, scope: Scope) -> None:
    """Expect the name of a network that runs no code of others, or an object that the caller trusts."""
    if not isinstance(value, str | PathLike):
        scope.inspect(value, False)  # refused, unless its type is trusted
    elif scope.estimator.may_run_code:
        scope.need(
            str(value) in scope.trusted, f"is {str(value)!r}, which runs code of its author; trust its name"
        )


def _output(value: Any, _: Scope) -> None:
    if not (value is None or type(value) in (str, int)):
        refuse(value, "None, a name or an index")


def _checksums(value: Any, scope: Scope) -> None:
    scope.need(type(value) is dict and all(isinstance(name, str) for name in value), "is no dict by name")
    for item in value.values():
        checksum(item, scope)


def _check_both(scope: Scope) -> None:
    """Check that the embeddings learn nothing, and pass on the numbers of bands and dimensions."""
    model = scope.estimator
    run(model._check_parts)
    names = [name for name, _ in model.embeddings]
    scope.need(set(model.checksums_) == set(names), "has checksums_ of other names than embeddings")
    able = all(hasattr(embedding, "transform") for _, embedding in model.embeddings)
    scope.need(able, "has an embedding without transform")
    pass_clips(model.spectrogram, scope)
    scope.embeddings = {name: scope.inspect(part, True).outputs for name, part in model.embeddings}


STATES = {
    "skfewaudio.features._sound_embed.SoundEmbed": State(
        optional=MEASURED,
        rule=check_vectors,
    ),
    "skfewaudio.features._pretrained_embed.PretrainedEmbed": State(
        optional={**SAMPLES, "checksum_": checksum},
        parameters={
            "model": _model,
            "output": _output,
            "pooling": choice("mean", "max", None),
            "hop": either(none, number(limits.SMALLEST_HOP, limits.LONGEST_WINDOW)),
            "window": either(none, number(limits.SMALLEST_HOP, limits.LONGEST_WINDOW)),
            "sample_rate": _ANY_RATE,
            "batch_size": integer(1, limits.MAX_BATCH),
            "channel": WAVEFORMS["channel"],
        },
    ),
    "skfewaudio.features._spectrogram_with_embeddings.SpectrogramWithEmbeddings": State(
        fitted={"sample_rate_": _ANY_RATE, "checksums_": _checksums},
        optional=SAMPLES,
        parameters={"spectrogram": part(method="transform"), "embeddings": named_parts},
        rule=_check_both,
    ),
}
