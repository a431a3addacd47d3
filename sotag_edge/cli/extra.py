"""Whether the libraries of an extra are installed."""

from __future__ import annotations

from importlib.util import find_spec

from sotag_edge.errors import MissingDependencyError

_EXTRAS = {
    "arrow": ("pyarrow",),
    "spark": ("pyspark", "pyarrow", "pandas"),
    "serve": ("starlette", "uvicorn", "prometheus_client"),
    "evaluate": ("sklearn", "pooch"),
    "report": ("jinja2", "vl_convert"),
    "convert": ("tensorflow", "tf_keras", "optuna", "sklearn", "pooch"),
}
_PACKAGES = {"sklearn": "scikit-learn", "vl_convert": "vl-convert-python"}
"""The names of packages whose modules are called otherwise."""


def require_extra(extra: str) -> None:
    """Raise ``MissingDependencyError`` with the command to install an extra. Imports nothing: TensorFlow takes seconds."""
    missing = [_PACKAGES.get(name, name) for name in _EXTRAS[extra] if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"{', '.join(missing)} must be installed for this command: pip install 'sotag-edge[{extra}]'"
        )
