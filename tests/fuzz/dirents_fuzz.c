/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A FUSE server whose directories are the fuzzer's: each READDIR and
 * READDIRPLUS is answered with the next piece of the input.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fcntl.h>
#include "tests/unit/fs_server.h"
#include "tests/unit/fs_shim/shim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
long kcall_openat(int dirfd, const char *path, int flags, unsigned mode);
long kcall_close(int fd);
long kcall_lseek(int fd, int64_t off, int whence);
long kcall_getdents64(int fd, void *buf, unsigned n);
long kcall_stat(const char *path, void *st);

static const uint8_t *input;
static size_t left;

static void answer(uint32_t opcode, unsigned char *out, uint32_t *len,
    uint32_t *written, size_t room)
{
	size_t n;

	if (opcode != FUSE_READDIR && opcode != FUSE_READDIRPLUS)
		return;
	n = left > 2 ? input[0] | (size_t)(input[1] & 15) << 8 : 0;
	n = left > 2 && n > left - 2 ? left - 2 : n;
	n = n > room - 16 ? room - 16 : n;
	if (n)
		memcpy(out + 16, input + 2, n);
	if (left > 2) {
		input += 2 + n;
		left -= 2 + n;
	}
	((struct fuse_out_header *)(void *)out)->error = 0;
	*len = *written = (uint32_t)(16 + n);
	((struct fuse_out_header *)(void *)out)->len = *len;
}

/* What the program gets must be entries of the size it gave room for. */
static void check(const uint8_t *buf, long n)
{
	for (long at = 0; at < n;) {
		uint16_t reclen;
		memcpy(&reclen, buf + at + 16, 2);
		if (n - at < 24 || reclen < 24 || reclen > n - at ||
		    !memchr(buf + at + 19, 0, reclen - 19u))
			abort();
		if (!buf[at + 19] || strchr((const char *)buf + at + 19, '/'))
			abort();
		at += reclen;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[3000];
	static bool ready;
	long fd, n;

	if (!ready) {
		server_start();
		if (vfs_init() || vfs_mount_virtiofs("test", "/m", false))
			abort();
		ready = true;
	}
	input = data;
	left = size;
	server.timeout = size & 1;
	server.spoil = answer;
	fd = kcall_openat(AT_FDCWD, "/m/d", O_RDONLY, 0);
	for (int i = 0; fd >= 0 && i < 20; i++) {
		n = kcall_getdents64((int)fd, buf, i & 1 ? 3000 : 300);
		if (n > (i & 1 ? 3000 : 300))
			abort();
		check(buf, n);
		if (i == 15)
			(void)kcall_lseek((int)fd, 0, 0);
	}
	(void)kcall_stat("/m/d/a", buf);
	if (fd >= 0)
		(void)kcall_close((int)fd);
	server.spoil = NULL;
	shim_now += 3600ull * 1000000000;
	(void)fuse_work_now(&server_conn, UINT64_MAX);
	while (server_run())
		;
	fuse_tidy(&server_conn);
	return 0;
}
