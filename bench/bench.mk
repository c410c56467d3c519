# SPDX-License-Identifier: BSD-2-Clause
#
# `make bench`: counts, not times; see bench/count.py.

$(BUILD)/bench/count.so: bench/plugin/count.c bench/plugin/qemu_plugin.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -fPIC -shared -o $@ $<

$(BUILD)/bench/%: bench/%.c $(BUILD)/bin/toril-cc
	$(call say,TORIL,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bin/toril-cc -O2 -g -o $@ $<

bench: all site $(addprefix $(BUILD)/bench/,count.so read_file rep)
	@bench/count.py

$(BUILD)/linux/bench/%: bench/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -o $@ $< -lpthread

# How threads scale: times, so with nothing else running.
bench-scale: all $(BUILD)/bench/scale $(BUILD)/linux/bench/scale
	@bench/scale.py
.PHONY: bench bench-scale
