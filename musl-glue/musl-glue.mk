# SPDX-License-Identifier: BSD-2-Clause
#
# The C library and the compiler driver that links images with it.

MUSL_VERSION := 1.2.3
MUSL_DEBIAN  := 1.2.3-1
MUSL_SHA256  := 7d5b0b6062521e4627e099e4c9dc8248d32a30285e959b7eecaa780cf8cfd4a4
MUSL	:= $(if $(DEBUG),build,$(BUILD))/cache/musl-$(MUSL_VERSION)
SYSROOT	:= $(BUILD)/sysroot
LIBC	:= $(SYSROOT)/lib/libc.a
EMPTY_LIBS := $(patsubst %,$(SYSROOT)/lib/%.a,libm libpthread librt libdl \
	libcrypt libutil libresolv libxnet gcc/libgcc gcc/libgcc_eh gcc/libgcc_s)

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

# Headers: musl's, Linux's user-space API, BSD's queue macros, and our own.
$(SYSROOT)/include/.stamp: $(MUSL)/VERSION $(wildcard musl-glue/sysroot/*/*.h)
	$(call say,HEADERS,$(@D))
	@mkdir -p $(@D)/bits
	$(Q)cp -r $(MUSL)/include/. $(MUSL)/arch/generic/bits \
		$(MUSL)/arch/x86_64/bits $(@D)/
	@rm -f $(@D)/*.in $(@D)/bits/*.in
	$(Q)cp -rL /usr/include/linux /usr/include/asm-generic \
		/usr/include/mtd /usr/include/x86_64-linux-gnu/asm $(@D)/
	$(Q)cp /usr/include/x86_64-linux-gnu/sys/queue.h $(@D)/sys/
	$(Q)cp -r musl-glue/sysroot/. $(@D)/
	@touch $@

$(LIBC): | $(SYSROOT)/include/.stamp

$(EMPTY_LIBS):
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@

$(SYSROOT)/lib/libatomic.a: musl-glue/src/atomic.c $(LIBC)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -fPIE -mcx16 -fno-stack-protector \
		-fno-asynchronous-unwind-tables -nostdinc \
		-idirafter $(SYSROOT)/include \
		-idirafter $(shell $(CC) -print-file-name=include) \
		-c -o $(@:.a=.o) $<
	@rm -f $@
	$(Q)ar rcs $@ $(@:.a=.o) && rm $(@:.a=.o)

$(SYSROOT)/lib/crt1.o: musl-glue/crt/start.c $(LIBC)
	$(call say,CC,$@)
	$(Q)$(CC) -Os -fPIE -fno-stack-protector -nostdinc \
		-fno-asynchronous-unwind-tables \
		-isystem $(SYSROOT)/include -c -o $@ $<

# What begins and ends the functions of .init and .fini.
CRT_ENDS := $(SYSROOT)/lib/crti.o $(SYSROOT)/lib/crtn.o
$(CRT_ENDS): $(SYSROOT)/lib/%.o: $(LIBC)
	$(call say,AS,$@)
	$(Q)$(CC) -c -o $@ $(MUSL)/crt/x86_64/$*.s

# The Linux half of an image: its sections are its own.
$(SYSROOT)/lib/linux_start.o: musl-glue/crt/linux_start.c $(LIBC)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -Oz $(WARN) -fPIE -fvisibility=hidden \
		-ffreestanding -fno-stack-protector -fno-jump-tables -nostdinc \
		-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
		-isystem $(SYSROOT)/include -c -o $@ $<
	$(Q)objcopy --remove-section .data --remove-section .bss \
		--prefix-alloc-sections=.linux $@

# What toril-cc reads as it is.
SYSROOT_FILES := $(addprefix $(SYSROOT)/lib/,image.ld toril.specs asm_prelude.s)
$(SYSROOT_FILES): $(SYSROOT)/lib/%: musl-glue/%
	@mkdir -p $(@D)
	@cp $< $@

# In the build tree as in an installed one, ../lib/toril is the sysroot.
$(BUILD)/bin/toril-cc: musl-glue/toril-cc.sh VERSION $(LIBC) $(SYSROOT)/lib/crt1.o \
		$(SYSROOT)/lib/linux_start.o $(SYSROOT)/lib/toril.o \
		$(CRT_ENDS) \
		$(SYSROOT_FILES) $(EMPTY_LIBS) $(SYSROOT)/lib/libatomic.a
	@mkdir -p $(@D) $(BUILD)/lib
	@ln -sfn ../sysroot $(BUILD)/lib/toril
	@sed 's/@VERSION@/$(VERSION)/' $< >$@.new
	@install -m 755 $@.new $@ && rm $@.new

# The compiler and the tools by the names that builds look for.
TRIPLET	:= x86_64-toril-linux-musl
CC_NAMES := toril-gcc $(TRIPLET)-gcc $(TRIPLET)-cc
TOOL_NAMES := $(foreach t,ar as addr2line ld nm objcopy objdump pkg-config \
	ranlib readelf size strings strip,toril-$t $(TRIPLET)-$t)

$(BUILD)/bin/toril-tool: musl-glue/toril-tool.sh musl-glue/musl-glue.mk
	@mkdir -p $(@D)
	@install -m 755 $< $@
	@for n in $(TOOL_NAMES); do ln -sfn toril-tool $(@D)/$$n; done
	@for n in $(CC_NAMES); do ln -sfn toril-cc $(@D)/$$n; done

ALL	+= $(BUILD)/bin/toril-cc $(BUILD)/bin/toril-tool

# For other build systems.
SHARE_FILES := $(addprefix $(BUILD)/share/toril/,$(notdir \
	$(wildcard musl-glue/share/*)))
$(SHARE_FILES): $(BUILD)/share/toril/%: musl-glue/share/%
	@mkdir -p $(@D)
	@cp $< $@
ALL	+= $(SHARE_FILES)
