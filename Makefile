# The whole habit of this repository. `make run` and `make test` are all a newcomer needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
ROUNDS ?= 10

export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: run test search check bench package deploy openapi roles clean help

help:
	@echo "make run      start the whole platform on http://127.0.0.1:8000 (PORT, DATA_DIR, EPHEMERAL=1, DEMO=0)"
	@echo "make test     every check and every test"
	@echo "make search   the property tests with other random cases, ROUNDS=10 times"
	@echo "make check    ruff, mypy, import contracts"
	@echo "make bench    load figures of this machine (BENCHMARKS.md)"
	@echo "make package  the deployable artefact in build/package, offline"
	@echo "make deploy   package and deploy to the AWS account of your shell (see README)"
	@echo "make openapi  write docs/openapi.json from the code"
	@echo "make roles    write infra/stack/roles.yaml, each function's permissions, from the code"

$(STAMP): requirements.txt requirements-dev.txt
	@echo "Installing into $(VENV) (once, about a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip<26.3'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(STAMP)

run: $(STAMP)
	@exec $(BIN)/python -m infra.local

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: check
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

search: $(STAMP)
	@for round in $$(seq $(ROUNDS)); do \
		WATTFARE_PROPERTIES=search $(BIN)/python -m pytest -q -n $(WORKERS) -m hypothesis || exit 1; \
	done

bench: $(STAMP)
	$(BIN)/python -m bench

package: $(STAMP)
	$(BIN)/python -m infra.package build/package

deploy: package
	$(BIN)/python -m infra.deploy build/package

openapi: $(STAMP)
	$(BIN)/python -m infra.openapi

roles: $(STAMP)
	$(BIN)/python -m infra.iam

clean:
	rm -rf build .chalice/deployments .mypy_cache .pytest_cache .ruff_cache .hypothesis
