# SPDX-License-Identifier: BSD-2-Clause
#
# Stress programs: a few seconds each in `make test`;
# `make stress T=SECONDS C=CPUS` (NAME=one of them, SEED=N) for long runs.

STRESS_NAMES := $(patsubst tests/stress/%.c,%,\
	$(sort $(wildcard tests/stress/*.c)))
STRESS_LINUX := $(STRESS_NAMES:%=$(BUILD)/tests/stress/linux/%)
STRESS_TORIL := $(STRESS_NAMES:%=$(BUILD)/tests/stress/toril/%)
STRESS_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -I. -D_GNU_SOURCE

$(STRESS_LINUX): $(BUILD)/tests/stress/linux/%: tests/stress/%.c \
		tests/stress/stress.h
	$(call say,MUSL,$@)
	@mkdir -p $(@D)
	$(Q)musl-gcc -static $(STRESS_CFLAGS) -idirafter /usr/include \
		-idirafter /usr/include/x86_64-linux-gnu -o $@ $<

$(STRESS_TORIL): $(BUILD)/tests/stress/toril/%: tests/stress/%.c \
		tests/stress/stress.h $(BUILD)/bin/toril-cc
	$(call say,TORIL,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bin/toril-cc $(STRESS_CFLAGS) -o $@ $<

STRESS_TESTS := $(STRESS_NAMES:%=$(BUILD)/tests/stress/%_test)
$(STRESS_TESTS): $(BUILD)/tests/stress/%_test: tests/stress/stress.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nBUILD=$(BUILD) exec tests/stress/run.py %s\n' $* >$@
	@chmod +x $@

TESTS	+= $(STRESS_TESTS)
TEST_NEEDS += $(STRESS_LINUX) $(STRESS_TORIL)

# T means other things to other goals.
STRESS_T := $(if $(filter command,$(firstword $(origin T))),$(T),600)
C	?= 4
SEED	?= 1
NAME	?= $(STRESS_NAMES)
stress: $(STRESS_LINUX) $(STRESS_TORIL)
	@BUILD=$(BUILD) tests/stress/run.py -t $(STRESS_T) $(C:%=-c %) -s $(SEED) $(NAME)
.PHONY: stress
