"""Sections of docs/benchmarks.md that have a command of their own, each between two markers. Standard library only."""

from __future__ import annotations

import re
from pathlib import Path

NAMES = ("cluster", "serve", "own-tags")
"""The sections, in the order of the page."""


def section_of(page: str, name: str) -> str:
    """A section of a page with its markers; empty if the page has none.

    >>> section_of("# Benchmarks <!-- serve -->Fast.<!-- /serve -->", "serve")
    '<!-- serve -->Fast.<!-- /serve -->'
    """
    match = re.search(f"<!-- {name} -->.*?<!-- /{name} -->", page, re.DOTALL)
    return match[0] if match else ""


def with_section(page: str, name: str, text: str) -> str:
    """The page with this text in place of a section's own, or at its end.

    >>> with_section("# Benchmarks\\n", "serve", "New.")
    '# Benchmarks\\n\\n<!-- serve -->\\nNew.\\n<!-- /serve -->\\n'
    """
    section = f"<!-- {name} -->\n{text}\n<!-- /{name} -->"
    if old := section_of(page, name):
        return page.replace(old, section)
    return f"{page.rstrip()}\n\n{section}\n"


def with_sections_of(page: str, old: str) -> str:
    """A page that was written anew, with the sections of the old one at its end.

    >>> with_sections_of("# New\\n", "# Old <!-- own-tags -->Tags.<!-- /own-tags --> <!-- serve -->Fast.<!-- /serve -->")
    '# New\\n\\n<!-- serve -->Fast.<!-- /serve -->\\n\\n<!-- own-tags -->Tags.<!-- /own-tags -->\\n'
    """
    sections = [section for name in NAMES if (section := section_of(old, name))]
    return "\n\n".join([page.rstrip(), *sections]) + "\n"


def update(file: Path, name: str, text: str) -> None:
    """Write a section of the page in a file; the rest of the page stays."""
    file.write_text(with_section(file.read_text(encoding="utf-8"), name, text), encoding="utf-8")
