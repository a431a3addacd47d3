"""The errors that a user can meet, each with the exit code of the command line.

Every message is one or two sentences: what was expected, where, and how to fix it. Nothing here prints or exits.

====  =======================================================
code  meaning
====  =======================================================
0     every input was answered
1     some input failed; the others were answered
2     the command was used incorrectly
3     a model is missing, damaged or failed its verification
4     a runtime or an optional extra is not installed
130   stopped with Ctrl-C
143   stopped by another program (SIGTERM)
====  =======================================================
"""

from __future__ import annotations

INTERRUPTED = 130
TERMINATED = 143


class SotagEdgeError(Exception):
    """The base of all errors. ``exit_code``: the exit code of the process if nothing catches the error."""

    exit_code = 1


class InputError(SotagEdgeError):
    """A text or a data set that cannot be read or used."""


class NotTextError(InputError):
    """An input that is binary, not text."""


class UsageError(SotagEdgeError):
    """A request that is not possible, such as an output that exists already."""

    exit_code = 2


class ModelError(SotagEdgeError):
    """A model that is missing or damaged, or that failed its verification."""

    exit_code = 3


class MissingDependencyError(SotagEdgeError):
    """A TFLite runtime or an optional extra that is not installed, or not in a version that works."""

    exit_code = 4
