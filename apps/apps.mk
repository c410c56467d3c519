# SPDX-License-Identifier: BSD-2-Clause
#
# The programs, each from one source: for Linux with glibc, for Linux with
# musl (static), and for Toril; and their tests on Linux.

APPS	:= hello echo webserver
APP_SRC_hello := apps/hello/hello.c
APP_SRC_echo := apps/echo/echo.c
APP_SRC_webserver := $(sort $(wildcard apps/webserver/*.c))
APP_HDRS := $(wildcard apps/webserver/*.h)

# Small, and the same warnings everywhere.
APP_CFLAGS := -std=gnu11 $(WARN) -I. -D_GNU_SOURCE -ffunction-sections \
	-fdata-sections -Wl,--gc-sections

define app_rules
$(BUILD)/linux/apps/$(1): $(APP_SRC_$(1)) $(APP_HDRS)
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) -O2 -g $(APP_CFLAGS) -pthread -o $$@ $(APP_SRC_$(1))

$(BUILD)/linux-musl/apps/$(1): $(APP_SRC_$(1)) $(APP_HDRS)
	$$(call say,MUSL,$$@)
	@mkdir -p $$(@D)
	$$(Q)musl-gcc -static -Os -g $(APP_CFLAGS) -o $$@ $(APP_SRC_$(1))

$(BUILD)/apps/$(1): $(APP_SRC_$(1)) $(APP_HDRS) $(BUILD)/bin/toril-cc
	$$(call say,TORIL,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(BUILD)/bin/toril-cc -O2 -g $(APP_CFLAGS) -o $$@ $(APP_SRC_$(1))
endef
$(foreach app,$(APPS),$(eval $(call app_rules,$(app))))

ALL	+= $(APPS:%=$(BUILD)/linux/apps/%) $(APPS:%=$(BUILD)/linux-musl/apps/%)
ifneq ($(wildcard musl-glue/musl-glue.mk),)
ALL	+= $(APPS:%=$(BUILD)/apps/%)
endif

# Unit tests: the pure parts of the web server under the sanitizers.
HTTP_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/http_*.c))
HTTP_PURE := $(addprefix apps/webserver/,text.c http_parser.c http_body.c \
	uri.c date.c range.c mime.c condition.c)

$(HTTP_TESTS:%=$(BUILD)/tests/unit/%): $(BUILD)/tests/unit/%: \
		tests/unit/%.c $(HTTP_PURE) $(APP_HDRS)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN_CFLAGS) -o $@ $< $(HTTP_PURE) -lcmocka

# libFuzzer needs clang; not part of ALL.
HTTP_FUZZ := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,\
	$(wildcard tests/fuzz/http_*.c))
$(HTTP_FUZZ): $(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(HTTP_PURE) $(APP_HDRS)
	$(call say,FUZZ,$@)
	@mkdir -p $(@D)
	$(Q)clang $(SAN_CFLAGS) -fsanitize=fuzzer -o $@ $< $(HTTP_PURE)

TESTS	+= $(HTTP_TESTS:%=$(BUILD)/tests/unit/%) tests/apps/webserver_test.py \
	tests/apps/echo_test.py tests/apps/site_test.py
