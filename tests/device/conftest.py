"""Tests of Arrow columns run where pyarrow is, which has no wheel for 32-bit Arm."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [] if find_spec("pyarrow") else ["test_arrow.py", "test_registry.py", "test_tables.py"]


def pytest_report_header() -> list[str]:
    """A line if tests are left out."""
    return [f"without pyarrow, not run: {', '.join(collect_ignore)}"] if collect_ignore else []
