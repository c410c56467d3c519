#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# deb.sh TREE VERSION OUT MUSL: a Debian package of TREE, which `make install`
# has filled; what Debian's policy wants besides is added to it.  MUSL is the
# source of the C library in it.
set -eu
tree=$1 version=$2 out=$3 musl=$4
doc=$tree/usr/share/doc/toril

# The oldest libc6 that has all that toril-run asks for.
glibc=$(objdump -T "$tree/usr/bin/toril-run" |
	sed -n 's/.*(\{0,1\}GLIBC_\([0-9.]*\).*/\1/p' | sort -Vu | tail -n 1)

mkdir -p "$doc" "$tree/DEBIAN"
cat >"$doc/copyright" <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: BSD-2-Clause

Files: usr/lib/toril/include/* usr/lib/toril/lib/libc.a
License: Expat
Comment: musl $(cat "$musl/VERSION")

Files: usr/lib/toril/include/linux/* usr/lib/toril/include/asm/*
 usr/lib/toril/include/asm-generic/* usr/lib/toril/include/mtd/*
License: GPL-2 with Linux-syscall-note
Comment: the user-space API of Linux

Files: usr/lib/toril/include/sys/queue.h
License: BSD-3-Clause

License: Expat
 See musl-copyright beside this file.

License: GPL-2 with Linux-syscall-note
 See /usr/share/common-licenses/GPL-2; the note says that programs which use
 the headers are not covered.

License: BSD-3-Clause
 See the head of sys/queue.h.

License: BSD-2-Clause
$(sed 's/^$/./; s/^/ /' LICENSE)
END
cp "$musl/COPYRIGHT" "$doc/musl-copyright"
printf 'toril (%s) unstable; urgency=medium\n\n  * Built from source.\n\n -- Toril <toril@example.org>  %s\n' \
	"$version" "$(date -Ru -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}")" |
	gzip -9n >"$doc/changelog.gz"
gzip -9nf "$tree"/usr/share/man/man?/*.?

cat >"$tree/DEBIAN/control" <<END
Package: toril
Version: $version
Architecture: amd64
Maintainer: Toril <toril@example.org>
Installed-Size: $(du -sk --apparent-size "$tree/usr" | cut -f 1)
Depends: libc6 (>= $glibc), libseccomp2 (>= 2.5), gcc (>= 4:12), binutils (>= 2.38), qemu-system-x86 (>= 1:7.2), qemu-system-common (<< 1:8) | virtiofsd
Recommends: pkg-config, python3 (>= 3.9)
Suggests: cmake, gdb, meson
Section: devel
Priority: optional
Description: C programs as virtual machines
 toril-cc compiles and links a C program with the musl C library and a small
 kernel into one image; toril-run boots it under QEMU, and ends with the
 program's exit status.  Files come from the host through virtio-fs,
 connections through vsock.
END
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) \
	>"$tree/DEBIAN/md5sums"
chmod -R u=rwX,go=rX "$tree"
dpkg-deb --root-owner-group --build "$tree" "$out" >/dev/null
