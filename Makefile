# make run     set up, attack the embedded model with and without the gateway's controls, write the report
# make test    set up, run the whole fast suite (what CI runs)
# make check   format, lint, strict types, import rules, tests
# make bench   every measurement in bench/ (long)
PYTHON ?= python3.11
VENV ?= .venv
PY := $(VENV)/bin/python
BENCHES := $(patsubst bench/bench_%.py,bench-%,$(wildcard bench/bench_*.py))

.PHONY: run test check check-only lock bench $(BENCHES)

run: $(VENV)/run.stamp
	$(PY) -m bartizan assess

test: check

check: $(VENV)/dev.stamp
	$(MAKE) check-only PY=$(PY)

check-only:
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	PYTHONPATH=src $(PY) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(PY) -m pytest -q --cov --cov-report= --cov-fail-under=0
	$(PY) -m coverage report --fail-under=90

bench: $(BENCHES)

$(BENCHES): bench-%: $(VENV)/dev.stamp
	PYTHONPATH=src:. $(PY) bench/bench_$*.py

# The lock files: every package of the base install with its hashes. Written by pip-compile, read by pip --require-hashes.
lock: $(VENV)/dev.stamp
	$(PY) -m piptools compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --allow-unsafe -o requirements/base.txt pyproject.toml
	$(PY) -m piptools compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --allow-unsafe -o requirements/reference.txt requirements/reference.in
	$(PY) -m piptools compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --allow-unsafe -o requirements/dev.txt requirements/dev.in

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/base.txt requirements/reference.txt pyproject.toml | $(VENV)/bin/python
	$(PY) -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements/base.txt -r requirements/reference.txt
	$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	$(PY) -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	touch $@
