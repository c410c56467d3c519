# SPDX-License-Identifier: BSD-2-Clause
#
# A host that lies: servers of our own for the guest's devices, honest and
# hostile.  Built with the sanitizers: the server is not to be the one at
# fault.

HOSTILE	:= $(BUILD)/tests/hostile

ALL	+= $(HOSTILE)/fsd
$(HOSTILE)/fsd: tests/hostile/fsd.c tests/hostile/tree.c \
		tests/hostile/mutate.c $(wildcard tests/hostile/*.h) \
		$(addprefix $(BUILD)/tests/host/san/,util.o loop.o vq.o \
		vhost_user.o)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN_CFLAGS) $(filter %.c %.o,$^) -lpthread -o $@

# toril-run with liar.c's eyes on every packet.
ALL	+= $(HOSTILE)/liar
$(HOSTILE)/liar: tests/hostile/liar.c $(HOST_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -Wno-missing-prototypes \
		-Wl,--wrap=conn_step,--wrap=vq_give $^ -lpthread -lseccomp -o $@

# The program that has to live with it.
$(HOSTILE)/victim: $(wildcard tests/hostile/ops.* tests/hostile/victim*) \
		tests/hostile/tree.h $(BUILD)/bin/toril-cc
	@mkdir -p $(@D)
	$(call say,TORIL,$@)
	$(Q)$(BUILD)/bin/toril-cc -O2 -g -Wall -Wextra -o $@ $(filter %.c,$^)

TESTS	+= tests/hostile/fsd_test.py tests/hostile/hostile.py \
	tests/hostile/hostile_net.py
TEST_NEEDS += $(HOSTILE)/victim

# `make hostile ROUNDS=10000`; a few hundred rounds as a test.
ROUNDS	?= 1000
hostile: all $(HOSTILE)/victim
	@BUILD=$(BUILD) tests/hostile/hostile.py $(ROUNDS)
	@BUILD=$(BUILD) tests/hostile/hostile_net.py $(ROUNDS)

# Do they find anything?  Checks of the kernel taken out one by one.
hostile-planted: all $(HOSTILE)/victim
	@BUILD=$(BUILD) tests/hostile/planted.py
.PHONY: hostile hostile-planted
