"""``make bench-cluster``: the same texts by ``classify`` and by Spark on a cluster of processes; writes docs/benchmarks.md.

A master and two workers run on this machine, each worker with one core. A job's processor time is that of all its processes:
driver, executors, Python workers. Linux only. ``--quick`` checks in minutes that everything works, and writes to build/bench
instead. ``--page`` writes the pages from the last results.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cluster_page
import sections
from cluster_processes import Cluster, Watch, workers_of
from environments import BUILD, ROOT
from samples import texts_of

from sotag_convert.data.load import load
from sotag_convert.data.settings import DataSettings
from sotag_edge import machine

MODEL = ROOT / "models" / "default"
_COMMAND = [sys.executable, "-m", "sotag_edge"]
_PARTS = 8
_ROWS = {"short": 1_000_000, "long": 50_000}
_TINY = 400  # tasks of one row each
_TASK_PER_FILE = "spark.sql.files.openCostInBytes=1g"  # otherwise one task reads many small files
_SUMMARY = re.compile(r"([\d,]+) rows, ([\d,]+) unknown, ([\d,]+) errors?; ([\d,]+) rows per second")
Row = dict[str, Any]


def write_parts(folder: Path, texts: Sequence[str], rows: int, parts: int = _PARTS) -> Path:
    """A folder of Parquet with so many texts, each with a number of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    for part in range(parts):
        ids = range(part * rows // parts, (part + 1) * rows // parts)
        bodies = [f"{texts[number % len(texts)]} {number}" for number in ids]
        pq.write_table(pa.table({"id": pa.array(ids, pa.int64()), "text": bodies}), folder / f"part-{part:04}.parquet")
    return folder


def classified(source: Path, output: Path, jobs: int) -> Row:
    """``classify`` from folder to folder."""
    arguments = ["classify", "--model", str(MODEL), "--from", "parquet", "--output", str(output), str(source)]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([*_COMMAND, *arguments, "--jobs", str(jobs), "--quiet"], check=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"jobs": jobs, "seconds": time.monotonic() - start, "cpu": cpu}


def spark_command(source: Path, output: Path, master: str, *more: str) -> list[str]:
    """``sotag-edge spark`` for a cluster of this machine. ``more``: settings of Spark."""
    settings = ["spark.executor.memory=1g", "spark.driver.host=127.0.0.1", "spark.driver.bindAddress=127.0.0.1", *more]
    arguments = ["spark", str(source), str(output), "--model", str(MODEL), "--master", master]
    return [*_COMMAND, *arguments, *(word for setting in settings for word in ("--conf", setting))]


def job(cluster: Cluster, source: Path, output: Path, *settings: str) -> Row:
    """A job on the cluster, from the start of its driver to its end. Raises ``SystemExit`` if it fails."""
    with Watch() as watch:
        start = time.monotonic()
        command = spark_command(source, output, cluster.master, *settings)
        done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, encoding="utf-8")
        seconds = time.monotonic() - start
    summary = _SUMMARY.search(done.stderr)
    if done.returncode or not summary:
        raise SystemExit(f"the job failed with exit code {done.returncode}: {done.stderr}")
    rows, unknown, errors, speed = (int(number.replace(",", "")) for number in summary.groups())
    inner = rows / speed if speed else 0.0
    figures = {"workers": len(cluster.workers), "rows": rows, "unknown": unknown, "errors": errors}
    return figures | {
        "seconds": seconds,
        "tagging": inner,
        "cpu": watch.cpu(),
        "python": watch.cpu("pyspark.daemon"),
        "worker_megabytes": watch.megabytes("pyspark.daemon"),
    }


def killed(cluster: Cluster, source: Path, output: Path) -> Row:
    """A job, in whose middle a process of an executor's Java is killed, and a Python worker."""
    process = subprocess.Popen(
        spark_command(source, output, cluster.master), cwd=ROOT, stderr=subprocess.PIPE, encoding="utf-8"
    )
    kills = 0
    for words in ("CoarseGrainedExecutorBackend", "pyspark.daemon"):
        while process.poll() is None and not list(output.glob("_temporary/**/*.parquet")):
            time.sleep(0.1)
        time.sleep(1)
        found = workers_of(words)
        if found and process.poll() is None:
            os.kill(found[-1], signal.SIGKILL)
            kills += 1
    _, said = process.communicate()
    return {"kills": kills, "exit_code": process.returncode, "said": said.strip()}


def differences(expected: Path, found: Path) -> Row:
    """Two folders compared by the ids of their rows: missing, doubled, and with another answer."""
    import pyarrow.dataset as ds

    columns = ["id", "label", "score", "reason", "error"]
    one, other = (
        ds.dataset(folder, format="parquet").to_table(columns=columns).sort_by("id") for folder in (expected, found)
    )
    ids = other.column("id")
    unique = len(ids.unique())
    same = one.equals(other)
    return {"rows": one.num_rows, "missing": one.num_rows - unique, "doubled": len(ids) - unique, "equal": same}


def measured(texts: Sequence[str], rows: int, folder: Path, clusters: Sequence[Cluster]) -> Row:
    """All runs over a set of texts: ``classify``, and a job on each cluster."""
    source = write_parts(folder / "in", texts, rows)
    result: Row = {"rows": rows, "characters": sum(map(len, texts)) / len(texts), "commands": [], "jobs": []}
    for jobs in (1, 2):
        say(f"  classify --jobs {jobs}")
        result["commands"].append(classified(source, folder / f"command-{jobs}", jobs))
    for cluster in clusters:
        say(f"  spark, {len(cluster.workers)} workers")
        with cluster:
            output = folder / f"spark-{len(cluster.workers)}"
            result["jobs"].append(job(cluster, source, output) | differences(folder / "command-1", output))
            if len(cluster.workers) == len(clusters):
                say("  a quarter of the texts")
                quarter = write_parts(folder / "quarter", texts, rows // 4)
                result["quarter"] = job(cluster, quarter, folder / "spark-quarter")
                say("  with processes killed")
                output = folder / "spark-killed"
                result["killed"] = killed(cluster, source, output) | differences(folder / "command-1", output)
    return result


def overhead(folder: Path, cluster: Cluster) -> Row:
    """What a job costs without texts: its start, and each task."""
    few = write_parts(folder / "few", ["bread dough"], 2, 2)
    many = write_parts(folder / "many", ["bread dough"], _TINY, _TINY)
    with cluster:
        first = job(cluster, few, folder / "few-out")
        costs = {"start": first, "tasks": _TINY}
        return costs | {"many": job(cluster, many, folder / "many-out", _TASK_PER_FILE)}


def measure(options: argparse.Namespace) -> Row:
    """Everything, measured now."""
    say("reading the texts")
    texts = texts_of(load("stackoverflow-16k", DataSettings(archive=options.archive), say=say), None)
    results: Row = {
        "machine": f"{platform.machine()}, {machine.cpu()}, Python {platform.python_version()}",
        "cores": machine.cores(),
        "sets": {},
    }
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        folder = Path(scratch)
        for name, own in (("short", texts.titles), ("long", texts.test)):
            rows = _ROWS[name] // (50 if options.quick else 1)
            say(f"{name}: {rows:,} texts")
            clusters = [Cluster(folder / f"{name}-cluster-{count}", count) for count in (1, 2)]
            results["sets"][name] = measured(own, rows, folder / name, clusters)
        say("start and tasks")
        results["overhead"] = overhead(folder / "overhead", Cluster(folder / "overhead-cluster", 2))
    return results


def say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, write the results and the pages. Raises ``SystemExit`` if something is not as it must be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--archive", type=Path, help="a local copy of the Stack Overflow archive")
    parser.add_argument("--scratch", type=Path, help="a folder for 2 GB of files [default: the system's]")
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the texts; writes to build/bench")
    parser.add_argument("--page", action="store_true", help="only write the pages, from the last results")
    options = parser.parse_args()
    folder = BUILD / "quick" if options.quick else BUILD
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "cluster.json"
    if not options.page:
        if shutil.which("java") is None:
            raise SystemExit("Spark needs Java, which is not installed: apt install openjdk-17-jre-headless")
        file.write_text(json.dumps(measure(options), indent=1), encoding="utf-8")
    results = json.loads(file.read_text(encoding="utf-8"))
    docs, scale = (ROOT / "docs" / name for name in ("benchmarks.md", "scale.md"))
    if options.quick:
        docs, scale = (Path(shutil.copy(page, folder / f"cluster-{page.name}")) for page in (docs, scale))
    sections.update(docs, "cluster", cluster_page.render(results))
    sections.update(scale, "capacity", cluster_page.capacity(results))
    print(cluster_page.render(results), cluster_page.capacity(results), sep="\n\n")
    if faults := cluster_page.faults(results):
        raise SystemExit("\n".join(faults))


if __name__ == "__main__":
    main()
