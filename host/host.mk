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
