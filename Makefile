# Needs python3 (3.11 or later) with pip and venv; everything else is installed into $(VENV) from the lock files.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Laurel itself, as it stands here: the command `laurel`.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --quiet

.PHONY: help serve test clients lint format lock bench schema programmes graphiql dashboard centre pages env env-dev

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: env ## a sample programme with members and real purchases, on this machine only
	$(BIN)/python -m graph serve --sample

test: lint ## every check and test; on PostgreSQL and MariaDB too when LAUREL_TEST_POSTGRES and _MYSQL are set
	$(BIN)/python -m tests.databases
	$(BIN)/python -m tests.npm
	$(BIN)/python -m pytest -n 2

clients: export LAUREL_TEST_CLIENTS := yes
clients: env-dev ## front ends' clients, GraphiQL in chromium and its build; needs node 20 with npm, gets the rest
	$(BIN)/python -m tests.npm
	$(BIN)/python -m pytest tests/clients tests/browser tests/graph/test_graphiql.py tests/graph/test_dashboard.py tests/graph/test_centre.py

lint: env-dev ## style, types, and which folder may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: env-dev ## rewrite the code as lint wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: env-dev ## operations and imports a second, on each database that has an address
	$(BIN)/python -m benchmarks

schema: env-dev ## print schema.graphql from the code
	$(BIN)/python -m graph schema > schema.graphql.new && mv schema.graphql.new schema.graphql

programmes: env-dev ## live the example programmes again and write their pages and pictures in docs/programmes anew
	$(BIN)/python -m pytest -q tests/programmes --renew

graphiql: ## build the page for operators from graph/graphiql; needs node 20 with npm
	cd graph/graphiql && npm ci --no-audit --no-fund && npm run build

dashboard: ## build the dashboard from graph/dashboard and schema.graphql; needs node 20 with npm
	cd graph/dashboard && npm ci --no-audit --no-fund && npm run build

centre: ## build the member centre from graph/centre and schema.graphql; needs node 20 with npm
	cd graph/centre && npm ci --no-audit --no-fund && npm run build && npm run check

pages: graphiql dashboard centre ## build all pages

lock: env-dev ## resolve the lock files again: pins and hashes for every platform, no host in them
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) pyproject.toml --extra dev --constraint requirements.txt --output-file requirements-dev.txt
	! grep -n '://' requirements.txt requirements-dev.txt

env: $(VENV)/.installed
env-dev: $(VENV)/.installed-dev

$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Laurel needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.installed: requirements.txt | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(INSTALL)
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(INSTALL)
	touch $@ $(VENV)/.installed
