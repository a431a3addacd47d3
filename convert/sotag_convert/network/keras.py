"""TensorFlow and legacy Keras, imported in the one way that works here. Every other module takes them from this one.

Legacy Keras (``tf_keras``), for Keras 3 does not export the fused LSTM operator (see export.py). Quietly, for TensorFlow
2.21 reports on file descriptor 2, whatever its log level, that it found no CUDA; an import that fails still raises.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _quiet_stderr():
    import tensorflow
    import tf_keras

__all__ = ["tensorflow", "tf_keras"]
