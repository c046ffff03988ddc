# Every command of the project. The work is done by the tools named here, never by the recipes.
.DEFAULT_GOAL := help
BIN := .venv/bin
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix onboarding_ui
PYTEST := $(BIN)/pytest
WORKERS := -n auto --maxprocesses 6 --dist loadscope --no-loadscope-reorder --durations 20
IMAGE := $(BIN)/python -m allerac_image

# Tests start hundreds of processes, and each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

# What the type checker knows of a file holds in every checkout.
export MYPY_CACHE_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/allerac/mypy

TIER ?= vm
MODELS ?= none

.PHONY: help run test check lint lint-ui test-ui format api ui bench bench-engine bench-knowledge screens screenshot lock clean image vm install station twin test-image

help: ## Show this list
	@awk -F ':.*## ' '/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ On this machine
run: ## Run Allerac and print its address and claim code
	@python3 -m bootstrap run
	@$(BIN)/allerac serve

ui: ## Serve the web application over its mock, for working on screens
	@python3 -m bootstrap test
	@$(NPM) run dev

##@ On a box
image: ## Build the disk image of a tier: TIER=n100|i5|i7|vm, MODELS=none|preload; a release's RELEASE=URL, TRUST=KEYS/trust
	@python3 -m bootstrap image
	@$(IMAGE) build --tier "$(TIER)" --models "$(MODELS)" \
		$(if $(TRUST),--trust "$(TRUST)") $(if $(RELEASE),--release --updates-from "$(RELEASE)")

vm: ## Start the image of TIER in QEMU, for this machine's browser; FRESH=1 begins anew
	@python3 -m bootstrap vm
	@$(IMAGE) vm --tier "$(TIER)" $(if $(FRESH),--fresh)

install: ## Make an Allerac of a Debian 12 or 13: HOST=user@machine, this one without; TIER=
	@python3 -m bootstrap install
	@$(IMAGE) install --tier "$(TIER)" $(if $(HOST),--host "$(HOST)")

##@ In the factory
station: ## Prepare this machine to write drives with .venv/bin/allerac-factory; docs/factory.md
	@python3 -m bootstrap factory

twin: ## Make a batch of eight on practice drives, from image to labels, and print its table
	@python3 -m bootstrap test
	@$(BIN)/python -m tests.factory.twin

##@ Proof
test: ## Run every test, as CI does
	@python3 -m bootstrap test
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint-ui lint
	@$(PYTEST) $(WORKERS)

check: ## Run lint, types and the quick tests
	@python3 -m bootstrap test
	@$(MAKE) --no-print-directory lint
	@$(PYTEST) $(WORKERS) -m "not slow and not browser and not matrix"

test-image: ## Run every fault on the emulated box, and break models by the thousand; takes hours
	@python3 -m bootstrap test
	@$(PYTEST) tests/image tests/provisioning -m "slow or matrix"
	@$(PYTEST) tests/engine -m matrix

bench: ## Measure what the project promises, as tables
	@python3 -m bootstrap test
	@$(BIN)/python -m benchmarks

bench-knowledge: ## Measure what is found in a household's papers
	@python3 -m bootstrap test
	@$(BIN)/python -m benchmarks.knowledge

bench-engine: ## Measure our engine beside llama.cpp's own server: PAIRS=5, TOKENS=32
	@python3 -m bootstrap test
	@$(BIN)/python -m benchmarks.engine_pairs --pairs $(or $(PAIRS),5) --tokens $(or $(TOKENS),32)

screens: ## Take a picture of every screen, in every size, light and language
	@ALLERAC_SCREENSHOTS=.build/screens $(PYTEST) tests/browser/test_screens.py

##@ The sources
format: ## Format the sources
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(NPM) run --silent format

api: ## Write the OpenAPI document and the web application's types
	@$(BIN)/allerac openapi docs/openapi.json
	@$(NPM) run --silent generate

lock: ## Lock the Python packages by hash
	@$(BIN)/python -m bootstrap.lock

clean: ## Remove what was built here; data, images and caches stay
	@rm -rf .build .venv .venv-image onboarding_ui/node_modules onboarding_ui/dist

# Style, types and the direction of imports: part of `test` and `check`.
lint:
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@PYTHONPATH=runtime:image $(BIN)/lint-imports
	@$(BIN)/allerac openapi --check docs/openapi.json

# Style, types and size of the web application: part of `test`.
lint-ui:
	@python3 -m bootstrap lint-ui
	@$(NPM) run --silent size

# Its tests alone, which are one of those of `test`.
test-ui:
	@$(NPM) run --silent test

# The README's picture.
screenshot:
	@python3 -m bootstrap test
	@$(BIN)/python -m benchmarks.screenshot docs/screenshot.png
