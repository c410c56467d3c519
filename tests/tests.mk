# SPDX-License-Identifier: BSD-2-Clause
#
# Tests.  TESTS holds executables without arguments that print TAP.

# Programs that run on Linux, the oracle, and on Toril; a test per subject.
POSIX_SRC := $(sort $(wildcard tests/posix/*/*.c))
POSIX_H	:= $(wildcard tests/posix/*.h tests/posix/*/*.h)
POSIX_NAMES := $(POSIX_SRC:tests/posix/%.c=%)
POSIX_LINUX := $(POSIX_NAMES:%=$(BUILD)/tests/posix/linux/%)
POSIX_TORIL := $(POSIX_NAMES:%=$(BUILD)/tests/posix/toril/%)
POSIX_SUBJECTS := $(patsubst %/,%,$(sort $(dir $(POSIX_NAMES))))
POSIX_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -I. -D_GNU_SOURCE \
	-Wno-infinite-recursion -Wno-stringop-overflow -Wno-restrict \
	-fno-builtin

$(POSIX_LINUX): $(BUILD)/tests/posix/linux/%: tests/posix/%.c $(POSIX_H)
	$(call say,MUSL,$@)
	@mkdir -p $(@D)
	$(Q)musl-gcc -static $(POSIX_CFLAGS) -idirafter /usr/include \
		-idirafter /usr/include/x86_64-linux-gnu -o $@ $<

$(POSIX_TORIL): $(BUILD)/tests/posix/toril/%: tests/posix/%.c $(POSIX_H) \
		$(BUILD)/bin/toril-cc
	$(call say,TORIL,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bin/toril-cc $(POSIX_CFLAGS) -o $@ $<

POSIX_TESTS := $(POSIX_SUBJECTS:%=$(BUILD)/tests/posix/%_test)
$(POSIX_TESTS): $(BUILD)/tests/posix/%_test: tests/tests.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nBUILD=$(BUILD) exec tests/posix/run.py %s\n' $* >$@
	@chmod +x $@

# The same with more CPUs.
POSIX_CPUS := $(foreach c,2 4,$(POSIX_SUBJECTS:%=$(BUILD)/tests/posix/%_$(c)cpus))
$(POSIX_CPUS): $(BUILD)/tests/posix/%cpus: tests/tests.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nCPUS=%s BUILD=$(BUILD) exec tests/posix/run.py %s\n' \
		$(lastword $(subst _, ,$*)) $(patsubst %_2,%,$(*:%_4=%)) >$@
	@chmod +x $@

TESTS	+= $(POSIX_TESTS) $(filter %_2cpus,$(POSIX_CPUS))
TESTS_ALL += $(filter %_4cpus,$(POSIX_CPUS))
TEST_NEEDS += $(POSIX_LINUX) $(POSIX_TORIL)

# What runs inside a machine, and the machine's shapes.
TESTS	+= $(sort $(wildcard tests/kernel/*_test.py))
TEST_NEEDS += $(BUILD)/bench/count.so
TEST_NEEDS += $(BUILD)/apps/hello $(BUILD)/apps/webserver \
	$(BUILD)/tests/kernel/mitigations
$(BUILD)/tests/kernel/mitigations: tests/kernel/mitigations.c \
		$(BUILD)/bin/toril-cc
	$(call say,TORIL,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bin/toril-cc -O1 -g -Wall -Wextra \
		-D_GNU_SOURCE -o $@ $<

# The programs' tests once more, in a machine.
VM_TESTS := $(patsubst tests/apps/%.py,$(BUILD)/tests/vm/%,\
	$(wildcard tests/apps/*_test.py))
$(VM_TESTS): $(BUILD)/tests/vm/%: tests/tests.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nTORIL_RUN=%s exec tests/apps/%s.py\n' \
		$(BUILD)/bin/toril-run $* >$@
	@chmod +x $@
TESTS	+= $(VM_TESTS)

include $(wildcard tests/soak/soak.mk tests/unit/unit.mk tests/unit/fs.mk tests/fuzz/fuzz.mk \
	tests/hostile/hostile.mk tests/crash/crash.mk \
	tests/system/system.mk tests/conformance/conformance.mk \
	tests/toolchain/toolchain.mk tests/tools/tools.mk \
	tests/debug/debug.mk tests/sweep/sweep.mk \
	tests/stress/stress.mk tests/deploy/deploy.mk \
	tests/site/site.mk tests/boot64/boot64.mk)

# TESTS=... runs some of them.
run-tests: all $(TEST_NEEDS) $(filter $(BUILD)/%,$(TESTS))
	@tests/run.py -j $(JOBS) $(TESTS)

# TESTS_ALL are those that take hours.
run-tests-all: all $(TEST_NEEDS) $(filter $(BUILD)/%,$(TESTS) $(TESTS_ALL))
	@tests/run.py -j $(JOBS) -t 14400 \
		$(filter-out ports/%/check.py,$(TESTS)) $(TESTS_ALL)

.PHONY: run-tests run-tests-all
