"""Each form of input against each form of output, as processes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import FIXTURE, Run

TEXTS = ["knead the bread dough", "sow the seeds in the soil"]
LABELS = ["baking", "gardening"]
INPUTS = {
    "text": (TEXTS[0], []),
    "lines": ("\n".join(TEXTS), []),
    "nul": ("\0".join(TEXTS), []),
    "jsonl": ("".join(json.dumps({"k": n, "q": text}) + "\n" for n, text in enumerate(TEXTS)), ["--field", "q"]),
    "csv": ("k,q\n" + "".join(f'{n},"{text}"\n' for n, text in enumerate(TEXTS)), ["--field", "q", "--id", "k"]),
    "tsv": ("k\tq\n" + "".join(f"{n}\t{text}\n" for n, text in enumerate(TEXTS)), ["--field", "q"]),
    "posts-xml": (
        "<posts>"
        + "".join(f'<row Id="{n}" PostTypeId="1" Title="{text}"/>' for n, text in enumerate(TEXTS))
        + "</posts>",
        [],
    ),
}


def labels(form: str, output: str) -> list[str]:
    """The labels in an output."""
    if form == "json":
        return [result["label"] for result in json.loads(output)["results"]]
    if form == "jsonl":
        return [json.loads(line)["label"] for line in output.splitlines()]
    if form == "csv":
        return [row["label"] for row in csv.DictReader(io.StringIO(output))]
    words = [line.split("\t" if form == "tsv" else None) for line in output.splitlines()]
    return [next(word for word in row if word in LABELS) for row in words[1 if form == "table" else 0 :]]


@pytest.mark.parametrize("output", ["table", "tsv", "csv", "json", "jsonl"])
@pytest.mark.parametrize("given", list(INPUTS))
def test_every_input_in_every_output(run: Run, tmp_path: Path, given: str, output: str) -> None:
    """From a pipe, and from a gzip'd file, the same tags in the same order."""
    content, options = INPUTS[given]
    (tmp_path / "in.gz").write_bytes(gzip.compress(content.encode()))
    arguments = ["classify", "-m", FIXTURE, "--from", given, *options, "--to", output]
    from_pipe = run(*arguments, input=content)
    from_file = run(*arguments, "in.gz")
    assert (from_pipe.returncode, from_pipe.stderr, from_file.stderr) == (0, "", "")
    expected = LABELS[:1] if given == "text" else LABELS
    assert labels(output, from_pipe.stdout) == labels(output, from_file.stdout) == expected


def test_a_co_process_answers_before_the_next_record(tmp_path: Path) -> None:
    """A program writes a record, reads its answer, and only then writes the next."""
    command = [sys.executable, "-m", "sotag_edge", "classify", "-m", str(FIXTURE), "--from", "jsonl", "--to", "jsonl"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for text, label in zip(TEXTS, LABELS, strict=True):
            process.stdin.write(json.dumps({"text": text}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["label"] == label
        process.stdin.close()
    assert process.returncode == 0


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_jobs_keep_the_order(run: Run, count: int) -> None:
    """Two processes give what one gives, in the same order, with errors in their places."""
    content = "".join(f'{{"text": "reef the sail {n}"}}\n' if n % 10 else "{\n" for n in range(count))
    arguments = ["classify", "-m", FIXTURE, "--from", "jsonl", "--to", "jsonl", "--quiet"]
    one, two = (run(*arguments, "--jobs", jobs, input=content) for jobs in ("1", "2"))
    assert (two.returncode, two.stderr) == (int(count > 0), "")
    assert two.stdout == one.stdout
    assert len(two.stdout.splitlines()) == count


def test_an_output_file_is_written_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    """A good run replaces the file; a run that fails leaves the old one, and nothing besides."""
    (tmp_path / "out.tsv").write_text("old")
    failed = run("classify", "-m", FIXTURE, "--only", "x", "--text", TEXTS[0], "--output", "out.tsv")
    assert failed.returncode == 2
    assert (tmp_path / "out.tsv").read_text() == "old"
    assert run("classify", "-m", FIXTURE, "--text", TEXTS[0], "--output", "out.tsv").stdout == ""
    assert (tmp_path / "out.tsv").read_text().startswith("text:1\tbaking\t")
    assert [file.name for file in tmp_path.iterdir()] == ["out.tsv"]


def test_folders_and_lists_of_files(run: Run, tmp_path: Path) -> None:
    """--recursive with --glob, and --files-from a pipe with -0, read the same files."""
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "e" / "a b.txt").write_text(TEXTS[0])
    (tmp_path / "d" / "c.md").write_text(TEXTS[1])
    walked = run("classify", "-m", FIXTURE, "-r", "d", "--glob", "*.txt")
    listed = run("classify", "-m", FIXTURE, "--files-from", "-", "-0", input="d/e/a b.txt\0")
    assert walked.stdout == listed.stdout
    assert walked.stdout.startswith("d/e/a b.txt\tbaking")


def test_only_some_labels(run: Run) -> None:
    """--only answers with the best of those, with the score it has among all."""
    everything, some = (
        json.loads(run("classify", "-m", FIXTURE, "--to", "jsonl", "--best-guess", *options, input=TEXTS[0]).stdout)
        for options in ([], ["--only", "gardening,sailing"])
    )
    assert some["label"] in ("gardening", "sailing")
    assert some["scores"] == {label: everything["scores"][label] for label in ("gardening", "sailing")}
