#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# toril-cc: gcc, whose links are bootable images.  What differs from gcc is in
# gcc's own language, lib/toril.specs, so that gcc alone interprets arguments.
# Here: where the specs are, as seen from this file, the one option that gcc
# would not know, and the questions whose answers specs cannot change.
set -eu
case $0 in
*/*) me=$0 ;;
*) me=$(command -v "$0") ;;
esac
[ ! -h "$me" ] || me=$(readlink -f "$me")
TORIL_PREFIX=$(cd "${me%/*}/.." && pwd -P)
export TORIL_PREFIX
lib=$TORIL_PREFIX/lib/toril/lib
gcc=${REALGCC:-gcc}

for arg; do
	shift
	case $arg in
	--allow-wx)
		arg=-Wl,-u,toril_allow_wx
		;;
	-dumpmachine)
		echo x86_64-toril-linux-musl
		exit
		;;
	-print-multiarch | --print-multiarch) # no folder of Debian's is searched
		echo
		exit
		;;
	--version) # the compiler's, as whoever asks takes the first number
		"$gcc" --version
		echo "Toril @VERSION@"
		exit
		;;
	-print-prog-name=ld | --print-prog-name=ld)
		echo "$TORIL_PREFIX/bin/toril-ld"
		exit
		;;
	-print-search-dirs | --print-search-dirs)
		$gcc -B"$lib/" "$@" "$arg" | sed "s|^libraries:.*|libraries: =$lib/|"
		exit
		;;
	esac
	set -- "$@" "$arg"
done
exec "$gcc" -B"$lib/" -specs="$lib/toril.specs" "$@"
