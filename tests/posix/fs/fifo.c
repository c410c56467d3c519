/* SPDX-License-Identifier: BSD-2-Clause */
/* FIFOs: opening from both sides, end of file, poll, sizes. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/posix/check.h"

static const char *name;

static void *writer(void *arg)
{
	int fd;

	usleep(10000);
	fd = open(name, O_WRONLY);
	CHECK(fd >= 0);
	CHECK(write(fd, "through", 7) == 7);
	CHECK(!close(fd));
	return arg;
}

static void both_sides(void)
{
	char text[16];
	pthread_t t;
	int fd;

	CHECK(!pthread_create(&t, NULL, writer, NULL));
	fd = open(name, O_RDONLY);
	CHECK(fd >= 0);
	CHECK(read(fd, text, 16) == 7 && !memcmp(text, "through", 7));
	CHECK(read(fd, text, 16) == 0);
	CHECK(!pthread_join(t, NULL));
	CHECK(!close(fd));
}

static void without_waiting(void)
{
	struct pollfd p = {.events = POLLIN};
	char text[4];
	int r, w, rw;

	CHECK_ERR(open(name, O_WRONLY | O_NONBLOCK), ENXIO);
	r = open(name, O_RDONLY | O_NONBLOCK);
	CHECK(r >= 0);
	p.fd = r;
	CHECK(poll(&p, 1, 0) == 0);
	CHECK(read(r, text, 4) == 0);
	w = open(name, O_WRONLY | O_NONBLOCK);
	CHECK(w >= 0);
	CHECK_ERR(read(r, text, 4), EAGAIN);
	CHECK(write(w, "ab", 2) == 2);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	CHECK(!close(w));
	CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLHUP));
	CHECK(read(r, text, 4) == 2 && read(r, text, 4) == 0);
	rw = open(name, O_RDWR);
	CHECK(rw >= 0 && write(rw, "cd", 2) == 2);
	CHECK(read(rw, text, 4) == 2 && text[0] == 'c');
	CHECK(!close(r) && !close(rw));
}

static void *reader(void *arg)
{
	struct pollfd p = {.events = POLLIN};
	char c;

	p.fd = open(name, O_RDONLY);
	CHECK(p.fd >= 0);
	CHECK(read(p.fd, &c, 1) == 1);
	CHECK(poll(&p, 1, -1) == 1 && p.revents == POLLHUP);
	CHECK(!close(p.fd));
	return arg;
}

/* The writer is there first, and goes. */
static void writer_first(void)
{
	pthread_t t;
	int fd;

	CHECK(!pthread_create(&t, NULL, reader, NULL));
	fd = open(name, O_WRONLY);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
	usleep(10000);
	CHECK(!close(fd) && !pthread_join(t, NULL));
}

static int full[2];

static void *fill(void *arg)
{
	static char much[200000];

	CHECK(write(full[1], much, sizeof(much)) == sizeof(much));
	return arg;
}

/* The one who could make room asks for more of it. */
static void grow(void)
{
	char buf[65536];
	size_t left = 200000;
	pthread_t t;

	CHECK(!pipe(full));
	CHECK(!pthread_create(&t, NULL, fill, NULL));
	usleep(10000);
	CHECK(fcntl(full[0], F_SETPIPE_SZ, 1 << 20) == 1 << 20);
	while (left) {
		ssize_t n = read(full[0], buf, sizeof(buf));
		CHECK(n > 0);
		left -= (size_t)n;
	}
	CHECK(!pthread_join(t, NULL));
}

static void sizes(void)
{
	int p[2];

	CHECK(!pipe(p));
	CHECK(fcntl(p[0], F_GETPIPE_SZ) == 65536);
	CHECK(fcntl(p[1], F_SETPIPE_SZ, 5000) == 8192);
	CHECK(fcntl(p[0], F_GETPIPE_SZ) == 8192);
	CHECK(!close(p[0]) && !close(p[1]));
}

int main(int argc, char **argv)
{
	struct stat st;
	int r, w;

	(void)argc;
	CHECK(!chdir(argv[1]));
	name = "fifo";
	signal(SIGPIPE, SIG_IGN);
	CHECK(!mkfifo(name, 0640));
	CHECK_ERR(mkfifo(name, 0640), EEXIST);
	CHECK(!stat(name, &st) && S_ISFIFO(st.st_mode));
	both_sides();
	writer_first();
	without_waiting();
	grow();
	r = open(name, O_RDONLY | O_NONBLOCK);
	w = open(name, O_WRONLY);
	CHECK(!fstat(w, &st) && S_ISFIFO(st.st_mode));
	CHECK(!close(r));
	CHECK_ERR(write(w, "x", 1), EPIPE);
	CHECK(!close(w) && !unlink(name));
	CHECK(!mkfifo("/dev/shm/toril-fifo", 0600));
	name = "/dev/shm/toril-fifo";
	both_sides();
	without_waiting();
	CHECK(!unlink(name));
	sizes();
	return 0;
}
