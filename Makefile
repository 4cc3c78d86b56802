PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help install format lint types unit integration lowest test demo bench clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## Install the project and its tools into .venv

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || \
		{ echo "Python 3.10 or newer is needed. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is needed. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --editable '.[files]' --group dev
	@touch $@

format: install ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: install ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## Check types
	$(BIN)/mypy

unit: install ## Run the unit tests, with coverage
	$(BIN)/pytest tests/unit --cov --cov-report=term

integration: install ## Run the tests against real parts
	$(BIN)/pytest tests/integration

lowest: install ## Run the unit tests on the oldest versions that we allow
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	@$(BIN)/uv pip install --quiet --python $(LOWEST) --resolution lowest-direct --editable '.[files]' --group test
	$(LOWEST)/bin/pytest tests/unit

test: lint types unit lowest integration ## Run every check

clean: ## Remove what was built and installed
	rm -rf $(VENV) $(LOWEST) dist build .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
