#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The compiler for programs of the Linux guest: static, with the musl that
# bench.mk builds beside this script's copy.
case " $* " in
*" -static "* | *" -c "* | *" -E "*) ;;
*) set -- -static "$@" ;;
esac
exec "$(dirname "$0")/musl-gcc" "$@"
