"""``sotag-edge verify``."""

from __future__ import annotations

from sotag_edge.bundle import MANIFEST, Bundle
from sotag_edge.cli import options
from sotag_edge.cli.loading import loading_numpy
from sotag_edge.errors import ModelError
from sotag_edge.golden import check_golden
from sotag_edge.models import find
from sotag_edge.terminal import printable
from sotag_edge.trial import try_out


def verify(model: options.ModelArgument = None) -> None:
    """Check the file hashes of a model and reproduce its reference scores. Exits with 0 or 3.

    Example: sotag-edge verify models/mine
    """
    bundle = Bundle.read(find(model))
    name = printable(str(bundle.path))
    print(f"{name}: the files match {MANIFEST}")
    with loading_numpy():
        try_out(bundle)
        golden = check_golden(bundle)
    if not golden.passed:
        raise ModelError(
            f"{bundle.path}: the scores of the golden text differ from the manifest's by {golden.difference:.6f}, more than "
            f"{golden.tolerance}: this runtime or processor does not compute the model correctly"
        )
    print(f"{name}: the scores of the golden text are reproduced to {golden.difference:.6f}")
