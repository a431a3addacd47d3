"""``python -m sotag_edge``."""

from sotag_edge.cli import main

if __name__ == "__main__":
    main()
