"""Facts about this machine, and the one diagnosis of its TFLite runtime; for the interpreter, ``doctor`` and ``benchmark``.

A fact is ``None`` if the system does not provide it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

RUNTIMES = {"tflite-runtime": "tflite_runtime", "ai-edge-litert": "ai_edge_litert"}
"""The packages that bring a TFLite runtime, the preferred one first, and the name that each is imported by."""
_CPU_NAMES = ("model name", "Model", "Hardware")  # of x86, of a Raspberry Pi, of older Arm kernels

_INSTALL_NUMPY = (
    "pip install --force-reinstall 'numpy<2' (Linux, Python 3.11 or older; on a 32-bit Raspberry Pi apt install "
    "python3-numpy and use a venv --system-site-packages), or pip install --force-reinstall numpy"
)
_INSTALL_RUNTIME = "pip install tflite-runtime 'numpy<2' (Linux, Python 3.11 or older), or pip install ai-edge-litert"
_NO_WHEELS = (
    "there are no wheels of a TFLite runtime for a 32-bit system and this Python: use Python 3.11 (Raspberry Pi OS 12), "
    "or a 64-bit system"
)


class Check(NamedTuple):
    """One thing that was checked. ``found``: its state; ``remedy``: the command that repairs it, empty if it is fine."""

    name: str
    found: str
    remedy: str = ""


def runtime_checks(runtimes: Mapping[str, str], numpy: str | None) -> list[Check]:
    """Whether a TFLite runtime can run here. ``runtimes``: the version of each installed package; ``numpy``: that of NumPy.

    >>> [check.remedy for check in runtime_checks({"tflite-runtime": "2.14.0"}, "2.1.0")]
    ['', "pip install 'numpy<2'"]
    """
    if not runtimes:
        no_wheels = sys.maxsize < 2**32 and sys.version_info >= (3, 12)
        runtime = Check("TFLite runtime", "not installed", _NO_WHEELS if no_wheels else _INSTALL_RUNTIME)
    else:
        runtime = Check("TFLite runtime", ", ".join(f"{name} {version}" for name, version in runtimes.items()))
    if numpy is None:
        return [runtime, Check("NumPy", "not installed", _INSTALL_NUMPY)]
    if runtimes and not any(works_with(name, numpy) for name in runtimes):
        return [runtime, Check("NumPy", f"{numpy}, which tflite-runtime does not work with", "pip install 'numpy<2'")]
    return [runtime, Check("NumPy", numpy)]


def works_with(runtime: str, numpy: str) -> bool:
    """Whether a runtime works with a version of NumPy.

    Measured: beside NumPy 2 tflite-runtime imports, then crashes with "_ARRAY_API not found" when an interpreter is made.
    """
    return runtime != "tflite-runtime" or int(numpy.split(".", maxsplit=1)[0]) < 2


def runtimes() -> dict[str, str]:
    """The installed TFLite runtimes and their versions."""
    return {name: version for name in RUNTIMES if (version := installed(name))}


def installed(name: str) -> str | None:
    """The version of a package, from its metadata; it is not imported."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def cpu() -> str | None:
    """The model of the processor, or of the board."""
    for line in _lines("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() in _CPU_NAMES and value.strip():
            return value.strip()
    import platform

    return platform.processor() or None


def cpu_flags() -> list[str] | None:
    """The features of the processor that a runtime may need."""
    for line in _lines("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            known = {"sse4_2", "avx", "avx2", "fma", "avx512f", "neon", "asimd", "asimddp", "vfpv4"}
            return sorted(known & set(value.split()))
    return None


def temperature() -> float | None:
    """Degrees Celsius of the first thermal zone."""
    for line in _lines("/sys/class/thermal/thermal_zone0/temp"):
        return int(line) / 1000 if line.strip().lstrip("-").isdigit() else None
    return None


def throttled() -> str | None:
    """The throttling flags of a Raspberry Pi; ``0x0`` is never throttled."""
    import shutil
    import subprocess

    if shutil.which("vcgencmd") is None:
        return None
    done = subprocess.run(["vcgencmd", "get_throttled"], capture_output=True, encoding="utf-8", check=False)  # noqa: S607
    return done.stdout.strip().removeprefix("throttled=") or None


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def peak_megabytes() -> float | None:
    """The peak memory of this process, in megabytes."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1_000_000 if sys.platform == "darwin" else 1_000)


def libc() -> str | None:
    """The C library and its version, which the tags of wheels name."""
    import platform

    return " ".join(platform.libc_ver()).strip() or None


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
