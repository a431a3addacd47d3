"""Environments as a device has them: this project with one runtime and nothing else, and the previous release.

Each is a folder of ``build/bench/environments``, made by pip. What cannot be made raises ``AbsentError``, with a sentence
for the page.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from turns import ENVIRONMENT

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "bench"
PREVIOUS = "3a3c72a"
"""The commit of release 0.1.0."""
RUNTIMES = {"ai-edge-litert": "ai_edge_litert", "tflite-runtime": "tflite_runtime"}
"""The packages, and the names that they are imported by."""
_NOT_OURS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence")  # what a new venv has


class AbsentError(Exception):
    """An environment that cannot be made here. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with a version of this project and one runtime."""

    folder: Path
    runtime: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def command(self) -> str:
        """Its ``sotag-edge``."""
        return str(self.folder / "bin" / "sotag-edge")

    @property
    def packages(self) -> Path:
        """Its folder of installed packages."""
        return next(self.folder.glob("lib/python*/site-packages"))

    def model(self, name: str) -> Path:
        """The folder of an installed model."""
        return self.packages / "sotag_edge" / "models" / name

    def megabytes(self) -> float:
        """All files of its packages, compiled modules included, without pip and setuptools."""
        ours = [entry for entry in self.packages.iterdir() if not entry.name.startswith(_NOT_OURS)]
        files = [file for entry in ours for file in ([entry] if entry.is_file() else entry.rglob("*"))]
        return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def device(runtime: str, *, anew: bool) -> Environment:
    """This checkout with a runtime. ``anew``: install all packages again, not only this project."""
    folder = BUILD / "environments" / runtime
    if anew or not folder.exists():
        _create(folder)
        _install(folder, f"{runtime} is left out", *requirements(runtime))
    _install(folder, f"{runtime} is left out", "--no-deps", "--force-reinstall", str(ROOT))
    return Environment(folder, runtime)


def previous(commit: str, *, anew: bool) -> Environment:
    """An earlier commit of this project, with the runtime that it asks for."""
    folder = BUILD / "environments" / f"commit-{commit}"
    reason = f"The previous release (commit {commit}) is left out"
    if anew or not folder.exists():
        source = _checkout(commit, reason)
        _create(folder)
        _install(folder, reason, str(source))
    installed = [name for name, module in RUNTIMES.items() if any(folder.glob(f"lib/python*/site-packages/{module}"))]
    return Environment(folder, installed[0])


def requirements(runtime: str) -> list[str]:
    """What pyproject.toml asks for, with this runtime and its NumPy, whatever the machine is."""
    chosen = []
    for line in metadata.requires("sotag-edge") or []:
        requirement, _, marker = line.partition(";")
        name = re.split(r"[^\w-]", requirement)[0]
        other_numpy = name == "numpy" and ("<2" in requirement) != (runtime == "tflite-runtime")
        if "extra ==" in marker or (name in RUNTIMES and name != runtime) or other_numpy:
            continue
        chosen.append(requirement.strip() if name in (*RUNTIMES, "numpy") else line)
    return chosen


def _create(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, env=ENVIRONMENT)


def _install(folder: Path, reason: str, *arguments: str) -> None:
    """Raises ``AbsentError``, and leaves no folder, if pip fails."""
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *arguments], stderr=subprocess.PIPE, encoding="utf-8", env=ENVIRONMENT, check=False)
    if done.returncode:
        shutil.rmtree(folder)
        errors = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        raise AbsentError(f"{reason}: {errors[-1] if errors else 'pip failed'}.")


def _checkout(commit: str, reason: str) -> Path:
    """The files of a commit. Raises ``AbsentError`` without git, or without the commit."""
    source = BUILD / f"source-{commit}"
    archive = source.with_suffix(".tar")
    archive.parent.mkdir(parents=True, exist_ok=True)
    command = ["git", "-C", str(ROOT), "archive", "--output", str(archive), commit]
    try:
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        archive.unlink(missing_ok=True)  # git leaves an empty one
        raise AbsentError(f"{reason}: this checkout has no such commit.") from error
    shutil.rmtree(source, ignore_errors=True)
    with tarfile.open(archive) as packed:
        packed.extractall(source, filter="data")
    archive.unlink()
    return source
