"""Writes docs/report-light.png and docs/report-dark.png: the report about a model of the example messages, in a browser.

``python docs/screenshots.py`` trains the model in a temporary folder, which takes one to two minutes. Needs the extras
[convert], [report] and [test], and an installed Chromium.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parent
_WIDTH = 1040
_PARTS = {"light": ("header", "#tags"), "dark": ("#mistakes", "article:last-of-type .text")}
"""From which element to which, in which colours."""


def train(folder: Path) -> Path:
    """Train a model of the example, and return its report."""
    example = (
        "messages.csv --label-field team --test messages-test.csv --output ./shop --seed 1 --quiet --report report.html"
    )
    for name in ("messages.csv", "messages-test.csv"):
        shutil.copy(DOCS / "example" / name, folder)
    environment = {**os.environ, "SOTAG_EDGE_MODELS": str(folder)}
    subprocess.run(
        [sys.executable, "-m", "sotag_edge", "train", *example.split()], cwd=folder, env=environment, check=True
    )
    return folder / "report.html"


def shoot(report: Path, program: str) -> None:
    """Write the pictures."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])  # the page is our own
        for scheme, (first, last) in _PARTS.items():
            window = {"width": _WIDTH, "height": 900}
            page = browser.new_context(viewport=window, color_scheme=scheme).new_page()
            page.goto(report.as_uri())
            page.wait_for_selector("html[data-drawn]")
            tops = [
                page.evaluate("place => document.querySelector(place).getBoundingClientRect().top", end)
                for end in (first, last)
            ]
            top, bottom = (round(place) - 40 for place in tops)
            clip = {"x": 0, "y": max(0, top), "width": _WIDTH, "height": bottom - max(0, top)}
            page.screenshot(path=DOCS / f"report-{scheme}.png", full_page=True, clip=clip)
        browser.close()


if __name__ == "__main__":
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no Chromium is installed: there is neither chromium nor google-chrome on the path")
    with tempfile.TemporaryDirectory() as scratch:
        shoot(train(Path(scratch)), chromium)
