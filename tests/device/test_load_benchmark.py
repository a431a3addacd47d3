"""The part of ``benchmarks/load.py`` that needs no server: what its page shows, and what it calls a fault."""

from __future__ import annotations

import copy
import doctest
import importlib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts import one another by name."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


def load(name: str) -> Any:
    return importlib.import_module(name)


RUN = {
    "connections": 16,
    "requests": 12_000,
    "seconds": 10.0,
    "p50": 12.345,
    "p99": 34.5,
    "refused": 3_000,
    "errors": 0,
    "wrk_cpu": 0.123,
    "compared": 200,
    "megabytes": [150.0, 151.0],
    "loop": 1_800.0,
}
RESULTS: dict[str, Any] = {
    "machine": "a machine",
    "cores": 2,
    "seconds": 10,
    "sets": {
        "short questions": {"texts": 976, "characters": 153.6, "runs": [RUN], "compared": 5_000},
        "long questions": {"texts": 40, "characters": 1_100, "runs": [RUN | {"connections": 1}], "compared": 70},
    },
    "abuse": {
        "slow": {"clients": 200, "seconds": 15, "alone": 2.0, "beside": 3.0, "asked": 900},
        "half": {"clients": 200, "timeout": 5, "seconds": 6.1, "refused": 200, "answered": True},
        "large": {
            "bodies": 10,
            "bytes": 100_000_000,
            "refused": 10,
            "megabytes": [150.0, 160.0, 151.0],
            "answered": True,
        },
        "many": {
            "connections": 10_000,
            "refused": 8_976,
            "held": 1_024,
            "other": 0,
            "answered": True,
            "seconds": 0.1,
        },
        "ends": [
            {"jobs": jobs, "connections": 64, "answered": 999, "lost": 0, "unaccepted": 0, "code": 0} for jobs in (1, 2)
        ],
    },
}


@pytest.mark.parametrize("name", ["load_page", "abuse_end"])
def test_the_examples_in_the_docstrings_are_right(name: str) -> None:
    result = doctest.testmod(load(name))
    assert result.attempted
    assert not result.failed


def test_the_page_shows_rates_latencies_and_shares() -> None:
    """The ratio to the loop counts the answers with 200 only: 12,000 requests in 10 s less a quarter, to 1,800."""
    section = load("load_page").render(RESULTS)
    row = "16 | 1,200 | 0.50x | 12.35, 34.50 | 75.00% | 25.00% | 0 | 12% | 150.0, 151.0 |"
    assert f"| short questions | {row}" in section
    assert "| long questions | 1 |" in section
    assert "share the 2 cores" in section
    assert "400 were compared in another client during the runs, and 5,070 in `wrk`" in section
    assert "8,976 refused with 503" in section
    assert "SIGTERM with `--jobs 2`" in section
    assert "Not as it must be" not in section


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (("sets", "short questions", "runs", 0, "errors"), 2, "short questions, 16 connections: 2 errors"),
        (("sets", "short questions", "runs", 0, "compared"), 0, "no answer was compared"),
        (("sets", "short questions", "runs", 0, "megabytes"), [150.0, 170.0], "grew from 150.0 to 170.0 MB"),
        (("abuse", "half", "refused"), 199, "199 of 200 were answered with 408"),
        (("abuse", "large", "refused"), 9, "9 of 10 were answered with 413"),
        (("abuse", "large", "megabytes"), [150.0, 350.0, 150.0], "grew from 150.0 to 350.0 MB"),
        (("abuse", "many", "other"), 1, "1 were neither held nor refused"),
        (("abuse", "many", "answered"), False, "did not recover"),
        (("abuse", "ends", 1, "lost"), 1, "--jobs 2: 1 requests lost, exit code 0"),
        (("abuse", "ends", 1, "unaccepted"), 31, "--jobs 2: 31 requests lost, exit code 0"),
        (("abuse", "ends", 0, "code"), 143, "--jobs 1: 0 requests lost, exit code 143"),
    ],
)
def test_what_is_not_as_it_must_be_is_named(place: tuple[str | int, ...], value: object, fault: str) -> None:
    """In the page too, one sentence for each."""
    page = load("load_page")
    assert page.faults(RESULTS) == []
    results: Any = copy.deepcopy(RESULTS)
    inner = results
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    (sentence,) = page.faults(results)
    assert fault in sentence
    assert page.render(results).endswith(f"Not as it must be:\n\n- {sentence}")


def test_the_section_is_replaced_and_the_rest_of_the_page_stays(tmp_path: Path) -> None:
    """Also the section of ``make bench-own-tags``."""
    sections, page = load("sections"), load("load_page")
    file = tmp_path / "benchmarks.md"
    file.write_text("# Benchmarks\n\nOurs.\n", encoding="utf-8")
    sections.update(file, "own-tags", "Tags.")
    before = file.read_text(encoding="utf-8")
    sections.update(file, "serve", "Slow.")
    sections.update(file, "serve", page.render(RESULTS))
    text = file.read_text(encoding="utf-8")
    assert text == f"{before}\n<!-- serve -->\n{page.render(RESULTS)}\n<!-- /serve -->\n"
