# make ask     answer a question with the bundled models
# make test    the tests but the slow ones
# make slow    the tests of wheels, pages in a browser and llama.cpp
# make check   format, lint, types, docs, then all tests (what CI runs)

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
Q ?= Can a penguin fly?

.PHONY: ask test slow check format lint types docs clean

ask: $(INSTALLED)
	@$(BIN)/maieutic ask "$(Q)"

# Two processes with one thread each: PyTorch's own threads would only wait for each other.
test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal -m "not slow"

slow: $(INSTALLED)
	$(BIN)/pytest -m slow

check: format lint types docs slow test

format: $(INSTALLED)
	$(BIN)/ruff format --check .

lint: $(INSTALLED)
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

docs: $(INSTALLED)
	$(BIN)/python -m maieutic.cli.docs --check docs/cli.md README.md

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade -c constraints.txt pip setuptools
	$(BIN)/python -m pip install --quiet -c constraints.txt --group dev
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation --editable '.[bench,server]'
	touch $(INSTALLED)

clean:
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
