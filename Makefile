# Foureyes: everything a person types. `make help` explains.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
ARGS   ?=

.DEFAULT_GOAL := help

help:  ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Foureyes needs Python 3.11 or newer; this is %s. Try: make PYTHON=python3.12 ..." % sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

install: $(STAMP)  ## build .venv with the locked dependencies; .venv/bin/foureyes exists afterwards

demo: $(STAMP)  ## play the whole main job with a local Slack; ARGS=--script plays it without a browser
	@$(BIN)/foureyes demo $(ARGS)

test: $(STAMP)  ## everything that CI runs: format, lint, types, import contracts, tests, coverage
	@BIN=$(BIN) sh .ci/gate

lint: $(STAMP)  ## the fast half of the gate: format, lint, types, import contracts
	@BIN=$(BIN) sh .ci/gate lint

bench: $(STAMP)  ## print the figures of docs/benchmarks.md on this machine
	@$(BIN)/python -m benchmarks $(ARGS)

tamper: $(STAMP)  ## tamper with every table of the audit log and print who finds it
	@PYTHONPATH=.:verifier $(BIN)/python -m tests.tamper.matrix $(ARGS)

pictures: $(STAMP)  ## take the pictures of docs/images anew (needs Chromium)
	@$(BIN)/python -m docs.pictures $(ARGS)

lock:  ## refresh requirements/*.txt (needs `uv` on the PATH)
	uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml -o requirements/runtime.txt
	uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml --group dev -o requirements/dev.txt

clean:  ## remove what the other targets made
	rm -rf $(VENV) .hypothesis .mypy_cache .ruff_cache .import_linter_cache .coverage* dist build

.PHONY: help install demo test lint bench tamper pictures lock clean
