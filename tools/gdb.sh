#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# gdb.sh TORIL-RUN IMAGE [OPTION...]: boot IMAGE and attach gdb, which stops
# at main().  The program's standard input is empty: the terminal is gdb's.
set -eu
run=$1 image=$2
shift 2
dir=$(mktemp -d)
"$run" "$@" --gdb="$dir/gdb" "$image" </dev/null &
trap 'kill $! 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
until [ -S "$dir/gdb" ]; do
	kill -0 $! # it has ended
	sleep 0.1
done
gdb -q -x "$(dirname "$run")/../share/toril/toril-gdb.py" \
	-ex "toril-attach $dir/gdb" "$image"
