# SPDX-License-Identifier: BSD-2-Clause
#
# Foreign programs: ports/NAME/recipe is built by ports/port.py when
# ports/NAME/check.py, its test, asks for it.

PORTS	:= $(sort $(patsubst ports/%/check.py,%,$(wildcard ports/*/check.py)))

# Libraries have no check of their own.
port-%: all
	@BUILD=$(BUILD) ports/port.py $*
	@[ ! -e ports/$*/check.py ] || BUILD=$(BUILD) ports/$*/check.py

ports: all
	@BUILD=$(BUILD) tests/run.py -j $(JOBS) $(PORTS:%=ports/%/check.py)

TESTS	+= $(PORTS:%=ports/%/check.py)

# The long forms: hundreds of crashes, whole test suites.
PORTS_LONG := $(PORTS:%=$(BUILD)/ports/%_long)
$(PORTS_LONG): $(BUILD)/ports/%_long: ports/ports.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nPORTS_LONG=1 BUILD=$(BUILD) exec ports/%s/check.py\n' \
		$* >$@
	@chmod +x $@
TESTS_ALL += $(PORTS_LONG)

.PHONY: ports
