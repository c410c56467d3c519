#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# toril-ar, toril-strip and so on, and the same with x86_64-toril-linux-musl-
# before them: all are links to this file, which starts the host's tool of
# that name.  Images are ordinary ELF for x86-64, so the host's do; those that
# look into objects are gcc's, which know what -flto puts there.
set -eu
name=${0##*/}
case $name in
*-ar | *-nm | *-ranlib)
	exec "gcc-${name##*-}" "$@"
	;;
*-ld)
	# libtool concludes from this line that there are shared libraries.
	case " $* " in
	*' --help '*)
		ld --help | sed 's/: supported targets: .*/: only static links/'
		exit
		;;
	esac
	;;
*-pkg-config)
	# Only packages that were built for images, and all that they need.
	# PKG_CONFIG_PATH says where more of them are.
	me=$(command -v "$0")
	[ ! -h "$me" ] || me=$(readlink -f "$me")
	lib=$(cd "${me%/*}/.." && pwd -P)/lib/toril/lib/pkgconfig
	PKG_CONFIG_LIBDIR=${PKG_CONFIG_LIBDIR:-$lib}
	export PKG_CONFIG_LIBDIR
	exec pkg-config --static "$@"
	;;
toril-tool)
	echo "toril-tool: to be called as toril-ar, toril-strip, ..." >&2
	exit 1
	;;
esac
exec "${name##*-}" "$@"
