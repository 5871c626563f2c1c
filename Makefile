# SPDX-License-Identifier: Apache-2.0
#
#   make demo      install packages, build, run the main example and show what happened
#   make test      the same set-up, then all tests
#   make bench     measure (Benchmarks/README.md)
#   make install   PREFIX=/usr/local DESTDIR=
#   make docs      write docs/reference anew, from what the plugins say about themselves
#   make format    rewrite the sources in the project's style;  make lint: check it
#   make fuzz      run the fuzzers for a bounded time

SHELL := /bin/bash
PREFIX ?= /usr/local
DESTDIR ?=
STAGE := $(CURDIR)/.build/stage
# The installed tree finds its libraries by paths relative to itself, not in the toolchain.
RELEASE := -c release -Xswiftc -no-toolchain-stdlib-rpath
BIN := .build/release

.PHONY: all packages build stage demo test unit-test sanitizer-test e2e-test bench install format lint fuzz docs clean

all: stage

packages:
	@scripts/install-packages

build: packages
	@swift build $(RELEASE)
	@swift build $(RELEASE) --product generate-manual

# The tree `make install` makes, inside the build folder: what tests, the demo and benchmarks run.
stage: build
	@$(MAKE) --no-print-directory install-files DEST=$(STAGE)

# The pages of docs/reference, as the plugins describe themselves; a test compares them.
docs: stage
	@scripts/reference $(STAGE) docs/reference

install: build
	@$(MAKE) --no-print-directory install-files DEST=$(DESTDIR)$(PREFIX) ROOT=$(PREFIX)

install-files:
	@scripts/install-tree $(BIN) $(DEST) $(ROOT)

demo: stage
	@scripts/demo $(STAGE)/bin/mgmt

test: stage
	@scripts/test all

unit-test: packages
	@scripts/test unit

sanitizer-test: packages
	@scripts/test sanitizers

e2e-test: stage
	@scripts/test e2e

fuzz: packages
	@scripts/fuzz

bench: stage
	@swift run -c release --package-path Benchmarks --scratch-path .build/benchmarks Benchmarks --mgmt $(STAGE)/bin/mgmt $(ARGS)

format:
	@swift format format --in-place --parallel --recursive Package.swift Sources Plugins Tests Benchmarks/Sources Benchmarks/Package.swift

lint:
	@swift format lint --strict --parallel --recursive Package.swift Sources Plugins Tests Benchmarks/Sources Benchmarks/Package.swift

clean:
	@rm -rf .build Benchmarks/.build
