# `make run` opens the app on the sample study; `make test` runs the whole test suite.
# Both bring their own virtual environment and, on Debian and Ubuntu, the system libraries of Qt.

VENV   ?= .venv
ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN    := $(VENV)/Scripts
EXE    := .exe
else
PYTHON ?= python3
BIN    := $(VENV)/bin
EXE    :=
endif
PIP    := $(BIN)/python -m pip --disable-pip-version-check

# Processes that share the tests, file by file; each may hold a model worker of its own.
TESTERS ?= 2

# Qt's platform plug-ins load these at run time; pip cannot bring them.
QT_LIBRARIES := libegl1 libgl1 libxkbcommon0 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1 \
  libglib2.0-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 \
  libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1 fonts-dejavu-core
# A real X server without a screen, a program that presses its keys, and DCMTK as a second opinion on grey.
TEST_TOOLS := xvfb xauth xdotool dcmtk

.PHONY: help run test lint types unit docs bench bench-batch screenshots wheel clean system system-test

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/.run system  ## open the app on the bundled sample study
	$(BIN)/xrayview app --sample

test: $(VENV)/.test system-test lint types unit  ## lint, types and the whole test suite with coverage, no screen needed

lint: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.test
	$(BIN)/mypy

# Many tests wait on other processes. One that misses its time on a busy machine is tried once more,
# and the summary lists it as RERUN.
PYTEST := OMP_NUM_THREADS=1 QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n $(TESTERS) --dist loadfile --reruns 1

# Which lines the tests reach: a report, no gate. `make test COVERAGE=` takes a quarter less time.
COVERAGE ?= --cov --cov-report=html --cov-report=term

unit: $(VENV)/.test
	$(PYTEST) $(COVERAGE)

docs: $(VENV)/.docs  ## the documentation as HTML in build/docs; a warning is an error
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --fresh-env docs build/docs

bench: $(VENV)/.test system  ## benchmarks as a table: limits, and ratios against a peer in the same run
	$(BIN)/python -m tests.bench.table

bench-batch: $(VENV)/.test  ## folder classification beside plain scripts, and its ceilings
	$(BIN)/python -m tests.bench.batch

screenshots: $(VENV)/.test system-test  ## take the pictures of the README again
	$(BIN)/python -m tests.screenshots

# WHEEL=--install also installs it into an environment of its own and runs its self-test there.
wheel: $(VENV)/.wheel  ## wheel and sdist in dist/: equal, complete, metadata checked
	$(BIN)/python build_spec/wheel.py $(WHEEL)

clean:  ## remove what was built here
	rm -rf $(VENV) .venv-frozen-* build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python$(EXE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "XrayView needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || build_spec/system-packages.sh python3-venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(BIN)/python$(EXE)
	$(PIP) install --quiet --editable '.[openvino]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python$(EXE)
	$(PIP) install --quiet --editable '.[train,test]'
	@touch $@ $(VENV)/.run

$(VENV)/.docs: pyproject.toml | $(BIN)/python$(EXE)
	$(PIP) install --quiet --editable '.[docs]'
	@touch $@ $(VENV)/.run

$(VENV)/.wheel: pyproject.toml | $(BIN)/python$(EXE)
	$(PIP) install --quiet build twine
	@touch $@

system:
	@build_spec/system-packages.sh $(QT_LIBRARIES)

system-test:
	@build_spec/system-packages.sh $(QT_LIBRARIES) $(TEST_TOOLS)

# The frozen program. DEVICE=cuda brings CUDA's libraries, TRAIN=1 the training package.
DEVICE ?= cpu
TRAIN  ?=
FROZEN_VENV := .venv-frozen-$(DEVICE)$(if $(TRAIN),-train)
FROZEN_BIN  := $(FROZEN_VENV)/$(notdir $(BIN))
ifeq ($(OS),Windows_NT)
PLATFORM := windows
else ifeq ($(shell uname -s),Darwin)
PLATFORM := macos
else
PLATFORM := linux
SCREEN   := xvfb-run --auto-servernum --server-args='-screen 0 1280x800x24 -noreset'
endif
# On Linux the usual torch brings CUDA; elsewhere it is the build for processors.
TORCH     := torch==2.13.0$(if $(filter linux-cpu,$(PLATFORM)-$(DEVICE)),+cpu)
CPU_INDEX ?= https://download.pytorch.org/whl/cpu
BUILD_ENV := PYTHONWARNINGS=ignore XRAYVIEW_DEVICE=$(DEVICE) XRAYVIEW_TRAIN=$(TRAIN) XRAYVIEW_FAST=$(FAST) PYTHONPATH=.

.PHONY: frozen bundle check-bundle packages

frozen: $(FROZEN_VENV)/.ready  ## the frozen program in dist/XrayView: its sizes, and what may not be inside
	rm -rf build/frozen dist/XrayView
	$(BUILD_ENV) $(FROZEN_BIN)/python -m PyInstaller --noconfirm --log-level ERROR \
	  --distpath dist --workpath build/frozen build_spec/$(PLATFORM)/xrayview.spec
	$(BUILD_ENV) $(FROZEN_BIN)/python -m build_spec.finish dist build/frozen/xrayview/inside.json

bundle: frozen check-bundle  ## freeze the program and test what was built

check-bundle: system-test
	$(BUILD_ENV) $(SCREEN) $(FROZEN_BIN)/python -m build_spec.check dist build/frozen/xrayview/inside.json

packages:  ## what people install, made of the frozen program: archive and .deb, installer, or .dmg
	$(BUILD_ENV) $(FROZEN_BIN)/python -m build_spec.$(PLATFORM).packages dist

$(FROZEN_VENV)/.ready: pyproject.toml build_spec/requirements.py
	$(PYTHON) -m venv $(FROZEN_VENV)
	$(FROZEN_BIN)/python -m pip install --quiet '$(TORCH)' \
	  || $(FROZEN_BIN)/python -m pip install --quiet --index-url $(CPU_INDEX) '$(TORCH)'
	$(BUILD_ENV) $(FROZEN_BIN)/python -m build_spec.requirements > $(FROZEN_VENV)/requirements.txt
	$(FROZEN_BIN)/python -m pip install --quiet -r $(FROZEN_VENV)/requirements.txt
	$(FROZEN_BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@
