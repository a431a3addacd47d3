"""``sotag_edge.spark`` on a cluster of processes: a master, two workers, and a driver that alone has the model."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sotag_edge import Classifier
from tests.conftest import FIXTURE

pyspark = pytest.importorskip("pyspark")
if not Path("/proc/self/cwd").exists():
    pytest.skip(
        "the processes of a cluster are found in /proc, which this system does not have", allow_module_level=True
    )

import pyarrow.dataset as ds  # noqa: E402  # comes with pyspark

ROWS = 3000
TEXT = "concat_ws(' ', 'knead', if(id % 2 = 0, 'the dough', 'hoist'), if(id % 3 = 0, 'sail', 'roses'), id)"

# Runs a job for each line that it reads: the name of an output and its mode. A batch waits, so that there is a middle.
DRIVER = f"""
import sys, time, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from pyspark.sql import SparkSession
from sotag_edge.spark import tag
master, model, folder = sys.argv[1:]
settings = {{
    "spark.ui.enabled": "false", "spark.executor.memory": "512m", "spark.driver.memory": "512m",
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.local.dir": folder + "/scratch",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "50", "spark.locality.wait": "0",
}}
builder = SparkSession.builder.master(master)
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
def slowly(batches):
    for batch in batches:
        time.sleep(0.06)
        yield batch
texts = spark.range(0, {ROWS}, 1, 30).selectExpr("id", "{TEXT} as text")
print("ready", flush=True)
for line in sys.stdin:
    name, mode = line.split()
    tagged = tag(texts, model=model)
    try:
        tagged.mapInArrow(slowly, tagged.schema).write.mode(mode).parquet(folder + "/" + name)
        print("done", flush=True)
    except Exception as error:
        print(str(error).splitlines()[0], flush=True)
spark.stop()
"""


class Process:
    """A process, which is ended at the end of the test with all that it started."""

    def __init__(self, *command: str, environment: dict[str, str], folder: Path) -> None:
        self.log = folder / f"{len(list(folder.glob('*.log')))}.log"
        with self.log.open("wb") as log:
            self.run = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                cwd=folder,
                env=os.environ | environment,
                start_new_session=True,
            )

    def ask(self, line: str) -> None:
        """Write a line to it."""
        self.run.stdin.write(line + "\n")
        self.run.stdin.flush()

    def answer(self) -> str:
        """The next line that it writes."""
        line = self.run.stdout.readline().strip()
        assert line, self.log.read_text(errors="replace")[-3000:]
        return line

    def kill(self) -> None:
        """End it at once, and all of its session."""
        os.killpg(self.run.pid, signal.SIGKILL)
        self.run.wait()
        self.run.stdin.close()
        self.run.stdout.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], seconds: float = 180) -> Any:
    """What a condition gives as soon as it is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)
    return value


def processes_in(folder: Path, words: str) -> dict[int, int]:
    """The processes whose current directory is in a folder and whose command has these words, each with its parent."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if words in command and (entry / "cwd").readlink().is_relative_to(folder):
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    return found


class Cluster:
    """A master and two workers on the loopback, each worker with one core."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.master = f"spark://127.0.0.1:{free_port()}"
        self.processes: list[Process] = []
        environment = {
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_LOCAL_DIRS": str(folder / "local"),
            "SPARK_NO_DAEMONIZE": "1",
        }
        program = str(Path(pyspark.__file__).parent / "bin" / "spark-class")
        port = self.master.rpartition(":")[2]
        of_master = ("--host", "127.0.0.1", "--port", port, "--webui-port", "0")
        self.start(program, "org.apache.spark.deploy.master.Master", *of_master, environment=environment)
        until(self.is_there)
        for number in (1, 2):
            of_worker = ("--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", "512m")
            work = ("--work-dir", str(folder / f"work{number}"), self.master)
            self.start(program, "org.apache.spark.deploy.worker.Worker", *of_worker, *work, environment=environment)

    def start(self, *command: str, environment: dict[str, str] | None = None) -> Process:
        process = Process(*command, environment=environment or {}, folder=self.folder)
        self.processes.append(process)
        return process

    def is_there(self) -> bool:
        host, port = self.master.removeprefix("spark://").split(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0

    def driver(self, model: Path) -> Process:
        """A driver that is ready for jobs."""
        driver = self.start(sys.executable, "-c", DRIVER, self.master, str(model), str(self.folder))
        assert driver.answer() == "ready"
        return driver

    def wait_for_middle(self, name: str) -> None:
        """Until some tasks of a job have ended, and others have not."""
        until(lambda: len(list((self.folder / name).glob("_temporary/**/part-*.parquet"))) > 6)
        assert not (self.folder / name / "_SUCCESS").exists()

    def executors(self) -> list[int]:
        return list(processes_in(self.folder, "CoarseGrainedExecutorBackend"))

    def python_workers(self) -> list[int]:
        """The processes that tag, which the daemon of an executor has forked."""
        daemons = processes_in(self.folder, "pyspark.daemon")
        return [process for process, parent in daemons.items() if parent in daemons]


@pytest.fixture(scope="module")
def cluster(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    cluster = None
    try:
        cluster = Cluster(folder)
        yield cluster
    finally:
        for process in reversed(cluster.processes if cluster else []):
            if process.run.poll() is None:
                process.kill()
        for words in ("CoarseGrainedExecutorBackend", "pyspark.daemon"):  # in sessions of their own
            for process in processes_in(folder, words):
                os.kill(process, signal.SIGKILL)


def assert_whole(output: Path) -> None:
    """Every row once, with the classifier's own answer to the bit."""
    assert (output / "_SUCCESS").exists()
    rows = ds.dataset(output).to_table().to_pylist()
    assert sorted(row["id"] for row in rows) == list(range(ROWS))
    classifier = Classifier.load(FIXTURE)
    answers = classifier.classify_many([row["text"] for row in rows])
    assert [(row["label"], row["score"]) for row in rows] == [(answer.label, answer.score) for answer in answers]


def test_nothing_is_lost_or_doubled_whatever_is_killed(cluster: Cluster, tmp_path: Path) -> None:
    """An executor, a Python worker, and the driver, each in the middle of a job; the driver's job is run again."""
    model = tmp_path / "model"  # nowhere else
    shutil.copytree(FIXTURE, model)
    driver = cluster.driver(model)
    driver.ask("executor error")
    cluster.wait_for_middle("executor")
    os.kill(cluster.executors()[0], signal.SIGKILL)
    assert driver.answer() == "done"
    assert_whole(cluster.folder / "executor")

    driver.ask("worker error")
    cluster.wait_for_middle("worker")
    os.kill(until(cluster.python_workers)[0], signal.SIGKILL)
    assert driver.answer() == "done"
    assert_whole(cluster.folder / "worker")

    driver.ask("driver error")
    cluster.wait_for_middle("driver")
    driver.kill()
    assert not (cluster.folder / "driver" / "_SUCCESS").exists()
    assert ds.dataset(cluster.folder / "driver").files == []  # for readers there is nothing yet
    again = cluster.driver(model)
    again.ask("driver error")
    assert "[PATH_ALREADY_EXISTS]" in again.answer()
    again.ask("driver overwrite")
    assert again.answer() == "done"
    assert_whole(cluster.folder / "driver")
