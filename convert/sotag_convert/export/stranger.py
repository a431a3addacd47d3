"""The network of a bundle that may be anybody's: its weights are read in a process of its own, with limits."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sotag_convert.export.isolated import run_module
from sotag_convert.network.architectures import settings_from
from sotag_convert.network.network import Network
from sotag_edge.errors import ModelError

_SECONDS = 300
_MEMORY = 4 * 1024**3  # bytes of address space


def load_network(description: Mapping[str, Any], weights: Path) -> Network:
    """The network of a manifest's ``network`` entry, with the weights of a ``model.keras``.

    Raises ``ModelError``, also for a file that crashes its parser. Nothing in the file runs.
    """
    try:
        network = Network(settings_from(description))
    except ValueError as error:
        raise ModelError(f"the network in the model.json beside {weights.name} cannot be built: {error}") from error
    request = json.dumps({"path": str(weights.absolute()), "shapes": network.shapes()})
    failure = f"{weights} does not hold the weights of the network that its model.json describes"
    answer = run_module("sotag_convert.network.weights", request, failure=failure, seconds=_SECONDS, memory=_MEMORY)
    with np.load(io.BytesIO(base64.b64decode(answer)), allow_pickle=False) as arrays:
        network.model.set_weights([arrays[name] for name in arrays.files])
    return network
