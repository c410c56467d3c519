# SPDX-License-Identifier: BSD-2-Clause
#
# The Open POSIX Test Suite: make conformance [T=PATTERN], conformance-quick.

# T is also a number of seconds elsewhere, which is not what is meant here.
conformance: all
	@tests/conformance/run.py $(if $(filter command,$(origin T)),$(T))
conformance-quick: all
	@tests/conformance/run.py --quick
.PHONY: conformance conformance-quick

$(BUILD)/tests/conformance_test: tests/conformance/conformance.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nBUILD=$(BUILD) exec tests/conformance/run.py --quick\n' >$@
	@chmod +x $@
TESTS	+= $(BUILD)/tests/conformance_test
