# SPDX-License-Identifier: BSD-2-Clause
#
# Linux's 64-bit boot protocol, as Firecracker starts a kernel: a loader.

BOOT64	:= $(BUILD)/tests/boot64

$(BOOT64)/loader: tests/boot64/entry.S tests/boot64/loader.c \
		tests/boot64/boot64.mk
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O1 $(filter-out -Wmissing-prototypes,$(WARN)) \
		-ffreestanding -fno-pic -fno-stack-protector -mno-red-zone \
		-mgeneral-regs-only -fcf-protection=none -fno-tree-loop-distribute-patterns \
		-fno-asynchronous-unwind-tables -nostdlib -static -no-pie \
		-Wl,-Ttext-segment=0x2000000,--build-id=none,-z,noexecstack,-e,start \
		-o $@ tests/boot64/entry.S tests/boot64/loader.c

$(BOOT64)/status: tests/boot64/status.c $(BUILD)/bin/toril-cc
	$(call say,TORIL,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bin/toril-cc -O1 -Wall -Wextra -o $@ $<

TESTS	+= tests/boot64/boot64_test.py
TEST_NEEDS += $(BOOT64)/loader $(BOOT64)/status
