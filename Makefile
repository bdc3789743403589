# Needs Python 3.11 or newer and make; everything else comes from the package registries, pinned by hash.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
STAMP := .venv/.installed
UV := uv==0.13.9
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" pyproject.toml

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.locked: requirements-dev.lock
	@test -n "$(PYTHON)" || { echo "outwatch needs Python 3.11 or newer on the path (or: make PYTHON=/path/to/python3.11)" >&2; exit 1; }
	@echo "==> virtual environment .venv ($$($(PYTHON) --version))"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "==> locked dependencies"
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(STAMP): pyproject.toml .venv/.locked
	@echo "==> this checkout"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(STAMP) ## make .venv with the locked dependencies and this checkout
	@echo "ready: $(BIN)/outwatch --help"

.PHONY: demo
demo: $(STAMP) ## run the whole thing on this machine: Kafka, Redis, a simulator, a live table
	@exec $(BIN)/outwatch demo

.PHONY: kafka
kafka: $(STAMP) ## start a local Apache Kafka and say how to use it
	@exec $(BIN)/python -m streams.local.kafka

.PHONY: test
test: lint types contracts ## run every check
	@echo "==> tests"
	@$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 25

.PHONY: lint
lint: $(STAMP) ## ruff: rules and format
	@echo "==> lint"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(STAMP) ## mypy, strict
	@echo "==> types"
	@$(BIN)/mypy models alerts streams desk tests $(wildcard bench)

.PHONY: contracts
contracts: $(STAMP) ## which package may import which
	@echo "==> import contracts"
	@$(BIN)/lint-imports --no-logo

.PHONY: unit
unit: $(STAMP) ## the quick tests
	@$(BIN)/pytest tests/unit tests/property tests/behaviour -m "not slow"

.PHONY: faults
faults: $(STAMP) ## the tests that kill things, also those that take minutes
	@SIM_SEEDS=$${SIM_SEEDS:-5000} $(BIN)/pytest -m "long or not long" tests/faults tests/property/test_simulation.py

.PHONY: bench
bench: $(STAMP) ## events a second beside plain Faust and the floor
	@$(BIN)/python -m bench

MINUTES ?= 30
RATE ?= 5000
.PHONY: soak
soak: $(STAMP) ## a steady load of RATE events a second for MINUTES, minute by minute (docs/soak.md)
	@$(BIN)/python -m bench.soak $(MINUTES) $(RATE)

.PHONY: screenshots
screenshots: $(STAMP) ## take the README's pictures of the desk anew, with the system's Chromium
	@$(BIN)/python -m tests.browser.pictures

.PHONY: lock
lock: $(STAMP) ## resolve the dependencies and Kafka's jars anew into the lock files
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet $(UV)
	$(LOCK) --upgrade --output-file requirements.lock
	$(LOCK) --upgrade --extra local --group dev --constraints requirements.lock --output-file requirements-dev.lock
	$(BIN)/python -m streams.local.jars
	@! grep -nE '://|^-' requirements.lock requirements-dev.lock

.PHONY: clean
clean: ## remove .venv and every cache of the checkout
	@rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
