/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same as /init of a Linux guest: loads the modules that it finds beside
 * it, mounts the share, and says `done` on the console.
 */
#include "bench/calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void load_modules(void)
{
	static const char *const names[] = {
	    "virtio_ring", "virtio", "virtio_mmio", "fuse", "virtiofs"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/%s.ko", names[i]);
		fd = open(path, O_RDONLY);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			perror(path);
		close(fd);
	}
}

int main(void)
{
	load_modules();
	mkdir("/share", 0755);
	mknod("/dev/zero", S_IFCHR | 0666, makedev(1, 5));
	mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3));
	if (mount("share", "/share", "virtiofs", 0, NULL))
		perror("mount");
	else if (!calls_run("/share"))
		puts("done");
	reboot(RB_AUTOBOOT);
	return 1;
}
