/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A FUSE server whose replies are the fuzzer's.  The input's first byte says
 * which replies it overwrites; the rest is what it overwrites them with,
 * after which the client goes through a file, a directory and a link.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fcntl.h>
#include "tests/unit/fs_server.h"
#include "tests/unit/fs_shim/shim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
long kcall_openat(int dirfd, const char *path, int flags, unsigned mode);
long kcall_pread64(int fd, void *buf, size_t n, uint64_t pos);
long kcall_pwrite64(int fd, const void *buf, size_t n, uint64_t pos);
long kcall_close(int fd);
long kcall_stat(const char *path, void *st);
long kcall_getdents64(int fd, void *buf, unsigned n);
long kcall_readlink(const char *path, char *buf, int n);
long kcall_mkdir(const char *path, unsigned mode);
long kcall_rename(const char *a, const char *b);

static const uint8_t *input;
static size_t left;

static void overwrite(uint32_t opcode, unsigned char *out, uint32_t *len,
    uint32_t *written, size_t room)
{
	uint8_t how;
	size_t n, at;

	if (opcode == FUSE_INIT || left < 4)
		return;
	how = input[0];
	at = how & 1 ? 16 : how & 2 ? 0 : 16 + (size_t)input[1];
	n = input[2];
	input += 3;
	left -= 3;
	n = n < left ? n : left;
	if (at + n > room)
		return;
	memcpy(out + at, input, n);
	input += n;
	left -= n;
	if (how & 4)
		*written = (uint32_t)room;
	if (how & 8 && at + n > *len) {
		*written = (uint32_t)(at + n);
		((struct fuse_out_header *)(void *)out)->len = *written;
	}
}

/* A result that there may be: at most what was asked for, or an errno. */
static long checked(long r, long most)
{
	if (r > most || r < -511)
		abort();
	return r;
}

static void go_through(void)
{
	static char buf[60000];
	long fd = checked(kcall_openat(AT_FDCWD, "f", O_RDWR, 0), 1000), n;

	(void)checked(kcall_stat("d/x", buf), 0);
	if (fd >= 0) {
		(void)checked(kcall_pread64((int)fd, buf, 3000, 100), 3000);
		(void)checked(kcall_pread64((int)fd, buf, 50000, 0), 50000);
		(void)checked(kcall_pwrite64((int)fd, buf, 500, 10), 500);
		(void)kcall_close((int)fd);
	}
	fd = kcall_openat(AT_FDCWD, "d", O_RDONLY, 0);
	if (fd >= 0) {
		for (int i = 0; i < 8; i++)
			(void)checked(kcall_getdents64((int)fd, buf, 200), 200);
		(void)kcall_close((int)fd);
	}
	n = checked(kcall_readlink("l", buf, 100), 100);
	if (n > 0 && memchr(buf, 0, (size_t)n))
		abort();
	(void)checked(kcall_stat("l/y", buf), 0);
	(void)checked(kcall_mkdir("new", 0755), 0);
	(void)checked(kcall_rename("f", "g"), 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;

	if (!ready) {
		server_start();
		if (vfs_init() || vfs_mount_virtiofs("test", "/m", false))
			abort();
		ready = true;
	}
	if (vfs_chdir("/m"))
		abort();
	input = data;
	left = size;
	server.size = 10000;
	server.timeout = size & 1;
	server.spoil = overwrite;
	go_through();
	server.spoil = NULL;
	(void)vfs_chdir("/");
	shim_now += 3600ull * 1000000000;
	(void)fuse_work_now(&server_conn, UINT64_MAX);
	while (server_run())
		;
	fuse_tidy(&server_conn);
	return 0;
}
