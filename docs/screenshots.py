"""Writes the pictures of the report about a model of the example messages, and of the page of ``serve``, in a browser.

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

from playwright.sync_api import Browser, Page, sync_playwright

DOCS = Path(__file__).parent
_WIDTHS = (390, 1400)
_REPORT = {"light": ("header", "#confusions"), "dark": ("#mistakes", "article:nth-of-type(4)")}
"""The part of the report in each colours: from which element to which."""
_TEXT = """\
Why does my list comprehension leak its variable?

    numbers = [n for n in range(10)]
    print(n)

In Java a loop variable ends with its block."""


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


def shoot_report(browser: Browser, report: Path) -> None:
    """Write the pictures of the report."""
    for scheme, (first, last) in _REPORT.items():
        for width in _WIDTHS:
            page = opened(browser, report.as_uri(), scheme, width)
            page.wait_for_selector("html[data-drawn]")
            tops = (page.locator(end).first.bounding_box() for end in (first, last))
            top, bottom = (round(place["y"]) - 24 if place else 0 for place in tops)
            clip = {"x": 0, "y": max(0, top), "width": width, "height": bottom - max(0, top)}
            page.screenshot(path=DOCS / f"report-{scheme}-{width}.png", full_page=True, clip=clip)


def shoot_page(browser: Browser) -> None:
    """Write the pictures of the page of ``serve``."""
    command = [sys.executable, "-m", "sotag_edge", "serve", "--model", "default", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as server:
        address = server.stderr.readline().split(" on ")[1].split()[0]
        for scheme in _REPORT:
            for width in _WIDTHS:
                page = opened(browser, address, scheme, width)
                page.fill("#text", _TEXT)
                page.click("button")
                page.wait_for_selector(".answer")
                page.screenshot(path=DOCS / f"try-{scheme}-{width}.png", full_page=True)
        server.terminate()


def opened(browser: Browser, address: str, scheme: str, width: int) -> Page:
    """A page in a window of its own."""
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    page.goto(address)
    return page


def main() -> None:
    """Write all pictures."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("no Chromium is installed: there is neither chromium nor google-chrome on the path")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])  # the pages are our own
        shoot_report(browser, train(Path(scratch)))
        shoot_page(browser)
        browser.close()


if __name__ == "__main__":
    main()
