# The commands of the README. Each makes the environment it needs: .venv-device has no TensorFlow, .venv has everything.
PYTHON ?= python3
PIP = -m pip install --quiet --disable-pip-version-check
DEVICE = .venv-device/bin/python
FULL = .venv/bin/python
ENGINES = .venv-engines/bin/python
SPARK = sotag_edge/spark.py sotag_edge/cli/spark_files.py

.PHONY: run test browser java fuzz lint bench bench-serve bench-cluster bench-own-tags arm arm-controls docs cards clean

run: .venv-device/installed
	@printf 'How do I sort a list of tuples by the second item in Python?\n' | .venv-device/bin/sotag-edge classify

# The device side's tests run where TensorFlow is not installed. The two sides cannot share a process anyway: with
# TensorFlow loaded, tflite-runtime fails on every model (see convert/sotag_convert/export/device_run.py).
test: lint .venv-device/tested browser .venv-engines/installed java
	$(DEVICE) -m pytest --numprocesses 2 tests/device tests/contract sotag_edge $(SPARK:%=--ignore %)
	$(ENGINES) -m pytest tests/engines $(SPARK)
	$(FULL) -m pytest --numprocesses 2 tests/workstation convert

# Debian's Chromium, for the tests of pages; they are skipped, with a sentence, where it cannot be installed.
browser:
	@command -v chromium >/dev/null || { apt-get -qq update && apt-get -qq install --yes --no-install-recommends chromium; } \
		>/dev/null 2>&1 || echo "Chromium is not installed: the tests of pages are skipped"

# Debian's Java, for the tests of Spark; they are skipped, with a sentence, where it cannot be installed.
java:
	@command -v java >/dev/null || { apt-get -qq update && apt-get -qq install --yes --no-install-recommends openjdk-17-jre-headless; } \
		>/dev/null 2>&1 || echo "Java is not installed: the tests of Spark are skipped"

# Random input for every reader and writer, and damaged models; FUZZ_INPUTS for each of the three, by default 3,500. A minute.
fuzz: .venv-device/tested
	$(DEVICE) -m pytest tests/fuzz

lint: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

# The wheel on emulated Raspberry Pi systems; writes a table into docs/raspberry-pi.md. Needs Debian or Ubuntu, and Linux 6.7.
arm: .venv-device/tested
	$(DEVICE) tests/arm/run.py

# Does it fail where it must? With what it needs spoilt, each in its own copy.
arm-controls: .venv/installed
	$(FULL) tests/arm/controls.py

# Ours beside fastText and scikit-learn; writes docs/benchmarks.md. fasttext is compiled, which needs g++. ARCHIVE: a local copy
# of the Stack Overflow archive; OPTIONS: see compare.py --help, such as --quick, which takes minutes and writes to build/bench.
bench: .venv-bench/installed
	.venv-bench/bin/python benchmarks/compare.py $(if $(ARCHIVE),--archive '$(ARCHIVE)') $(if $(ROUNDS),--rounds $(ROUNDS)) $(OPTIONS)

# The endpoint under load and abuse; writes a section of docs/benchmarks.md. Needs wrk (apt install wrk) and Linux. ARCHIVE and
# OPTIONS as above, see load.py --help. A quarter of an hour.
bench-serve: .venv-bench/installed
	.venv-bench/bin/python benchmarks/load.py $(if $(ARCHIVE),--archive '$(ARCHIVE)') $(OPTIONS)

# The same texts by classify and by Spark on a cluster of processes; writes a section of docs/benchmarks.md and one of docs/scale.md.
# Needs Java and Linux. ARCHIVE and OPTIONS as above, see cluster.py --help. A quarter of an hour.
bench-cluster: .venv-bench/installed java
	.venv-bench/bin/python benchmarks/cluster.py $(if $(ARCHIVE),--archive '$(ARCHIVE)') $(OPTIONS)

# Training on your own tags beside fastText and scikit-learn; writes a section of docs/benchmarks.md. Takes hours and can be
# stopped and continued. The package descriptions need apt. SOTAG_EDGE_DATA: the folder with titles that are in no package.
bench-own-tags: .venv-bench/installed .venv/installed
	.venv-bench/bin/python benchmarks/own_tags.py

.venv-bench/installed: pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python $(PIP) --editable '.[bench]'
	@touch $@

# Regenerates docs/cli.md, the man page, and what README.md shows.
docs: .venv-device/installed
	$(DEVICE) docs/reference.py
	$(DEVICE) docs/readme.py

.venv-device/installed: pyproject.toml
	$(PYTHON) -m venv .venv-device
	$(DEVICE) $(PIP) --editable .
	@touch $@

.venv-device/tested: .venv-device/installed
	$(DEVICE) $(PIP) --editable '.[test]'
	@touch $@

.venv-engines/installed: pyproject.toml
	$(PYTHON) -m venv .venv-engines
	$(ENGINES) $(PIP) --editable '.[engines]'
	@touch $@

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(FULL) $(PIP) --editable '.[dev]'
	@touch $@

# Writes the cards of the models that come with sotag-edge again, from their metrics.
cards: .venv/installed
	$(FULL) docs/cards.py

clean:
	rm -rf .venv .venv-device .venv-engines .venv-bench build dist
