# Two commands: `make demo` runs the whole line on the bundled sample sites, `make test` the checks.
SHELL := /bin/bash
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
export DAGSTER_HOME := $(CURDIR)/.dagster
export LOREMILL_DATA ?= $(CURDIR)/data
export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(CURDIR)/$(BIN):$(PATH)

.venv/installed: pyproject.toml $(CONSTRAINTS)
	@echo 'Installing the packages into .venv; this takes a few minutes.'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e .
	touch $@
.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e '.[dev]'
	touch $@

DEMO := demo-gpt2
# All that the demo's model needs, and the corpora its franchises imply.
DEMO_ASSETS := +key:"$(DEMO)/report" or \
  key:"lorakin/corpus" or key:"cinderwren/corpus" or key:"ninebells/corpus"
# Serves the sample sites while the command after it runs.
SERVING := python -m crawlers.samplesite --reuse --quiet --
# Dagster's log without the line it writes for every event.
QUIET := {"loggers": {"console": {"config": {"log_level": "INFO"}}}}

.PHONY: demo test test-slow ui gpu system
# The whole line on the bundled sample sites: crawl, corpus, GPT-2, samples, report.
demo: .venv/installed
	@set -o pipefail; $(SERVING) dg launch --assets '$(DEMO_ASSETS)' --config-json '$(QUIET)' \
	  2>&1 | sed -uE 's/^([^ ]+) ([0-9:]+) .* - INFO - [^ ]+ - [^ ]+ - /\2  /'
	@loremill report $(DEMO)

# Lint, types, walls, tests.
test: .venv/installed-dev system
	ruff check . && ruff format --check . && mypy && lint-imports && pytest -m 'not slow'

# What takes long: the demo itself, real crawls and trainings killed and resumed.
test-slow: .venv/installed-dev system
	pytest -m slow

# Dagster on http://127.0.0.1:3000, the sample sites, and the reports on http://127.0.0.1:3001.
ui: .venv/installed
	@mkdir -p '$(LOREMILL_DATA)/reports'
	@python -m http.server --bind 127.0.0.1 --directory '$(LOREMILL_DATA)/reports' 3001 >/dev/null & \
	trap "kill $$!" EXIT; \
	$(SERVING) dg dev --host 127.0.0.1 --port 3000

# The newest torch for this machine's GPU, in place of what constraints.txt pins.
gpu: .venv/installed
	pip install --upgrade --force-reinstall torch

# System packages of the tests: a browser, and a MediaWiki to crawl.
system:
	@.ci/system
