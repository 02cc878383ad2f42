# One vocabulary of commands for people, hooks and CI. Each target makes what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all lint types imports check bench bench-guarantee bench-shots bench-turns bench-catching-up chaos failsafe fuzz soak swap shadow health docs lock clean chaos-release refusals clock loop bench-wrong-labels bad-sources bench-peers bench-tiling soak-outage bench-console bench-watchers bench-variants genicam wheelhouse own-wheel deploy-test images fleet sbom audit bench-catalog bench-assistant assistant-questions

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install everything into .venv (about 7 GB: torch brings CUDA along)

$(STAMP): pyproject.toml requirements/dev.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Linewarden needs Python 3.11 or newer: make PYTHON=python3.11 setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint requirements/dev.txt --editable '.[edge,trainer,console,assistant,text,tuner,demo,dev]'
	$(BIN)/python -m pip install --quiet --no-deps pysparkplug==0.6.1  # its tests' decoder: Eclipse Tahu's classes
	@touch $@

demo: $(STAMP) ## A line from nothing: make data, train, export, judge 200 parts over MQTT
	$(BIN)/python -m demo

test: $(STAMP) ## The tests that every change must pass (under 10 minutes on 2 cores)
	$(PYTEST) -m 'not slow' --numprocesses 2 --dist loadfile

test-all: $(STAMP) ## The heavier suites too
	$(PYTEST)

lint: $(STAMP) imports types ## Style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/pyright

imports: $(STAMP)
	$(BIN)/lint-imports

check: lint test ## What CI runs

bench: $(STAMP) ## Speed and size, as ratios against the bare model in the same run
	$(BIN)/python -m benchmarks

PEERS := work/peers

bench-peers: $(PEERS)/inference/.installed $(PEERS)/anomalib/.installed ## Peers that `make bench` compares with, each in its own virtualenv (14 GB)

$(PEERS)/inference/.installed:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet 'inference[http]==1.8.3'
	@touch $@

$(PEERS)/anomalib/.installed:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet 'anomalib==2.7.0' openvino onnx
	@touch $@

bench-tiling: $(STAMP) ## Small defects in large frames, with and without tiles (some 15 minutes)
	$(BIN)/python -m benchmarks.tiling

bench-console: $(STAMP) ## 5 million verdicts: what each question of the console takes (some 20 minutes)
	$(BIN)/python -m benchmarks.console --cold

bench-watchers: $(STAMP) ## The line's latency with 20 live clients on the console, and without (some 6 minutes)
	$(BIN)/python -m benchmarks.watchers

bench-variants: $(STAMP) ## FP32 and INT8 on ONNX Runtime, OpenVINO and ONNX's reference (some 5 minutes)
	$(BIN)/python -m benchmarks.variants

bench-guarantee: $(STAMP) ## 1,000 simulated calibrations: does the escape bound hold?
	$(BIN)/python -m benchmarks.guarantee

bench-shots: $(STAMP) ## Several frames of a part: escapes and overkill by how many (some 6 minutes)
	$(BIN)/python -m benchmarks.shots

bench-wrong-labels: $(STAMP) ## 20 challengers taught 20 % wrong labels: are they refused? (some 20 minutes)
	$(BIN)/python -m benchmarks.wrong_labels

bench-catching-up: $(STAMP) ## A consumer that missed 200,000 verdicts, while the line goes on (some 2 minutes)
	$(BIN)/python -m benchmarks.catching_up

bench-turns: $(STAMP) ## Cameras that share the processor: fail-safe verdicts by rule, simulated
	$(BIN)/python -m benchmarks.turns

bench-catalog: $(STAMP) ## 10,000 product pictures in one go, killed once: PICTURES=… BUNDLE=… KEY=…
	$(BIN)/python -m benchmarks.catalog.throughput $(PICTURES) $(BUNDLE) $(if $(KEY),--key $(KEY))

bench-assistant: $(STAMP) ## The assistant over its bare text model, and the line beside it: BUNDLE=… KEY=… EXAM=…
	$(BIN)/python -m benchmarks.assistant $(BUNDLE) $(KEY) $(EXAM)

chaos: $(STAMP) ## 60 faults on daemon, broker and network, judged by an independent ledger
	$(BIN)/python -m tests.chaos.storm --faults 60

chaos-release: $(STAMP) ## 1,000 faults and at least 500,000 verdicts over the smallest box (some 35 minutes)
	$(BIN)/python -m tests.chaos.storm --faults 1000 --verdicts 500000 --rate 200 --box minimal --name chaos-release

refusals: $(STAMP) ## A broker that denies rights or limits sizes: verdicts are held or set aside, none lost
	$(BIN)/python -m tests.chaos.refusals --rounds 60

clock: $(STAMP) ## The wall clock starts in 1970 and jumps by hours: only labels may follow (needs faketime)
	$(BIN)/python -m tests.chaos.clock_steps --steps 12

bad-sources: $(STAMP) ## Eight bad sources beside two good cameras, and how soon each is back once it heals
	$(BIN)/python -m tests.chaos.bad_sources --seconds 20

genicam: $(STAMP) ## A GigE Vision camera whose packets get lost: what comes, and what is counted (needs libaravis)
	$(BIN)/python -m tests.edge.camera.losses --seconds 20

failsafe: $(STAMP) ## 1,000 faults and 1,000 stalls between frame and verdict: none may pass or be late
	$(BIN)/python -m tests.failsafe.suite --faults 1000 --stalls 1000

fuzz: $(STAMP) ## Hostile pictures, bundles and payloads by the thousand; what breaks something is kept
	$(BIN)/python -m tests.fuzz

soak: $(STAMP) ## Half an hour at full load: memory, handles and threads must stay flat
	$(BIN)/python -m tests.soak

soak-outage: $(STAMP) ## A day's verdicts stored without a broker, then drained
	$(BIN)/python -m tests.chaos.outage --verdicts 864000

health: $(STAMP) ## Faults before a camera: found in time, their cause named; 100,000 good frames quiet
	$(BIN)/python -m benchmarks.health

swap: $(STAMP) ## 100 bundles exchanged under load, 50 bad ones taken back, 500 altered ones refused
	$(BIN)/python -m tests.swap.suite

shadow: $(STAMP) ## A better and a worse challenger on the virtual line: one is promoted, one kept out (some 15 minutes)
	$(BIN)/python -m tests.swap.contest

loop: $(STAMP) ## An unseen defect appears: labelled in a browser, retrained, pushed, proved in the shadow
	$(BIN)/python -m tests.loop.suite

WHEELS := dist/wheelhouse
# What is installed on a box: deploy/box/releases.py names the same.
BOX := edge,console,assistant,modbus,gpio,oidc,sparkplug,opcua

wheelhouse: $(STAMP) ## Every wheel of a box at its pinned version, to install without a network (some 450 MB)
	rm -rf $(WHEELS)
	$(BIN)/python -m pip wheel --quiet --constraint requirements/box.txt --wheel-dir $(WHEELS) '.[$(BOX)]'
	$(BIN)/python -m pip wheel --quiet --no-deps --constraint requirements/box.txt --wheel-dir $(WHEELS) onnxruntime
	cd $(WHEELS) && sha256sum *.whl > SHA256SUMS

own-wheel: $(STAMP) # the wheelhouse with this tree's own wheel, however old the others are
	test -e $(WHEELS)/SHA256SUMS || $(MAKE) wheelhouse
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir $(WHEELS) .
	cd $(WHEELS) && sha256sum *.whl > SHA256SUMS

deploy-test: own-wheel ## A box's life on a clean Debian under systemd (root, debootstrap; some 10 minutes)
	$(BIN)/python -m tests.deploy.journey

images: own-wheel ## Build the images of a box with buildah or docker, and say how large they are
	./deploy/containers/build.sh

fleet: $(STAMP) ## 20 boxes through a bridged broker into PostgreSQL, 5 minutes (root, postgresql)
	$(BIN)/python -m tests.deploy.fleet

sbom: own-wheel ## A bill of materials (CycloneDX) of what a box installs, checked to be whole
	rm -rf work/sbom && $(PYTHON) -m venv work/sbom
	work/sbom/bin/python -m pip install --quiet --no-index --find-links $(WHEELS) --constraint requirements/box.txt 'linewarden[$(BOX)]'
	$(BIN)/python -m deploy.sbom --python work/sbom/bin/python --out dist/sbom.cdx.json

audit: $(STAMP) ## Known weaknesses of every pinned version (needs the network: without it this fails)
	$(BIN)/python -m deploy.audit

assistant-questions: $(STAMP) ## The assistant's answers against known truth; refusals; hostile questions and documents
	$(BIN)/python -m tests.assistant.suite

docs: $(STAMP) ## Write the generated pages of docs/ again
	$(BIN)/python -m docs.generate

OPTIONS := openvino,genicam,modbus,gpio
GATEWAY := sparkplug,opcua

# What ships is what was tested: dev is resolved first, over every extra, and the others take its versions.
lock: $(STAMP) ## Write the pinned constraints of each role again
	for role in dev edge trainer console assistant tuner gateway archive box; do \
	  extras=$$role; told="--constraint requirements/dev.txt"; \
	  case $$role in \
	    dev) extras=edge,trainer,console,assistant,text,tuner,qlora,gcs,https,archive,oidc,$(OPTIONS),$(GATEWAY),demo,dev; told=--upgrade;; \
	    edge) extras=edge,$(OPTIONS);; \
	    assistant) extras=assistant,text;; \
	    console) extras=console,oidc;; \
	    trainer) extras=trainer,gcs,https;; \
	    tuner) extras=tuner,qlora;; \
	    gateway) extras=edge,$(GATEWAY);; \
	    box) extras=$(BOX),text,$(OPTIONS);; \
	  esac; \
	  [ $$role = dev ] || rm -f requirements/$$role.txt; \
	  $(BIN)/pip-compile --quiet $$told --strip-extras --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	    --constraint requirements/pins.in \
	    --extra $$extras --output-file requirements/$$role.txt pyproject.toml || exit 1; \
	done

clean: ## Remove what the tools made (not .venv)
	rm -rf work results runs bundles dist build .pytest_cache .ruff_cache .hypothesis
