# Two commands do everything: `make report` and `make test`. Both may be run again at no cost.

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON := $(shell command -v python3.11 || command -v python3)
READY  := $(VENV)/.ready

# Where a shell forbids to keep bytecode, each of hundreds of processes would compile pandas anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: report
report: setup browser fonts ## Set up, build, check, measure the quick suite, run the notebooks, print the report's path
	@$(BIN)/bench run quick
	@$(BIN)/roi report latest

.PHONY: test
test: setup browser fonts network ## Set up and run every test
	@$(BIN)/python -m pytest

.PHONY: setup
setup: $(READY) ## Install the locked packages and the pinned runtimes into .venv

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "Installing the locked packages into $(VENV) (about two minutes, once)"
	@rm -f $(READY)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

# Charts as pictures and the browser tests need Chromium; everything else goes without.
.PHONY: browser
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium from the system's packages"; \
	    apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	  else \
	    echo "No Chromium here and no right to install it: charts are not written as pictures, browser tests are skipped. Install it with: sudo apt-get install chromium"; \
	  fi; }

# Images and PDF of a report in Chinese need a font that has it.
.PHONY: fonts
fonts:
	@[ -n "$$(fc-list :lang=zh family 2>/dev/null)" ] || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing a Chinese font from the system's packages"; \
	    apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends fontconfig fonts-wqy-zenhei >/dev/null; \
	  else \
	    echo "No Chinese font here and no right to install one: images of a report in Chinese show boxes. Install it with: sudo apt-get install fonts-wqy-zenhei"; \
	  fi; }

# The tests of workers on other machines make a network of namespaces; without `ip` or the right to, they are skipped.
.PHONY: network
network:
	@command -v ip >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing iproute2 from the system's packages"; \
	    apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends iproute2 >/dev/null; \
	  else \
	    echo "No ip here and no right to install it: tests of workers on other machines are skipped. Install it with: sudo apt-get install iproute2"; \
	  fi; }

.PHONY: selfbench
selfbench: setup ## Print how fast the suite itself is, beside its peers (a quarter of an hour)
	@$(BIN)/python -m roi.selfbench

.PHONY: lock
lock: $(READY) ## Renew requirements.lock and environment.yml from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o requirements.lock
	@$(BIN)/python -m bench.environment_file > environment.yml

.PHONY: clean
clean: ## Remove builds, keep the runs
	@rm -rf build reports
