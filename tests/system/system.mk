# SPDX-License-Identifier: BSD-2-Clause
#
# The whole system from outside: launcher, kernel, shares, programs.

SYSTEM_PROGRAMS := $(patsubst tests/system/%.c,$(BUILD)/tests/system/%,\
	$(wildcard tests/system/*.c))
$(SYSTEM_PROGRAMS): $(BUILD)/tests/system/%: tests/system/%.c \
		$(BUILD)/bin/toril-cc
	$(call say,TORIL,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bin/toril-cc -O2 -g -Wall -Wextra -o $@ $<

TEST_NEEDS += $(SYSTEM_PROGRAMS)
TESTS	+= tests/system/acceptance_test.py \
	tests/system/confined_test.py tests/system/faults_test.py \
	tests/system/cuts_test.py tests/system/crowd_test.py \
	tests/system/locks_test.py \
	tests/system/outbound_test.py \
	tests/system/resolve_test.py \
	tests/system/rust_virtiofsd_test.sh \
	tests/system/qemu10_test.py

# The long forms: minutes of standstill, thousands of slow clients.
faults: all $(SYSTEM_PROGRAMS) $(HOSTILE)/victim sweep-build
	@BUILD=$(BUILD) tests/system/faults.py
.PHONY: faults
