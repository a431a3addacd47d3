"""``make arm``: installs the wheel on emulated Raspberry Pi systems and compares what it does there with what it does here.

Prints a table, writes it into docs/raspberry-pi.md, and fails when a system fails or could not be built
(``ARM_ALLOW_SKIP=1`` lets those pass that could not be built). ``ARM_CACHE`` is where qemu and the systems are kept;
``ARM_ONLY`` names the systems to try, if not all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference import MODELS, ArmError, compare, reference_results

ROOT = Path(__file__).parent.parent.parent
ARM = Path(__file__).parent
GUIDE = ROOT / "docs" / "raspberry-pi.md"
CACHE = Path(os.environ.get("ARM_CACHE") or Path.home() / ".cache" / "sotag-edge" / "arm")
_BLOCK = re.compile(r"^```sh *(.*?)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"(<!-- systems -->\n).*?(<!-- /systems -->)", re.DOTALL)
_NEEDS = ("apt-get", "dpkg", "unshare", "mount", "du")
# Those of the device side's tests that start no processes: emulated, each start takes a second or two.
TESTS = (
    "test_bundle",
    "test_classifier",
    "test_decision",
    "test_explain",
    "test_fast_ids",
    "test_interpreter",
    "test_reading",
    "test_steps",
    "test_writing",
    "test_tokenizer",
    "test_vocabulary",
)
_PEAK = (
    "import resource, subprocess\n"
    'subprocess.run(["/root/sotag/bin/sotag-edge", "classify", "/root/q.txt"])\n'
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


@dataclass(frozen=True, slots=True)
class System:
    """A Raspberry Pi system, and how it is emulated. ``width``: which commands of the guide are its own."""

    name: str
    title: str
    arch: str
    suite: str
    packages: str
    qemu: str
    cpu: str
    width: str


# What a Raspberry Pi has before the guide's first command, of what the commands need.
BASE = "dash,coreutils,sed,grep,curl,python3,python3-venv,libstdc++6,ca-certificates"
SYSTEMS = (
    System(
        "pi12-64",
        "Raspberry Pi OS 12, 64-bit",
        "arm64",
        "bookworm",
        BASE,
        "aarch64",
        "cortex-a72",
        "64-bit",
    ),
    System(
        "pi13-64",
        "Raspberry Pi OS 13, 64-bit",
        "arm64",
        "trixie",
        BASE,
        "aarch64",
        "cortex-a72",
        "64-bit",
    ),
    System(
        "pi12-32",
        "Raspberry Pi OS 12, 32-bit",
        "armhf",
        "bookworm",
        BASE + ",python3-numpy",
        "arm",
        "cortex-a7",
        "32-bit",
    ),
)


class NotBuiltError(ArmError):
    """A system that could not be made."""


def check_needs() -> None:
    """Raise ``ArmError`` that says what this machine lacks."""
    missing = [tool for tool in _NEEDS if shutil.which(tool) is None]
    if missing:
        raise ArmError(f"make arm needs {', '.join(missing)}: it runs on Debian or Ubuntu")
    tried = subprocess.run(
        [
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "bash",
            "-c",
            "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc",
        ],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if tried.returncode:
        raise ArmError(
            f"make arm needs user name spaces with a binfmt_misc of their own (Linux 6.7 or newer): {tried.stderr.strip()}"
        )


def build_wheel(work: Path) -> Path:
    """The wheel of this checkout, in the folder that the guests see."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(work), str(ROOT)]
    subprocess.run(command, check=True)
    return next(work.glob("*.whl"))


def make_system(*arguments: str) -> None:
    """Run rootfs.sh; raises ``NotBuiltError``."""
    done = subprocess.run(
        [str(ARM / "rootfs.sh"), str(CACHE), *arguments], capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise NotBuiltError(f"could not be built: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")


def in_guest(system: System, work: Path, script: str, what: str, *, isolated: bool = False) -> str:
    """Run a shell script in a system and give what it prints. Raises ``ArmError`` that begins with ``what``.

    ``isolated``: it has ports of its own, and no network.
    """
    command = [
        str(ARM / "guest.sh"),
        str(CACHE),
        system.name,
        system.qemu,
        system.cpu,
        str(work),
        "/bin/sh",
        "-euc",
        script,
    ]
    environment = os.environ | ({"ARM_ISOLATED": "1"} if isolated else {})
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=1200, env=environment)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
        said += [line for line in done.stdout.splitlines() if line.startswith("FAILED ")][:1]
        crash = {132: "illegal instruction", 139: "segmentation fault"}.get(done.returncode)
        raise ArmError(f"{what}: {crash or said[-1]} (exit code {done.returncode})")
    return done.stdout


def guide(*kinds: str) -> str:
    """The commands of docs/raspberry-pi.md in blocks of these kinds: "" is for all systems."""
    blocks = _BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    return "\n".join(block for kind, block in blocks if kind in kinds)


def try_system(system: System, wheel: Path, here: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Install, run and compare. Raises ``ArmError``."""
    make_system(system.name, system.arch, system.suite, system.packages)
    work = wheel.parent
    home = CACHE / system.name / "root"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    in_guest(system, work, guide("", system.width), "the guide's commands")
    megabytes = installed_megabytes(system)
    in_guest(system, work, guide("extra"), "the guide's extra")
    answer = in_guest(system, work, guide("serve"), "the guide's commands for the network", isolated=True)
    if json.loads(answer)["label"] != "python":
        raise ArmError(f"the endpoint answers {answer}")
    doctor = {
        check["name"]: check["found"]
        for check in json.loads(in_guest(system, work, "~/sotag/bin/sotag-edge doctor --to json", "doctor"))
    }
    start = time.monotonic()
    in_guest(system, work, "echo 'a question' > ~/q.txt; ~/sotag/bin/sotag-edge classify ~/q.txt", "classify of a file")
    seconds = time.monotonic() - start
    difference = 0.0
    for model in MODELS:
        in_guest(system, work, f"~/sotag/bin/sotag-edge verify /work/{model}", f"verify {model}")
        in_guest(system, work, f"~/sotag/bin/sotag-edge info /work/{model}", f"info {model}")
        script = f"~/sotag/bin/sotag-edge classify -m /work/{model} --best-guess --to jsonl < /work/texts.txt"
        there = [
            json.loads(line)
            for line in in_guest(system, work, script, f"classify of 200 texts by {model}").splitlines()
        ]
        difference = max(difference, compare(here[model], there, model))
    tests = " ".join(f"/work/tests/device/{name}.py" for name in TESTS)
    in_guest(system, work, "~/sotag/bin/pip install --quiet --only-binary=:all: pytest hypothesis", "the tests' tools")
    in_guest(
        system,
        work,
        f"cd /work && ~/sotag/bin/python -m pytest -q -p no:cacheprovider --hypothesis-profile emulated {tests}",
        "the device side's tests",
    )
    peak = int(in_guest(system, work, f"~/sotag/bin/python -c '{_PEAK}'", "peak memory").splitlines()[-1]) / 1000
    return {
        "python": doctor["Python"].split()[0],
        "runtime": doctor["TFLite runtime"],
        "numpy": doctor["NumPy"],
        "difference": difference,
        "seconds": seconds,
        "peak": peak,
        "megabytes": megabytes,
    }


def installed_megabytes(system: System) -> float:
    """What the guide's commands put on the disk, besides Debian's own packages."""
    done = subprocess.run(["du", "-sk", str(CACHE / system.name / "root" / "sotag")], capture_output=True, check=True)
    return int(done.stdout.split()[0]) / 1000


def main() -> int:
    """Try every system; print and write the table. Returns the exit code."""
    CACHE.mkdir(parents=True, exist_ok=True)
    try:
        check_needs()
        make_system("qemu")
        wheel = build_wheel(CACHE / "work")
        here = reference_results(wheel.parent)
    except ArmError as failure:
        print(f"make arm: {failure}", file=sys.stderr)
        return 1
    shutil.copytree(ROOT / "tests", wheel.parent / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", wheel.parent)

    def tried(system: System) -> dict[str, Any] | ArmError:
        try:
            return try_system(system, wheel, here)
        except ArmError as failure:
            return failure

    only = os.environ.get("ARM_ONLY", "").split()
    systems = [system for system in SYSTEMS if not only or system.name in only]
    with ThreadPoolExecutor(2) as pool:
        return report(dict(zip(systems, pool.map(tried, systems), strict=True)))


def report(results: dict[System, dict[str, Any] | ArmError]) -> int:
    """Print the table, and write it into the guide if every system passed. Returns the exit code."""
    rows = [
        "| system | Python | runtime | NumPy | largest difference | start, emulated | installed | peak memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    failed = False
    for system, result in results.items():
        if isinstance(result, ArmError):
            skipped = isinstance(result, NotBuiltError) and os.environ.get("ARM_ALLOW_SKIP") == "1"
            failed = failed or not skipped
            print(f"{system.title}: {'skipped, ' if skipped else ''}{result}", file=sys.stderr)
            continue
        rows.append(
            f"| {system.title} | {result['python']} | {result['runtime']} | {result['numpy']} | {result['difference']:.6f} "
            f"| {result['seconds']:.1f} s | {result['megabytes']:.0f} MB | {result['peak']:.0f} MB |"
        )
    print("\n".join(rows))
    if not failed and len(rows) == len(SYSTEMS) + 2:
        table = "\n".join(rows) + "\n"
        text = GUIDE.read_text(encoding="utf-8")
        GUIDE.write_text(_TABLE.sub(lambda match: match[1] + table + match[2], text), encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
