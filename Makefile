# From nothing, with Python >= 3.11 and make: `make verify`. Other Pythons: make PYTHON=python3.12 ...
PYTHON ?= python3
BIN := .venv/bin
SOURCES := pyproject.toml constraints.txt

.PHONY: verify test slow bench clean
.DELETE_ON_ERROR:

verify: .venv/.core
	$(BIN)/theorylab verify

test: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict theorylab
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

slow: .venv/.dev
	$(BIN)/python -m pytest -q -n 2 -m slow

bench: .venv/.dev
	@set -e; for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python "$$script"; done

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Stamps: an install is repeated only when what it installs has changed.
.venv/.python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "theorylab needs Python 3.11 or later: make PYTHON=..."'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	touch $@

.venv/.core: .venv/.python $(SOURCES)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/.dev: .venv/.python $(SOURCES)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@ .venv/.core
