# SPDX-License-Identifier: BSD-2-Clause
#
# toril-cc and what comes with it, used as a stranger's build would.

TESTS	+= $(sort $(wildcard tests/toolchain/*_test.py))
TEST_NEEDS += $(BUILD)/toril_amd64.deb
