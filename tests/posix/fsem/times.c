/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which call marks which time of which object: the object's own, its folder's
 * and another folder's.  Times of access that reading marks are left out: they
 * are a matter of mount options.
 */
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <utime.h>
#include "tests/posix/fsem/fsem.h"

static int fd;
static struct stat before[4], after[4];
/* Where they may have gone, in this order. */
static const char *const objects[4] = {"a/f", "a", "b", "a/d"};
static const char *const moved[4] = {"b/f", "a", "b", "b/d"};

static const struct timespec past[2] = {{1000000000, 1}, {1000000000, 1}};
static const struct timespec exact[2] = {
    {1234567890, 123456789}, {987654321, 987654321}};
static const struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
static const struct timespec only_a[2] = {{5, 500}, {0, UTIME_OMIT}};
static const struct timespec only_m[2] = {{0, UTIME_OMIT}, {6, 600}};
static const struct timespec neither[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
static const struct timespec now_a[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
static const struct timespec old[2] = {{-5, 0}, {-1, 999999999}};
static const struct timespec bad[2] = {{5, 1000000000}, {5, 0}};

static int by_map(void)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -1;
	p[0] = 'm';
	return msync(p, 4096, MS_SYNC) || munmap(p, 4096);
}

static int by_stdio_list(void)
{
	DIR *d = opendir("a");
	int n = 0;

	while (d && readdir(d))
		n++;
	return d ? closedir(d) : -1;
}

#define CALLS(C)                                                               \
	C(write, pwrite(fd, "x", 1, 0))                                        \
	C(write_nothing, pwrite(fd, "", 0, 0))                                 \
	C(write_beyond, pwrite(fd, "x", 1, 9000))                              \
	C(writev, pwritev(fd, &(struct iovec){(char *)"ab", 2}, 1, 0))         \
	C(mapped, by_map())                                                    \
	C(truncate_same, truncate("a/f", 5))                                   \
	C(truncate_less, truncate("a/f", 2))                                   \
	C(truncate_more, truncate("a/f", 5000))                                \
	C(ftruncate_same, ftruncate(fd, 5))                                    \
	C(ftruncate_less, ftruncate(fd, 1))                                    \
	C(open_write, opened(open("a/f", O_WRONLY)))                           \
	C(open_creat, opened(open("a/f", O_WRONLY | O_CREAT, 0600)))           \
	C(open_trunc, opened(open("a/f", O_WRONLY | O_TRUNC)))                 \
	C(open_trunc_empty, opened(open("a/e", O_WRONLY | O_TRUNC)))           \
	C(open_excl, opened(open("a/n", O_WRONLY | O_CREAT | O_EXCL, 0600)))   \
	C(fallocate, posix_fallocate(fd, 0, 8192))                             \
	C(fsync, fsync(fd))                                                    \
	C(chmod, chmod("a/f", 0600))                                           \
	C(chmod_same, chmod("a/f", 0644))                                      \
	C(fchmod, fchmod(fd, 0640))                                            \
	C(chown, chown("a/f", getuid(), getgid()))                             \
	C(chown_none, chown("a/f", (uid_t)-1, (gid_t)-1))                      \
	C(chmod_dir, chmod("a", 0700))                                         \
	C(link, link("a/f", "b/l"))                                            \
	C(link_within, link("a/f", "a/l"))                                     \
	C(link_fails, link("a/f", "a/e"))                                      \
	C(unlink, unlink("a/f"))                                               \
	C(unlink_other, unlink("a/e"))                                         \
	C(unlink_fails, unlink("a/d"))                                         \
	C(rename_within, rename("a/f", "a/g"))                                 \
	C(rename_away, rename("a/f", "b/f"))                                   \
	C(rename_over, rename("a/e", "a/f"))                                   \
	C(rename_self, rename("a/f", "a/f"))                                   \
	C(rename_dir, rename("a/d", "b/d"))                                    \
	C(rename_fails, rename("a/f", "a/d"))                                  \
	C(exchange, rename_flags("a/f", "b/x", 2))                             \
	C(mkdir, mkdir("a/m", 0700))                                           \
	C(mkdir_below, mkdir("a/d/m", 0700))                                   \
	C(rmdir, rmdir("a/d"))                                                 \
	C(mkfifo, mkfifo("a/p", 0600))                                         \
	C(symlink, symlink("x", "a/s"))                                        \
	C(readdir, by_stdio_list())                                            \
	C(utimens_exact, utimensat(AT_FDCWD, "a/f", exact, 0))                 \
	C(utimens_null, utimensat(AT_FDCWD, "a/f", NULL, 0))                   \
	C(utimens_now, utimensat(AT_FDCWD, "a/f", now, 0))                     \
	C(utimens_a, utimensat(AT_FDCWD, "a/f", only_a, 0))                    \
	C(utimens_m, utimensat(AT_FDCWD, "a/f", only_m, 0))                    \
	C(utimens_now_a, utimensat(AT_FDCWD, "a/f", now_a, 0))                 \
	C(utimens_neither, utimensat(AT_FDCWD, "a/f", neither, 0))             \
	C(utimens_old, utimensat(AT_FDCWD, "a/f", old, 0))                     \
	C(utimens_bad, utimensat(AT_FDCWD, "a/f", bad, 0))                     \
	C(futimens, futimens(fd, exact))                                       \
	C(utimes, utimes("a/f", (struct timeval[2]){{9, 8}, {7, 6}}))          \
	C(utimes_bad,                                                          \
	    utimes("a/f", (struct timeval[2]){{9, 1000000}, {7, 6}}))          \
	C(utime, utime("a/f", &(struct utimbuf){33, 44}))                      \
	C(utimens_dir, utimensat(AT_FDCWD, "a", exact, 0))

#define CALL_FUNCTION(name, expr)                                              \
	static long call_##name(void)                                          \
	{                                                                      \
		return expr;                                                   \
	}
CALLS(CALL_FUNCTION)

static const struct {
	const char *name;
	long (*fn)(void);
} calls[] = {
#define CALL_ROW(name, expr) {#name, call_##name},
    CALLS(CALL_ROW)};

static int newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec
				      : a->tv_nsec > b->tv_nsec;
}

/* Until what is made now is later than all that was made before. */
static void pass_time(void)
{
	struct stat first, st;

	put("clock", "");
	CHECK(!stat("clock", &first));
	do {
		put("clock", "x");
		CHECK(!stat("clock", &st));
	} while (!newer(&st.st_ctim, &first.st_ctim));
}

static void prepare(void)
{
	tree_clean(".");
	CHECK(!mkdir("a", 0755) && !mkdir("b", 0755) && !mkdir("a/d", 0755));
	put("a/f", "hello");
	put("a/e", "");
	put("b/x", "other");
	fd = open("a/f", O_RDWR);
	CHECK(fd >= 0);
	for (int i = 0; i < 4; i++)
		CHECK(!utimensat(AT_FDCWD, objects[i], past, 0));
	pass_time();
	for (int i = 0; i < 4; i++)
		CHECK(!stat(objects[i], &before[i]));
	pass_time();
}

static void show_time(
    char mark, const struct timespec *was, const struct timespec *is)
{
	if (was->tv_sec == is->tv_sec && was->tv_nsec == is->tv_nsec)
		return;
	if (is->tv_sec > 1500000000)
		printf("%c", mark);
	else
		printf("%c=%ld.%ld ", mark, (long)is->tv_sec, is->tv_nsec);
}

static void show(int i)
{
	const struct stat *b = &before[i], *a = &after[i];

	printf(" %s:", objects[i]);
	show_time('a', &b->st_atim, &a->st_atim);
	show_time('m', &b->st_mtim, &a->st_mtim);
	show_time('c', &b->st_ctim, &a->st_ctim);
	if (a->st_nlink != b->st_nlink)
		printf(" links %d", (int)a->st_nlink);
	if (S_ISREG(a->st_mode) && a->st_size != b->st_size)
		printf(" size %ld", (long)a->st_size);
}

static void body(const char *place)
{
	for (unsigned c = 0; c < sizeof(calls) / sizeof(*calls); c++) {
		prepare();
		errno = 0;
		printf(
		    "%s %s %s:", place, calls[c].name, outcome(calls[c].fn()));
		CHECK(!fstat(fd, &after[0]) && !close(fd));
		for (int i = 1; i < 4; i++)
			if (stat(objects[i], &after[i]))
				if (stat(moved[i], &after[i]))
					after[i] = before[i];
		for (int i = 0; i < 4; i++)
			if (strcmp(calls[c].name, "readdir"))
				show(i);
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	CHECK(argc > 1);
	return on_both(argv[1], body);
}
