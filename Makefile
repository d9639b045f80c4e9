# `make reproduce` and `make test` are all a fresh clone needs: they set up .venv themselves.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
ARGS ?=
unexport PYTHONDONTWRITEBYTECODE  # else each run compiles everything anew, tests with their assertions too

.PHONY: help install reproduce test tests quick check docs readme benchmarks public recordings tasks train lock clean

help:  ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(INSTALLED): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "dynlab needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing dynlab and what it needs into .venv (once; a minute or two) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[dev]'
	@touch $@

install: $(INSTALLED)  ## set up .venv with the locked versions

reproduce: $(INSTALLED)  ## regenerate every figure from the committed recordings (ARGS=--quick for a minute's version)
	@$(BIN)/dynlab reproduce $(ARGS)

# The tests of a file share a process, with what they start, and so do those of some files together
# (`TOGETHER` in tests/conftest.py): a browser, a model.
TESTS := -m pytest --dist loadfile --no-loadscope-reorder

test: $(INSTALLED)  ## linters, type checker, tests
	@$(MAKE) --no-print-directory --jobs=2 tests check  # beside each other, since some tests wait

tests: $(INSTALLED)
	@$(BIN)/python $(TESTS) -n 3 $(ARGS)  # three processes, likewise

quick: $(INSTALLED) check  ## the same without the tests marked slow: a minute
	@$(BIN)/python $(TESTS) -n 2 -m 'not slow and not benchmarks' $(ARGS)

check: $(INSTALLED)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo >/dev/null || $(BIN)/lint-imports

.venv/.docs: $(INSTALLED)
	@echo "installing what builds the site into .venv (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[docs]'
	@touch $@

docs: .venv/.docs  ## build the documentation site into .site, without a network; a dead link fails
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --config-file .docs/mkdocs.yml
	@echo "the site is built: open .site/index.html"

readme: $(INSTALLED)  ## write the README's tables again from the committed figures
	@PYTHONPATH=tests $(BIN)/python -m helpers.readme_tables

benchmarks: $(INSTALLED)  ## speed, as ratios within one run
	@$(BIN)/python -m pytest -m benchmarks -s $(ARGS)

POOLS := aime2025--LIMO-v2 aime2025--NVIDIA-Nemotron-Nano-9B-v2 aime2025--Qwen3-4B aime2025--gpt-oss-20b \
	gpqa_diamond--NVIDIA-Nemotron-Nano-9B-v2 gpqa_diamond--gpt-oss-20b math500--Qwen3-14B math500--gpt-oss-20b
FETCHED := $(POOLS:%=runs/public/%.parquet)

runs/public/%.parquet: | $(INSTALLED)
	@$(BIN)/dynlab recordings fetch $* --out runs/public

public: $(FETCHED)  ## fetch the eight public pools; what figures/public-* show, into runs/public
	@$(BIN)/dynlab leaderboard $(FETCHED:%=--recording %) --replications 100 --out runs/public
	@$(BIN)/python -c 'import sys; from pathlib import Path; from dynlab._util.files import write_csv; from dynlab.analysis.learned_index import headroom; write_csv(headroom(sys.argv[1:], replications=100), Path("runs/public/headroom.csv"))' $(FETCHED)

recordings: $(INSTALLED)  ## draw the shipped recordings again, into runs/recordings (a day on two cores)
	@$(BIN)/python -m recipe.recordings runs/recordings
	@$(BIN)/python -m recipe.reasoners runs/recordings

tasks: $(INSTALLED)  ## write the generated tasks under data/tasks again
	@$(BIN)/python -m recipe.families

train: $(INSTALLED)  ## teach the small reasoner to solve, into runs/solve (an hour on two cores; ARGS=--resume goes on)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[train]'
	@nice $(BIN)/python -m recipe.training runs/solve --lessons 9600 --threads 2 $(ARGS)

lock:  ## refresh requirements.lock with the newest versions that pyproject.toml allows
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check '.[dev,docs]'
	@.venv-lock/bin/python -m pip freeze --exclude dynlab > requirements.lock
	@rm -rf .venv-lock

clean:  ## remove .venv and caches
	@rm -rf .venv .venv-lock .site .pytest_cache .mypy_cache .ruff_cache
