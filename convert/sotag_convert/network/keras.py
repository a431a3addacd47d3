"""TensorFlow and legacy Keras. This is the only module that imports them; the others take ``tf`` and ``tf_keras`` from here.

Legacy Keras (``tf_keras``), because Keras 3 does not export the fused LSTM operator (see export/converter.py). The import is
quiet: TensorFlow 2.21 reports on file descriptor 2, at any log level, that there is no CUDA. An import that fails still
raises.
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
    import tensorflow as tf
    import tf_keras
    from tensorflow.lite.python import schema_py_generated as tflite_schema

# Dropout draws from generators whose states are variables, so that a resumed run draws what an uninterrupted one does. By
# default the state is hidden in TensorFlow's kernels.
tf_keras.backend.experimental.enable_tf_random_generator()

__all__ = ["tf", "tf_keras", "tflite_schema"]
