# SPDX-License-Identifier: BSD-2-Clause
#
# The file system code on the host: the kernel's own sources, with its own
# headers, over tests/unit/fs_shim.

FS_KERNEL := $(addprefix kernel/fs/,inode.c path.c mount.c pagecache.c \
	dcache.c tmpfs.c tmpfs_file.c device.c file.c flock.c \
	inotify.c permission.c record_lock.c \
	$(notdir $(wildcard kernel/fs/fuse_*.c))) \
	kernel/lib/treap.c kernel/sched/creds.c kernel/sched/wait.c \
	$(addprefix posix/,open.c names.c stat.c attr.c copy.c xattr.c \
	file.c lock.c) $(wildcard tests/unit/fs_shim/*.c)
FS_KERNEL_OBJS := $(FS_KERNEL:%.c=$(BUILD)/tests/unit/fs-obj/%.o)
FS_CFLAGS := -nostdinc -isystem $(shell $(CC) -print-file-name=include) \
	-isystem $(BUILD)/uapi -D__KERNEL_STRICT_NAMES -ffreestanding \
	-fno-strict-aliasing -Wno-missing-prototypes -MMD -MP

$(FS_KERNEL_OBJS): $(BUILD)/tests/unit/fs-obj/%.o: %.c | $(BUILD)/uapi/.stamp
	$(call say,TEST-CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN_CFLAGS) $(FS_CFLAGS) -c -o $@ $<

FS_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/fs_*_test.c))
$(FS_TESTS): $(BUILD)/%: %.c tests/unit/fs_server.c tests/unit/fs_server.h \
		$(FS_KERNEL_OBJS)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN_CFLAGS) -fno-strict-aliasing -o $@ $< \
		tests/unit/fs_server.c $(FS_KERNEL_OBJS) -lcmocka

TESTS	+= $(FS_TESTS)

# libFuzzer needs clang; not part of ALL.
FS_FUZZ := $(addprefix $(BUILD)/tests/fuzz/,fuse_reply_fuzz path_fuzz \
	dirents_fuzz)
FS_FUZZ_OBJS := $(FS_KERNEL:%.c=$(BUILD)/tests/fuzz/fs-obj/%.o)
$(FS_FUZZ_OBJS): $(BUILD)/tests/fuzz/fs-obj/%.o: %.c | $(BUILD)/uapi/.stamp
	@mkdir -p $(@D)
	$(Q)clang $(SAN_CFLAGS) $(FS_CFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<
$(FS_FUZZ): $(BUILD)/tests/fuzz/%: tests/fuzz/%.c tests/unit/fs_server.c \
		$(FS_FUZZ_OBJS)
	$(call say,FUZZ,$@)
	@mkdir -p $(@D)
	$(Q)clang $(SAN_CFLAGS) -fno-strict-aliasing -fsanitize=fuzzer -o $@ \
		$< tests/unit/fs_server.c $(FS_FUZZ_OBJS)
