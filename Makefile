# make ask     answer a question with the bundled models
# make test    the tests
# make check   format, lint, types, docs, then the tests (what CI runs)

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
Q ?= Can a penguin fly?

.PHONY: ask test check format lint types docs clean

ask: $(INSTALLED)
	@$(BIN)/maieutic ask "$(Q)"

test: $(INSTALLED)
	$(BIN)/pytest

check: format lint types docs test

format: $(INSTALLED)
	$(BIN)/ruff format --check .

lint: $(INSTALLED)
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

docs: $(INSTALLED)
	$(BIN)/python -m maieutic.cli.docs --check docs/cli.md

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade -c constraints.txt pip setuptools
	$(BIN)/python -m pip install --quiet -c constraints.txt --group dev
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation --editable '.[bench,server]'
	touch $(INSTALLED)

clean:
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
