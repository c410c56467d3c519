#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh FUZZER SECONDS: run a fuzzer over its seeds and what it found in
# former runs; TAP.
fuzzer=$1 seconds=$2
name=$(basename "$fuzzer" _fuzz)
corpus=$(dirname "$fuzzer")/corpus/$name
mkdir -p "$corpus"
seeds=tests/fuzz/seeds/$name
[ -d "$seeds" ] || seeds=tests/fuzz/seeds/${name%%_*}
[ -d "$seeds" ] || seeds=
echo 1..1
log=$corpus.log
# shellcheck disable=SC2086
if "$fuzzer" -max_total_time="$seconds" -max_len=4096 -timeout=20 \
	-artifact_prefix="$corpus." "$corpus" $seeds >"$log" 2>&1 &&
	grep -q '^Done [0-9]' "$log"; then
	runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log")
	edges=$(sed -n 's/.*DONE *cov: \([0-9]*\).*/\1/p' "$log")
	times >"$corpus.times"
	cpu=$(awk 'NR == 2 { split($1, t, /[ms]/); print int(t[1] * 60 + t[2]) }' "$corpus.times")
	echo "ok 1 - $name: $runs runs, $edges edges in $seconds s"
	echo "| $name | $runs | $edges | $seconds | $cpu |" >"$corpus.row"
else
	echo "not ok 1 - $name"
	tail -n 40 "$log" | sed 's/^/# /'
	exit 1
fi
