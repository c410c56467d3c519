# SPDX-License-Identifier: BSD-2-Clause
#
# Unit tests: kernel files in a host process, under ASan and UBSan.  What a
# test needs beside itself is in UNIT_name.

SHIM	:= tests/unit/shim
UNIT_virtqueue := drivers/virtio/virtqueue.c $(SHIM)/memory.c $(SHIM)/machine.c
UNIT_treap := kernel/lib/treap.c
UNIT_cmdline := kernel/lib/cmdline.c
UNIT_mptable := kernel/arch/x86_64/mptable.c
UNIT_acpi := kernel/arch/x86_64/acpi.c
UNIT_printk := kernel/lib/printk.c
$(BUILD)/tests/unit/wait_test: kernel/sched/wait.c
UNIT_random := $(SHIM)/lock.c $(SHIM)/machine.c
UNIT_page := $(SHIM)/lock.c $(SHIM)/machine.c
UNIT_kmem := $(SHIM)/lock.c $(SHIM)/machine.c
UNIT_byteq := kernel/net/byteq.c kernel/mm/uaccess.c $(SHIM)/lock.c \
	$(SHIM)/memory.c $(SHIM)/machine.c $(SHIM)/user.c
UNIT_vsock := kernel/net/vsock.c kernel/net/vsock_input.c \
	kernel/net/vsock_stream.c kernel/net/stream.c $(SHIM)/random.c $(UNIT_byteq)
UNIT_uaccess := kernel/mm/uaccess.c $(SHIM)/lock.c $(SHIM)/memory.c \
	$(SHIM)/machine.c $(SHIM)/user.c

UNIT_TESTS := virtqueue treap cmdline printk random page kmem byteq vsock \
	uaccess mptable acpi wait
UNIT_BIN := $(UNIT_TESTS:%=$(BUILD)/tests/unit/%_test)
# Kernel headers are terse about signs and unused values; kernel code itself
# is compiled with all warnings by kernel.mk.
UNIT_CFLAGS := $(SAN_CFLAGS) -fno-builtin-memcpy -fno-strict-aliasing \
	-Wno-shadow -Wno-missing-prototypes -D__KERNEL_STRICT_NAMES

define unit_rule
$(BUILD)/tests/unit/$(1)_test: tests/unit/$(1)_test.c $(UNIT_$(1)) \
		tests/unit/cmocka.h $(SHIM)/shim.h tests/unit/unit.mk \
		$(wildcard kernel/*/*.h drivers/virtio/*.h kernel/mm/*.c)
	$$(call say,TEST,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(UNIT_CFLAGS) -o $$@ $$< $(UNIT_$(1)) -lcmocka
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rule,$(t))))

# Host threads for CPUs, under ThreadSanitizer.
UNIT_THREADS := $(BUILD)/tests/unit/mm_threads_test \
	$(BUILD)/tests/unit/byteq_threads_test
$(BUILD)/tests/unit/byteq_threads_test: kernel/net/byteq.c
$(UNIT_THREADS): $(BUILD)/%: %.c tests/unit/arena.h tests/unit/unit.mk \
		$(wildcard kernel/*/*.h kernel/mm/*.c)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -fsanitize%,$(UNIT_CFLAGS)) -fsanitize=thread \
		-o $@ $(filter-out kernel/mm/%,$(filter %.c,$^)) \
		-lcmocka -lpthread

TESTS	+= $(UNIT_BIN) $(UNIT_THREADS)
