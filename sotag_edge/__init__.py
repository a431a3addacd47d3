"""sotag-edge tags programming questions, or any texts with your own tags, on a Raspberry Pi or a laptop CPU.

>>> from sotag_edge import Classifier
>>> classifier = Classifier.load()
>>> classifier.classify("How do I merge two pandas data frames?").label
'python'

Importing this package loads neither numpy nor a TFLite runtime; ``Classifier.load()`` does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sotag_edge.classifier import Classifier
    from sotag_edge.decision import Prediction, Reason
    from sotag_edge.errors import InputError, MissingDependencyError, ModelError, SotagEdgeError, UsageError

__all__ = [
    "Classifier",
    "InputError",
    "MissingDependencyError",
    "ModelError",
    "Prediction",
    "Reason",
    "SotagEdgeError",
    "UsageError",
]


_MODULES = {"Classifier": "classifier", "Prediction": "decision", "Reason": "decision"}  # the others are errors


def __getattr__(name: str) -> Any:
    # Loaded when they are used, so that the command handles Ctrl-C nearly from its first moment.
    if name in __all__:
        return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("sotag-edge")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
