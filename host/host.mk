# SPDX-License-Identifier: BSD-2-Clause
#
# toril-run, and the tests of it.

HOST_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard host/*.c))
TORIL_RUN := $(BUILD)/bin/toril-run

ALL += $(TORIL_RUN)

$(BUILD)/host/%.o: host/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(TORIL_RUN): $(HOST_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $^ -lpthread -o $@

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
