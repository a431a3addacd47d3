"""The errors a user can meet, each with the exit code that the command line ends with.

Every message is one sentence or two that say what was looked for, where, and what mends it. Nothing here prints or exits.

====  =======================================================
code  meaning
====  =======================================================
0     every input was answered
1     some input failed; the others were answered
2     the command was used wrongly
3     a model is missing, damaged or not fit to be published
4     a runtime or an optional extra is not installed
130   stopped with Ctrl-C
143   ended by another program (SIGTERM)
====  =======================================================
"""

from __future__ import annotations

INTERRUPTED = 130
TERMINATED = 143


class SotagEdgeError(Exception):
    """Base of the tree; ``exit_code`` is what the process ends with when nobody catches it."""

    exit_code = 1


class InputError(SotagEdgeError):
    """A text or a data set that cannot be read or used."""


class UsageError(SotagEdgeError):
    """A request that makes no sense as asked, such as an output that exists already."""

    exit_code = 2


class ModelError(SotagEdgeError):
    """A model that is missing, damaged, or failed its verification."""

    exit_code = 3


class MissingDependencyError(SotagEdgeError):
    """A TFLite runtime or an optional extra that is not installed, or not in a version that works."""

    exit_code = 4
