# Refrain's own commands. `make run` and `make test` start from a bare Debian 12 with a Swift 6.3 toolchain and root.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# OpenStack's client is called swift too: take the one that is the compiler's.
ifndef SWIFT
SWIFT := $(shell for found in $$(which -a swift); do \
	if $$found --version 2>/dev/null | grep -q 'Swift version'; then echo $$found; break; fi; done)
endif
PYTHON ?= python3
# Two compilers side by side are what two cores hold.
JOBS ?= $(shell nproc)
RELEASE := .build/release

# Debian packages, by what needs them.
BUILD_PACKAGES := make pkg-config libevent-dev libmicrohttpd-dev libcurl4-gnutls-dev libssl-dev libyaml-dev liblz4-dev \
	libxxhash-dev libhiredis-dev libs3-dev libxml2-dev zlib1g-dev libdnnl-dev libhnswlib-dev
# Debian's OpenStack Swift is an object store for the tests; its client would put another `swift` on the path and is
# not among them. The dashboard is shown by a browser, promtool comes with Prometheus, and systemd checks its unit.
TEST_PACKAGES := python3 python3-venv openssl redis-server redis-tools swift-proxy swift-account swift-container \
	swift-object memcached chromium fonts-dejavu-core prometheus nginx-light systemd
BENCH_PACKAGES := $(TEST_PACKAGES) gcc libc6-dev wrk procps

# Setting up comes before building, whatever `-j` says.
.NOTPARALLEL:

.PHONY: help run test test-unit test-thread test-integration fuzz bench bench-semantic train lint format docs build model \
	setup-build setup-test setup-bench setup-semantic soak clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: setup-build build model ## set up, build, and serve: in front of UPSTREAM=https://… or of the simulated model
	@config/run.sh $(RELEASE)

model:
	@config/packages.sh python3 python3-pip
	@config/model.sh $(PYTHON) || echo 'without the sentence encoder: set semantic.model to "" before turning semantic.mode on' >&2

build: ## release binaries with the Swift runtime inside
	$(SWIFT) build -c release --static-swift-stdlib -j $(JOBS) --product refrain
	$(SWIFT) build -c release --static-swift-stdlib -j $(JOBS) --product refrain-sim

test: setup-test test-unit test-thread build test-integration ## set up, then every test

test-unit: ## unit, property, fuzz and simulation tests
	$(SWIFT) build --build-tests -j $(JOBS)
	$(SWIFT) test --skip-build

test-thread: ## the concurrent parts under the thread sanitizer
	$(SWIFT) test --sanitize thread -Xswiftc -DTHREAD_SANITIZER --scratch-path .build/thread -j $(JOBS) --filter 'EngineTests|TiersTests|SemanticIndexTests'

test-integration: ## the real binary with real client libraries
	.venv/tests/bin/python -m pytest Tests/IntegrationTests

soak: setup-test build fuzz ## an hour of random trials: simulated engines, damaged inputs, under the address sanitizer too
	REFRAIN_ROUNDS=20000 $(SWIFT) test --filter SimulationTests -j $(JOBS)
	$(SWIFT) test --sanitize address --scratch-path .build/address -j $(JOBS) --filter 'DialectsTests|ForeignTests'
	for round in 1 2 3 4 5; do .venv/tests/bin/python -m pytest -q Tests/IntegrationTests; done

fuzz: setup-build ## ten million damaged entries of the lower tiers through the decoder, under the address sanitizer
	REFRAIN_ROUNDS=10000000 $(SWIFT) test --sanitize address --scratch-path .build/address -j $(JOBS) \
		-Xswiftc -O --filter EntryFuzzTests

bench: setup-bench build ## compare with peers on this machine; appends to Benchmarks/Results
	SWIFT="$(SWIFT)" PYTHON="$(PYTHON)" Benchmarks/run.sh

bench-semantic: setup-semantic ## what the semantic match serves on labelled streams, and how much of it is wrong
	.venv/trust/bin/python Benchmarks/Semantic/trust.py

train: setup-semantic ## learn the verifier's coefficients anew
	.venv/trust/bin/python Benchmarks/Semantic/train.py

lint: ## formatting and house rules
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Benchmarks

format: ## lay out the sources
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests Benchmarks

docs: build ## write the generated pages anew
	$(RELEASE)/refrain config reference > docs/configuration.md
	$(RELEASE)/refrain config reference metrics > docs/metrics.md
	$(RELEASE)/refrain config reference file > config/refrain.yaml

setup-build:
	@test -n "$(SWIFT)" || { echo 'error: there is no Swift toolchain in PATH; install Swift 6.3 from' \
		'https://www.swift.org/install, or name its program with SWIFT=/path/to/swift' >&2; exit 1; }
	@config/packages.sh $(BUILD_PACKAGES)

setup-test: setup-build
	@config/packages.sh $(TEST_PACKAGES)
	@config/venv.sh $(PYTHON) .venv/tests Tests/IntegrationTests/requirements.txt
	@config/model.sh $(PYTHON)

setup-bench: setup-build
	@config/packages.sh $(BENCH_PACKAGES)

setup-semantic: setup-build
	@config/packages.sh python3 python3-venv libgomp1
	$(SWIFT) build -c release --static-swift-stdlib -j $(JOBS) --product TrustBench
	@config/model.sh $(PYTHON)
	@config/venv.sh $(PYTHON) .venv/trust Benchmarks/Semantic/trust-requirements.txt

clean: ## remove what was built
	rm -rf .build .venv artifacts
