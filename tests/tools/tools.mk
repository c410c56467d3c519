# SPDX-License-Identifier: BSD-2-Clause
#
# Tests of what helps to find mistakes: gdb, reports of crashes, traces.

DEBUGGEE := $(BUILD)/tests/tools/debuggee

$(BUILD)/tests/tools/%: tests/tools/%.c $(BUILD)/bin/toril-cc
	$(call say,TORIL,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bin/toril-cc -O1 -g -Wall -Wextra -D_GNU_SOURCE -o $@ $<

$(BUILD)/tests/tools/%_linux: tests/tools/%.c
	@mkdir -p $(@D)
	$(Q)musl-gcc -static -D_GNU_SOURCE -O1 -o $@ $<

TESTS	+= $(sort $(wildcard tests/tools/*_test.py))
TEST_NEEDS += $(DEBUGGEE) $(BUILD)/tests/tools/calls \
	$(BUILD)/tests/tools/waiter $(HOST_BIN) $(BUILD)/apps/webserver \
	$(BUILD)/tests/tools/calls_linux $(HOST_SHARE) \
	$(addprefix $(BUILD)/tests/tools/,decode decode_linux leaves busy asker)
