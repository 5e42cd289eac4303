# make demo, make test and make check each prepare .venv by themselves; they need python3 (3.11 or later), make and the
# package index. Everything that is installed stands in constraints.txt with its version, the build tools too.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check longrun bench format wheel lock clean

# pip first: --group is new in 25.1. Then the build tools with the rest of the group, since without build isolation
# they come from .venv: an isolated build would fetch the newest ones, whatever constraints.txt says.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade pip
	$(INSTALL) --group dev
	$(INSTALL) --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/installed
	$(BIN)/p21d demo

test: $(VENV)/installed
	$(BIN)/python -m pytest -q -n 3 --dist worksteal

check: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 3 --dist worksteal

# ten minutes of a living distributor under faults, then a comparison of every record of both sides
longrun: $(VENV)/installed
	$(BIN)/p21d torture --seeds 5 --seconds 120

# p21d beside dlt, a Singer tap and an Airbyte source, which stand in a venv of their own: nothing of p21d needs them
BENCH := .venv-bench
BENCH_INSTALL := $(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

$(BENCH)/installed: pyproject.toml constraints.txt bench/requirements.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH_INSTALL) --upgrade pip
	$(BENCH_INSTALL) --group dev --requirement bench/requirements.txt
	$(BENCH_INSTALL) --no-build-isolation --editable .
	@touch $@

bench: $(BENCH)/installed
	$(BENCH)/bin/python -m bench $(BENCH_OPTIONS)

format: $(VENV)/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

wheel: $(VENV)/installed
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

# The newest versions that pyproject.toml allows, into constraints.txt.
lock:
	rm -rf build/lock
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --upgrade pip
	build/lock/bin/python -m pip install --quiet --group dev .
	build/lock/bin/python -m pip freeze --all | grep -v -E '^p21d( @|==)' > build/lock/versions
	head -n 1 constraints.txt | cat - build/lock/versions > build/lock/constraints.txt
	mv build/lock/constraints.txt constraints.txt

clean:
	rm -rf $(VENV) $(BENCH) dist build
