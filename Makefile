# Everything a person or a machine does here, by name. Two checkouts never meet: the environment, the
# caches and the data of each lie inside it (.venv/, var/).

SHELL := /bin/bash
.DELETE_ON_ERROR:

# Where real recordings lie beside the checkout, the tests that need them find them.
ifneq ($(wildcard ../shared/data/.),)
export ICLAS_DATA ?= $(abspath ../shared/data)
endif

# The first interpreter that works and is new enough; `make BASE_PYTHON=... setup` names another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
BASE_PYTHON ?= $(shell for name in python3.11 python3 python3.12 python3.13; do \
	"$$name" -c '$(NEW_ENOUGH)' 2>/dev/null && command -v "$$name" && break; done)
PYTHON := .venv/bin/python
INSTALL := $(PYTHON) -m pip install -qq --disable-pip-version-check --root-user-action=ignore
MANIFEST ?=
PORT ?= 8000

# mypy's Django plugin loads the settings, which make their home folder: not the checkout's own.
LINT_HOME := .mypy_cache/iclas-home

.PHONY: setup setup-dev messages pictures run demo test test-long lint format bench clean

setup: .venv/installed .venv/bundled .venv/translated

setup-dev: .venv/installed-dev .venv/bundled .venv/translated

# A killed set-up leaves half an environment, and an upgrade of Python one whose interpreter is gone
# or does not see its packages: neither is mended, each is made anew.
.venv/made: $(if $(shell $(PYTHON) -c 'import pip' 2>/dev/null && echo works),,.venv/broken)
	@"$(BASE_PYTHON)" -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo "ICLAS needs Python 3.11 or newer; $(or $(BASE_PYTHON),none that is here) will not do." >&2; \
		echo "Name one that does: make BASE_PYTHON=/path/to/python3.11 setup" >&2; exit 1; }
	@"$(BASE_PYTHON)" -m venv --clear .venv || { \
		echo "$(BASE_PYTHON) cannot make .venv: mend what it says above (room on the disk, a folder that" \
			"may be written, Debian's package python3-venv), then run make again." >&2; exit 1; }
	@touch $@

.venv/broken: ;

# pip takes a package that it was killed over for installed, but for the RECORD that it writes last.
FORGET_HALF_INSTALLED = for info in .venv/lib/python*/site-packages/*.dist-info; do \
	test ! -d "$$info" || test -s "$$info/RECORD" || rm -rf "$$info"; done
INSTALL_FAILED = { echo "Packages are missing: mend what pip says above (room on the disk, a network or" \
	"registry that answers), then run make again; it continues." >&2; exit 1; }

.venv/installed: requirements.txt .venv/made
	@echo "Installing requirements.txt into .venv; the first time this takes some minutes."
	@$(FORGET_HALF_INSTALLED)
	@$(INSTALL) -r requirements.txt || $(INSTALL_FAILED)
	@touch $@

# What the pages load: bundled here, so that nothing is fetched while they are open.
FRONTEND := $(wildcard frontend/*.json frontend/.npmrc frontend/*.mjs frontend/*.py) \
	$(wildcard frontend/src/*.ts frontend/src/*/*.ts)
BUILT := dashboard/static/dashboard/built
.venv/bundled: $(FRONTEND) .venv/made $(if $(wildcard $(BUILT)/page.js.br),,.venv/broken)
	@echo "Bundling the pages' scripts."
	@$(PYTHON) frontend/bundle.py
	@touch $@

# The languages' catalogues, in the form that is read at run time.
CATALOGUES := $(wildcard locale/*/LC_MESSAGES/django.po)
.venv/translated: $(CATALOGUES) .venv/installed $(if $(filter-out \
		$(words $(wildcard locale/*/LC_MESSAGES/django.mo)),$(words $(CATALOGUES))),.venv/broken)
	@$(if $(CATALOGUES),$(PYTHON) -m babel.messages.frontend --quiet compile -d locale -D django)
	@touch $@

# For developers: the README's pictures, of the demonstration that `make demo` left.
pictures: setup-dev
	@$(PYTHON) -m tests.browser.pictures $(DEMO_HOME)

# For developers, after words were added or changed; needs xgettext (Debian's package gettext).
messages: setup-dev
	@$(PYTHON) manage.py makemessages --all --no-obsolete --no-wrap --add-location file \
		--ignore 'frontend/*' --ignore 'tests/*' --ignore 'pipelines/*' --ignore 'var/*'

.venv/installed-dev: requirements-dev.txt .venv/installed
	@echo "Installing requirements-dev.txt into .venv"
	@$(FORGET_HALF_INSTALLED)
	@$(INSTALL) -r requirements-dev.txt || $(INSTALL_FAILED)
	@touch $@

run: setup
	@$(PYTHON) manage.py run --port $(PORT)

# Homes of their own: simulated infants have no place beside real ones, nor in one that is used.
DEMO_HOME := $(if $(MANIFEST),var/demo-recordings,var/demo)
demo: setup
	@ICLAS_HOME=$${ICLAS_HOME:-$(DEMO_HOME)} $(PYTHON) manage.py demo --port $(PORT) \
		$(if $(MANIFEST),--manifest "$(MANIFEST)")

test: lint
	@$(PYTHON) -m tests.services.suite

test-long: lint
	@ICLAS_LONG=1 $(PYTHON) -m tests.services.suite

lint: setup-dev
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m ruff format --quiet --check .
	@mkdir -p $(LINT_HOME)
	@ICLAS_HOME=$(LINT_HOME) $(PYTHON) -m mypy
	@$(PYTHON) frontend/bundle.py --check
	@.venv/bin/lint-imports --no-logo

format: setup-dev
	@$(PYTHON) -m ruff check --quiet --fix .
	@$(PYTHON) -m ruff format --quiet .

bench: setup
	@$(PYTHON) benchmarks/pipeline.py
	@$(PYTHON) benchmarks/embed.py
	@$(PYTHON) benchmarks/calls.py
	@$(PYTHON) benchmarks/refit.py
	@$(PYTHON) benchmarks/pages.py --infants 20
	@$(PYTHON) benchmarks/intake.py

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
