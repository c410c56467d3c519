# SPDX-License-Identifier: BSD-2-Clause
#
# Every allocation of the kernel fails, one in each run, in the debug build.

ifeq ($(DEBUG),)
SWEEP	:= $(DEBUG_BUILD)/tests/sweep/victim
.PHONY: sweep-build sweep
sweep-build: debug-build
	@$(MAKE) --no-print-directory -s DEBUG=1 BUILD=$(DEBUG_BUILD) $(SWEEP)

TESTS	+= tests/sweep/sweep.py
TEST_NEEDS += sweep-build

# The long form: all of them.
sweep: sweep-build
	@tests/sweep/sweep.py 1
else
$(BUILD)/tests/sweep/victim: $(wildcard tests/sweep/*.[ch]) \
		$(BUILD)/bin/toril-cc
	$(call say,TORIL,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bin/toril-cc -O1 -g -Wall -Wextra -I. -D_GNU_SOURCE \
		-o $@ $(filter %.c,$^)
endif
