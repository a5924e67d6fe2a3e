# What a person types. Every target makes what it needs first; nothing is done twice.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test lint ui docs data-model bench crash-test demo-twitch setup clean

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3 python,$(shell command -v $(name) 2>/dev/null)))
BIN := .venv/bin
DBT_FILES := $(shell find dbt_project -name target -prune -o -name logs -prune -o -type f \
	\( -name '*.sql' -o -name '*.yml' -o -name '*.csv' -o -name '*.md' \) -print 2>/dev/null)
MODEL_FILES := $(filter dbt_project/models/%.sql,$(DBT_FILES))
LINT_RULES := .sqlfluff $(filter dbt_project/macros/%,$(DBT_FILES))
LINTED := dbt_project/target/linted
MANIFEST := dbt_project/target/manifest.json

export LAKE_ROOT ?= $(CURDIR)/data_lake/storage
export DBT_PROJECT_DIR := $(CURDIR)/dbt_project
export DBT_PROFILES_DIR := $(CURDIR)/dbt_project

# No tool phones home.
export DO_NOT_TRACK := 1
export DAGSTER_DISABLE_TELEMETRY := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false
export MLFLOW_DISABLE_TELEMETRY := true

help:  ## Show what there is.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup  ## Read new exports (a sample world when there are none), build, audit, publish.
	@$(BIN)/fullhouse run --sample-if-empty

test: setup  ## Lint, types and all tests.
	@report=$$(mktemp); $(MAKE) -s lint >"$$report" 2>&1 & lint=$$!; trap 'kill $$lint; exit 130' INT TERM; \
		$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder; tests=$$?; \
		wait $$lint; checks=$$?; cat "$$report"; rm -f "$$report"; exit $$((tests || checks))

lint: setup
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(MAKE) -s $(LINTED)

# sqlfluff takes most of a second a model: it reads those that changed since all passed.
$(LINTED): $(LINT_RULES) $(MODEL_FILES)
	@$(BIN)/python -m sqlfluff lint -q $(if $(filter-out $(MODEL_FILES),$?),$(MODEL_FILES),$?)
	@mkdir -p $(@D) && touch $@

ui: setup  ## Dagster UI and MLflow UI; Ctrl-C stops both.
	@$(BIN)/fullhouse ui

docs: setup  ## Every model and column, as one page: dbt_project/target/static_index.html.
	@if [ -f "$(LAKE_ROOT)/warehouse.duckdb" ]; then catalog=; else catalog=--empty-catalog; fi; \
		cd dbt_project && ../$(BIN)/python -P ../orchestration/dbt_process.py docs generate --static $$catalog
	@echo "open dbt_project/target/static_index.html"

data-model: setup  ## Write docs/data-model.md from the YAML of the models.
	@$(BIN)/python -m orchestration.data_model

bench: setup  ## Speed, memory and growth of cost, beside a hand-written script.
	@$(BIN)/python -m benchmarks

demo-twitch: export LAKE_ROOT := $(CURDIR)/data_lake/storage/demo-twitch
demo-twitch: setup  ## Pull a week of the sample world through a local Twitch API, into a lake of its own.
	@$(BIN)/python -m tests.demo_twitch --days 7
	@$(BIN)/fullhouse run
	@echo "the demo's lake is $(LAKE_ROOT); to look at it: LAKE_ROOT=$(LAKE_ROOT) $(BIN)/fullhouse status"

N ?= 10
crash-test: setup  ## Kill a run at every write and at N=10 random instants; each next run must end in the same tables.
	@folder=$$(mktemp -d) && $(BIN)/python -m tests.faults.killed "$$folder"; code=$$?; rm -rf "$$folder"; exit $$code
	@$(BIN)/python -m tests.faults.crash --kills $(N)

setup: .venv/installed $(MANIFEST)  ## The virtual environment and the dbt manifest; the other targets call it.

.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed; or name one: make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
		|| { echo "$(PYTHON) is not Python 3.11 or 3.12; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || { echo "making .venv with $(PYTHON)"; "$(PYTHON)" -m venv .venv; }
	@echo "installing requirements.lock into .venv (some minutes the first time)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -e .
	@touch $@

$(MANIFEST): .venv/installed $(DBT_FILES)
	@echo "reading the dbt models"
	@cd dbt_project && ../$(BIN)/python -P ../orchestration/dbt_process.py --quiet parse
	@touch $@

clean:  ## Remove what tools left behind; the lake and .venv stay.
	@rm -rf dbt_project/target dbt_project/logs logs .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
