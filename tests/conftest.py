"""What several tests share: the fixture model, and the data that lies beside the checkout where it is at hand."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.browser import browser

__all__ = ["browser"]  # a fixture of all tests

ROOT = Path(__file__).parent.parent
FIXTURE = ROOT / "tests" / "fixtures" / "model"
MULTI_LABEL = ROOT / "tests" / "fixtures" / "multi-label"
OFF_TOPIC = ROOT / "tests" / "fixtures" / "off-topic"
LINEAR_BRANCH = ROOT / "tests" / "fixtures" / "linear-branch"
STEPS = ROOT / "tests" / "fixtures" / "steps"

# No test reads or writes the models of whoever runs it. Child processes inherit it.
os.environ["SOTAG_EDGE_MODELS"] = str(Path(tempfile.gettempdir()) / "sotag-edge-tests-without-models")
# Some containers set it; without a buffer no test would notice that one is not flushed.
os.environ.pop("PYTHONUNBUFFERED", None)

# A shell starts its background commands with SIGINT ignored, nohup with SIGHUP, and children inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
# Under emulation the first text alone, for which a table of all characters is made, takes seconds.
settings.register_profile(
    "emulated", max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def fixture_model() -> Path:
    """The folder of a real model of a few kilobytes, not to be written to."""
    return FIXTURE


@pytest.fixture
def model_copy(tmp_path: Path) -> Path:
    """A copy of the fixture model, to damage."""
    return Path(shutil.copytree(FIXTURE, tmp_path / "model"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs ``sotag-edge`` in a process of its own, in an empty folder."""

    def run_command(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sotag_edge", *map(str, arguments)]
        defaults: dict[str, object] = {"capture_output": True, "encoding": "utf-8", "cwd": tmp_path, "check": False}
        if "input" not in options:
            defaults["stdin"] = subprocess.DEVNULL
        return subprocess.run(command, **(defaults | options))

    return run_command


@pytest.fixture(scope="session")
def stack_overflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Stack Overflow texts, unpacked from the archive beside the checkout; skips where there is none."""
    archive = ROOT.parent / "shared" / "data" / "stack_overflow_16k.tar.gz"
    if not archive.is_file():
        pytest.skip(f"the Stack Overflow texts are not at {archive}")
    folder = tmp_path_factory.mktemp("stack_overflow")
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):  # Debian 12's Python 3.11.2 has none
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(folder)  # noqa: S202  # the archive is our own
    return folder
