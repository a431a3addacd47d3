"""Whether the workstation side's libraries are installed."""

from __future__ import annotations

from importlib.util import find_spec

from sotag_edge.errors import MissingDependencyError

_NEEDED = ("tensorflow", "tf_keras", "sklearn", "pooch")


def require_convert_extra() -> None:
    """Raise ``MissingDependencyError`` that says what to install. Looks, but imports nothing: TensorFlow takes seconds."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"training, converting and evaluating need {', '.join(missing)}: pip install 'sotag-edge[convert]'"
        )
