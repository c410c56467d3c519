# SPDX-License-Identifier: BSD-2-Clause
#
# `make bench`: counts, not times; see bench/count.py.

$(BUILD)/bench/count.so: bench/plugin/count.c bench/plugin/qemu_plugin.h \
		bench/span.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -fPIC -shared -o $@ $<

$(BUILD)/bench/%: bench/%.c $(BUILD)/bin/toril-cc
	$(call say,TORIL,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bin/toril-cc -O2 -g -o $@ $<

# Kernel calls, from one source on both.
$(BUILD)/bench/calls: bench/calls.c bench/calls_main.c $(wildcard bench/*.h) \
		$(BUILD)/bin/toril-cc
	$(call say,TORIL,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bin/toril-cc -O2 -g -I. -o $@ $(filter %.c,$^)
$(BUILD)/bench/calls_init: bench/calls.c bench/calls_init.c $(wildcard bench/*.h)
	$(call say,MUSL,$@)
	@mkdir -p $(@D)
	$(Q)musl-gcc -static -O2 -g -I. -idirafter /usr/include \
		-idirafter /usr/include/x86_64-linux-gnu -o $@ $(filter %.c,$^)

bench: all site $(addprefix $(BUILD)/bench/,count.so read_file rep calls \
		calls_init)
	@bench/count.py

$(BUILD)/linux/bench/%: bench/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -o $@ $< -lpthread

# How threads scale: times, so with nothing else running.
bench-scale: all $(BUILD)/bench/scale $(BUILD)/linux/bench/scale
	@bench/scale.py
.PHONY: bench bench-scale
