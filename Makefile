# Two commands: `make demo` runs the whole line on the bundled sample sites, `make test` the checks.
SHELL := /bin/bash
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
export DAGSTER_HOME := $(CURDIR)/.dagster
export LOREMILL_DATA ?= $(CURDIR)/data
export PATH := $(CURDIR)/$(BIN):$(PATH)

.venv/installed: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e .
	touch $@
.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e '.[dev]'
	touch $@
