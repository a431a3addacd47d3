"""Regenerate the parts of README.md that come from the program: console output and the table of models.

``python docs/readme.py`` writes README.md. ``--check`` writes nothing; it fails if README.md would change, or if a link in
a page at the top of the checkout or in docs/ is broken.

Each ``$ command`` in a ``console`` block is run by bash with the ``sotag-edge`` of this Python. All commands share one
folder, empty at the start; ``make`` runs in the checkout. A ``console terminal`` block runs on a pseudo-terminal of 80
columns without colours; any other block runs in a pipe.
"""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
ONLINE = "https://github.com/sotag-edge/sotag-edge/blob/main/"  # a package index does not resolve relative links
_TABLE = re.compile(r"(<!-- models -->\n).*?(<!-- /models -->)", re.DOTALL)
_CONSOLE = re.compile(r"(?P<start>```console(?P<terminal> terminal)?\n)(?P<commands>.*?)```", re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)")
_VIEWS = ("masked", "unmasked", "raw", "title", "real questions", "real titles")
_LONG_NUMBER = re.compile(r"\d\.\d{5,}")


def regenerated(text: str) -> str:
    """README.md with the output that its commands have now."""
    with tempfile.TemporaryDirectory() as folder:
        text = _CONSOLE.sub(lambda block: _run_block(block, Path(folder)), text)
    return _TABLE.sub(lambda table: table[1] + _models() + table[2], text)


def _run_block(block: re.Match[str], folder: Path) -> str:
    lines = []
    for command in (line for line in block["commands"].splitlines() if line.startswith("$ ")):
        output = _run(command[2:], ROOT if command.startswith("$ make ") else folder, bool(block["terminal"]))
        lines += [command, *(line.rstrip(" ") for line in output.splitlines())]
    return block["start"] + "\n".join(lines) + "\n```"


def _run(command: str, folder: Path, terminal: bool) -> str:
    """The output of a command; exits if the command fails."""
    reader, writer = pty.openpty() if terminal else os.pipe()
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "TERM": "dumb",  # rich then prints 80 columns without colours
        "SOTAG_EDGE_CONFIG": os.devnull,
    }
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=writer, stderr=writer
    )
    os.close(writer)
    output = b""
    with os.fdopen(reader, "rb", buffering=0) as stream, suppress(OSError):  # on Linux a terminal ends with EIO
        while chunk := stream.read(4096):
            output += chunk
    if process.wait() != 0:
        sys.exit(f"a command of README.md failed: {command}\n{output.decode()}")
    return output.decode()


def _models() -> str:
    """The tables of the models: of those that give a text one tag, and of those that give it several."""
    single = [
        "| model | KB | masked | unmasked | raw | title | real questions | real titles | off-topic unknown | ECE |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    several = [
        "| model | tags | KB | micro-F1 | precision | recall | best tag right |",
        "|---|---|---|---|---|---|---|",
    ]
    for manifest_file in sorted((ROOT / "models").glob("*/model.json")):
        folder = manifest_file.parent
        manifest = json.loads(manifest_file.read_bytes())
        metrics = json.loads((folder / "metrics.json").read_bytes())
        views = metrics["evaluation"]
        name = f"[`{folder.name}`]({ONLINE}models/{folder.name}/README.md)"
        size = f"{metrics['verification']['bytes'] / 1000:.0f}"
        if "precision_at" in next(iter(views.values())):
            (of,) = views.values()
            shares = (of["micro_f1"], of["precision"], of["recall"], of["precision_at"][0][1])
            several.append(
                f"| {name} | {len(manifest['labels'])} | {size} | {' | '.join(f'{share:.3f}' for share in shares)} |"
            )
            continue
        accuracies = (f"{views[view]['accuracy']:.4f}" if view in views else "" for view in _VIEWS)
        unknown = f"{views[_VIEWS[-1]]['off_topic_unknown']:.1%}" if _VIEWS[-1] in views else ""
        single.append(
            f"| {name} | {size} | {' | '.join(accuracies)} | {unknown} | {views['masked']['calibration_error']:.3f} |"
        )
    return "\n".join([*single, *(["", *several] if len(several) > 2 else [])]) + "\n"


def broken_links(page: Path) -> list[str]:
    """The links of a page that lead nowhere: to no file of the checkout, or relative ones in README.md."""
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    return [f"{page.relative_to(ROOT)}: {link}" for link in links if _is_broken(page, link)]


def _is_broken(page: Path, link: str) -> bool:
    if link.startswith(ONLINE):
        return not (ROOT / link.removeprefix(ONLINE)).exists()
    if "://" in link:
        return False
    return page == README or not (page.parent / link).exists()


def _comparable(text: str) -> str:
    """The text with scores of three decimals: runtimes and processors differ by up to 0.00001."""
    return _LONG_NUMBER.sub(lambda number: f"{float(number[0]):.3f}", text)


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8")
    after = regenerated(before)
    if "--check" not in sys.argv:
        README.write_text(after, encoding="utf-8")
    elif _comparable(before) != _comparable(after):
        sys.exit("README.md does not show the output of its commands: run `make docs`")
    elif broken := [link for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")) for link in broken_links(page)]:
        sys.exit("broken links:\n" + "\n".join(broken))
