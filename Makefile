# The commands of this project; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := bash
BIN := .venv/bin
PACKAGES := contract definition flows gateway infra lambdas operations simulator
# What does no I/O is tested to every branch.
CORES := contract/*,flows/*,definition/*,gateway/duty.py,gateway/conversation/*,gateway/legs/kvs/*,gateway/legs/sip/*,gateway/voice_agent/*,gateway/functions/*,lambdas/*,operations/cost/estimate.py,operations/explain/story.py,operations/live/media.py,operations/live/tones.py,operations/live/measured.py,operations/stack.py,simulator/connect/*,simulator/deepgram/*,simulator/kvs/*,simulator/caller/*,simulator/sip/*
# Shells among them, which the scenarios run.
SHELLS := gateway/legs/kvs/leg.py,gateway/legs/sip/leg.py,gateway/legs/sip/asking.py,gateway/legs/sip/endpoint.py,gateway/legs/sip/socket_line.py,gateway/legs/sip/transport.py,gateway/legs/sip/sockets.py,gateway/legs/sip/line.py,simulator/sip/shell.py,simulator/deepgram/__main__.py
CHECKED := $(PACKAGES) tests bench app.py

.PHONY: help setup call test forget-first check lint types imports unit scenarios realtime infra image coverage chaos soak kill-test fuzz replay \
	agent-check function eval sip forget inject setup-deploy synth deploy destroy doctor explain cost observed-calls baseline format lock bench clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: .venv/ready ## make the virtual environment from the lock files

.venv/ready: requirements.txt requirements-speech.txt scripts/setup
	@scripts/setup

setup-deploy: .venv/ready-deploy ## add what a deployment needs

.venv/ready-deploy: .venv/ready requirements-deploy.txt infra/cli/package-lock.json scripts/setup-deploy
	@scripts/setup-deploy

agent-check: .venv/ready ## print what Deepgram gets of AGENT=agents/NAME.yaml (all of them), or what is wrong
	@$(BIN)/python -m definition $(or $(AGENT),$(wildcard agents/*.yaml))

function: .venv/ready ## begin a function of the voice agent: make function NAME=cancel_order
	@$(BIN)/python -m definition.scaffold "$(NAME)"

call: .venv/ready ## run a whole call on this machine, in real time
	@$(BIN)/python -m simulator.phone

test: .venv/ready .venv/ready-deploy forget-first check unit coverage scenarios infra realtime sip ## all checks and tests
	@[ ! -s $(FIRST) ] || { echo "in real time these failed at first, and not when they were tried again:"; cat $(FIRST); }
	@echo "all checks and tests passed"

# What failed at first in real time, of one `make test`.
FIRST := .pytest_cache/first-failures
forget-first:
	@rm -f $(FIRST)

check: lint types imports ## ruff, mypy and import-linter

lint: .venv/ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/ready .venv/ready-deploy
	@$(BIN)/mypy $(CHECKED)

imports: .venv/ready
	@$(BIN)/lint-imports

unit: .venv/ready ## unit and property tests
	@$(BIN)/pytest -q -n 2 -m "not scenario and not sip and not realtime" --ignore=tests/infra --ignore=tests/image --cov --cov-report=

scenarios: .venv/ready ## whole calls on the jumping clock
	@$(BIN)/pytest -q -n 2 -m scenario --ignore=tests/image

coverage: ## every branch of what does no I/O, as the unit tests have reached it
	@$(BIN)/coverage report --skip-covered --show-missing --fail-under=100 --include="$(CORES)" --omit="$(SHELLS)"

infra: .venv/ready-deploy ## deployments that are synthesised, and the rules that they keep
	@$(BIN)/pytest -q -n 2 --timeout 600 tests/infra

# What runs in real time shares the machine with others: what fails is printed, and tried once more with new calls.
define in_real_time
FIRST_FAILURES=$(FIRST) $(BIN)/pytest -q $(1) || { echo "once more, with new calls: what failed must fail again to count"; $(BIN)/pytest -q --lf $(1); }
endef

realtime: .venv/ready ## whole calls in real time, with real clients and servers
	@$(call in_real_time,tests/realtime/test_calls.py)
	@$(call in_real_time,-n 2 --dist loadfile tests/realtime --ignore=tests/realtime/test_calls.py)

observed-calls: .venv/ready ## record anew which AWS calls gateway and Lambdas make, for the test of their rights
	@$(BIN)/python -m tests.infra.observe

baseline: .venv/ready-deploy ## with a release: keep what its updates must not replace, its flows and its events
	@$(BIN)/python -m tests.infra.replacement
	@$(BIN)/python -m tests.previous

sip: .venv/ready ## the gateway's SIP side against sipp and baresip, which `scripts/setup-sip` installs
	@scripts/setup-sip || true
	@$(call in_real_time,-rs -n 2 --dist loadfile tests/sip)

image: .venv/ready ## build the gateway's image without Docker and run a call through it; as root, on Debian
	@scripts/setup-image
	@$(BIN)/pytest -q -m image tests/image

forget: .venv/ready-deploy ## delete what is kept of a call: make forget CONTACT=...
	@$(BIN)/python -m operations.forget $(CONTACT) $(if $(DEPLOYMENT),--deployment $(DEPLOYMENT))

inject: .venv/ready-deploy ## bring a sentence or a note into a live call: make inject CONTACT=... SAY="..." or NOTE="..."
	@$(BIN)/python -m operations.inject "$$CONTACT" $(if $(SAY),--say "$$SAY") $(if $(NOTE),--note "$$NOTE") \
		$(if $(DEPLOYMENT),--deployment $(DEPLOYMENT))

eval: .venv/ready ## play written conversations: NAME=shop REPEATS=3 MODE=speech; see docs/evals.md
	@$(BIN)/python -m tests.evals

chaos: .venv/ready ## thousands of calls with faults at random points
	@$(BIN)/python -m tests.chaos

SOAK_MINUTES ?= 10
SOAK_CALLS ?= 4
soak: .venv/ready ## calls come and go for SOAK_MINUTES (10), SOAK_CALLS (4) at once: nothing may be left behind
	@$(BIN)/python -m simulator.fleet soak --minutes $(SOAK_MINUTES) --calls $(SOAK_CALLS)

replay: .venv/ready ## RECORDING=DIR: a recorded call against the call code as it is now
	@$(BIN)/python -m tests.recordings $(RECORDING)

fuzz: .venv/ready-fuzz ## a million inputs for each reader; TARGET=name and INPUTS=number choose
	@TARGET=$(TARGET) INPUTS=$(INPUTS) $(BIN)/python -m tests.fuzz

.venv/ready-fuzz: .venv/ready requirements-fuzz.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-fuzz.txt || { \
		echo "fuzz: atheris cannot be installed for this Python; make test runs a short fuzzing without it" >&2; exit 1; }
	@touch $@

KILL_CALLS ?= 6
kill-test: .venv/ready ## a gateway is killed in the middle of KILL_CALLS (6) calls, in real time: all must go on
	@$(BIN)/python -m simulator.fleet kill --calls $(KILL_CALLS)

# Another file than deployment.yaml: make deploy DEPLOYMENT=second.yaml
THIS := $(if $(DEPLOYMENT),--context 'deployment=$(DEPLOYMENT)')

synth: .venv/ready-deploy ## check deployment.yaml without credentials; DEPLOYMENT=second.yaml for another file
	@$(BIN)/cdk synth -q $(THIS)
	@echo "$(or $(DEPLOYMENT),deployment.yaml) can be deployed as far as can be told without an account: cdk.out/"

deploy: .venv/ready-deploy ## deploy deployment.yaml into the account of your AWS credentials
	@$(BIN)/cdk deploy $(THIS)

doctor: .venv/ready ## say what of the deployment is missing and how to mend it; LIVE=1 CALLER=... measures a test call
	@$(BIN)/python -m operations.doctor $(if $(LIVE),--live --caller '$(CALLER)') $(if $(DEPLOYMENT),--deployment $(DEPLOYMENT))

destroy: .venv/ready-deploy ## remove what deployment.yaml has deployed
	@$(BIN)/cdk destroy $(THIS)
	@echo "The bucket of records and the key that encrypts it stay, if there was a stack: docs/deploy.md, Removing"

explain: .venv/ready ## tell one call's story from the records: make explain CONTACT=...
	@$(BIN)/python -m operations.explain $(CONTACT) $(if $(DEPLOYMENT),--deployment $(DEPLOYMENT)) $(if $(NO_WORDS),--no-words)

cost: .venv/ready ## estimate a month: make cost CALLS=10000 MINUTES=3
	@$(BIN)/python -m operations.cost $(if $(CALLS),--calls $(CALLS)) $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(DEPLOYMENT),--deployment $(DEPLOYMENT))

bench: .venv/ready ## measure what runs all the time
	@for file in bench/*.py; do $(BIN)/python -m bench.$$(basename $$file .py); done

format: .venv/ready ## format the code
	@$(BIN)/ruff check --fix -q . || true
	@$(BIN)/ruff format .

lock: .venv/ready ## write the lock files anew from pyproject.toml
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q pyproject.toml \
		--extra lambdas --extra simulator --extra dev -o requirements.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q pyproject.toml \
		--extra simulator --extra dev --extra speech -c requirements.txt -o requirements-speech.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q pyproject.toml \
		-c requirements.txt -o gateway/requirements.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q requirements-deploy.in \
		-c requirements.txt -o requirements-deploy.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q pyproject.toml \
		--extra fuzz -c requirements.txt -o requirements-fuzz.txt

clean: ## remove what was built, but not the virtual environment
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage*
