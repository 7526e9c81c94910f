# Two commands: `make leaderboard` and `make test`. Both set everything up in .venv first; a second call reuses it.
PYTHON ?= python3
# Another build of torch: make TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cu130"
TORCH ?= torch==2.13.0
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help leaderboard results test lint clean

help:
	@echo "make leaderboard   run the demo protocol and print the leaderboard"
	@echo "make results       run all that the board lacks, says how long before (DATA=folder of the real data)"
	@echo "make test          run the tests"
	@echo "make lint          ruff and mypy"
	@echo "make clean         delete .venv"

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "VeilBench needs Python 3.11 or newer; set PYTHON=/path/to/it")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

leaderboard: .venv/.ready
	$(BIN)/veilbench run demo --print

results: .venv/.ready
	$(BIN)/veilbench results $(if $(DATA),--data $(DATA))

test: .venv/.ready
	$(BIN)/python -m pytest -n auto

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv
