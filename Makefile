# `make help` lists what there is. Everything works from a bare checkout; settings come from the environment.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test quick bench soak lint clean

VENV := .venv
BIN := $(VENV)/bin
FLASK := $(BIN)/flask --app wsgi
PYTEST := $(BIN)/python -m pytest
TEST_WORKERS ?= 2

export HOST ?= 127.0.0.1
export PORT ?= 8000
export DATA_DIR ?= data

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-6s %s\n", $$1, $$2}' Makefile

run: .installed-run ## Start the site with its demo world on http://HOST:PORT; Ctrl-C ends it
	@exec $(FLASK) demo run

test: .installed-test ## Run every test, on SQLite and PostgreSQL, browser included
	$(PYTEST) -n $(TEST_WORKERS) tests market catalog orders

quick: .installed-test ## Run the tests that need no server and no browser, on SQLite only
	$(PYTEST) -n $(TEST_WORKERS) --sqlite-only -m "not slow" tests/unit tests/services tests/shape market catalog orders

bench: .installed-test ## Measure and print one table
	$(BIN)/python -m tests.bench

soak: .installed-test ## Put load and faults on a real server for SOAK_MINUTES (default 10), then audit
	$(BIN)/python -m tests.soak

lint: .installed-test ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

clean: ## Remove environment and caches; DATA_DIR stays
	rm -rf $(VENV) .installed-* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# the stamps say which requirements are installed
.installed-run: requirements.txt | $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.installed-test: requirements.txt tests/requirements.txt | $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@ .installed-run

$(VENV):
	@python=$$(for name in python3.13 python3.12 python3.11 python3; do \
		"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done); \
	[ -n "$$python" ] || { echo "Sijin needs Python 3.11 or newer, and none was found on PATH." >&2; exit 1; }; \
	"$$python" -m venv $@ || { rm -rf $@; exit 1; }
