"""Published settings of the classifiers, by name."""

from typing import Any

import torch

PROTOTYPICAL: dict[str, dict[str, Any]] = {
    # Pons, Serra, Serra, "Training neural audio classifiers with few data", arXiv:1810.10274, section 2.2,
    # and where it is silent the code published with it.
    "few-data": {
        "architecture": "vgg",
        "architecture_params": {"n_filters": 128, "input_norm": "frame"},
        "embedding_size": 10,
        "patch_frames": 128,
        "hop_frames": 42,
        "pad_mode": "repeat",
        "distance": "euclidean",
        "n_support": 5,
        "n_query": 5,
        "fixed_support": True,
        "recalibrate": False,
        "optimizer": torch.optim.SGD,
        "learning_rate": 0.1,
        "gradient_clip": 5.0,
        "max_epochs": 100_000,
        "updates_per_epoch": None,
        "patience": 200,
    },
}
