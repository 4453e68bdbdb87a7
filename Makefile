# Each verb sets up what it needs. Arguments go through: make demo SESSION=cancel_race_lost ARGS=--json
SHELL := /bin/sh
BIN := .venv/bin
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
PROFILES ?= observability
READY := .venv/ready
# Ends with make, however that ends: TERM then
LEASHED = exec $(BIN)/python deploy/local/local_stack/src/local_stack/leash.py 15 $$PPID - $(BIN)/fillproof

.PHONY: help setup demo run test chaos walks fuzz bench docs mutants pictures ops-check up down logs ps test-compose packages lint types imports clean

help:
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

setup: $(READY) ## set up .venv (and uv in .tools where it is missing)

$(READY): uv.lock pyproject.toml $(wildcard deploy/local/*/pyproject.toml services/*/pyproject.toml shared/*/pyproject.toml)
	@echo "Setting up .venv: half a minute the first time" >&2
	@PYTHON="$(PYTHON)" deploy/local/setup.sh

demo: $(READY) ## run the whole stack on recorded ledgers (SESSION=... ARGS=...)
	@$(LEASHED) demo $(SESSION) $(ARGS)

run: $(READY) ## follow real accounts (XRPL="URL ..." ACCOUNT="ADDRESS ..." ARGS=...)
	@$(LEASHED) run $(XRPL:%=--xrpl %) $(ACCOUNT:%=--account %) $(ARGS)

# The tests that start servers come first (tests/conftest.py) and mostly wait: more processes than cores. What pytest
# makes of the test files is kept, also where Python may not write bytecode: it takes as long as importing them.
test: $(READY) ## run all tests (ARGS=... for pytest)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --quiet -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

chaos: $(READY) ## let everything go wrong at random moments: a quarter of an hour, a minute with ARGS=--short (SEED=...)
	@$(BIN)/pytest --quiet tests/chaos/test_trading_permission.py
	@PYTHONPATH=tests $(BIN)/python -m chaos $(SEED:%=--seed %) $(ARGS)

walks: $(READY) ## go the first hour of a trader, an engine developer and an operator, and show what each step took
	@PYTHONPATH=tests $(BIN)/python -m walks

fuzz: $(READY) ## try 20,000 announcements, 6,000 messages and 5,000 answers that are none (SEED=... ARGS="--share 0.1")
	@PYTHONPATH=tests $(BIN)/python -m fuzz $(SEED:%=--seed %) $(ARGS)

bench: $(READY) ## measure speed, beside what it is held against
	@PYTHONPATH=tests $(BIN)/python tests/bench/kernel.py
	@PYTHONPATH=tests $(BIN)/python tests/bench/ledger_reading.py
	@PYTHONPATH=tests $(BIN)/python tests/bench/whole_ledgers.py
	@PYTHONPATH=tests $(BIN)/python tests/bench/proof.py
	@PYTHONPATH=tests $(BIN)/python tests/bench/accounts.py
	@PYTHONPATH=tests $(BIN)/python tests/bench/latency.py
	@PYTHONPATH=tests $(BIN)/python tests/bench/request_costs.py
	@PYTHONPATH=tests $(BIN)/python tests/bench/lies.py
	@PYTHONPATH=tests $(BIN)/python tests/bench/publishing.py
	@PYTHONPATH=tests $(BIN)/python tests/bench/store.py $(ARGS)

docs: $(READY) ## write the contracts again: JSON Schemas, and each service's AsyncAPI document
	@$(BIN)/python -m order_events shared/order_events/schemas
	@$(BIN)/faststream docs gen reconciler.main:create_app --factory --out docs/asyncapi/reconciler.json
	@$(BIN)/faststream docs gen audit_writer.main:create_app --factory --out docs/asyncapi/audit_writer.json

mutants: $(READY) ## change the kernel's decisions one by one, and see whether the tests notice
	@PYTHON="$(PYTHON)" deploy/local/setup.sh --group mutation
	@rm -rf .mutation && mkdir -p .mutation/src .mutation/tests/unit
	@cp -r shared/offer_lifecycle/src/offer_lifecycle .mutation/src
	@cp -r tests/unit/offer_lifecycle .mutation/tests/unit
	@cp tests/made_ledger.py tests/ledger_before.py .mutation/tests
	@cp tests/mutation.toml .mutation/pyproject.toml
	@cd .mutation && ../$(BIN)/mutmut run --max-children 2 && ../$(BIN)/mutmut results

pictures: $(READY) ## draw the README's picture of the demo again
	@PYTHONPATH=tests $(BIN)/python -m pictures

ops-check: $(READY) ## check dashboards, alerts and runbooks against what they name, and run every query
	@tests/ops/tools.sh
	@$(BIN)/pytest --quiet tests/ops tests/integration/grafana $(ARGS)

packages: $(READY) ## build every wheel, install each alone outside the tree and run its commands (ARGS=... for pytest)
	@FILLPROOF_TEST_PACKAGES=1 $(BIN)/pytest --quiet tests/packages $(ARGS)

lint: $(READY) ## check style
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet

types: $(READY) ## check types
	@$(BIN)/mypy

imports: $(READY) ## check who may import whom
	@$(BIN)/lint-imports

up: ## deploy with Docker (.env and PROFILES=...; the demo: PROFILES=demo ARGS="--env-file deploy/demo.env")
	@deploy/secrets.sh $(ARGS)
	@$(COMPOSE) $(ARGS) $(PROFILES:%=--profile %) build
	@$(COMPOSE) $(ARGS) $(PROFILES:%=--profile %) up --detach

down: ## stop what `up` started; data stays
	@$(COMPOSE) $(ARGS) --profile observability --profile demo down

logs: ## show the deployment's logs, and go on
	@$(COMPOSE) $(ARGS) --profile observability --profile demo logs --tail 100 --follow

ps: ## show the deployment's containers
	@$(COMPOSE) $(ARGS) --profile observability --profile demo ps

test-compose: $(READY) ## run the deployment on a real Docker engine (ARGS=... for pytest)
	@tests/compose/run.sh $(ARGS)

clean: ## remove everything that was set up or cached
	@rm -rf .venv .tools .ops .mutation .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
