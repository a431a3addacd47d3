"""What this machine is: for ``doctor`` and ``benchmark``. Each fact is ``None`` where the system does not tell it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

_RUNTIMES = ("tflite-runtime", "ai-edge-litert")
_CPU_NAMES = ("model name", "Model", "Hardware")  # of x86, of a Raspberry Pi, of older Arm kernels


def runtimes() -> dict[str, str]:
    """The TFLite runtimes that are installed, and their versions."""
    return {name: found for name in _RUNTIMES if (found := installed(name))}


def installed(name: str) -> str | None:
    """The version of a package."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def cpu() -> str | None:
    """The processor's model, or the board's."""
    for line in _lines("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() in _CPU_NAMES and value.strip():
            return value.strip()
    return platform.processor() or None


def cpu_flags() -> list[str] | None:
    """What the processor can do, of what a runtime may need."""
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
    """What a Raspberry Pi says of its throttling, such as ``0x0``: never."""
    if shutil.which("vcgencmd") is None:
        return None
    done = subprocess.run(["vcgencmd", "get_throttled"], capture_output=True, encoding="utf-8", check=False)  # noqa: S607
    return done.stdout.strip().removeprefix("throttled=") or None


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def peak_megabytes() -> float | None:
    """The most memory that this process has had, in megabytes."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1_000_000 if platform.system() == "Darwin" else 1_000)


def libc() -> str | None:
    """The C library and its version, which wheels are tagged with."""
    return " ".join(platform.libc_ver()).strip() or None


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
