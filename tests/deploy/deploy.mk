# SPDX-License-Identifier: BSD-2-Clause
#
# Several machines: what docs/deploy/ has is what these run and check.

TESTS	+= $(sort $(wildcard tests/deploy/*_test.py))
TEST_NEEDS += $(BUILD)/apps/webserver
