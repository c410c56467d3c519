# SPDX-License-Identifier: BSD-2-Clause
#
# A part of the suite in the debug build, which is a build of its own.

DEBUG_SAMPLE := pipe thread signal
DEBUG_PROGRAMS := $(foreach s,$(DEBUG_SAMPLE),$(patsubst tests/posix/%.c,%,\
	$(wildcard tests/posix/$s/*.c)))
DEBUG_BUILD := build/debug

ifeq ($(DEBUG),)
.PHONY: debug-build
debug-build:
	@$(MAKE) --no-print-directory -s DEBUG=1 BUILD=$(DEBUG_BUILD) \
		$(DEBUG_BUILD)/apps/hello $(DEBUG_BUILD)/bin/toril-run \
		$(DEBUG_BUILD)/tests/tools/debuggee \
		$(addprefix $(DEBUG_BUILD)/tests/hostile/,fsd liar victim) \
		$(HOST_SHARE:$(BUILD)/%=$(DEBUG_BUILD)/%) \
		$(DEBUG_PROGRAMS:%=$(DEBUG_BUILD)/tests/posix/toril/%) \
		$(DEBUG_PROGRAMS:%=$(DEBUG_BUILD)/tests/posix/linux/%)

$(BUILD)/tests/debug_test: tests/debug/debug.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nBUILD=$(DEBUG_BUILD) exec %s\n' \
		'tests/debug/debug_test.py $(DEBUG_SAMPLE)' >$@
	@chmod +x $@

TESTS	+= $(BUILD)/tests/debug_test
TEST_NEEDS += debug-build
endif
