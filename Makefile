# Limelight: `make help` lists the targets.
# Everything is installed into .venv from requirements.lock; nothing else is needed than Python.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JAX_VENV := .venv-jax
JAX_STAMP := $(JAX_VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-jax test-gpu test-distributed lint bench results template lock

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

setup: $(STAMP)  ## create .venv with every pinned dependency

demo: $(STAMP)  ## set up and run the whole job on a generated corpus: prepare, train, score, report
	$(BIN)/python -m pipeline demo --output demo

test: $(STAMP)  ## set up and run the fast tests
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not distributed and not gpu"

# A constraint may not name extras, such as apache-beam[gcp].
$(JAX_STAMP): requirements.lock tests/without_tensorflow.txt
	$(PYTHON) -m venv $(JAX_VENV)
	sed 's/^\([a-z0-9-]*\)\[[a-z,]*\]/\1/' requirements.lock > $(JAX_VENV)/constraints.txt
	$(JAX_VENV)/bin/pip install --quiet --disable-pip-version-check \
	  --constraint $(JAX_VENV)/constraints.txt --requirement tests/without_tensorflow.txt
	@touch $(JAX_STAMP)

test-jax: $(JAX_STAMP)  ## run the tests of model/ on JAX, in an environment without TensorFlow
	KERAS_BACKEND=jax $(JAX_VENV)/bin/python -m pytest -n 2 --dist loadfile -m "not slow and not gpu" tests/model tests/gpu

test-gpu: $(STAMP)  ## check a GPU and its CPU against each other: cuDNN is used, trainings resume, models are rescored (KERAS_BACKEND: jax or tensorflow)
	$(BIN)/python -m pytest -m gpu tests/gpu -ra

test-distributed: $(STAMP)  ## fetch and start real engines, run the whole job on each (without tests marked slow)
	$(BIN)/python -m pytest -m "distributed and not slow" -ra --durations=20

lint: $(STAMP)  ## check style, names, docstrings, types, and which room imports which
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

bench: $(STAMP)  ## measure speed: scoring, a start, reuse, training, prepare, several workers (CORPORA: the folder of imdb/)
	$(BIN)/python -m tests.benchmarks.bench_engine
	$(BIN)/python -m tests.benchmarks.bench_score
	$(BIN)/python -m tests.benchmarks.bench_wide
	$(BIN)/python -m tests.benchmarks.bench_start
	$(BIN)/python -m tests.benchmarks.bench_reuse
	$(BIN)/python -m tests.benchmarks.bench_run_inference
	$(BIN)/python -m tests.benchmarks.bench_training
	$(BIN)/python -m tests.benchmarks.bench_prepare
	$(BIN)/python -m tests.benchmarks.bench_scaling

results: $(STAMP)  ## train the named configs whose corpora are in the folder CORPORA; update the table in README
	$(BIN)/python -m tests.benchmarks.results

template:  ## print the commands that make a Dataflow Flex Template and launch it (PROJECT, REGION, BUCKET)
	@PROJECT="$(PROJECT)" REGION="$(REGION)" BUCKET="$(BUCKET)" sh configs/dataflow/template.sh

lock:  ## resolve every version again and write requirements.lock
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/pip install --quiet --disable-pip-version-check uv
	$(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	  --no-header --extra test --extra bench --extra vectors --output-file requirements.lock setup.py
	rm -rf $(VENV)/lock
