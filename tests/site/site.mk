# SPDX-License-Identifier: BSD-2-Clause
#
# The documentation's site, in a browser.

TESTS	+= tests/site/site_test.py
run-tests run-tests-all: site
