"""``python -m sotag_edge`` and the ``sotag-edge`` command. Ctrl-C ends it quietly, even during its imports."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line."""
    import signal

    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:  # not ignored, as in the background of a shell
        # At once: an exception during an import would be reported as a fault of the module.
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from sotag_edge.cli.plain import plain
    from sotag_edge.cli.process import run

    command = plain(sys.argv[1:])
    if command is None:
        from sotag_edge.cli.app import app

        command = app
    signal.signal(signal.SIGINT, usual)
    run(command)


if __name__ == "__main__":
    # "python -m" puts the current directory first, whatever lies there. Only what Python itself has loaded is used so far.
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        del sys.path[0]
    main()
