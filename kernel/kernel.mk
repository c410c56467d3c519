# SPDX-License-Identifier: BSD-2-Clause
#
# The kernel: one relocatable object, toril.o, in which all symbols but the
# kernel calls and the entry points are local, so that none of them can clash
# with a program's.

KERNEL_DEBUG_SRCS := kernel/sched/events.c kernel/sched/lockdep.c \
	kernel/sched/selftest.c kernel/mm/poison.c kernel/mm/fail.c
KERNEL_SRCS := $(wildcard kernel/*.c kernel/*/*.c kernel/arch/x86_64/*.c \
	kernel/arch/x86_64/*.S drivers/virtio/*.c posix/*.c)
# The checks of debug builds: `make DEBUG=1`.
ifeq ($(DEBUG),)
KERNEL_SRCS := $(filter-out $(KERNEL_DEBUG_SRCS),$(KERNEL_SRCS))
endif
KERNEL_OBJS := $(patsubst %,$(BUILD)/kernel-obj/%.o,$(basename $(KERNEL_SRCS)))
# The kernel's own copies of libc's string functions.
KERNEL_STRING := memcmp memchr strlen strnlen strcmp strncmp strchr strchrnul
KERNEL_STRING_S := memcpy memmove memset
KERNEL_OBJS += $(KERNEL_STRING:%=$(BUILD)/kernel-obj/string/%.o) \
	$(KERNEL_STRING_S:%=$(BUILD)/kernel-obj/string/%.o)

UAPI	:= $(BUILD)/uapi
KERNEL_CFLAGS := -std=gnu11 -Os -g $(WARN) -nostdinc -I. \
	-isystem $(shell $(CC) -print-file-name=include) -isystem $(UAPI) \
	-D__KERNEL_STRICT_NAMES -DTORIL_VERSION='"$(VERSION)"' \
	-ffreestanding -fPIE -fvisibility=hidden -mgeneral-regs-only \
	-fstack-protector -mstack-protector-guard=tls \
	-mstack-protector-guard-reg=gs -mstack-protector-guard-offset=32 \
	-fno-strict-aliasing -fno-common \
	-ffunction-sections -fdata-sections -fomit-frame-pointer \
	-fno-asynchronous-unwind-tables -fno-delete-null-pointer-checks \
	-fno-tree-loop-distribute-patterns $(if $(DEBUG),-DTORIL_DEBUG)
# All of it is compiled at once, when toril.o is linked.
KERNEL_LTO := $(if $(DEBUG),,-flto)

$(UAPI)/.stamp: kernel/kernel.mk
	@mkdir -p $(@D)
	$(Q)ln -sfn /usr/include/linux $(UAPI)/linux
	$(Q)ln -sfn /usr/include/asm-generic $(UAPI)/asm-generic
	$(Q)ln -sfn /usr/include/video $(UAPI)/video
	$(Q)ln -sfn /usr/include/x86_64-linux-gnu/asm $(UAPI)/asm
	@mkdir -p $(UAPI)/sys
	@# linux/vm_sockets.h wants libc's struct sockaddr
	$(Q)printf '#include <linux/socket.h>\ntypedef __kernel_sa_family_t sa_family_t;\nstruct sockaddr {\n\t%s\n};\n' \
		'sa_family_t sa_family; char sa_data[14];' \
		>$(UAPI)/sys/socket.h
	@touch $@

# Kernel calls are called by the stubs that calls.def makes, by no header.
$(BUILD)/kernel-obj/posix/%.o: KERNEL_CFLAGS += -Wno-missing-prototypes

# The canary is in struct cpu (CPU_CANARY); these run before there is one.
$(addprefix $(BUILD)/kernel-obj/kernel/arch/x86_64/,boot.o start_info.o): \
	KERNEL_CFLAGS += -fno-stack-protector
# What is not passed with every packet, switch or call: smaller still.
KERNEL_WARM := $(addprefix kernel/sched/,wait.c sched.c spinlock.c mutex.c) \
	$(addprefix kernel/mm/,kmem.c uaccess.c) \
	$(addprefix kernel/net/,byteq.c inet.c local.c socket.c stream.c udp.c \
		unix_io.c vsock_input.c vsock_stream.c) \
	$(addprefix kernel/fs/,epoll.c file.c poll.c) \
	$(addprefix posix/,file.c socket.c message.c) \
	$(addprefix kernel/arch/x86_64/,apic.c clock.c) \
	drivers/virtio/virtqueue.c drivers/virtio/virtio_vsock.c
$(patsubst %.c,$(BUILD)/kernel-obj/%.o,$(filter-out $(KERNEL_WARM),\
	$(KERNEL_SRCS))): KERNEL_CFLAGS += -Oz
# Hot, and small enough.
$(BUILD)/kernel-obj/kernel/sched/spinlock.o: KERNEL_CFLAGS += -O2

$(KERNEL_OBJS): | $(UAPI)/.stamp
# What says which version it is.
$(BUILD)/kernel-obj/posix/proc.o $(BUILD)/kernel-obj/posix/sysinfo.o: VERSION

$(BUILD)/kernel-obj/%.o: %.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) $(KERNEL_LTO) -MMD -MP -c -o $@ $<
$(BUILD)/kernel-obj/%.o: %.S
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -I. -MMD -MP -c -o $@ $<
$(KERNEL_STRING:%=$(BUILD)/kernel-obj/string/%.o): \
$(BUILD)/kernel-obj/string/%.o: $(MUSL)/VERSION | $(LIBC)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -Os -w -nostdinc -I$(MUSL)/src/include \
		-I$(MUSL)/src/internal -isystem $(SYSROOT)/include \
		-ffreestanding -fPIE -mgeneral-regs-only -ffunction-sections \
		-fno-asynchronous-unwind-tables -fno-stack-protector \
		-c -o $@ $(MUSL)/src/string/$*.c
$(KERNEL_STRING_S:%=$(BUILD)/kernel-obj/string/%.o): \
$(BUILD)/kernel-obj/string/%.o: $(MUSL)/VERSION
	@mkdir -p $(@D)
	$(Q)$(CC) -Wa,--noexecstack -c -o $@ $(MUSL)/src/string/x86_64/$*.s

$(SYSROOT)/lib/toril.o: $(KERNEL_OBJS) kernel/exports.txt
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) $(if $(KERNEL_LTO),$(KERNEL_LTO) \
		-flto-partition=one -flinker-output=nolto-rel) \
		-r -nostdlib -Wl,--unique,-z,noexecstack \
		-o $(BUILD)/kernel-obj/all.o $(KERNEL_OBJS)
	$(Q)objcopy --wildcard --keep-global-symbols=kernel/exports.txt \
		$(BUILD)/kernel-obj/all.o $@
