"""``sotag-edge verify``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from sotag_edge import bundle as bundles
from sotag_edge.errors import ModelError
from sotag_edge.formats.fields import printable
from sotag_edge.golden import check_golden


def verify(
    model: Annotated[
        Optional[str], typer.Argument(envvar="SOTAG_EDGE_MODEL", help="A model's folder or name. [default: 'default']")
    ] = None,
) -> None:
    """Check that a model is whole and computes here what it computed where it was made; the exit code says it, 0 or 3.

    Example: sotag-edge verify models/mine
    """
    bundle = bundles.read(bundles.find(model))
    name = printable(str(bundle.path))
    print(f"{name}: the files are those that {bundles.MANIFEST} describes")
    golden = check_golden(bundle)
    if not golden.passed:
        raise ModelError(
            f"{bundle.path} gives its golden text other scores than where it was made: they differ by "
            f"{golden.difference:.6f}, and may by {golden.tolerance}; this runtime or processor does not compute it right"
        )
    print(f"{name}: the golden text has its scores, to {golden.difference:.6f}")
