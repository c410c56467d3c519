/* SPDX-License-Identifier: BSD-2-Clause */
/* See ops.h.  Each op_...() is one operation: >= 0, or -errno. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "ops.h"
#include "tree.h"

#define CANARY  0xa5
#define NEAR    512u
#define PAGE    4096u
#define ENTRIES 2000 /* where a directory that never ends is left */

static __thread sigjmp_buf bus_jump;
static __thread volatile sig_atomic_t bus_expected;

static void on_bus(int number)
{
	if (!bus_expected) {
		signal(number, SIG_DFL);
		return;
	}
	siglongjmp(bus_jump, 1);
}

void work_init(void)
{
	struct sigaction sa = {.sa_handler = on_bus};

	sigaction(SIGBUS, &sa, NULL);
}

void area_init(struct area *a)
{
	unsigned char *p = mmap(NULL, AREA_SIZE + 2 * PAGE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED ||
	    mprotect(p + PAGE, AREA_SIZE, PROT_READ | PROT_WRITE))
		abort();
	a->base = p + PAGE;
	a->at = a->n = 0;
	memset(a->base, CANARY, AREA_SIZE);
}

void area_free(struct area *a)
{
	munmap(a->base - PAGE, AREA_SIZE + 2 * PAGE);
}

unsigned char *area_lend(struct area *a, size_t n)
{
	size_t room = AREA_SIZE - n - 2 * NEAR;

	memset(a->base + a->at, CANARY, a->n);
	a->at = NEAR + (size_t)random() % room;
	if (random() & 1)
		a->at = NEAR + (a->at & ~(size_t)(PAGE - 1)) % room;
	a->n = n;
	return a->base + a->at;
}

static bool is_canary(const unsigned char *p, size_t n)
{
	return !n || (*p == CANARY && !memcmp(p, p + 1, n - 1));
}

bool area_whole(const struct area *a, bool all)
{
	size_t end = a->at + a->n;
	size_t before = all ? a->at : NEAR;
	size_t behind = all ? AREA_SIZE - end : NEAR;

	if (!a->n)
		return true;
	return is_canary(a->base + a->at - before, before) &&
	       is_canary(a->base + end, behind);
}

unsigned long work_random(struct work *w, unsigned long below)
{
	w->seed = w->seed * 6364136223846793005ul + 1442695040888963407ul;
	return (w->seed >> 33) % below;
}

void work_wrong(struct work *w, const char *what, long value)
{
	w->wrong++;
	printf("wrong: %s: %s: %ld\n", w->root, what, value);
	fflush(stdout);
}

static const char *path(struct work *w, char *to, const char *name)
{
	snprintf(to, 128, "%s/%s", w->root, name);
	return to;
}

static const char *own(struct work *w, char *to)
{
	snprintf(to, 128, "%s/own-%u-%lu", w->root, w->id, w->count);
	return to;
}

static bool right(const struct work *w)
{
	return w->trust != TRUST_NOTHING;
}

static void check_pattern(
    struct work *w, const unsigned char *p, size_t n, size_t at)
{
	if (!right(w))
		return;
	for (size_t i = 0; i < n; i++) {
		if (p[i] != tree_byte(at + i)) {
			work_wrong(w, "byte of f", (long)(at + i));
			return;
		}
	}
}

static long op_stat(struct work *w)
{
	char name[128];
	struct stat st;

	if (lstat(path(w, name, "f"), &st))
		return -errno;
	if (st.st_size < 0)
		work_wrong(w, "size", (long)st.st_size);
	if (right(w) && (st.st_size != TREE_F_SIZE || !S_ISREG(st.st_mode)))
		work_wrong(w, "size of f", (long)st.st_size);
	return 0;
}

static long op_missing(struct work *w)
{
	char name[128];
	struct stat st;

	if (!stat(path(w, name, "none"), &st)) {
		if (right(w))
			work_wrong(w, "there is none", 0);
		return 0;
	}
	return errno == ENOENT ? 0 : -errno;
}

static long read_at(struct work *w, size_t n, size_t at, bool fresh)
{
	unsigned char *p = area_lend(&w->area, n);
	char name[128];
	ssize_t got;
	int fd = open(
	    path(w, name, w->count & 1 ? "f" : "link"), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fresh)
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	got = pread(fd, p, n, (off_t)at);
	if (got < 0)
		got = -errno;
	if (got > (ssize_t)n)
		work_wrong(w, "more than asked for", got);
	else if (got > 0)
		check_pattern(w, p, (size_t)got, at);
	if (got >= 0 && w->trust == TRUST_FULLY && (size_t)got != n)
		work_wrong(w, "short read", got);
	close(fd);
	return got;
}

static long op_read_small(struct work *w)
{
	return read_at(w, 1 + work_random(w, 4096),
	    work_random(w, TREE_F_SIZE - 4096), true);
}

static long op_read_large(struct work *w)
{
	return read_at(w, 16384 + work_random(w, 100000),
	    work_random(w, TREE_F_SIZE - 120000), false);
}

static long op_readdir(struct work *w)
{
	struct dirent *d;
	char name[128];
	int n = 0, err;
	DIR *dir = opendir(path(w, name, "dir"));

	if (!dir)
		return -errno;
	errno = 0;
	while (n < ENTRIES && (d = readdir(dir))) {
		size_t len = strnlen(d->d_name, 256);

		n++;
		if (!len || len > 255 || memchr(d->d_name, '/', len))
			work_wrong(w, "a name", (long)len);
		if (right(w) && d->d_name[0] != '.' &&
		    (len != 7 || memcmp(d->d_name, "name", 4)))
			work_wrong(w, "another name", n);
	}
	err = errno;
	closedir(dir);
	if (err && n < ENTRIES)
		return -err;
	if (right(w) && n != TREE_DIR_FILES + 2)
		work_wrong(w, "entries", n);
	return n;
}

static long op_readlink(struct work *w)
{
	size_t n = 1 + work_random(w, 200);
	char *p = (char *)area_lend(&w->area, n), name[128];
	ssize_t got = readlink(path(w, name, "link"), p, n);

	if (got < 0)
		return -errno;
	if ((size_t)got > n)
		work_wrong(w, "more than asked for", got);
	else if (memchr(p, 0, (size_t)got))
		work_wrong(w, "a nul in a link", got);
	if (right(w) && (got != 1 || *p != 'f'))
		work_wrong(w, "another link", got);
	return got;
}

/* Write and read back; what was written, or fewer bytes, is there. */
static long own_io(struct work *w, int fd, size_t n)
{
	unsigned char *p = area_lend(&w->area, n), probe[64];
	unsigned char mark = (unsigned char)w->count;
	ssize_t put, got;

	memset(p, mark, n);
	put = pwrite(fd, p, n, 0);
	if (put < 0)
		return -errno;
	if ((size_t)put > n)
		work_wrong(w, "more written than given", put);
	if (work_random(w, 2) && fsync(fd))
		return -errno;
	got = pread(fd, probe, sizeof(probe), 0);
	if (got < 0)
		return -errno;
	for (ssize_t i = 0; right(w) && i < got && i < put; i++)
		if (probe[i] != mark)
			work_wrong(w, "what was written", i);
	return put;
}

static long op_create(struct work *w)
{
	char name[128];
	long ret;
	int fd = open(own(w, name), O_CREAT | O_RDWR | O_EXCL, 0600);

	if (fd < 0)
		return -errno;
	ret = own_io(w, fd, 1 + work_random(w, w->count & 1 ? 300 : 60000));
	if (ret >= 0 && work_random(w, 2) && ftruncate(fd, 10))
		ret = -errno;
	if (close(fd) && ret >= 0)
		ret = -errno;
	if (unlink(name) && ret >= 0)
		ret = -errno;
	return ret;
}

static long op_names(struct work *w)
{
	char one[128], two[136];
	long ret = 0;

	own(w, one);
	snprintf(two, sizeof(two), "%s-2", one);
	if (mkdir(one, 0700) || rename(one, two))
		ret = -errno;
	if (rmdir(two) && !ret)
		ret = -errno;
	if (symlink("f", one) && !ret)
		ret = -errno;
	if (link(one, two) && !ret)
		ret = -errno;
	if (unlink(one) && !ret)
		ret = -errno;
	if (unlink(two) && !ret)
		ret = -errno;
	return ret;
}

static long op_xattr(struct work *w)
{
	size_t n = 8 + work_random(w, 100);
	char *p = (char *)area_lend(&w->area, n), name[128];
	ssize_t got;

	path(w, name, "f");
	got = getxattr(name, "user.a", p, n);
	if (got < 0)
		return -errno;
	if ((size_t)got > n)
		work_wrong(w, "more than asked for", got);
	if (right(w) && (got != 5 || memcmp(p, "value", 5)))
		work_wrong(w, "another value", got);
	got = getxattr(name, "user.a", NULL, 0);
	if (got > 65536)
		work_wrong(w, "an attribute's length", got);
	p = (char *)area_lend(&w->area, n);
	got = listxattr(name, p, n);
	if (got < 0)
		return -errno;
	if ((size_t)got > n)
		work_wrong(w, "more than asked for", got);
	return got;
}

static long op_map(struct work *w)
{
	char name[128];
	size_t at = work_random(w, 16) * PAGE;
	int fd = open(path(w, name, "f"), O_RDONLY);
	volatile long ret = 0;
	unsigned char *p;

	if (fd < 0)
		return -errno;
	p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE, fd, (off_t)at);
	close(fd);
	if (p == MAP_FAILED)
		return -errno;
	if (!sigsetjmp(bus_jump, 1)) {
		bus_expected = 1;
		for (size_t i = 0; i < 4; i++)
			check_pattern(w, p + i * PAGE, 64, at + i * PAGE);
	} else {
		ret = -EIO;
	}
	bus_expected = 0;
	munmap(p, 4 * PAGE);
	return ret;
}

static long op_whole(struct work *w)
{
	struct statvfs fs;
	char name[128];
	off_t end;
	int fd, ret = 0;

	if (statvfs(path(w, name, "f"), &fs))
		return -errno;
	if (right(w) && fs.f_bsize != 4096)
		work_wrong(w, "block size", (long)fs.f_bsize);
	fd = open(name, O_RDWR);
	if (fd < 0)
		return -errno;
	end = lseek(fd, 10, SEEK_DATA);
	if (end < 0)
		ret = -errno;
	else if (right(w) && end != 10)
		work_wrong(w, "place of data", (long)end);
	if (!ret && posix_fallocate(fd, 0, 100))
		ret = -EIO;
	close(fd);
	return ret;
}

static long (*const operations[])(struct work *w) = {op_stat, op_missing,
    op_read_small, op_read_large, op_readdir, op_readlink, op_create, op_names,
    op_xattr, op_map, op_whole};

void work_one(struct work *w)
{
	unsigned i = work_random(w, sizeof(operations) / sizeof(operations[0]));
	long ret = operations[i](w);

	w->count++;
	if (!area_whole(&w->area, w->count % 16 == 0))
		work_wrong(w, "a canary", (long)i);
	if (ret >= 0) {
		w->done++;
		return;
	}
	if (-ret >= 512)
		work_wrong(w, "no error number", ret);
	w->failed[-ret < 512 ? -ret : 0]++;
	if (w->trust == TRUST_FULLY)
		work_wrong(w, "an error of an honest server", ret);
}
