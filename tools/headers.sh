#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# headers.sh KERNEL|HOST FLAGS...: each header of that side compiles alone.
set -eu
side=$1
shift
case $side in
KERNEL) list=$(git ls-files 'kernel/*.h' 'drivers/*.h' 'posix/*.h') ;;
HOST) list=$(git ls-files 'host/*.h' 'apps/*.h' kernel/control/wire.h) ;;
esac
status=0
for h in $list; do
	printf '#include "%s"\n#include "%s"\n' "$h" "$h" |
		gcc "$@" -fsyntax-only -x c - || {
		echo "$h does not compile alone" >&2
		status=1
	}
done
exit $status
