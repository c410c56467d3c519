# SPDX-License-Identifier: BSD-2-Clause
#
# toril-run, and the tests of it.

HOST_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard host/*.c))
TORIL_RUN := $(BUILD)/bin/toril-run

ALL += $(TORIL_RUN)

# What it and gdb find beside it.
HOST_SHARE := $(patsubst host/share/%,$(BUILD)/share/toril/%,\
	$(wildcard host/share/*))
$(HOST_SHARE): $(BUILD)/share/toril/%: host/share/%
	@mkdir -p $(@D)
	@cp $< $@
ALL	+= $(HOST_SHARE)

# toril-ps by its three names.
PS_NAMES := toril-logs toril-stop
HOST_BIN := $(patsubst host/%,$(BUILD)/%,$(wildcard host/bin/*))
$(HOST_BIN): $(BUILD)/bin/%: host/bin/%
	@mkdir -p $(@D)
	@cp $< $@
	@if [ $* = toril-ps ]; then \
		for n in $(PS_NAMES); do ln -sfn toril-ps $(@D)/$$n; done; fi
ALL	+= $(HOST_BIN)

$(BUILD)/host/%.o: host/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@

# What says which version it is.
$(foreach o,options stats,$(BUILD)/host/$o.o $(BUILD)/tests/host/san/$o.o): \
	VERSION

$(TORIL_RUN): $(HOST_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $^ -lpthread -lseccomp -o $@

# Tests.  The device runs under the sanitizers there too.
HOST_DEVICE := util loop vq vsock_conn vsock_device vhost_user relay
HOST_SAN_OBJ := $(patsubst host/%.c,$(BUILD)/tests/host/san/%.o, \
	$(filter-out host/main.c,$(wildcard host/*.c)))
HOST_SAN_DEVICE := $(HOST_DEVICE:%=$(BUILD)/tests/host/san/%.o)

ALL += $(BUILD)/tests/host/vsock_peer $(BUILD)/tests/host/linux_init \
	$(BUILD)/tests/host/linux_guest
TESTS += tests/host/vsock_linux_test.py tests/host/toril_run_test.py

$(BUILD)/tests/host/san/%.o: host/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(SAN_CFLAGS) -DTORIL_VERSION='"$(VERSION)"' -MMD -MP \
		-c $< -o $@

$(BUILD)/tests/host/vsock_peer: tests/host/vsock_peer.c $(HOST_SAN_DEVICE)
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN_CFLAGS) $^ -o $@

$(BUILD)/tests/host/linux_%: tests/host/linux_%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -static $(HOST_CFLAGS) $< -o $@

ALL += $(BUILD)/tests/host/host_test
TESTS += $(BUILD)/tests/host/host_test

$(BUILD)/tests/host/host_test: tests/host/host_test.c \
		$(HOST_SAN_DEVICE) $(addprefix $(BUILD)/tests/host/san/, \
		options.o usage.o values.o rules.o socks_wire.o dns.o image.o)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN_CFLAGS) $^ -lcmocka -o $@

# Without sanitizers: they make calls of their own.
ALL += $(BUILD)/tests/host/confine_test
TESTS += $(BUILD)/tests/host/confine_test
$(BUILD)/tests/host/confine_test: tests/host/confine_test.c \
		$(BUILD)/host/confine.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $^ -lpthread -lseccomp -o $@

# libFuzzer comes with clang; `make fuzz-host` runs each for a minute.
HOST_FUZZ_SRC := $(patsubst %,host/%.c,$(HOST_DEVICE) options usage values rules \
	socks_wire dns image)
HOST_FUZZ := $(BUILD)/tests/fuzz/host_device $(BUILD)/tests/fuzz/host_parse

$(HOST_FUZZ): $(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(HOST_FUZZ_SRC)
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)clang -g -O1 -std=gnu11 -D_GNU_SOURCE -I. \
		-DTORIL_VERSION='"$(VERSION)"' \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined $^ -o $@

FUZZ_SECONDS ?= 60
fuzz-host: $(HOST_FUZZ)
	for f in $^; do $$f -max_total_time=$(FUZZ_SECONDS) -max_len=4096 \
		-verbosity=0 || exit 1; done
.PHONY: fuzz-host
