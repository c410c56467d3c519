# SPDX-License-Identifier: BSD-2-Clause
#
# `make bench`: Toril against Linux; see bench/bench.py.

$(BUILD)/bench/count.so: bench/plugin/count.c bench/plugin/qemu_plugin.h \
		bench/span.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -fPIC -shared -o $@ $<

$(BUILD)/bench/%: bench/%.c $(BUILD)/bin/toril-cc
	$(call say,TORIL,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bin/toril-cc -O2 -g -I. -o $@ $<

BENCH_APPS := hello echo webserver
BENCH_GUEST := calls folder idle rates serve
BENCH := $(addprefix $(BUILD)/bench/,count.so load vsock_peer read_file rep \
	$(BENCH_GUEST) linux/init) \
	$(BENCH_GUEST:%=$(BUILD)/bench/linux/bench/%) \
	$(BENCH_APPS:%=$(BUILD)/bench/linux/apps/%)

bench: all site $(BENCH)
	@BUILD=$(BUILD) bench/bench.py
bench-quick: all site $(BENCH)
	@BUILD=$(BUILD) bench/bench.py --quick

$(BUILD)/linux/bench/%: bench/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -o $@ $< -lpthread

# How threads scale: times, so with nothing else running.
bench-scale: all $(BUILD)/bench/count.so $(BUILD)/bench/scale \
		$(BUILD)/linux/bench/scale
	@bench/scale.py
.PHONY: bench bench-quick bench-scale

# The Linux guest's programs: the same sources, linked statically with the
# same musl, whose sockets are vsock's.
LINUX_MUSL := $(BUILD)/bench/linux/musl
LINUX_CC := $(LINUX_MUSL)/bin/linux-cc
VSOCK_INET := socket bind listen accept accept4 getsockname getpeername \
	setsockopt
$(LINUX_CC): bench/linux/vsock_inet.c bench/linux/cc.sh $(MUSL)/VERSION
	$(call say,MUSL,$(LINUX_MUSL))
	@rm -rf $(LINUX_MUSL) && mkdir -p $(LINUX_MUSL)/obj
	$(Q)cd $(LINUX_MUSL)/obj && $(abspath $(MUSL))/configure \
		--prefix=$(abspath $(LINUX_MUSL)) --disable-shared >/dev/null
	$(Q)$(MAKE) -s -C $(LINUX_MUSL)/obj install >/dev/null
	@rm -r $(LINUX_MUSL)/obj
	$(Q)cp -rL /usr/include/linux /usr/include/asm-generic \
		/usr/include/mtd /usr/include/x86_64-linux-gnu/asm \
		$(LINUX_MUSL)/include/
	$(Q)cp /usr/include/x86_64-linux-gnu/sys/queue.h \
		$(LINUX_MUSL)/include/sys/
	$(Q)$(LINUX_MUSL)/bin/musl-gcc -O2 $(WARN) -c -o \
		$(LINUX_MUSL)/vsock_inet.o bench/linux/vsock_inet.c
	$(Q)ar d $(LINUX_MUSL)/lib/libc.a $(VSOCK_INET:=.lo) $(VSOCK_INET:=.o)
	$(Q)ar rs $(LINUX_MUSL)/lib/libc.a $(LINUX_MUSL)/vsock_inet.o
	$(Q)install -m 755 bench/linux/cc.sh $@

$(BUILD)/bench/linux/init: bench/linux/init.c $(LINUX_CC)
	$(call say,LINUX,$@)
	$(Q)$(LINUX_CC) -O2 $(WARN) -I. -D_GNU_SOURCE -o $@ $<

$(BUILD)/bench/linux/bench/%: bench/%.c $(LINUX_CC)
	$(call say,LINUX,$@)
	@mkdir -p $(@D)
	$(Q)$(LINUX_CC) -O2 -g -I. -o $@ $(filter %.c,$^)

define bench_linux_app
$(BUILD)/bench/linux/apps/$(1): $(APP_SRC_$(1)) $(APP_HDRS) $(LINUX_CC)
	$$(call say,LINUX,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(LINUX_CC) -O2 -g $(APP_CFLAGS) -o $$@ $(APP_SRC_$(1))
endef
$(foreach app,$(APPS),$(eval $(call bench_linux_app,$(app))))

# The launcher's vsock device alone, without sanitizers.
$(BUILD)/bench/vsock_peer: tests/host/vsock_peer.c \
		$(HOST_DEVICE:%=$(BUILD)/host/%.o)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -o $@ $^

$(BUILD)/bench/load: bench/load.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -o $@ $<

# The harness itself, in short.
BENCH_TEST := $(addprefix $(BUILD)/bench/,count.so load vsock_peer rep calls \
	linux/init linux/bench/calls linux/apps/echo)
TESTS	+= bench/bench_test.py
run-tests run-tests-all: $(BENCH_TEST)
