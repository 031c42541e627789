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
COMPILED := $(VENV)/compiled
RELEASE := $(VENV)/release
TOOLS  := $(RELEASE)/$(notdir $(BIN))
LOCKED := --require-hashes --requirement

# With it, each of the hundreds of commands that the tests start would compile the program again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-long test-packages test-network check format docs docs-picture screens docs-site dist release-check sbom lock
.PHONY: benchmark benchmark-streams benchmark-history benchmark-chat test-all clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "aws-iot-cli needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.13")'
	@$(PYTHON) tools/set_up.py $(VENV) 'about 80 packages (90 MB) from PyPI, once; this takes one to three minutes' \
	  $(LOCKED) requirements/dev.txt -- --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## two people meet in a room, on this machine, with no AWS account
	@$(BIN)/python examples/demo.py

# The AWS CLI pins its own botocore, so it cannot share an environment with ours.
$(AWSCLI)/ready: $(READY) requirements/aws-cli.txt
	@$(PYTHON) tools/set_up.py $(AWSCLI) 'the AWS CLI (25 MB), which one test calls; this takes half a minute' \
	  $(LOCKED) requirements/aws-cli.txt
	@touch $@

$(RELEASE)/ready: $(READY) requirements/release.txt
	@$(PYTHON) tools/set_up.py $(RELEASE) 'the tools that build and check packages (60 MB); this takes half a minute' \
	  $(LOCKED) requirements/release.txt
	@touch $@

# Otherwise, each of the six processes that run the tests would compile all of them.
$(COMPILED): $(READY)
	@$(BIN)/python -m pytest --collect-only --quiet >/dev/null || :
	@touch $@

test: $(READY) $(AWSCLI)/ready $(COMPILED)  ## the tests, except the long ones; offline, once set up
	@$(BIN)/python -m pytest --quiet --numprocesses 6 --dist worksteal -m 'not long'

test-long: $(READY)  ## the tests that take minutes or measure time; needs an idle machine
	@$(BIN)/python -m pytest --quiet --numprocesses 2 --dist worksteal -m long

test-packages: $(RELEASE)/ready  ## build the packages, and install them with pip, pipx and uv; needs PyPI
	@$(BIN)/python -m pytest --quiet -m long tests/project/test_packages.py

test-network: $(READY)  ## trace every command: it connects only to what docs/network.md declares; needs strace
	@$(BIN)/python -m pytest --quiet --numprocesses 2 tests/local/test_network.py

check: $(READY)  ## format, lint, types, layers, template, generated docs, workflows
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/cfn-lint src/aws_iot/backend/template.yaml
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/zizmor --quiet --offline .github
	@$(BIN)/actionlint .github/workflows/*.yml

format: $(READY)  ## rewrite the code as the formatter likes it
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(READY)  ## rewrite the docs that are generated from the code
	@$(BIN)/python docs/generate.py

docs-picture: $(READY)  ## take the picture and the recording of the chat again, on the local stack
	@$(BIN)/python tools/take_pictures.py

screens: $(READY)  ## write again what the chat screen looks like, which tests compare with
	@RENEW_SCREENS=1 $(BIN)/python -m pytest --quiet tests/unit/test_chat_screens_as_text.py

# As users have it: the package and what it needs, without the tools of developers.
build/users/ready: $(RELEASE)/ready pyproject.toml requirements/dev.txt
	@$(TOOLS)/uv venv --quiet --clear build/users
	@$(TOOLS)/uv pip install --quiet --python build/users --constraint requirements/dev.txt '.[local]'
	@touch $@

dist: $(RELEASE)/ready  ## build the wheel and the sdist
	@rm -rf dist && mkdir -p build
	@$(TOOLS)/python -m build --outdir dist . >build/build.log 2>&1 || { cat build/build.log; exit 1; }

release-check: build/users/ready dist  ## version, changelog, docs, packages, README and licences; TAG=v1.2.3 for a release
	@$(BIN)/python tools/release_check.py $(TOOLS) dist build/users/$(notdir $(BIN))/python

sbom: build/users/ready  ## write dist/aws-iot-cli.cdx.json: what the program consists of (CycloneDX)
	@mkdir -p dist
	@$(TOOLS)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-format JSON \
	  --output-file dist/aws-iot-cli.cdx.json build/users/$(notdir $(BIN))/python
	@$(BIN)/python -m tools.name_version dist/aws-iot-cli.cdx.json

LOCK = $(TOOLS)/uv pip compile --quiet --universal --generate-hashes $(UPGRADE) \
  --custom-compile-command 'make lock'

# What docs and benchmarks add must suit the environment of the tests, which they share. What builds the site needs
# Python 3.11.5.
lock: $(RELEASE)/ready  ## update the versions and hashes in requirements/; UPGRADE=--upgrade takes the newest
	@$(LOCK) --python-version 3.11 --extra dev --output-file requirements/dev.txt pyproject.toml
	@for extra in docs benchmark; do \
	  $(LOCK) --python-version 3.11.5 --extra $$extra --constraint requirements/dev.txt --output-file requirements/$$extra.txt pyproject.toml || exit 1; \
	done
	@for tools in aws-cli release; do \
	  $(LOCK) --python-version 3.11 --output-file requirements/$$tools.txt requirements/$$tools.in || exit 1; \
	done

# The theme's advertisement for its successor is not part of the check.
docs-site: $(READY)  ## the documentation as a site in build/site, with all its links checked
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(LOCKED) requirements/docs.txt
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --clean
	@echo "The site is in build/site: open build/site/index.html"

benchmark: $(READY)  ## how long commands take, as ratios to the least that could do the same
	@$(BIN)/python benchmarks/start_up.py

benchmark-streams: $(READY)  ## how fast streams go, beside other clients, on mosquitto
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(LOCKED) requirements/benchmark.txt
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
