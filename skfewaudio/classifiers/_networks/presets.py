"""Published settings of the classifiers, by name."""

from typing import Any

import torch

# Pons, Serra, Serra, "Training neural audio classifiers with few data", arXiv:1810.10274. Settings that the
# paper does not state are from the code published with it.
FEW_DATA: dict[str, Any] = {
    "optimizer": torch.optim.SGD,
    "learning_rate": 0.1,
    "gradient_clip": 5.0,
    "recalibrate": False,
    "pad_mode": "repeat",
}
VGGISH: dict[str, Any] = {
    "architecture": "vggish",
    "weights": "vggish",
    "patch_frames": 96,
    "hop_frames": 96,
    "backbone_learning_rate": 1e-5,
    "gradient_clip": None,
}
EPISODES: dict[str, Any] = {
    "distance": "euclidean",
    "n_support": 5,
    "n_query": 5,
    "fixed_support": True,
    "max_epochs": 100_000,
    "updates_per_epoch": None,
    "patience": 200,
}

PROTOTYPICAL: dict[str, dict[str, Any]] = {
    "few-data": {
        **FEW_DATA,
        **EPISODES,
        "architecture": "vgg",
        "architecture_params": {"n_filters": 128, "input_norm": "frame", "pool_first": False},
        "embedding_size": 10,
        "patch_frames": 128,
        "hop_frames": 42,
    },
    "few-data-transfer": {**FEW_DATA, **EPISODES, **VGGISH, "embedding_size": 10},
}

CNN: dict[str, dict[str, Any]] = {
    "few-data": {
        **FEW_DATA,
        "architecture": "sb_cnn",
        "architecture_params": {"input_norm": "all"},
        "patch_frames": 128,
        "hop_frames": 1,
        "aggregation": "mean",
        "weight_decay": 0.001,
        "max_epochs": 200,
        "batch_size": 256,
    },
    "few-data-transfer": {
        **FEW_DATA,
        **VGGISH,
        "aggregation": "mean",
        "weight_decay": 0.0,
        "max_epochs": 200,
        "batch_size": 128,
    },
}
