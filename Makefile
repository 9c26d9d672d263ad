# make demo   a whole audit of an embedded estate; make test   everything that CI checks; make help   the rest
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKS := deploy/locks
READY := $(VENV)/.ready-$(shell cat $(LOCKS)/dev.txt pyproject.toml 2>/dev/null | sha256sum | cut -c1-16)
SYSTEM_PACKAGES := etcd-server prometheus chromium xz-utils openssl

.PHONY: help
help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY):
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing: install Python 3.11 to 3.14, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || { echo "$$($(PYTHON) --version) is not supported: make PYTHON=python3.12 (3.11 to 3.14)" >&2; exit 1; }
	@echo "Setting up $(VENV)"
	$(PYTHON) -m venv --clear $(VENV) || { echo "venv is missing: install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCKS)/uv.txt || { echo "The package registry cannot be reached: check the network or pip's configuration" >&2; exit 1; }
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(LOCKS)/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

.PHONY: setup
setup: $(READY) ## Set up .venv and Checkov's own environment
	@$(BIN)/clausule checkov install >/dev/null

.PHONY: system
system: ## Install the Debian packages that some tests need, where that is possible
	@missing=(); for package in $(SYSTEM_PACKAGES); do dpkg -s $$package >/dev/null 2>&1 || missing+=($$package); done
	if [ $${#missing[@]} = 0 ]; then exit 0; fi
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	  echo "Installing $${missing[*]}"
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $${missing[*]} >/dev/null || echo "Not all of them could be installed: tests that need them are skipped by name" >&2
	else
	  echo "Not installed: $${missing[*]}. Tests that need them are skipped by name; install them with: sudo apt-get install $${missing[*]}" >&2
	fi

.PHONY: demo
demo: setup ## Audit an embedded estate: AWS, a cluster, infrastructure code
	@$(BIN)/python -m tests.estate.demo

.PHONY: test
test: system setup lint ## Lint, types, import contracts and all tests
	$(BIN)/pytest -n 2 --dist loadgroup

.PHONY: fast
fast: $(READY) ## Only the tests that take seconds
	$(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

.PHONY: lint
lint: $(READY) ## Lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(READY) ## Format the code
	$(BIN)/ruff check --fix-only --quiet . || true
	$(BIN)/ruff format .

.PHONY: bench
bench: $(READY) ## Measure start-up, calls, and evaluation of a million rows
	@$(BIN)/python -m benchmarks

.PHONY: generate
generate: $(READY) ## Write again what is made from declarations: references, RBAC rules, JSON schema
	$(BIN)/python -m docs.generate

.PHONY: lock
lock: $(READY) ## Resolve the lock files again
	@compile="$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet"
	$$compile pyproject.toml -o $(LOCKS)/runtime.txt
	$$compile pyproject.toml --group dev -o $(LOCKS)/dev.txt
	grep -h '^hatchling==' $(LOCKS)/dev.txt | cut -d' ' -f1 | $$compile - -o $(LOCKS)/build.txt
	grep -h '^uv==' $(LOCKS)/dev.txt | cut -d' ' -f1 | $$compile - -o $(LOCKS)/uv.txt
	echo 'checkov==3.3.30' | $$compile - -o collectors/checkov/requirements.lock

.PHONY: clean
clean: ## Remove what was made here
	rm -rf $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
