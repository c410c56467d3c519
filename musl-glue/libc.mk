# SPDX-License-Identifier: BSD-2-Clause
#
# musl, unmodified, as libc.a: run by musl-glue.mk as a make of its own, since
# the list of sources is known only once they are fetched.
#
#	make -f musl-glue/libc.mk MUSL=DIR OUT=DIR Q=@

arch	:= x86_64
skip	:= thread/$(arch)/clone.s thread/$(arch)/__unmapself.s \
	   thread/$(arch)/syscall_cp.s thread/$(arch)/__set_thread_area.s \
	   signal/$(arch)/restore.s process/$(arch)/vfork.s
# Replaced: see musl-glue/src/sched.c and scope.c.
skip	+= thread/pthread_attr_setscope.c
skip	+= $(addprefix sched/sched_,getparam.c getscheduler.c setparam.c \
	   setscheduler.c)

base	:= $(patsubst $(MUSL)/src/%,%,$(wildcard $(MUSL)/src/*/*.c \
	   $(MUSL)/src/malloc/mallocng/*.c))
over	:= $(patsubst $(MUSL)/src/%,%,$(wildcard $(addprefix \
	   $(MUSL)/src/*/$(arch)/*.,c s S)))
# A file in $(arch)/ replaces the one of that name beside the folder.
replaced := $(foreach o,$(over),$(subst /$(arch)/,/,$(basename $(o))).c)
srcs	:= $(filter-out $(skip) $(replaced),$(base)) \
	   $(filter-out $(skip),$(over))
objs	:= $(addprefix $(OUT)/obj/,$(addsuffix .o,$(basename $(srcs)))) \
	   $(OUT)/obj/toril/cancel.o $(OUT)/obj/toril/entry.o \
	   $(OUT)/obj/toril/cancel_entry.o \
	   $(OUT)/obj/toril/by_number.o $(OUT)/obj/toril/dl_find_object.o \
	   $(OUT)/obj/toril/sched.o $(OUT)/obj/toril/scope.o \
	   $(OUT)/obj/toril/allow_wx.o $(OUT)/obj/toril/thread_cache.o \
	   $(OUT)/obj/toril/align_small.o

CFLAGS	:= -std=c99 -nostdinc -ffreestanding -fexcess-precision=standard \
	-frounding-math -fno-strict-aliasing -D_XOPEN_SOURCE=700 -Os -g1 -pipe \
	-fomit-frame-pointer -fno-unwind-tables \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections \
	-fPIE -fstack-protector -w \
	-Imusl-glue/include -I. \
	-I$(MUSL)/arch/$(arch) -I$(MUSL)/arch/generic \
	-I$(MUSL)/src/include -I$(MUSL)/src/internal \
	-I$(OUT)/gen -I$(OUT)/include -I$(MUSL)/include

all: $(OUT)/lib/libc.a

gen	:= $(OUT)/gen/version.h $(OUT)/include/bits/alltypes.h \
	   $(OUT)/include/bits/syscall.h

$(OUT)/gen/version.h: $(MUSL)/VERSION
	@mkdir -p $(@D)
	$(Q)printf '#define VERSION "%s"\n' "$$(cat $<)" >$@

$(OUT)/include/bits/alltypes.h: $(MUSL)/arch/$(arch)/bits/alltypes.h.in
	@mkdir -p $(@D)
	$(Q)sed -f $(MUSL)/tools/mkalltypes.sed $< \
		$(MUSL)/include/alltypes.h.in >$@

$(OUT)/include/bits/syscall.h: $(MUSL)/arch/$(arch)/bits/syscall.h.in
	@mkdir -p $(@D)
	$(Q)cp $< $@
	$(Q)sed -n 's/__NR_/SYS_/p' <$< >>$@

$(objs): $(gen) musl-glue/libc.mk posix/calls.def \
	 $(wildcard musl-glue/include/*)

# The frames below main's are as in distributions' builds, so that programs
# that read what they have not written find there what they do on Linux.
$(OUT)/obj/env/__libc_start_main.o: CFLAGS += -O2

# Hot ones: eight bytes at a time is worth nothing if each takes long.
hot	:= memchr memcmp memrchr strlen strchr strchrnul strcmp strncmp strnlen \
	   strcasecmp strncasecmp
$(hot:%=$(OUT)/obj/string/%.o) $(OUT)/obj/internal/syscall_ret.o: CFLAGS += -O2
# Before there is a canary, and where it is made.
$(addprefix $(OUT)/obj/,env/__libc_start_main.o env/__init_tls.o \
	env/__stack_chk_fail.o): CFLAGS += -fno-stack-protector

# Files of which one function is replaced: theirs gets another name.
$(OUT)/obj/thread/pthread_create.o: CFLAGS += \
	-Dpthread_create=__musl_pthread_create \
	-D__dl_thread_cleanup=__toril_thread_cleanup
$(OUT)/obj/thread/pthread_attr_get.o: CFLAGS += \
	-Dpthread_attr_getscope=__musl_pthread_attr_getscope

# The allocator itself, behind the cache of thread_cache.c.
$(OUT)/obj/malloc/mallocng/malloc.o: rename := \
	__libc_malloc_impl=__musl_malloc __malloc_allzerop=__musl_allzerop
$(OUT)/obj/malloc/mallocng/free.o: rename := __libc_free=__musl_free
$(OUT)/obj/malloc/mallocng/aligned_alloc.o: rename := \
	aligned_alloc=__musl_aligned_alloc
$(OUT)/obj/toril/thread_cache.o $(OUT)/obj/toril/align_small.o: \
	CFLAGS += -O2 -I$(MUSL)/src/malloc/mallocng

$(OUT)/obj/toril/%.o: musl-glue/src/%.c
	@mkdir -p $(@D)
	$(Q)gcc $(CFLAGS) -c -o $@ $<
$(OUT)/obj/toril/%.o: musl-glue/src/%.S
	@mkdir -p $(@D)
	$(Q)gcc $(CFLAGS) -c -o $@ $<
$(OUT)/obj/%.o: $(MUSL)/src/%.c
	@mkdir -p $(@D)
	$(Q)gcc $(CFLAGS) -c -o $@ $<
	$(if $(rename),$(Q)objcopy $(rename:%=--redefine-sym %) $@)
$(OUT)/obj/%.o: $(MUSL)/src/%.s
	@mkdir -p $(@D)
	$(Q)gcc $(CFLAGS) -c -o $@ $<
$(OUT)/obj/%.o: $(MUSL)/src/%.S
	@mkdir -p $(@D)
	$(Q)gcc $(CFLAGS) -c -o $@ $<

$(OUT)/lib/libc.a: $(objs)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^

.PHONY: all
