"""Each form of input against each form of output, as processes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
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
    assert (two.returncode, len(two.stderr.splitlines())) == (int(count > 0), -(-count // 10))
    assert (two.stdout, two.stderr) == (one.stdout, one.stderr)
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


def merged(run: Run, content: str, *options: str) -> list[dict[str, str]]:
    """The rows that CSV becomes with the answers merged in."""
    done = run("classify", "-m", FIXTURE, "--from", "csv", "--merge", "--to", "csv", *options, input=content)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_merge_keeps_what_the_record_has(run: Run) -> None:
    """Columns of our names, also from a run before, an unnamed one, and text of any language stay as they were."""
    theirs = {
        "": "0",
        "text": TEXTS[0],
        "label": "mine",
        "predicted_label": "old",
        "error": "E1",
        "note": "10\u00a0km \u3000",
    }
    content = ",".join(theirs) + "\n" + ",".join(theirs.values()) + "\n"
    (row,) = merged(run, content)
    assert {name: row[name] for name in theirs} == theirs
    assert row["predicted_predicted_label"] == LABELS[0]
    assert row["predicted_error"] == ""


def test_merge_makes_one_table(run: Run, tmp_path: Path) -> None:
    """A file that cannot be read comes first and costs no column; one of other columns is an error in its place."""
    (tmp_path / "a.csv").write_text(f"k,text\n1,{TEXTS[0]}\n")
    (tmp_path / "b.csv").write_text(f"text,other\n{TEXTS[1]},2\n")
    rows = merged(run, "", "none.csv", "a.csv", "b.csv")
    assert [row["source"] for row in rows] == ["none.csv", "a.csv:2", "b.csv:2"]
    assert (rows[1]["k"], rows[1]["label"]) == ("1", LABELS[0])
    assert "does not exist" in rows[0]["error"]
    assert "other fields" in rows[2]["error"]


def test_what_is_not_a_file_is_written_to_and_not_replaced(run: Run, tmp_path: Path) -> None:
    """A link keeps pointing, a private file stays private, a device stays a device."""
    (tmp_path / "private.tsv").touch(mode=0o600)
    (tmp_path / "link.tsv").symlink_to("private.tsv")
    run("classify", "-m", FIXTURE, "--text", TEXTS[0], "--output", "link.tsv")
    assert (tmp_path / "link.tsv").is_symlink()
    assert (tmp_path / "private.tsv").read_text().startswith("text:1\tbaking")
    assert (tmp_path / "private.tsv").stat().st_mode & 0o777 == 0o600
    assert run("classify", "-m", FIXTURE, "--text", TEXTS[0], "--output", "/dev/stdout").stdout.startswith(
        "text:1\tbaking"
    )


def test_a_process_that_is_ended_leaves_nothing_behind(tmp_path: Path) -> None:
    """SIGTERM in the middle: no half file, no processes of --jobs."""
    command = [sys.executable, "-m", "sotag_edge", "classify", "-m", str(FIXTURE), "--jobs", "1", "-o", "out.tsv"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=tmp_path, start_new_session=True) as process:
        process.stdin.write(b"bread dough\n" * 1000)
        process.stdin.flush()
        while not list(tmp_path.iterdir()):
            time.sleep(0.01)
        process.terminate()
        assert process.wait(timeout=30) == 143
        process.stdin.close()
    assert list(tmp_path.iterdir()) == []
    end = time.monotonic() + 10  # they were told to end, and need a moment
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(process.pid, 0)
            time.sleep(0.01)


def test_a_closed_terminal_leaves_nothing_behind(tmp_path: Path) -> None:
    """SIGHUP, with several processes."""
    command = [sys.executable, "-m", "sotag_edge", "classify", "-m", str(FIXTURE), "--jobs", "2", "-o", "out.tsv"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=tmp_path) as process:
        process.stdin.write(b"bread dough\n" * 1000)
        process.stdin.flush()
        while not list(tmp_path.iterdir()):
            time.sleep(0.01)
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=30) == 129
        process.stdin.close()
    assert list(tmp_path.iterdir()) == []


def test_the_output_is_not_an_input(run: Run, tmp_path: Path) -> None:
    """A file is not replaced by its own results, by whatever path it is named."""
    (tmp_path / "q.txt").write_text(TEXTS[0])
    done = run("classify", "-m", FIXTURE, "q.txt", "-o", "./q.txt")
    assert (done.returncode, "is an input" in done.stderr) == (2, True)
    assert (tmp_path / "q.txt").read_text() == TEXTS[0]


def test_a_text_of_the_command_line_is_read_like_any(run: Run) -> None:
    """Bytes that are not UTF-8 are replaced, what is not text is an error in its place."""
    texts = [os.fsdecode(text) for text in (b"bread dough \xe9", b"\x01\x02\x03\x04\xff")]
    done = run("classify", "-m", FIXTURE, "--to", "jsonl", "--text", texts[0], "--text", texts[1])
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["label"], "is not text" in second["error"], "not UTF-8" in done.stderr) == ("baking", True, True)


def test_a_current_directory_that_is_gone(tmp_path: Path) -> None:
    """Texts are tagged without it."""
    code = f"import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); os.execv({sys.executable!r}, "
    code += f"[{sys.executable!r}, '-m', 'sotag_edge', 'classify', '-m', {str(FIXTURE)!r}, '--text', 'bread dough'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout.split("\t")[1]) == (0, "baking"), done.stderr
