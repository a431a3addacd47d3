"""A Spark cluster of processes on the loopback for ``cluster.py``, and what its processes use. Linux only."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

_SECONDS = 60  # in which the cluster starts
_INTERVAL = 0.1  # seconds between two looks at the processes
_TICKS = os.sysconf("SC_CLK_TCK")


class Cluster:
    """A master and workers with one core each: a context. ``workers``: their processes."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder, self._count = folder, count
        self._processes: list[subprocess.Popen[bytes]] = []
        self.workers = [""] * count
        self.master = ""

    def __enter__(self) -> Cluster:
        self._folder.mkdir(parents=True)
        port = _free_port()
        self.master = f"spark://127.0.0.1:{port}"
        self._start("master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")
        _wait_for(port)
        for number in range(self._count):
            work = ("--work-dir", str(self._folder / f"work-{number}"))
            limits = ("--cores", "1", "--memory", "2g", "--host", "127.0.0.1", "--webui-port", "0")
            self._start("worker.Worker", *limits, *work, self.master)
        time.sleep(5)  # until they have registered
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()

    def _start(self, name: str, *arguments: str) -> None:
        import pyspark

        program = Path(pyspark.__file__).parent / "bin" / "spark-class"
        settings = {
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(self._folder / "local"),
            "SPARK_DAEMON_MEMORY": "256m",
        }
        with (self._folder / f"{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(program), f"org.apache.spark.deploy.{name}", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | settings,
                start_new_session=True,
            )
        self._processes.append(process)


class Watch(threading.Thread):
    """Looks at all processes below this one until the block ends: the processor time of each, and its largest memory."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._ends = threading.Event()
        self._cpu: dict[tuple[int, str], tuple[float, float, str]] = {}  # first and last seconds, and the command
        self._memory: dict[tuple[int, str], float] = {}  # megabytes
        self._began = time.monotonic()

    def __enter__(self) -> Watch:
        self._look()
        self._before = set(self._cpu)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self.join()
        self._look()

    def run(self) -> None:
        """Look again and again."""
        while not self._ends.wait(_INTERVAL):
            self._look()

    def cpu(self, words: str = "") -> float:
        """Seconds of the processor since the block began, of the processes whose command has these words."""
        return sum(
            last - (first if key in self._before else 0)
            for key, (first, last, command) in self._cpu.items()
            if words in command
        )

    def megabytes(self, words: str) -> float:
        """The largest private memory of a process whose command has these words."""
        return max((size for key, size in self._memory.items() if words in self._cpu[key][2]), default=0.0)

    def _look(self) -> None:
        for process in _below(os.getpid()):
            with suppress(OSError, ValueError):
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                key = (process, fields[19])
                seconds = (int(fields[11]) + int(fields[12])) / _TICKS
                command = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                first, _, before = self._cpu.get(key, (seconds, seconds, ""))
                self._cpu[key] = (first, seconds, command or before)  # one that has ended has none
                if "pyspark.daemon" in command:
                    self._memory[key] = max(self._memory.get(key, 0.0), _private(process))


def workers_of(words: str) -> list[int]:
    """The processes below this one whose command has these words, those without such children first."""
    found = []
    for process in _below(os.getpid()):
        with suppress(OSError):
            if words in Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode():
                found.append(process)
    return found


def _below(process: int) -> list[int]:
    """The descendants of a process, parents first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [process]
    while waiting:
        own = children.get(waiting.pop(), [])
        found += own
        waiting += own
    return found


def _private(process: int) -> float:
    """Megabytes that a process shares with no other."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1e3


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise SystemExit("the master did not start")
