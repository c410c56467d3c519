# SPDX-License-Identifier: BSD-2-Clause
#
# libFuzzer (clang's).  `make fuzz T=SECONDS` runs every fuzzer, those of
# other folders too; `make test` runs the kernel's for ten seconds each.

T	?= 60
FUZZ_CFLAGS := $(UNIT_CFLAGS) -fsanitize=fuzzer -Wno-unused-function
FUZZ_virtqueue := drivers/virtio/virtqueue.c $(SHIM)/memory.c \
	$(SHIM)/machine.c
FUZZ_vsock := $(UNIT_vsock)
FUZZ_cmdline := kernel/lib/cmdline.c
FUZZ_NAMES := virtqueue vsock cmdline
FUZZ_BIN := $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/%_fuzz)

define fuzz_rule
$(BUILD)/tests/fuzz/$(1)_fuzz: tests/fuzz/$(1)_fuzz.c $(FUZZ_$(1)) \
		tests/fuzz/fuzz.mk $(wildcard tests/unit/*.h)
	$$(call say,FUZZ,$$@)
	@mkdir -p $$(@D)
	$$(Q)clang $$(FUZZ_CFLAGS) -o $$@ $$< $(FUZZ_$(1))
endef
$(foreach t,$(FUZZ_NAMES),$(eval $(call fuzz_rule,$(t))))

# A short run as a test; its own corpus stays out of the tree.
FUZZ_TESTS := $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/%_test)
$(FUZZ_TESTS): $(BUILD)/tests/fuzz/%_test: $(BUILD)/tests/fuzz/%_fuzz
	@printf '#!/bin/sh\nexec tests/fuzz/run.sh %s 10\n' $< >$@
	@chmod +x $@
TESTS	+= $(FUZZ_TESTS)

ALL_FUZZ := $(FUZZ_BIN) $(HTTP_FUZZ) $(HOST_FUZZ) $(FS_FUZZ)
fuzz: $(ALL_FUZZ)
	@for f in $(ALL_FUZZ); do tests/fuzz/run.sh $$f $(T) || exit 1; done
.PHONY: fuzz
