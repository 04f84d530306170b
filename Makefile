# Thin: a virtual environment, one pip install, one command. Plain pip works as well (CONTRIBUTING.md).
#   PYTHON=python3.12 make test       another interpreter
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo       torch without CUDA
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TYPECHECK := build/typecheck

.PHONY: demo test lint docs

demo: $(STAMP)
	$(BIN)/morphnet demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

# Type checkers do not follow the package-dir mapping of pyproject.toml (morphnet.envs is envs/), so mypy gets an
# installed copy. build/ goes first: setuptools would pack what earlier builds left in build/lib into the copy.
lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf build
	$(BIN)/python -m pip install --quiet --no-deps --target $(TYPECHECK) .
	cd $(TYPECHECK) && ../../$(BIN)/mypy --config-file ../../pyproject.toml -p morphnet

# Into build/docs/index.html. A broken link or a docstring that does not read is an error.
docs: $(STAMP)
	$(BIN)/python -m pip install --quiet -e ".[docs]"
	$(BIN)/python -m sphinx --fail-on-warning --quiet -b html docs build/docs
	@echo build/docs/index.html

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -e ".[test]"
	touch $@
