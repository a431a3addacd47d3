"""``python -m sotag_edge`` and the ``sotag-edge`` command. Ctrl-C ends it quietly, even during its imports."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line."""
    try:
        from sotag_edge.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    if sys.path[:1] == [os.getcwd()]:  # noqa: PTH109  # a string; "python -m" would import from the current directory
        del sys.path[0]
    main()
