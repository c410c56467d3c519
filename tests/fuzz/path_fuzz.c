/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names: the input is a list of calls, three bytes and two paths each, in a
 * tmpfs and on a share.  Paths are made of the input's bytes, of which some
 * stand for whole components, so that they meet.  At the end all that was
 * made is removed, and nothing of it may be left in memory.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fcntl.h>
#include "tests/unit/fs_server.h"
#include "tests/unit/fs_shim/shim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
long kcall_openat(int dirfd, const char *path, int flags, unsigned mode);
long kcall_openat2(int dirfd, const char *path, void *how, size_t size);
long kcall_close(int fd);
long kcall_mkdir(const char *path, unsigned mode);
long kcall_mknod(const char *path, unsigned mode, unsigned dev);
long kcall_symlink(const char *target, const char *path);
long kcall_link(const char *old, const char *path);
long kcall_unlinkat(int dirfd, const char *path, int flags);
long kcall_renameat2(
    int from, const char *old, int to, const char *path, unsigned flags);
long kcall_readlink(const char *path, char *user, int size);
long kcall_chdir(const char *path);
long kcall_getcwd(char *user, size_t size);
long kcall_stat(const char *path, void *st);
long kcall_lstat(const char *path, void *st);
long kcall_truncate(const char *path, int64_t size);
long kcall_getdents64(int fd, void *buf, unsigned n);

#define PATH_ROOM 8192

struct input {
	const uint8_t *p;
	size_t left;
};

static uint8_t next(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static void path_make(struct input *in, char *path)
{
	static const char *const parts[] = {"a", "b", "c", "..", ".", "/", "//",
	    "/tmp/", "/m/", "f", "d", "l", "", "/tmp/a/b", "x/", "/dev/null"};
	size_t at = 0;
	uint8_t c;

	while ((c = next(in)) && at < PATH_ROOM - 600) {
		if (c >= 0xf8) { /* a long one */
			memset(path + at, 'n', 254u + c % 4);
			at += 254u + c % 4;
		} else if (c >= 0x80) {
			size_t n = strlen(parts[c & 15]);
			memcpy(path + at, parts[c & 15], n);
			at += n;
			if (c & 0x10)
				path[at++] = '/';
		} else {
			path[at++] = (char)c;
		}
	}
	path[at] = 0;
}

static void open_path(const char *path, uint8_t how)
{
	static const int flags[] = {O_RDONLY, O_RDWR | O_CREAT,
	    O_RDWR | O_CREAT | O_EXCL, O_DIRECTORY, O_NOFOLLOW | O_RDONLY,
	    O_WRONLY | O_TRUNC, O_PATH, O_PATH | O_NOFOLLOW};
	static char buf[400];
	long fd = kcall_openat(AT_FDCWD, path, flags[how % 8], 0700);

	if (fd < 0)
		return;
	(void)kcall_getdents64((int)fd, buf, sizeof(buf));
	(void)kcall_unlinkat((int)fd, "a", how & 8 ? AT_REMOVEDIR : 0);
	(void)kcall_close((int)fd);
}

static void beneath(const char *path, uint8_t how)
{
	uint64_t open_how[3] = {O_RDONLY, 0, how & 31u};
	long fd = kcall_openat2(AT_FDCWD, path, open_how, sizeof(open_how));

	if (fd >= 0)
		(void)kcall_close((int)fd);
}

static void call(struct input *in)
{
	static char a[PATH_ROOM], b[PATH_ROOM], out[PATH_ROOM];
	uint8_t what = next(in), how = next(in);

	path_make(in, a);
	if (what % 16 < 4)
		path_make(in, b);
	switch (what % 16) {
	case 0:
		(void)kcall_symlink(a, b);
		return;
	case 1:
		(void)kcall_link(a, b);
		return;
	case 2:
	case 3:
		(void)kcall_renameat2(AT_FDCWD, a, AT_FDCWD, b, how & 3);
		return;
	case 4:
	case 5:
		(void)kcall_mkdir(a, how | 0700u);
		return;
	case 6:
		(void)kcall_unlinkat(AT_FDCWD, a, how & 1 ? AT_REMOVEDIR : 0);
		return;
	case 7:
		(void)kcall_chdir(a);
		return;
	case 8:
		(void)kcall_getcwd(out, how * 20u);
		return;
	case 9:
		(void)kcall_readlink(a, out, how);
		return;
	case 10:
		(void)kcall_stat(a, out);
		return;
	case 11:
		(void)kcall_lstat(a, out);
		return;
	case 12:
		(void)kcall_truncate(a, how);
		return;
	case 13:
		beneath(a, how);
		return;
	default:
		open_path(a, how);
	}
}

struct dirent64 {
	uint64_t ino, off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

/* Remove all below path, and it; depth ends with PATH_ROOM. */
static void clear(char *path, size_t at)
{
	static _Alignas(8) char buf[600];
	long fd, n;

	while ((fd = kcall_openat(AT_FDCWD, path, O_DIRECTORY, 0)) >= 0) {
		struct dirent64 *d = NULL;
		n = kcall_getdents64((int)fd, buf, sizeof(buf));
		for (long i = 0; i < n; i += d->reclen) {
			d = (void *)(buf + i);
			if (strcmp(d->name, ".") && strcmp(d->name, ".."))
				break;
			d = i + d->reclen < n ? d : NULL;
			if (!d)
				break;
		}
		if (kcall_close((int)fd) || n <= 0 || !d)
			break;
		path[at] = '/';
		strcpy(path + at + 1, d->name);
		if (kcall_unlinkat(AT_FDCWD, path, 0))
			clear(path, at + 1 + strlen(d->name));
		path[at] = 0;
	}
	if (at > 4 && kcall_unlinkat(AT_FDCWD, path, AT_REMOVEDIR))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	static char path[PATH_ROOM];
	static unsigned pages;
	static bool ready;

	if (!ready) {
		server_start();
		if (vfs_init() || vfs_mount_virtiofs("test", "/m", false))
			abort();
		ready = true;
	}
	if (vfs_chdir("/tmp"))
		abort();
	while (in.left)
		call(&in);
	(void)vfs_chdir("/");
	strcpy(path, "/tmp");
	clear(path, 4);
	shim_now += 3600ull * 1000000000;
	(void)fuse_work_now(&server_conn, UINT64_MAX);
	while (server_run())
		;
	fuse_tidy(&server_conn);
	if (!pages)
		pages = shim_pages_used + 1;
	if (shim_pages_used >= pages + 256)
		abort(); /* more than caches keep */
	return 0;
}
