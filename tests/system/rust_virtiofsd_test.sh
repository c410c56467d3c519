#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The same shares served by Debian trixie's virtiofsd, written in Rust.
set -e
tools/trixie.sh "${BUILD:-build}/trixie/virtiofsd" \
	/usr/libexec/virtiofsd virtiofsd >&2
TORIL_VIRTIOFSD=$PWD/${BUILD:-build}/trixie/virtiofsd/virtiofsd \
	exec tests/system/acceptance_test.py many_short_connections \
	a_lost_share_is_ENOTCONN_and_the_rest_goes_on \
	a_share_ends_as_it_would_on_linux
