/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FUSE client against a server in memory: how many requests a use takes,
 * what is cached and until when, and what becomes of replies that lie.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sanitizer/lsan_interface.h>
#include <linux/fcntl.h>
#include <linux/uio.h>
#include "tests/unit/fs_server.h"
#include "tests/unit/fs_shim/shim.h"

long kcall_openat(int dirfd, const char *path, int flags, unsigned mode);
long kcall_read(int fd, void *buf, size_t n);
long kcall_pread64(int fd, void *buf, size_t n, uint64_t pos);
long kcall_pwrite64(int fd, const void *buf, size_t n, uint64_t pos);
long kcall_close(int fd);
long kcall_fstat(int fd, void *st);
long kcall_stat(const char *path, void *st);
long kcall_ftruncate(int fd, int64_t size);
long kcall_getdents64(int fd, void *buf, unsigned n);
long kcall_unlink(const char *path);
long kcall_readlink(const char *path, char *buf, int n);
long kcall_access(const char *path, int mode);

static char stat_buf[256];
static unsigned char buf[SERVER_FILE_MAX];

static int mounted(void **state)
{
	static bool first = true;
	static int n;
	char path[16];

	(void)state;
	if (first)
		assert_int_equal(vfs_init(), 0);
	first = false;
	server_start();
	snprintf(path, sizeof(path), "/m%d", n++);
	assert_int_equal(vfs_mount_virtiofs("test", path, false), 0);
	assert_int_equal(server_total(), 1); /* INIT and nothing else */
	assert_int_equal(vfs_chdir(path), 0);
	return 0;
}

/* Whatever was open and looked up goes, and the server is told. */
static int left(void **state)
{
	(void)state;
	server.spoil = NULL;
	assert_int_equal(vfs_chdir("/"), 0);
	shim_now += 10 * NSEC_PER_SEC;
	(void)fuse_work_now(&server_conn, UINT64_MAX);
	while (server_run())
		;
	fuse_tidy(&server_conn);
	return 0;
}

static void use_file(size_t n)
{
	long fd = kcall_openat(AT_FDCWD, "f", O_RDONLY, 0);

	assert_true(fd >= 0);
	assert_int_equal(kcall_fstat((int)fd, stat_buf), 0);
	assert_int_equal(kcall_read((int)fd, buf, n), n);
	assert_memory_equal(buf, server.file, n);
	assert_int_equal(kcall_close((int)fd), 0);
}

static void test_requests(void **state)
{
	unsigned before = server_total();

	(void)state;
	use_file(4096);
	assert_int_equal(server_total() - before, 3);
	assert_int_equal(server.count[FUSE_LOOKUP], 1);
	assert_int_equal(server.count[FUSE_OPEN], 1);
	assert_int_equal(server.count[FUSE_READ], 1);
}

/* The pages of a file that stayed the same are used again; the shim has no
 * worker, so idle handles are released at once. */
static void test_cached(void **state)
{
	long fd = kcall_openat(AT_FDCWD, "f", O_RDONLY, 0), again;
	unsigned before;

	(void)state;
	assert_int_equal(kcall_read((int)fd, buf, 100), 100);
	before = server_total();
	again = kcall_openat(AT_FDCWD, "f", O_RDONLY, 0);
	assert_int_equal(kcall_read((int)again, buf, 10000), 10000);
	assert_int_equal(kcall_close((int)again), 0);
	assert_int_equal(server_total(), before);
	shim_now += 2 * NSEC_PER_SEC; /* attributes are asked for, no data */
	assert_int_equal(kcall_pread64((int)fd, buf, 100, 5000), 100);
	assert_int_equal(server_total(), before + 1);
	server.file[5000] = 99; /* somebody else writes */
	server.mtime++;
	assert_int_equal(kcall_pread64((int)fd, buf, 100, 5000), 100);
	assert_int_not_equal(buf[0], 99);
	shim_now += 2 * NSEC_PER_SEC;
	assert_int_equal(kcall_pread64((int)fd, buf, 100, 5000), 100);
	assert_int_equal(buf[0], 99);
	assert_int_equal(kcall_close((int)fd), 0);
}

static void test_no_timeout(void **state)
{
	(void)state;
	server.timeout = 0;
	use_file(4096);
	server.size = 20;
	use_file(20);
	assert_int_equal(server.count[FUSE_LOOKUP], 2);
	assert_int_equal(server.count[FUSE_OPEN], 2);
	server.open_flags = FOPEN_DIRECT_IO;
	server.size = 10000;
	use_file(4096);
}

static void test_negative(void **state)
{
	unsigned before;

	(void)state;
	assert_int_equal(kcall_stat("no", stat_buf), -ENOENT);
	before = server_total();
	assert_int_equal(kcall_stat("no", stat_buf), -ENOENT);
	assert_int_equal(server_total(), before);
	shim_now += 2 * NSEC_PER_SEC;
	assert_int_equal(kcall_stat("no", stat_buf), -ENOENT);
	assert_int_equal(server_total(), before + 1);
}

/* Writes of all sizes at odd places, compared with the server and read back
 * in another size. */
static void test_writes(void **state)
{
	static unsigned char data[SERVER_FILE_MAX];
	long fd = kcall_openat(AT_FDCWD, "f", O_RDWR, 0);

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		size_t n = i % 20 == 0 ? 60000 : i * 83 % 5000 + 1;
		uint64_t pos = i * 1777 % 300000;
		memset(data, (int)i, n);
		assert_int_equal(kcall_pwrite64((int)fd, data, n, pos), n);
		assert_memory_equal(server.file + pos, data, n);
		pos = i * 997 % (server.size / 2);
		n = server.size - pos < 7000 ? server.size - pos : 7000;
		assert_int_equal(kcall_pread64((int)fd, buf, n, pos), n);
		assert_memory_equal(buf, server.file + pos, n);
	}
	assert_int_equal(
	    kcall_pread64((int)fd, buf, server.size + 5, 0), server.size);
	assert_memory_equal(buf, server.file, server.size);
	assert_int_equal(kcall_ftruncate((int)fd, 5001), 0);
	assert_int_equal(kcall_ftruncate((int)fd, 9000), 0);
	assert_int_equal(kcall_pread64((int)fd, buf, 20000, 0), 9000);
	assert_memory_equal(buf, server.file, 9000);
	assert_int_equal(kcall_close((int)fd), 0);
	assert_int_equal(server.count[FUSE_FLUSH], 1);
}

/* All lookups are paid back and all handles released. */
static void test_forgets(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		use_file(100);
		assert_int_equal(kcall_stat("d", stat_buf), 0);
		shim_now += 2 * NSEC_PER_SEC;
	}
	assert_int_equal(kcall_unlink("f"), 0); /* its name leaves the cache */
	while (server_run())
		;
	assert_int_equal(server.lookups[2], 0);
	(void)fuse_work_now(&server_conn, UINT64_MAX);
	while (server_run())
		;
	assert_int_equal(server.open_handles, 0);
	assert_true(server.lookups[3] > 0);
}

static void test_full_queue(void **state)
{
	(void)state;
	server.queue_size = 1;
	for (int i = 0; i < 10; i++)
		use_file(3000);
	assert_int_equal(kcall_stat("d", stat_buf), 0);
}

static void test_directory(void **state)
{
	char dents[4096];
	long fd = kcall_openat(AT_FDCWD, "d", O_RDONLY | O_DIRECTORY, 0), n;
	unsigned before = server.count[FUSE_LOOKUP];

	(void)state;
	n = kcall_getdents64((int)fd, dents, 60);
	assert_in_range(n, 48, 60);
	n = kcall_getdents64((int)fd, dents, sizeof(dents));
	assert_true(n > 0);
	assert_int_equal(kcall_getdents64((int)fd, dents, sizeof(dents)), 0);
	assert_int_equal(kcall_stat("d/f", stat_buf), 0); /* came along */
	assert_int_equal(server.count[FUSE_LOOKUP], before);
	assert_int_equal(kcall_getdents64((int)fd, dents, 1), 0);
	assert_int_equal(kcall_close((int)fd), 0);
	assert_int_equal(kcall_readlink("l", dents, 100), 1);
	assert_int_equal(kcall_access("f", 4), 0);
	assert_int_equal(kcall_access("f", 1), -EACCES);
}

static void test_gone(void **state)
{
	long fd = kcall_openat(AT_FDCWD, "f", O_RDWR, 0);

	(void)state;
	assert_int_equal(fs_share_gone("nothing"), -ENODEV);
	assert_int_equal(fs_share_gone("test"), 0);
	assert_int_equal(kcall_pread64((int)fd, buf, 100, 0), -ENOTCONN);
	assert_int_equal(kcall_pwrite64((int)fd, buf, 100, 0), -ENOTCONN);
	assert_int_equal(kcall_stat("other", stat_buf), -ENOTCONN);
	assert_int_equal(kcall_close((int)fd), -ENOTCONN);
	assert_int_equal(kcall_stat("/", stat_buf), 0);
}

static bool die_while_waiting(void)
{
	(void)fs_share_gone("test");
	return true;
}

/* Its memory is the server's for ever: it must not be freed, and is not. */
static void test_gone_in_flight(void **state)
{
	long fd = kcall_openat(AT_FDCWD, "f", O_RDWR, 0);

	(void)state;
	shim_idle = die_while_waiting;
	__lsan_disable(); /* what follows is meant to stay allocated */
	assert_int_equal(kcall_pread64((int)fd, buf, 30000, 0), -ENOTCONN);
	__lsan_enable();
	shim_idle = server_run;
	assert_true(server_run()); /* a late answer harms nobody */
	assert_int_equal(kcall_close((int)fd), -ENOTCONN);
}

/* Replies that lie. */

static unsigned what;
static uint32_t victim;

static void lie(uint32_t opcode, unsigned char *out, uint32_t *len,
    uint32_t *written, size_t room)
{
	struct fuse_out_header *h = (void *)out;

	if (opcode != victim)
		return;
	switch (what) {
	case 0:
		h->unique++;
		break;
	case 1:
		h->error = 5;
		break;
	case 2:
		h->error = -100000;
		break;
	case 3:
		h->len = *len - 1;
		break;
	case 4:
		h->len = *len + 1000;
		break;
	case 5:
		*written = 3;
		break;
	case 6:
		h->len = UINT32_MAX;
		*written = (uint32_t)room;
		break;
	case 7:
		*written = 0;
		break;
	case 8:
		h->len = *written = 16;
		break;
	}
}

static void test_lies(void **state)
{
	static const uint32_t victims[] = {FUSE_LOOKUP, FUSE_OPEN};

	(void)state;
	server.timeout = 0;
	for (unsigned v = 0; v < 2; v++) {
		victim = victims[v];
		for (what = 0; what < 9; what++) {
			server.spoil = lie;
			assert_int_equal(
			    kcall_openat(AT_FDCWD, "f", O_RDONLY, 0), -EIO);
			server.spoil = NULL;
			use_file(50);
		}
	}
}

static void bad_entry(uint32_t opcode, unsigned char *out, uint32_t *len,
    uint32_t *written, size_t room)
{
	struct fuse_entry_out *e = (void *)(out + 16);

	(void)len, (void)written, (void)room;
	if (opcode != FUSE_LOOKUP)
		return;
	if (what == 0)
		e->nodeid = FUSE_ROOT_ID;
	else if (what == 1)
		e->attr.mode = 0;
	else if (what == 2)
		e->attr.size = UINT64_MAX;
	else if (what == 3)
		e->attr.mtimensec = 2000000000;
}

static void test_bad_entries(void **state)
{
	(void)state;
	server.timeout = 0;
	server.spoil = bad_entry;
	for (what = 0; what < 4; what++)
		assert_int_equal(kcall_stat("f", stat_buf), -EIO);
}

static void bad_dirent(uint32_t opcode, unsigned char *out, uint32_t *len,
    uint32_t *written, size_t room)
{
	struct fuse_dirent *d = (void *)(out + 16);

	(void)len, (void)written, (void)room;
	if (opcode == FUSE_READDIRPLUS)
		d = (void *)(out + 16 + sizeof(struct fuse_entry_out));
	else if (opcode != FUSE_READDIR)
		return;
	if (what == 0)
		d->namelen = UINT32_MAX;
	else if (what == 1)
		d->namelen = 0;
	else if (what == 2)
		d->name[0] = '/';
	else if (what == 3)
		d->name[0] = 0;
	else
		d->namelen = 256;
}

static void test_bad_dirents(void **state)
{
	char dents[512];
	long fd = kcall_openat(AT_FDCWD, "d", O_RDONLY | O_DIRECTORY, 0);

	(void)state;
	server.spoil = bad_dirent;
	for (what = 0; what < 5; what++)
		assert_int_equal(
		    kcall_getdents64((int)fd, dents, sizeof(dents)), -EIO);
	assert_int_equal(kcall_close((int)fd), 0);
}

static void test_no_memory(void **state)
{
	long fd = kcall_openat(AT_FDCWD, "f", O_RDWR, 0);

	(void)state;
	shim_no_memory = true;
	assert_int_equal(kcall_pread64((int)fd, buf, 100, 0), -ENOMEM);
	assert_int_equal(kcall_pread64((int)fd, buf, 50000, 0), -ENOMEM);
	assert_int_equal(kcall_pwrite64((int)fd, buf, 100, 0), -ENOMEM);
	assert_int_equal(kcall_stat("other", stat_buf), -ENOMEM);
	shim_no_memory = false;
	assert_int_equal(kcall_pread64((int)fd, buf, 100, 0), 100);
	assert_int_equal(kcall_close((int)fd), 0);
}

/* A name that could not be entered: what is cached must not deny it. */
static void test_no_memory_for_a_name(void **state)
{
	const struct name n = {"new", 3};
	struct entry absent = {NULL, UINT64_MAX};
	struct dentry *d;

	(void)state;
	d = dentry_add(vfs_root, &n, &absent);
	assert_non_null(d);
	dentry_put(d);
	shim_no_memory = true;
	assert_null(dentry_add(vfs_root, &n, &absent));
	shim_no_memory = false;
	assert_null(dentry_find(vfs_root, &n));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, mounted, left)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_requests),
	    TEST(test_cached),
	    TEST(test_no_timeout),
	    TEST(test_negative),
	    TEST(test_writes),
	    TEST(test_forgets),
	    TEST(test_full_queue),
	    TEST(test_directory),
	    TEST(test_gone),
	    TEST(test_gone_in_flight),
	    TEST(test_lies),
	    TEST(test_bad_entries),
	    TEST(test_bad_dirents),
	    TEST(test_no_memory),
	    TEST(test_no_memory_for_a_name),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
