# The commands of the README. Each makes the environment it needs: .venv-device for `run`, .venv for everything else.
PYTHON ?= python3
PIP = -m pip install --quiet --disable-pip-version-check
DEVICE = .venv-device/bin/python
FULL = .venv/bin/python

.PHONY: run test lint clean

run: .venv-device/installed
	@printf 'Why does my list comprehension give a NameError in Python 3?\n' | .venv-device/bin/sotag-edge classify --to tsv

test: .venv/installed .venv-device/installed lint
	$(FULL) -m pytest

lint: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

# The device side alone: no TensorFlow.
.venv-device/installed: pyproject.toml
	$(PYTHON) -m venv .venv-device
	$(DEVICE) $(PIP) --editable .
	@touch $@

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(FULL) $(PIP) --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv .venv-device dist
