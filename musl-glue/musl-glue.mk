# SPDX-License-Identifier: BSD-2-Clause
#
# The C library and the compiler driver that links images with it.

MUSL_VERSION := 1.2.3
MUSL_DEBIAN  := 1.2.3-1
MUSL_SHA256  := 7d5b0b6062521e4627e099e4c9dc8248d32a30285e959b7eecaa780cf8cfd4a4
MUSL	:= $(BUILD)/cache/musl-$(MUSL_VERSION)
SYSROOT	:= $(BUILD)/sysroot
LIBC	:= $(SYSROOT)/lib/libc.a
EMPTY_LIBS := $(patsubst %,$(SYSROOT)/lib/lib%.a,m pthread rt dl crypt util \
	resolv xnet)

$(MUSL)/VERSION: tools/fetch-source.sh
	$(call say,FETCH,musl $(MUSL_VERSION))
	$(Q)sh tools/fetch-source.sh musl $(MUSL_DEBIAN) $(MUSL_SHA256) \
		$(abspath $(MUSL))
	@touch $@

$(LIBC): $(MUSL)/VERSION $(wildcard musl-glue/include/*) posix/calls.def \
	 $(wildcard musl-glue/src/*) musl-glue/libc.mk
	$(call say,LIBC,$@)
	$(Q)$(MAKE) --no-print-directory -f musl-glue/libc.mk MUSL=$(MUSL) \
		OUT=$(SYSROOT) Q=@
	@touch $@

# Headers: musl's, Linux's user-space API, and BSD's queue macros.
$(SYSROOT)/include/.stamp: $(MUSL)/VERSION
	$(call say,HEADERS,$(@D))
	@mkdir -p $(@D)/bits
	$(Q)cp -r $(MUSL)/include/. $(MUSL)/arch/generic/bits \
		$(MUSL)/arch/x86_64/bits $(@D)/
	@rm -f $(@D)/*.in $(@D)/bits/*.in
	$(Q)cp -rL /usr/include/linux /usr/include/asm-generic \
		/usr/include/mtd /usr/include/x86_64-linux-gnu/asm $(@D)/
	$(Q)cp /usr/include/x86_64-linux-gnu/sys/queue.h $(@D)/sys/
	@touch $@

$(LIBC): | $(SYSROOT)/include/.stamp

$(EMPTY_LIBS):
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@

$(SYSROOT)/lib/crt1.o: musl-glue/crt/start.c $(LIBC)
	$(call say,CC,$@)
	$(Q)$(CC) -Os -fPIE -fno-stack-protector -nostdinc \
		-fno-asynchronous-unwind-tables \
		-isystem $(SYSROOT)/include -c -o $@ $<

# The Linux half of an image: its sections are its own.
$(SYSROOT)/lib/linux_start.o: musl-glue/crt/linux_start.c $(LIBC)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -Os $(WARN) -fPIE -fvisibility=hidden \
		-ffreestanding -fno-stack-protector -fno-jump-tables -nostdinc \
		-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
		-isystem $(SYSROOT)/include -c -o $@ $<
	$(Q)objcopy --remove-section .data --remove-section .bss \
		--prefix-alloc-sections=.linux $@

$(SYSROOT)/lib/image.ld: musl-glue/image.ld
	@mkdir -p $(@D)
	@cp $< $@

$(BUILD)/bin/toril-cc: musl-glue/toril-cc.sh $(LIBC) $(SYSROOT)/lib/crt1.o \
		$(SYSROOT)/lib/linux_start.o $(SYSROOT)/lib/toril.o \
		$(SYSROOT)/lib/image.ld $(EMPTY_LIBS)
	@mkdir -p $(@D)
	$(Q)sed 's|@SYSROOT@|$(abspath $(SYSROOT))|' $< >$@
	@chmod +x $@

ALL	+= $(BUILD)/bin/toril-cc
