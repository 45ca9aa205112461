# `make` alone lists what there is. What each target needs is set up by itself (deploy/setup.sh).

PYTHON := .venv/bin/python
# Test processes side by side: on two cores four, as many tests mostly wait. Their own servers come on top.
TEST_PROCESSES ?= 4

.DEFAULT_GOAL := help
.PHONY: help run try test test-full check lint docs bench load migrate migrate-store backup restore restore-drill lock clean setup setup-test

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## start everything on this machine, with a small destination to try (RESET=1 starts anew)
	@exec $(PYTHON) -m demo.run

try: setup ## a curator's day and a whole sale, step by step, against a running `make run`
	@exec $(PYTHON) -m demo.try_it

PYTEST = $(PYTHON) -m pytest -n $(TEST_PROCESSES) --dist loadgroup --no-loadscope-reorder

# Where the environment forbids it, every one of the tests' many processes would compile all modules anew.
test test-full check lint: export PYTHONDONTWRITEBYTECODE =

test: lint ## all checks and all tests at small counts
	@TEST_COUNTS=small $(PYTEST)

test-full: lint ## the same tests at full counts
	@TEST_COUNTS=full $(PYTEST) --timeout 3600

check: lint ## lint, types, docs
	$(PYTHON) -m pytest -q --no-header --durations=0 tests/types tests/docs

lint: setup-test ## lint, format, import contracts
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	.venv/bin/lint-imports --cache-dir .cache/import_linter

docs: setup-test ## write the tables of docs/ anew from the code
	@exec $(PYTHON) -m docs.tables

bench: setup-test ## measure against floors taken in the same run (BENCH=full adds a million bookings)
	@exec $(PYTHON) -m benchmarks

load: setup-test ## bring people to the whole product and judge it (PROFILE=smoke,load,stress,... DURATION= USERS= STORE=)
	@exec $(PYTHON) -m load

migrate: setup ## bring both databases to the present schema (DATABASE_URL, else those of `make run`)
	@export DATA_DIR=$${DATA_DIR:-.data}; $(PYTHON) -m ticketing_service.commands.migrate && $(PYTHON) -m admin_service.commands.migrate

migrate-store: setup ## move the services to another store (FROM=URL TO=URL, SWITCH=read_only|offline; docs/moving.md)
	@exec deploy/migrate-store.sh

backup: setup ## back up both databases, media and keys into BACKUP_REPOSITORY
	@export DATA_DIR=$${DATA_DIR:-.data}; exec $(PYTHON) -m backups take

restore: setup ## bring a backup back: FROM=latest or its id, TO=an empty folder (FORCE=1, UNTIL=, BINLOGS=: docs/backups.md)
	@exec $(PYTHON) -m backups restore $(if $(FORCE),--force) $(if $(UNTIL),--until '$(UNTIL)') $(if $(BINLOGS),--binlogs '$(BINLOGS)') $(or $(FROM),latest) $(or $(TO),$(error TO= names the folder to restore into))

restore-drill: setup ## prove the newest backup: restore it into a scratch place, check it, sell there
	@export DATA_DIR=$${DATA_DIR:-.data}; exec $(PYTHON) -m backups drill

lock: setup-test ## pin requirements/*.in with hashes
	@for name in run test; do \
	  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --custom-compile-command "make lock" $(LOCK_OPTIONS) requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

clean: ## remove the virtual environment and all caches (the data of `make run` stays)
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis htmlcov .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@deploy/setup.sh run

setup-test:
	@deploy/setup.sh test
