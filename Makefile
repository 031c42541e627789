# Everything a person or CI runs. `make demo` and `make test` need only Python 3.11+ and make.
PYTHON ?= python3
VENV   ?= .venv
ifeq ($(OS),Windows_NT)
BIN    := $(VENV)/Scripts
else
BIN    := $(VENV)/bin
endif
READY  := $(VENV)/ready
AWSCLI := $(VENV)/aws-cli

# With it, each of the hundreds of commands that the tests start would compile the program again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-long check format docs docs-site benchmark benchmark-streams benchmark-history \
        benchmark-chat test-all clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "aws-iot-cli needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.13")'
	@$(PYTHON) tools/set_up.py $(VENV) 'about 75 packages (80 MB) from PyPI, once; this takes one to three minutes' --editable '.[dev]'
	@touch $@

demo: $(READY)  ## two people meet in a room, on this machine, with no AWS account
	@$(BIN)/python examples/demo.py

# The AWS CLI pins its own botocore, so it cannot share an environment with ours.
$(AWSCLI)/ready: $(READY)
	@$(PYTHON) tools/set_up.py $(AWSCLI) 'the AWS CLI (25 MB), which one test calls; this takes half a minute' awscli==1.46.3
	@touch $@

test: $(READY) $(AWSCLI)/ready  ## the tests, except the long ones; offline, once set up
	@$(BIN)/python -m pytest --quiet --numprocesses 4 --dist worksteal -m 'not long'

test-long: $(READY)  ## the tests that take minutes or measure time; needs an idle machine
	@$(BIN)/python -m pytest --quiet --numprocesses 2 --dist worksteal -m long

check: $(READY)  ## format, lint, types, layers, template, generated docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/cfn-lint src/aws_iot/backend/template.yaml
	@$(BIN)/python docs/generate.py --check

format: $(READY)  ## rewrite the code as the formatter likes it
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(READY)  ## rewrite the docs that are generated from the code
	@$(BIN)/python docs/generate.py

# The theme's advertisement for its successor is not part of the check.
docs-site: $(READY)  ## the documentation as a site in build/site, with all its links checked
	@$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --clean
	@echo "The site is in build/site: open build/site/index.html"

benchmark: $(READY)  ## how long commands take, as ratios to the least that could do the same
	@$(BIN)/python benchmarks/start_up.py

benchmark-streams: $(READY)  ## how fast streams go, beside other clients, on mosquitto
	@$(BIN)/python -m pip install --quiet --editable '.[benchmark]'
	@$(BIN)/python benchmarks/streams.py

benchmark-history: $(READY)  ## how fast the history is, with a million messages
	@$(BIN)/python benchmarks/history.py

benchmark-chat: $(READY)  ## how fast the chat screen is, with a million messages
	@$(BIN)/python benchmarks/chat.py

test-all:  ## `make test` on every Python that is installed
	@for v in 3.11 3.12 3.13 3.14; do \
	  if python$$v -c '' 2>/dev/null; then \
	    echo "== Python $$v"; $(MAKE) --no-print-directory test PYTHON=python$$v VENV=.venv-$$v || exit 1; \
	  else echo "== Python $$v is not installed"; fi; \
	done

clean:  ## remove what these targets made
	@rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist build
