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
    # "python -m" puts the current folder first, and what lies there would be imported.
    sys.path[:] = [folder for folder in sys.path if folder not in ("", os.getcwd())]  # noqa: PTH109  # a string
    main()
