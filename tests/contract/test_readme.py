"""What the documents show is what the commands print and say."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize("script", ["readme.py", "reference.py"])
def test_the_documents_are_up_to_date(script: str) -> None:
    """The README's console blocks and table of models, docs/cli.md and the man page are those of this checkout."""
    done = subprocess.run(
        [sys.executable, f"docs/{script}", "--check"], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr


def test_the_python_example_runs() -> None:
    """The lines of Python in the README print the tag that they ask for."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "python\n"


def test_the_exit_codes_are_those_of_the_errors() -> None:
    """The README's table has a row for the exit code of every error class."""
    from sotag_edge import errors

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    codes = {error.exit_code for error in classes if issubclass(error, errors.SotagEdgeError)}
    assert codes == {1, 2, 3, 4}
    for code in codes | {0, 130}:
        assert f"\n| {code} | " in text
