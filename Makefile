# Everything is done in .venv, from hashed locks; a step is done again only when its lock has changed.

PYTHON ?= python3
UV ?= uv
ARGS ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	--python-version 3.11 --group build

.DEFAULT_GOAL := help
.PHONY: help run test check docs fuzz chaos chaos-runs chaos-workers bench lock clean system

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: .venv/installed ## start everything on this machine; Ctrl-C stops it when running jobs have finished
	@exec $(BIN)/beatdesk up

# The suite mostly waits for real servers. A file's tests stay together, and share its servers; the longest come first.
test: .venv/installed-dev system ## run the whole suite (ARGS="-k beat" for a part of it)
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv/installed-dev ## lint, format, types, imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/installed-dev ## write the tables of the documents that are made from the code
	@$(BIN)/python -m tests.docs.write

fuzz: .venv/installed-dev ## feed every reader of text whatever atheris thinks of, for a minute
	@$(PIP) --require-hashes -r requirements-fuzz.lock
	@$(BIN)/python -m tests.fuzz.texts -max_total_time=$(or $(SECONDS),60)

chaos-runs: .venv/installed-dev ## kill workers, recorders and servers while jobs run, and count what is lost (ARGS="--kills 20 --runs 1000" for less)
	@$(BIN)/python -m tests.chaos.runs.run $(ARGS)

chaos-workers: .venv/installed-dev ## kill workers while they take messages, and count what is lost (ARGS="--runs 1500 --kills 30" for less)
	@$(BIN)/python -m tests.chaos.workers $(ARGS)

chaos: .venv/installed-dev ## kill Beat a thousand times and count what is lost (ARGS="--kills 100" for less)
	@$(BIN)/python -m tests.chaos.run $(ARGS)

bench: .venv/installed-dev ## measure Beat beside its peers (ARGS="--only due" for a part, ARGS=--quick to try)
	@$(PIP) --require-hashes -r requirements-bench.lock || echo "the peers cannot be installed, and are left out"
	@$(BIN)/python -m tests.bench.beat $(ARGS)

lock: ## write the locks anew from pyproject.toml; needs uv
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(COMPILE) --group bench -c requirements-dev.lock -o requirements-bench.lock

clean: ## remove .venv; the data folder stays
	rm -rf .venv

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Beatdesk needs Python 3.11 or newer, $(PYTHON) is older or missing; try: make PYTHON=python3.12 run" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/installed: requirements.lock | .venv/bin/python
	@echo "installing what Beatdesk needs into .venv; this takes less than a minute"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation -e .
	@touch $@

.venv/installed-dev: requirements-dev.lock | .venv/bin/python
	@echo "installing what Beatdesk and its tests need into .venv"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --no-build-isolation -e .
	@touch .venv/installed $@

# The browser of the console's tests, and servers that Beat is tried with. What cannot be had is not tested, which the
# tests say. The tests start servers of their own.
SYSTEM := chromium rabbitmq-server redis-server redis-sentinel faketime nginx
system:
	@missing=""; for program in $(SYSTEM); do command -v $$program >/dev/null || missing="$$missing $$program"; done; \
	if [ -n "$$missing" ] && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq; for package in $$missing; do \
			DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$package >/dev/null \
				|| echo "$$package cannot be installed"; done; fi
