# make demo   a whole challenge, on real containers      make test   every test
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo cohort images engine browser test test-gpu test-lowest fuzz bench lint format schemas dist clean

PYTHON ?= python3
VENV := .venv
RUN := demo/run

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.installed engine cohort images ## run the example teams over the demo cohort, and show the leaderboard
	$(VENV)/bin/fomo-eval run --challenge fomo25 --data demo/cohort/validation --submissions examples/submissions --out $(RUN) --gpus none

cohort: $(VENV)/.installed ## write the demo cohort, unless it is there
	$(VENV)/bin/python -m examples.cohort --out demo/cohort

images: $(VENV)/.installed engine cohort ## build the example teams' images
	containers/build.sh --cohort demo/cohort

browser: ## make sure that there is a browser for the tests of the report's pages
	@containers/browser.sh

engine: ## make sure that a Docker engine answers
	@containers/engine.sh

test: $(VENV)/.installed-test engine images browser ## run every test, the ones with real containers included
	$(VENV)/bin/python -m pytest -m "not gpu"

test-gpu: $(VENV)/.installed-test engine images ## run the tests that need a real NVIDIA GPU
	$(VENV)/bin/python -m pytest -m gpu tests/gpu

test-lowest: ## run the unit tests on the oldest versions that pyproject.toml allows
	$(PYTHON) -m venv $(VENV)-lowest
	$(VENV)-lowest/bin/python -m pip install --quiet --upgrade pip uv
	$(VENV)-lowest/bin/uv pip install --quiet --python $(VENV)-lowest/bin/python --resolution lowest-direct --editable . --group test
	$(VENV)-lowest/bin/python -m pytest tests/unit tests/contract

fuzz: $(VENV)/.installed-fuzz ## search for contents that upset the parsers, for ten minutes and guided by coverage
	mkdir -p .fuzz/numbers .fuzz/masks
	$(VENV)/bin/python -m tests.fuzz.parsers numbers -max_total_time=300 .fuzz/numbers
	$(VENV)/bin/python -m tests.fuzz.parsers masks -max_total_time=300 .fuzz/masks

bench: $(VENV)/.installed-bench ## measure speed and memory, and write benchmarks/RESULTS.md
	$(VENV)/bin/python -m benchmarks

lint: $(VENV)/.installed-lint ## check style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: $(VENV)/.installed-lint ## format the code
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

schemas: $(VENV)/.installed ## write the JSON Schemas that the YAML files name
	for kind in challenge task submission; do $(VENV)/bin/fomo-eval tasks schema $$kind > task_specs/schema/$$kind.schema.json; done

dist: $(VENV)/.installed-test ## build the wheel and the source archive
	$(VENV)/bin/python -m build

clean: ## remove the environment, the demo and what was built
	rm -rf $(VENV) $(VENV)-lowest demo dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it as in: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || containers/venv-package.sh $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml $(VENV)/.installed
	$(VENV)/bin/python -m pip install --quiet --group test
	@touch $@

$(VENV)/.installed-fuzz: pyproject.toml $(VENV)/.installed-test
	$(VENV)/bin/python -m pip install --quiet --group fuzz
	@touch $@

$(VENV)/.installed-bench: pyproject.toml $(VENV)/.installed
	$(VENV)/bin/python -m pip install --quiet --group bench
	@touch $@

$(VENV)/.installed-lint: pyproject.toml $(VENV)/.installed-test
	$(VENV)/bin/python -m pip install --quiet --group lint
	@touch $@
