#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# gdb.sh TORIL-RUN IMAGE [OPTION...]: boot IMAGE stopped, and attach gdb.
# The image relocates itself early in boot: run it to where it is of
# interest, stop it (Ctrl-C), and `toril-where` moves the symbols there.
set -eu
run=$1 image=$2
shift 2
commands=$(mktemp)
"$run" "$@" --qemu-arg -S --qemu-arg -gdb \
	--qemu-arg "tcp:127.0.0.1:${GDB_PORT:-1234}" "$image" </dev/null &
trap 'kill $! 2>/dev/null || true; rm -f "$commands"' EXIT
cat >"$commands" <<END
set architecture i386:x86-64
define toril-where
	eval "add-symbol-file $image -o 0x%lx", \$arg0 - 0x100000
end
document toril-where
toril-where BASE: use the symbols of an image that runs at BASE ("image base"
in a report, or in what --verbose prints).
end
target remote 127.0.0.1:${GDB_PORT:-1234}
END
sleep 1
gdb -q -x "$commands" "$image"
