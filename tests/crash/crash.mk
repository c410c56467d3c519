# SPDX-License-Identifier: BSD-2-Clause
#
# `make crash ROUNDS=1000`: kills, and what is left on the host.

$(BUILD)/tests/crash/agent: tests/crash/agent.c $(BUILD)/bin/toril-cc
	@mkdir -p $(@D)
	$(call say,TORIL,$@)
	$(Q)$(BUILD)/bin/toril-cc -O2 -g -Wall -Wextra -o $@ $<

TEST_NEEDS += $(BUILD)/tests/crash/agent
TESTS	+= tests/crash/crash.py

crash: all $(BUILD)/tests/crash/agent
	@BUILD=$(BUILD) tests/crash/crash.py $(ROUNDS)
.PHONY: crash
