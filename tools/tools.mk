# SPDX-License-Identifier: BSD-2-Clause
#
# Checks of the sources, installing, debugging.

SOURCES = $(shell git ls-files '*.c' '*.h')

format:
	clang-format -i $(SOURCES)

format-check:
	@clang-format --dry-run -Werror $(SOURCES)

# Includes follow the arrows between folders.
layers:
	@tools/layers.py

# Each header compiles alone.
headers: $(UAPI)/.stamp
	@tools/headers.sh KERNEL $(filter-out -MMD -MP,$(KERNEL_CFLAGS)) \
		-Wno-missing-prototypes -Wno-unused
	@tools/headers.sh HOST $(HOST_CFLAGS) -Wno-unused

# Everything once more, where a warning is an error.
warnings:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/warnings \
		WARN='$(WARN) -Werror' MUSL=$(MUSL) all

CPPCHECK := cppcheck --quiet --error-exitcode=1 --inline-suppr -j2 \
	--enable=warning,performance,portability --std=c11 -I. \
	--suppressions-list=tools/cppcheck.txt -D__x86_64__ -D__LP64__
static:
	@$(CPPCHECK) kernel drivers posix host apps musl-glue/src

check: format-check layers headers warnings static
	@echo 'check: all good'

# A copy of the sysroot and the two commands; DESTDIR for packages.
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/toril
	cp -r $(SYSROOT)/include $(SYSROOT)/lib $(DESTDIR)$(PREFIX)/lib/toril/
	install $(BUILD)/bin/toril-run $(DESTDIR)$(PREFIX)/bin/
	sed 's|@SYSROOT@|$(PREFIX)/lib/toril|' musl-glue/toril-cc.sh \
		>$(DESTDIR)$(PREFIX)/bin/toril-cc
	chmod 755 $(DESTDIR)$(PREFIX)/bin/toril-cc

# The machine waits for gdb, which gets its symbols where the image runs.
IMAGE	?= $(BUILD)/apps/hello
gdb: all
	@tools/gdb.sh $(BUILD)/bin/toril-run $(IMAGE)

.PHONY: format format-check layers headers warnings static check install gdb
