"""The tables of an evaluation as text."""

from __future__ import annotations

import io
import re
from unittest import mock

from sotag_convert.cli.tables import print_evaluations
from sotag_convert.report.evaluation import Evaluation

_STYLE = re.compile("\x1b\\[[0-9;]*m")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(evaluation: Evaluation, *, terminal: bool) -> str:
    """What ``evaluate`` prints, on a terminal or into a file, without colours."""
    stream = _Terminal() if terminal else io.StringIO()
    with mock.patch("sys.stdout", stream):
        print_evaluations({"as given": evaluation})
    return _STYLE.sub("", stream.getvalue())
