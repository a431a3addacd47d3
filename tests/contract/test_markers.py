"""Which wheels pip would take on each system and Python: resolved against the record of those that exist."""

from __future__ import annotations

import json

import pytest
import tomllib
from packaging import tags
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from tests.conftest import ROOT

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
SYSTEMS = {
    "Linux x86-64": (
        "linux",
        "x86_64",
        [f"manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)] + ["manylinux2014_x86_64"],
    ),
    "Linux 64-bit Arm": (
        "linux",
        "aarch64",
        [f"manylinux_2_{minor}_aarch64" for minor in range(36, 16, -1)] + ["manylinux2014_aarch64"],
    ),
    "Linux 32-bit Arm": (
        "linux",
        "armv7l",
        [f"manylinux_2_{minor}_armv7l" for minor in range(36, 16, -1)] + ["manylinux2014_armv7l"],
    ),
    "64-bit kernel of Linux 32-bit Arm": (
        "linux",
        "armv8l",
        [f"manylinux_2_{minor}_armv7l" for minor in range(36, 16, -1)] + ["manylinux2014_armv7l"],
    ),
    "macOS on Apple silicon": ("darwin", "arm64", list(tags.mac_platforms((14, 0), "arm64"))),
    "Windows": ("win32", "AMD64", ["win_amd64"]),
}
RUNTIMES = {"tflite-runtime", "ai-edge-litert"}
WHEELS: dict[str, dict[str, str]] = json.loads((ROOT / "tests" / "fixtures" / "wheels.json").read_bytes())


def taken(system: str, python: str, extra: str = "") -> dict[str, str | None]:
    """The packages that pip would install there, with the newest version of each that fits; ``None`` if none does.

    ``extra``: of an extra only the packages that it adds.
    """
    platform, machine, platforms = SYSTEMS[system]
    version = tuple(int(part) for part in python.split("."))
    interpreter = f"cp{version[0]}{version[1]}"
    fitting = {
        *tags.cpython_tags(version, platforms=platforms),
        *tags.compatible_tags(version, interpreter, platforms),
    }
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.5",
        "sys_platform": platform,
        "platform_machine": machine,
        "extra": "",
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, str | None] = {}
    for line in project["optional-dependencies"][extra] if extra else project["dependencies"]:
        requirement = Requirement(line)
        if requirement.name == project["name"]:
            found |= taken(system, python, next(iter(requirement.extras)))
        elif requirement.marker is None or requirement.marker.evaluate(environment):
            fits = [
                version
                for file, pythons in WHEELS[requirement.name].items()
                if (version := fitting_version(file, fitting)) in requirement.specifier
                and f"{python}.5" in SpecifierSet(pythons)
            ]
            found[requirement.name] = str(max(fits)) if fits else None
    return found


def fitting_version(file: str, fitting: set[tags.Tag]) -> Version:
    """The version of a file that pip can install there; of one that it cannot, a version that no requirement admits."""
    if file.endswith(".tar.gz"):
        return Version(file.removesuffix(".tar.gz").split("-")[1])
    _, version, _, kinds = parse_wheel_filename(file)
    return Version("0.dev0") if fitting.isdisjoint(kinds) else version


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", list(SYSTEMS))
def test_each_system_gets_one_runtime_that_fits(system: str, python: str) -> None:
    """One runtime, its NumPy, and a wheel of each. On a Raspberry Pi it is the small runtime, elsewhere the one that works
    with NumPy 2. On 32-bit Arm NumPy is Debian's, and from Python 3.12 on there is neither, but nothing that pip could not
    install."""
    found = taken(system, python)
    runtimes = RUNTIMES & set(found)
    if system.endswith("32-bit Arm") and python >= "3.12":
        assert set(found) == {"typer", "rich"}
        assert all(found.values())
        return
    old = system.endswith("-bit Arm") and python <= "3.11"
    assert runtimes == {"tflite-runtime" if old else "ai-edge-litert"}
    lacking = {name for name, version in found.items() if not version}
    assert lacking == ({"numpy"} if system.endswith("32-bit Arm") else set())


def test_the_reading_of_wheels_can_fail() -> None:
    """The record knows that tflite-runtime has nothing for Python 3.12, nor litert for 32-bit Arm."""
    assert not any("cp312" in file for file in WHEELS["tflite-runtime"])
    assert not any("armv7l" in file for file in WHEELS["ai-edge-litert"])


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
@pytest.mark.parametrize("system", [name for name in SYSTEMS if "32-bit" not in name])
def test_columns_and_clusters_fit_beside_the_runtime(system: str, python: str) -> None:
    """All of [spark] for each 64-bit system; beside tflite-runtime, with NumPy 1, a pyarrow that takes it."""
    found = taken(system, python, "spark")
    assert set(found) == {"pandas", "pyarrow", "pyspark"}
    assert all(found.values())
    assert str(found["pyspark"]).startswith("4.")
    if "tflite-runtime" in taken(system, python):
        assert Version(str(found["pyarrow"])) < Version("26")


def test_there_is_no_pyarrow_for_32_bit_arm() -> None:
    """So the extra cannot be installed there, and the guide does not name it."""
    assert not any("armv7l" in file for file in WHEELS["pyarrow"])
