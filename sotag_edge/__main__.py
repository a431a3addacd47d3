"""``python -m sotag_edge`` and the ``sotag-edge`` command. Ctrl-C ends it quietly, even during its imports."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Run the command line."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:  # not ignored, as in the background of a shell
        # At once: an exception during an import would be reported as a fault of the module.
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from sotag_edge.cli.app import main as run

    signal.signal(signal.SIGINT, usual)
    run()


if __name__ == "__main__":
    if sys.path[:1] == [os.getcwd()]:  # noqa: PTH109  # a string; "python -m" would import from the current directory
        del sys.path[0]
    main()
