PYTHON ?= python3.11
BIN := .venv/bin
DATA ?= .gyrus

.PHONY: setup check test fields axes calibrate run bench soak
setup: .venv/.stamp

.venv/.stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	touch $@

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup
	$(BIN)/pytest -m 'not soak and not bench' -n 2 --dist worksteal

soak: setup
	$(BIN)/pytest -m soak --timeout 3600

bench: setup
	$(BIN)/pytest -m bench --timeout 3600 -s -q tests/bench

fields: setup
	$(BIN)/python -m gyrus.dicom.fields_page > docs/fields.md

axes: setup
	$(BIN)/python -m gyrus.classifier.core.axes_page docs/axes

VECTORS := ../shared/data/classification_vectors.jsonl
LABELLED := $(VECTORS) $(wildcard tests/classifier/*_headers.jsonl) $(HEADERS)
OUTSIDE := $(wildcard ../shared/data/bids_sidecars.jsonl)

calibrate: setup
	@test -f $(VECTORS) || { echo "$(VECTORS) is not here: the fit would rest on fewer headers than the one that is kept. \`$(BIN)/python -m gyrus.classifier.calibration FILES\` fits on those that you name."; exit 1; }
	$(BIN)/python -m gyrus.classifier.calibration $(LABELLED) --outside $(OUTSIDE) --docs docs

run: setup
	$(BIN)/gyrus up --data $(DATA) --sample $(if $(ONCE),--once)
