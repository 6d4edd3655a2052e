# Two commands matter: `make demo` and `make test`. Each prepares the machine by itself.
PY := .venv/bin/python
SEED ?= 7
OUT ?= out/demo
WORKERS ?= 2
DEMO ?= child_runs_out adult_jaywalks_night motorway_cut_in_rain

.PHONY: help setup checkers demo test fast check format bench proof docs clean

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## system packages, .venv, and everything needed to run, test and develop
	@tools/setup.sh dev,learning

checkers: setup ## the official ASAM checkers of OpenDRIVE and OpenSCENARIO files, in an environment of their own
	@tools/checkers.sh

demo: ## run some of the shipped scenarios headless: labelled frames and out/demo/report.html
	@tools/setup.sh
	@$(PY) -m bridge.cli run $(DEMO) --out $(OUT) --seed $(SEED) --rig demo --workers $(WORKERS)

test: setup checkers check ## all checks and all tests, the slow ones included
	@$(PY) -m pytest -q -m "not slow" -n 2 --dist loadfile
	@$(PY) -m pytest -q -m slow -n 2 --dist loadfile --ignore tests/system/test_carla_api.py
	@# In a process of its own: after calling everything the client has, its threads abort the process a minute later.
	@$(PY) -m pytest -q -m slow tests/system/test_carla_api.py

fast: ## the fast tests only
	@$(PY) -m pytest -q -m "not slow" -n 2 --dist loadfile

check: ## format, lint, types, import directions
	@$(PY) -m ruff format --check -q . && $(PY) -m ruff check -q .
	@$(PY) tools/check_imports.py
	@$(PY) -m mypy

format: ## format the code
	@$(PY) -m ruff format -q . && $(PY) -m ruff check -q --fix .

bench: setup ## our figures beside the limits measured in the same run
	@$(PY) -m benchmarks

proof: setup ## adaptive against uniform sampling, over five seeds; writes out/proof/proof.md; fails while the claim does not hold
	@$(PY) -m learning.proof --out out/proof

docs: setup ## regenerate the pages in docs/ that are generated
	@$(PY) -m scenarios.openscenario.coverage --write docs/openscenario-coverage.md
	@$(PY) -m scenarios.catalogue
	@$(PY) -m tools.api --write

clean: ## remove what running left behind (not .venv)
	@rm -rf out runs .mypy_cache .ruff_cache .pytest_cache build *.egg-info
