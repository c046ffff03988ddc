# Every command of the project. The work is done by the tools named here, never by the recipes.
.DEFAULT_GOAL := help
BIN := .venv/bin
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix onboarding_ui
PYTEST := $(BIN)/pytest

.PHONY: help run test check lint format api ui bench screenshot lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## Run Allerac on this machine and print its address and claim code
	@python3 -m bootstrap run
	@$(BIN)/allerac serve

test: ## Run every test, as CI does
	@python3 -m bootstrap test
	@$(MAKE) --no-print-directory lint
	@$(NPM) run --silent check
	@$(NPM) run --silent test
	@$(NPM) run --silent size
	@$(PYTEST)

check: ## Run lint, types and the quick tests
	@python3 -m bootstrap test
	@$(MAKE) --no-print-directory lint
	@$(PYTEST) -m "not slow and not browser"

lint: ## Check style, types and the direction of imports
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@PYTHONPATH=runtime:image $(BIN)/lint-imports
	@$(BIN)/allerac openapi --check docs/openapi.json

format: ## Format the sources
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(NPM) run --silent format

api: ## Write the OpenAPI document and the web application's types
	@$(BIN)/allerac openapi docs/openapi.json
	@$(NPM) run --silent generate

ui: ## Serve the web application over its mock, for working on screens
	@python3 -m bootstrap test
	@$(NPM) run dev

bench: ## Measure what the project promises, as tables
	@python3 -m bootstrap test
	@$(BIN)/python -m benchmarks

screenshot: ## Make the README's picture
	@python3 -m bootstrap test
	@$(BIN)/python -m benchmarks.screenshot docs/screenshot.png

lock: ## Lock the Python packages by hash
	@$(BIN)/python -m bootstrap.lock

clean: ## Remove what was built here; data and caches stay
	@rm -rf .build .venv onboarding_ui/node_modules onboarding_ui/dist
