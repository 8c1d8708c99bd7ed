# Every command of the project. `make` or `make help` lists them.
SHELL   := /bin/sh
STACK   ?= dev
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
UV      := 0.13.8
READY   := $(VENV)/.ready
ARGS    ?=
AGAINST ?= origin/main

# The cloud SDKs are large: compiled once, they load in half the time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup lock preview compare test lint mutants bench docs clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\n  STACK=<name>   the stack to preview (default: dev)\n  ARGS="..."     further options, for example ARGS="--format json"\n'

setup: $(READY) ## install the locked dependencies into .venv

$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Plinth needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...' >&2; exit 1; }
	@echo 'Installing the locked dependencies into $(VENV); this happens once.' >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	  || { echo 'Python cannot make a virtual environment; on Debian or Ubuntu: apt install python3-venv' >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv==$(UV)'
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements.txt
	@touch $@

lock: $(READY) ## compile requirements.txt from pyproject.toml
	@$(BIN)/uv pip compile --quiet pyproject.toml --group project --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --custom-compile-command 'make lock' --output-file requirements.txt

preview: $(READY) ## show what a stack makes, with no cloud account and no Pulumi CLI
	@$(BIN)/python -m preview $(STACK) $(ARGS)

compare: $(READY) ## show what changes in every stack against a commit: AGAINST=origin/main
	@$(BIN)/python -m preview --against $(AGAINST) $(ARGS)

test: $(READY) ## run the tests
	@$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(READY) ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright

mutants: $(READY) ## take each protection away, one at a time, and see that a rule catches it
	@$(BIN)/python -m tests.mutants $(ARGS)

bench: $(READY) ## measure the preview: time, memory, and the way there from a fresh clone
	@$(BIN)/python -m tests.bench $(ARGS)

docs: $(READY) ## write what is generated: parts of the documents, and the recorded URNs
	@$(BIN)/python -m tests.documents

clean: ## remove the virtual environment and the caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis dist
