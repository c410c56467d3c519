#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# toril-cc: the C compiler whose links are bootable images.  gcc with musl's
# headers, the image's linker script, and musl and the kernel as libraries.
set -eu
sysroot=${TORIL_SYSROOT:-@SYSROOT@}
gcc=${REALGCC:-gcc}
here=$(cd "$(dirname "$0")" && pwd)

link=yes
for arg; do
	case $arg in
	-c | -S | -E | -M | -MM | -fsyntax-only) link=no ;;
	-shared)
		echo "toril-cc: -shared: an image has no dynamic linker;" \
			"link a static library instead" >&2
		exit 1
		;;
	esac
done
[ $# -gt 0 ] || link=no

inc=$($gcc -print-file-name=include)
flags="-nostdinc -isystem $sysroot/include -isystem $inc -fPIE
	-fno-omit-frame-pointer -ffunction-sections -fdata-sections
	-fno-asynchronous-unwind-tables"
if [ $link = no ]; then
	# shellcheck disable=SC2086
	exec $gcc $flags "$@"
fi
link() {
	# shellcheck disable=SC2086
	$gcc $flags -nostdlib -nostartfiles -static-pie \
		-Wl,-z,pack-relative-relocs,-z,noexecstack,-z,norelro,-z,text \
		-Wl,-z,max-page-size=4096,--gc-sections,--build-id=none \
		-Wl,-T,"$sysroot/lib/image.ld" -L"$sysroot/lib" \
		-Wl,--enable-new-dtags,-rpath,"$here" \
		"$sysroot/lib/linux_start.o" "$sysroot/lib/crt1.o" "$@" -Wl,--start-group -lc -lgcc \
		"$sysroot/lib/toril.o" -Wl,--end-group
}

out=a.out
prev=
for arg; do
	case $prev in -o) out=$arg ;; esac
	case $arg in -o?*) out=${arg#-o} ;; esac
	prev=$arg
done
link "$@"
# A program with SYSCALL instructions of its own needs all calls by number.
if objdump -dj .text --no-show-raw-insn "$out" | grep -qw syscall; then
	link "$@" -Wl,-u,toril_by_number_hook
fi
