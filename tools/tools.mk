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
	@tools/headers.sh KERNEL $(KERNEL_CFLAGS) \
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

# gcc -fanalyzer and clang-tidy, for what has changed since they last ran.
LINT_SRCS := $(filter %.c,$(KERNEL_SRCS)) $(KERNEL_DEBUG_SRCS) \
	$(wildcard host/*.c apps/*/*.c)
LINT	:= $(patsubst %.c,$(BUILD)/lint/%.ok,$(sort $(LINT_SRCS)))
# How a file is compiled.
FLAGS_OF = $(or $(if $(filter host/%,$1),$(HOST_CFLAGS)),\
	$(if $(filter apps/%,$1),-O2 $(APP_CFLAGS) -Wno-conversion),\
	$(KERNEL_CFLAGS) -Wno-missing-prototypes \
		$(if $(filter $(KERNEL_DEBUG_SRCS),$1),-DTORIL_DEBUG))
$(LINT): $(BUILD)/lint/%.ok: %.c tools/lint.py tools/lint.txt .clang-tidy \
		| $(UAPI)/.stamp
	@mkdir -p $(@D)
	$(call say,LINT,$<)
	$(Q)tools/lint.py $@ $< $(call FLAGS_OF,$<)
-include $(wildcard $(LINT:%=%.d))
lint: $(LINT)

# The same for clangd and its like: a line of words for each file, of which the
# first is the file.
compile_commands.json: $(UAPI)/.stamp
	$(call say,WRITE,$@)
	$(file >$(BUILD)/commands)$(foreach f,$(sort $(LINT_SRCS)),\
		$(file >>$(BUILD)/commands,$f $(CC) $(call FLAGS_OF,$f)))
	@tools/commands.py <$(BUILD)/commands >$@
.PHONY: compile_commands.json

# The table of calls: what is there, and what of it is tested.
compat:
	@tools/compat.py --write
compat-check:
	@tools/compat.py --check

check: format-check layers compat-check headers warnings static lint
	@echo 'check: all good'

# Commands and sysroot; they find each other wherever the whole is moved to.
# DESTDIR is for packages.
INSTALL_BIN := $(DESTDIR)$(PREFIX)/bin
INSTALL_LIB := $(DESTDIR)$(PREFIX)/lib/toril
INSTALL_SHARE := $(DESTDIR)$(PREFIX)/share
INSTALLED := $(BUILD)/bin/toril-cc $(BUILD)/bin/toril-tool $(TORIL_RUN) \
	$(SHARE_FILES) $(HOST_SHARE) $(HOST_BIN) $(wildcard docs/man/* docs/deploy/*)
install: $(INSTALLED)
	install -d $(INSTALL_BIN) $(INSTALL_LIB)
	cp -r $(SYSROOT)/include $(INSTALL_LIB)/
	install -d $(INSTALL_LIB)/lib/gcc $(INSTALL_LIB)/lib/pkgconfig
	cd $(SYSROOT)/lib && cp --parents *.a *.o gcc/*.a \
		$(notdir $(SYSROOT_FILES)) $(abspath $(INSTALL_LIB))/lib/
	rm -f $(INSTALL_LIB)/include/.stamp
	install $(addprefix $(BUILD)/bin/,toril-run toril-cc toril-tool) \
		$(INSTALL_BIN)/
	install $(HOST_BIN) $(INSTALL_BIN)/
	for n in $(PS_NAMES); do ln -sfn toril-ps $(INSTALL_BIN)/$$n; done
	for n in $(TOOL_NAMES); do ln -sfn toril-tool $(INSTALL_BIN)/$$n; done
	for n in $(CC_NAMES); do ln -sfn toril-cc $(INSTALL_BIN)/$$n; done
	install -d $(INSTALL_SHARE)/toril $(INSTALL_SHARE)/meson/cross
	install -m 644 $(SHARE_FILES) $(HOST_SHARE) $(INSTALL_SHARE)/toril/
	ln -sfn ../../toril/toril.meson $(INSTALL_SHARE)/meson/cross/toril
	install -d $(INSTALL_SHARE)/toril/deploy
	install -m 644 docs/deploy/* $(INSTALL_SHARE)/toril/deploy/
	install -d $(INSTALL_SHARE)/bash-completion/completions
	install -m 644 tools/toril-run.bash \
		$(INSTALL_SHARE)/bash-completion/completions/toril-run
	for n in $(PS_NAMES) toril-trace; do ln -sfn toril-run \
		$(INSTALL_SHARE)/bash-completion/completions/$$n; done
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|' tools/toril@.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/toril@.service
	install -d $(INSTALL_SHARE)/man/man1 $(INSTALL_SHARE)/man/man7
	for p in docs/man/*; do s=$${p##*.}; \
		sed '/^\.TH/s/"Toril"/"Toril $(VERSION)"/' $$p \
			>$(INSTALL_SHARE)/man/man$$s/$${p##*/}; \
		chmod 644 $(INSTALL_SHARE)/man/man$$s/$${p##*/}; done

# The version of a package carries the commit's date, so that a newer one is
# newer for dpkg too.
DEB_VERSION = $(VERSION)$(shell git log -1 --format=+%cd --date=format:%Y%m%d \
	2>/dev/null)
DEB	:= $(BUILD)/toril_amd64.deb
$(DEB): tools/deb.sh $(INSTALLED)
	$(call say,DEB,$@)
	@rm -rf $(BUILD)/deb
	$(Q)$(MAKE) --no-print-directory -s BUILD=$(BUILD) PREFIX=/usr \
		DESTDIR=$(BUILD)/deb install >/dev/null
	$(Q)strip $(BUILD)/deb/usr/bin/toril-run
	$(Q)tools/deb.sh $(BUILD)/deb $(DEB_VERSION) $@ $(MUSL)
	@rm -rf $(BUILD)/deb
deb: $(DEB)

# What git has of the last commit, the same bytes whenever it is made.
DIST	:= $(BUILD)/toril-$(VERSION).tar.gz
dist:
	@mkdir -p $(BUILD)
	$(Q)git archive --format=tar --prefix=toril-$(VERSION)/ HEAD | \
		gzip -9n >$(DIST).new && mv $(DIST).new $(DIST)
	$(Q)cd $(BUILD) && sha256sum $(notdir $(DIST)) >$(notdir $(DIST)).sha256
	@cat $(DIST).sha256

# The machine waits for gdb, which gets its symbols where the image runs.
IMAGE	?= $(BUILD)/apps/hello
gdb: all
	@tools/gdb.sh $(BUILD)/bin/toril-run $(IMAGE)

.PHONY: format format-check layers compat compat-check headers warnings static lint \
	check install deb dist gdb
