# `make` runs the main job; `make test` is what CI runs. Both bring up .venv from requirements.lock first.
SHELL  := /bin/bash
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
JOBS   ?= 2
# For `make area`: LIBERTY=file.lib[.gz] in place of the project's own generic library.
LIBERTY ?=
LIBRARY := $(if $(LIBERTY),--liberty '$(LIBERTY)')
AREA    := $(BIN)/amxfp4 area --jobs $(JOBS) $(LIBRARY)

.PHONY: all
all: $(READY)  ## Verilog, a layer through the simulated RTL, and the area of the 8-lane units
	$(BIN)/amxfp4 verilog --standard
	$(BIN)/amxfp4 layer
	$(AREA) --unit mac --lanes 8

.PHONY: help
help:  ## the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

.PHONY: verilog
verilog: $(READY)  ## every standard unit, MACs and quantisers, as Verilog and manifest, in build/verilog
	$(BIN)/amxfp4 verilog --standard

.PHONY: sim
sim: $(READY)  ## cocotb benches over the matrix of configs, JUnit XML in build/sim
	$(BIN)/amxfp4 benches --jobs $(JOBS)

.PHONY: mutants
mutants: $(READY)  ## break the RTL on purpose, one fault at a time, and see each caught
	$(BIN)/amxfp4 mutants --jobs $(JOBS)

.PHONY: formal
formal: $(READY)  ## prove the hardware right for all inputs, each proof with a broken twin; report in build/formal
	$(BIN)/amxfp4 formal --jobs $(JOBS)

.PHONY: formal-full
formal-full: $(READY)  ## and what takes longer
	$(BIN)/amxfp4 formal --full --jobs $(JOBS)

.PHONY: area
area: $(READY)  ## area, delay and ratios of all units, in build/area (LIBERTY=file.lib[.gz])
	$(AREA)

.PHONY: fpga
fpga: $(READY)  ## LUTs, flip-flops and clock of all units on an ECP5, in build/fpga
	$(BIN)/amxfp4 fpga --jobs $(JOBS)

.PHONY: sweep
sweep: $(READY)  ## area and delay of every config in build/sweep; hours, goes on where it was stopped (LIBERTY=file)
	$(BIN)/amxfp4 sweep --jobs $(JOBS) $(LIBRARY)

.PHONY: energy
energy: $(READY)  ## energy of a MAC while a layer runs through the mapped gates, in build/energy (LIBERTY)
	$(BIN)/amxfp4 energy --jobs $(JOBS) $(LIBRARY)

.PHONY: speed
speed: $(READY)  ## the golden model's speed against NumPy's, in build/speed
	$(BIN)/amxfp4 speed

.PHONY: accuracy
accuracy: $(READY)  ## accuracy on a real transformer, in build/accuracy
	$(BIN)/amxfp4 accuracy --jobs $(JOBS)

.PHONY: report
report: $(READY)  ## what area, accuracy, sweep and fpga measured, as one page and as pictures in build/report
	$(BIN)/amxfp4 report

# Every module by name, as pdoc passes over those that their package does not export; it warns of those named twice. Left
# out is what only a simulator can import.
MODULES = $(shell cd src && find -L amxfp4 -name '*.py' ! -name __main__.py ! -path '*/sim/bench.py' | \
            sed 's#/__init__.py##; s#\.py$$##; s#/#.#g' | sort)
.PHONY: docs
docs: $(READY)  ## the Python API of every package, as HTML in build/docs
	$(BIN)/python -W ignore -m pdoc --docformat google -o build/docs $(MODULES) '!amxfp4.sim.bench'

.PHONY: lint
lint: $(READY) types  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

.PHONY: types
types: $(READY)
	$(BIN)/mypy

.PHONY: test
test: $(READY) lint  ## what CI runs
	$(BIN)/pytest -n $(JOBS) --dist loadgroup

.PHONY: test-full
test-full: $(READY) lint  ## and everything that takes longer
	$(BIN)/pytest -n $(JOBS) --dist loadgroup -m "not fuzz"

.PHONY: fuzz
fuzz: $(READY)  ## broken files and hostile values, other ones in every run; some minutes
	$(BIN)/pytest -n $(JOBS) -m fuzz tests/fuzz

.PHONY: clean
clean:  ## what the targets wrote
	rm -rf build

# A virtual environment exactly as locked, with this checkout in it. Made again when the lock or pyproject changes.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"error: Python is {v[0]}.{v[1]}; 3.11 or newer is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
