# SPDX-License-Identifier: BSD-2-Clause
#
# libFuzzer (clang's).  `make fuzz T=SECONDS` runs every fuzzer, those of
# other folders too; `make test` runs each for twenty seconds.

T	?= 60
FUZZ_CFLAGS := $(UNIT_CFLAGS) -fsanitize=fuzzer -Wno-unused-function
FUZZ_virtqueue := drivers/virtio/virtqueue.c $(SHIM)/memory.c \
	$(SHIM)/machine.c
FUZZ_vsock := $(UNIT_vsock)
FUZZ_cmdline := kernel/lib/cmdline.c
FUZZ_start_info := kernel/arch/x86_64/start_info.c
FUZZ_tables := kernel/arch/x86_64/acpi.c kernel/arch/x86_64/mptable.c
FUZZ_front := kernel/net/socks.c kernel/net/proxy.c $(UNIT_vsock)
FUZZ_NAMES := virtqueue vsock cmdline start_info tables front
FUZZ_BIN := $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/%_fuzz)

define fuzz_rule
$(BUILD)/tests/fuzz/$(1)_fuzz: tests/fuzz/$(1)_fuzz.c $(FUZZ_$(1)) \
		tests/fuzz/fuzz.mk $(wildcard tests/unit/*.h)
	$$(call say,FUZZ,$$@)
	@mkdir -p $$(@D)
	$$(Q)clang $$(FUZZ_CFLAGS) -o $$@ $$< $(FUZZ_$(1))
endef
$(foreach t,$(FUZZ_NAMES),$(eval $(call fuzz_rule,$(t))))

ALL_FUZZ := $(FUZZ_BIN) $(HTTP_FUZZ) $(HOST_FUZZ) $(FS_FUZZ)

# A short run as a test; its own corpus stays out of the tree.
FUZZ_TESTS := $(ALL_FUZZ:%=%_test)
$(FUZZ_TESTS): %_test: %
	@printf '#!/bin/sh\nexec tests/fuzz/run.sh %s 20\n' $< >$@
	@chmod +x $@
TESTS	+= $(FUZZ_TESTS)

# What is printed at the end is for docs/reliability.md.
fuzz: $(ALL_FUZZ)
	@for f in $(ALL_FUZZ); do tests/fuzz/run.sh $$f $(T) || exit 1; done
	@cat $(BUILD)/tests/fuzz/corpus/*.row

# Do they find anything?  Checks taken out one by one.
fuzz-planted:
	@tests/fuzz/planted.py $(T)
.PHONY: fuzz fuzz-planted
