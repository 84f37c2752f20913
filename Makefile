# Linewise. `make` lists what can be done.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BIND := $(or $(LINEWISE_BIND),127.0.0.1:8080)
LOCK := --quiet --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options
QUESTION := {"drugs": ["vancomycin", "pip/tazo", "norepinephrine"]}

.DEFAULT_GOAL := help
.PHONY: help serve ask test changes bench fuzz fault load sbom licences audit fix lock clean browser postgres redis

help: ## list the targets
	@echo "Linewise: may these drugs share this line, and should this patient get them together?"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  e.g.  make ask DRUGS="vancomycin, piperacillin/tazobactam, norepinephrine"'

serve: $(VENV)/ready ## start the service on this machine (LINEWISE_BIND, WEB_CONCURRENCY)
	@echo "Linewise answers at http://$(BIND) (docs: http://$(BIND)/docs). A first check, from another terminal:"
	@echo
	@echo "  curl -s http://$(BIND)/v1/check -H 'Content-Type: application/json' -d" "'"'$(QUESTION)'"'"
	@echo
	@exec $(BIN)/gunicorn wsgi:app

ask: $(VENV)/ready ## check drugs on the command line: make ask DRUGS="vancomycin, pip/tazo"
	@test -n "$$DRUGS" || { echo 'Say which drugs: make ask DRUGS="vancomycin, pip/tazo"' >&2; exit 2; }
	@$(BIN)/python -m checker check "$$DRUGS" || test $$? -eq 1

test: $(VENV)/ready-to-test browser postgres redis ## run all checks that CI runs, and show every failure
	@failed=""; \
	run() { name="$$1"; shift; echo; echo "== $$name"; "$$@" || failed="$$failed $$name"; }; \
	run ruff $(BIN)/ruff check .; \
	run format $(BIN)/ruff format --check --quiet .; \
	run mypy $(BIN)/mypy; \
	run imports $(BIN)/lint-imports; \
	run bandit $(BIN)/bandit --quiet --recursive --severity-level medium --configfile pyproject.toml api checker knowledge wsgi.py gunicorn.conf.py; \
	run licences $(BIN)/python tests/ops/licences.py --quiet; \
	run knowledge $(BIN)/python -m knowledge lint; \
	run tests $(BIN)/python -m pytest; \
	if test -n "$$failed"; then echo; echo "Failed:$$failed" >&2; exit 1; fi

changes: $(VENV)/ready ## write build/changes.txt: answers and facts that changed (SINCE=revision; the last release unless told)
	@mkdir -p build
	@if git rev-parse --git-dir >/dev/null 2>&1; then $(BIN)/python -m knowledge diff $(SINCE) > build/changes.txt; \
	else echo "No git history here, so nothing to compare with." > build/changes.txt; fi
	@head -n 45 build/changes.txt; echo; echo "All of it: build/changes.txt"

bench: $(VENV)/ready-to-test ## run the benchmarks
	$(BIN)/python -m bench

fuzz: $(VENV)/ready-to-test ## send 100,000 and more inputs
	LINEWISE_FUZZ=30000 $(BIN)/python -m pytest tests/fuzz -s

fault: $(VENV)/ready-to-test postgres redis ## harm the running service, a minute each, and print what failed
	LINEWISE_TEST_SECONDS=60 $(BIN)/python -m pytest tests/fault -s

load: $(VENV)/ready-to-test ## measure saturation, then a minute at 70 % of it
	LINEWISE_TEST_SECONDS=60 $(BIN)/python -m pytest tests/load -s

sbom: $(VENV)/ready-to-test ## write build/sbom.json (CycloneDX) of what runs
	@mkdir -p build
	PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible --of JSON -o build/sbom.json

licences: $(VENV)/ready-to-test ## write build/licences.md, and fail on a licence that does not go with Apache-2.0
	@mkdir -p build
	$(BIN)/python tests/ops/licences.py > build/licences.md

audit: build/audit/ready ## ask for known vulnerabilities of what runs; needs a network (AUDIT="..." for pip-audit)
	@build/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement requirements.txt $(AUDIT) || { \
	  echo "Vulnerable, or not audited: the lines above say which. Offline: docs/security.md, Checks." >&2; exit 1; }

fix: $(VENV)/ready-to-test ## mend what the linter can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/ready-to-test ## pin the requirements anew (UPGRADE=yes: to the newest)
	$(BIN)/pip-compile $(LOCK) $(if $(UPGRADE),--upgrade) --output-file requirements.txt requirements.in
	$(BIN)/pip-compile $(LOCK) $(if $(UPGRADE),--upgrade) --output-file requirements-dask.txt requirements-dask.in
	$(BIN)/pip-compile $(LOCK) $(if $(UPGRADE),--upgrade) --output-file requirements-test.txt requirements-test.in

clean: ## remove the environment and all caches
	rm -rf $(VENV) .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the targets need ---

$(VENV)/ready: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "python3 -m venv failed. On Debian: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	@echo "Installing requirements into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/ready-to-test: $(VENV)/ready requirements-test.txt
	@echo "Installing test requirements into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@

# In an environment of its own, so that what it needs stands in the way of nothing that is pinned.
build/audit/ready:
	@$(PYTHON) -m venv build/audit
	@build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	@touch $@

# Browser tests need Debian's chromium; without such tests nothing is installed.
browser:
	@if test ! -d tests/browser || command -v chromium >/dev/null; then exit 0; fi; \
	echo "Installing chromium for tests/browser ..."; \
	if test "$$(id -u)" = 0; then root=""; elif sudo -n true 2>/dev/null; then root="sudo"; else \
	  echo "tests/browser need chromium. Install it as root: apt-get install chromium" >&2; exit 1; fi; \
	$$root apt-get update -qq && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null

# Fault tests need PostgreSQL's programs; as root they are installed, else the tests that need them are skipped and say so.
postgres:
	@if test -n "$$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null)" || command -v initdb >/dev/null || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null; then exit 0; fi; \
	echo "Installing postgresql for tests/fault ..."; \
	apt-get update -qq && env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null

# The same for Redis, which they use as the shared store of limits.
redis:
	@if command -v redis-server >/dev/null || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null; then exit 0; fi; \
	echo "Installing redis-server for tests/fault ..."; \
	apt-get update -qq && env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server >/dev/null
