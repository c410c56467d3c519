# SPDX-License-Identifier: BSD-2-Clause
#
# Toril's build.  One non-recursive make: every folder that builds something
# has a fragment NAME/NAME.mk, which adds its outputs to ALL and its test
# programs to TESTS, and defines the rules for them.  Everything that is
# built lands under $(BUILD).
#
# `make run` and `make test` first install what is missing and then start
# make afresh: nothing here may need a compiler before that.

# DEBUG=1: with the kernel's checks of itself, in a folder of its own.
DEBUG	?=
BUILD	?= build$(if $(DEBUG),/debug)
CC	:= gcc
PYTHON	?= python3
V	?= 0
Q	:= $(if $(filter 0,$(V)),@)
say	= @printf '  %-8s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$(2))'

VERSION	:= $(file <VERSION)
PORT	?= 8080
JOBS	?= 2
PREFIX	?= /usr/local

# Host programs: glibc, strict warnings.
WARN	:= -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
HOST_CFLAGS := -std=gnu11 -O2 -g $(WARN) -I. -D_GNU_SOURCE \
	-DTORIL_VERSION='"$(VERSION)"'
SAN_CFLAGS := -std=gnu11 -O1 -g $(WARN) -I. -D_GNU_SOURCE \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer

ALL	:=
TESTS	:=
TESTS_ALL :=

all: build-all

# Goals that work on a machine where nothing is installed yet.
BARE	:= run test test-all setup setup-tests help clean
ifneq ($(filter-out $(BARE),$(or $(MAKECMDGOALS),all)),)
include $(wildcard musl-glue/musl-glue.mk kernel/kernel.mk host/host.mk \
	apps/apps.mk ports/ports.mk tests/tests.mk docs/docs.mk bench/bench.mk \
	tools/tools.mk)
-include $(shell find $(BUILD) \( -path $(BUILD)/ports -o \
	-path $(BUILD)/cache -o -path $(BUILD)/debug \) -prune -o -name '*.d' -type f -print 2>/dev/null)
endif

build-all: $(ALL)

setup:
	@tools/setup.sh
setup-tests:
	@tools/setup.sh tests

# The recipe's last command takes the terminal, so that Ctrl-C ends the
# server, and make well.
run: setup
	@$(MAKE) --no-print-directory -s -j$(JOBS) all site
	@BUILD=$(BUILD) exec tools/serve.py $(PORT)

test: setup-tests
	@$(MAKE) --no-print-directory -j$(JOBS) run-tests

test-all: setup-tests
	@$(MAKE) --no-print-directory -j$(JOBS) run-tests-all

clean:
	rm -rf $(BUILD)

help:
	@echo 'make run        build all, serve the documentation from a VM on'
	@echo '                http://127.0.0.1:$(PORT) (PORT=N for another)'
	@echo 'make test       build and run all tests'
	@echo 'make test-all   the same and the long forms: hours'
	@echo 'make ports      build and check the programs of ports/'
	@echo 'make port-NAME  one of them'
	@echo 'make            build all: $(BUILD)/bin/toril-run, toril-cc, apps'
	@echo 'make conformance  the Open POSIX Test Suite (T=PATTERN: some of it)'
	@echo 'make check      format, include arrows, headers, static analysis'
	@echo 'make lint       gcc -fanalyzer and clang-tidy of what has changed'
	@echo 'make compile_commands.json  for clangd and its like'
	@echo 'make format     clang-format what git knows'
	@echo 'make fuzz       each fuzzer for T=60 seconds'
	@echo 'make fuzz-planted  whether fuzzers find checks that are taken out'
	@echo 'make bench      measure against a Linux guest; RECORD=1 keeps it'
	@echo 'make bench-quick  the same in 5 minutes'
	@echo 'make hostile    file servers that lie, ROUNDS=1000 times'
	@echo 'make hostile-planted  whether those are noticed where checks are taken out'
	@echo 'make faults     disks full, servers killed, connections cut, crowds: minutes'
	@echo 'make sweep      each allocation of the kernel fails, one in each run'
	@echo 'make soak       servers under load for T=600 seconds: does anything grow?'
	@echo 'make crash      ROUNDS=1000 kills of QEMU and virtiofsd: is anything lost?'
	@echo 'make bench-scale  what two CPUs do against one; times: keep the machine quiet'
	@echo 'make stress     stress programs, T=SECONDS each on C=CPUS'
	@echo 'make DEBUG=1    build with the kernel checking itself, in build/debug'
	@echo 'make gdb IMAGE=F  boot F, stopped, and attach gdb'
	@echo 'make install    into PREFIX=$(PREFIX) (and DESTDIR)'
	@echo 'make deb        a Debian package of what install puts in place'
	@echo 'make dist       the sources of the last commit as a tar archive'
	@echo 'make setup      install the Debian packages that are missing'
	@echo 'make setup-tests  and those that tests need: a browser, npm'
	@echo 'make clean      remove $(BUILD)'

.PHONY: all build-all setup setup-tests run test test-all clean help
.DELETE_ON_ERROR:
