/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapped files: what is written through a mapping is in the file, and what is
 * cut off the file is not in the mapping.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define PAGE  4096
#define PAGES 32

static sigjmp_buf back;
static char buf[PAGES * PAGE];

static void on_bus(int sig, siginfo_t *info, void *context)
{
	(void)context;
	siglongjmp(back, sig == SIGBUS && info->si_code == BUS_ADRERR ? 1 : 2);
}

/* 0, or 1 if touching p is a SIGBUS. */
static int touch(volatile char *p)
{
	int r = sigsetjmp(back, 1);

	if (!r)
		(void)*p;
	return r;
}

static int make(const char *name, int flags)
{
	int fd = open(name, O_CREAT | O_RDWR | O_TRUNC | flags, 0644);

	memset(buf, 'a', sizeof(buf));
	CHECK(fd >= 0 && write(fd, buf, sizeof(buf)) == sizeof(buf));
	return fd;
}

static char *map(int fd, int flags)
{
	char *p = mmap(NULL, sizeof(buf), PROT_READ | PROT_WRITE, flags, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static void read_back(const char *name, size_t at, char expected)
{
	char c = 0;
	int fd = open(name, O_RDONLY);

	CHECK(fd >= 0 && pread(fd, &c, 1, (off_t)at) == 1);
	CHECK(c == expected);
	CHECK(close(fd) == 0);
}

static void written_back(const char *name)
{
	int fd = make(name, 0);
	char *p = map(fd, MAP_SHARED);

	p[5000] = 'b';
	CHECK(fsync(fd) == 0);
	read_back(name, 5000, 'b');
	p[5001] = 'c';
	CHECK(fdatasync(fd) == 0);
	p[9000] = 'd';
	/* A long read over clean and changed pages. */
	CHECK(pread(fd, buf, sizeof(buf), 0) == sizeof(buf));
	CHECK(buf[5001] == 'c' && buf[9000] == 'd' && buf[9001] == 'a');
	/* A write beside it, which changes the file's time. */
	CHECK(pwrite(fd, "xyz", 3, 20000) == 3);
	usleep(1100000);
	read_back(name, 20001, 'y');
	p[20004] = 'e';
	p[30000] = 'f';
	CHECK(p[20001] == 'y' && p[5000] == 'b' && p[9000] == 'd');
	CHECK(munmap(p, sizeof(buf)) == 0);
	CHECK(pread(fd, buf, sizeof(buf), 0) == sizeof(buf));
	CHECK(buf[9000] == 'd' && buf[20004] == 'e' && buf[30000] == 'f');
	CHECK(close(fd) == 0);
}

static void appended(const char *name)
{
	int fd = make(name, O_APPEND);
	char *p = map(fd, MAP_SHARED);
	struct stat st;

	p[100] = 'b';
	CHECK(msync(p, PAGE, MS_SYNC) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_size == sizeof(buf));
	read_back(name, 100, 'b');
	CHECK(munmap(p, sizeof(buf)) == 0 && close(fd) == 0);
}

static void cut(const char *name)
{
	int fd = make(name, 0);
	char *shared = map(fd, MAP_SHARED), *own = map(fd, MAP_PRIVATE);

	own[3 * PAGE] = own[8 * PAGE] = own[0] = 'p';
	shared[3 * PAGE + 1] = shared[8 * PAGE] = shared[0] = 's';
	CHECK(!touch(own + 20 * PAGE) && !touch(shared + 20 * PAGE));
	CHECK(ftruncate(fd, 3 * PAGE + 10) == 0);
	CHECK(touch(shared + 4 * PAGE) == 1 && touch(own + 4 * PAGE) == 1);
	CHECK(touch(shared + 20 * PAGE) == 1 && touch(own + 8 * PAGE) == 1);
	CHECK(!touch(shared + 3 * PAGE) && !touch(own + 3 * PAGE));
	CHECK(shared[3 * PAGE + 1] == 's' && shared[3 * PAGE + 10] == 0);
	CHECK(own[3 * PAGE] == 'p' && own[0] == 'p' && shared[0] == 's');
	CHECK(ftruncate(fd, sizeof(buf)) == 0);
	CHECK(shared[8 * PAGE] == 0 && own[8 * PAGE] == 0);
	shared[8 * PAGE] = 'n';
	CHECK(own[8 * PAGE] == 'n');
	CHECK(truncate(name, 0) == 0 && touch(shared) == 1);
	CHECK(touch(own) == 1);
	CHECK(ftruncate(fd, PAGE) == 0 && shared[0] == 0 && own[0] == 0);
	CHECK(close(open(name, O_WRONLY | O_TRUNC)) == 0);
	CHECK(touch(shared) == 1);
	CHECK(munmap(shared, sizeof(buf)) == 0);
	CHECK(munmap(own, sizeof(buf)) == 0 && close(fd) == 0);
}

static void holes(const char *name)
{
	int fd = make(name, 0);
	char *shared = map(fd, MAP_SHARED), *own = map(fd, MAP_PRIVATE);

	own[2 * PAGE] = 'p';
	shared[6 * PAGE] = 's';
	CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE,
		  3 * PAGE + 1) == 0);
	CHECK(shared[PAGE - 1] == 'a' && shared[PAGE] == 0);
	CHECK(shared[4 * PAGE] == 0 && shared[4 * PAGE + 1] == 'a');
	CHECK(own[2 * PAGE] == 'p' && own[3 * PAGE] == 0);
	CHECK(shared[6 * PAGE] == 's');
	CHECK(pread(fd, buf, sizeof(buf), 0) == sizeof(buf));
	CHECK(buf[2 * PAGE] == 0 && buf[6 * PAGE] == 's');
	CHECK(munmap(shared, sizeof(buf)) == 0);
	CHECK(munmap(own, sizeof(buf)) == 0 && close(fd) == 0);
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
	static const char *const names[] = {"f", "/dev/shm/toril-mapped"};

	CHECK(argc > 1 && chdir(argv[1]) == 0);
	CHECK(sigaction(SIGBUS, &sa, NULL) == 0);
	for (int i = 0; i < 2; i++) {
		written_back(names[i]);
		appended(names[i]);
		cut(names[i]);
		holes(names[i]);
		CHECK(unlink(names[i]) == 0);
	}
	return 0;
}
