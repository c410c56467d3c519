/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes: order, capacity, end of file, EPIPE, nonblocking, atomic writes. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define TOTAL (4u << 20)

static int p[2];

static void *feed(void *arg)
{
	static unsigned char block[10007];
	unsigned sent = 0;

	(void)arg;
	while (sent < TOTAL) {
		unsigned n = TOTAL - sent < sizeof(block)
				 ? TOTAL - sent
				 : (unsigned)sizeof(block);
		for (unsigned i = 0; i < n; i++)
			block[i] = (unsigned char)((sent + i) * 7 >> 3);
		for (unsigned at = 0; at < n;) {
			ssize_t w = write(p[1], block + at, n - at);
			CHECK(w > 0);
			at += (unsigned)w;
		}
		sent += n;
	}
	CHECK(!close(p[1]));
	return NULL;
}

static void transfer(void)
{
	static unsigned char buf[30011];
	unsigned got = 0;
	pthread_t t;
	ssize_t n;

	CHECK(!pipe(p) && !pthread_create(&t, NULL, feed, NULL));
	while ((n = read(p[0], buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++, got++)
			CHECK(buf[i] == (unsigned char)(got * 7 >> 3));
	CHECK(n == 0 && got == TOTAL);
	CHECK(!pthread_join(t, NULL) && !close(p[0]));
}

static void *write_lines(void *arg)
{
	char line[64];

	memset(line, 'a' + (int)(long)arg, sizeof(line));
	for (int i = 0; i < 500; i++)
		CHECK(write(p[1], line, sizeof(line)) == sizeof(line));
	return NULL;
}

static void atomic_writes(void)
{
	char line[64];
	pthread_t t[4];

	CHECK(!pipe(p));
	for (long i = 0; i < 4; i++)
		CHECK(!pthread_create(&t[i], NULL, write_lines, (void *)i));
	for (int i = 0; i < 2000; i++) {
		for (size_t at = 0; at < sizeof(line);) {
			ssize_t n = read(p[0], line + at, sizeof(line) - at);
			CHECK(n > 0);
			at += (size_t)n;
		}
		for (int k = 1; k < 64; k++)
			CHECK(line[k] == line[0]);
	}
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK(!close(p[0]) && !close(p[1]));
}

int main(void)
{
	static char big[100000];
	long room = 0;
	ssize_t n;
	int pending;

	transfer();
	atomic_writes();
	CHECK(!pipe2(p, O_NONBLOCK | O_CLOEXEC));
	CHECK(fcntl(p[0], F_GETFD) == FD_CLOEXEC);
	CHECK_ERR(read(p[0], big, 1), EAGAIN);
	while ((n = write(p[1], big, sizeof(big))) > 0)
		room += n;
	CHECK(errno == EAGAIN && room == 65536);
	CHECK(!ioctl(p[0], FIONREAD, &pending) && pending == 65536);
	CHECK(read(p[0], big, 5000) == 5000);
	CHECK(write(p[1], big, 4096) == 4096);
	CHECK_ERR(read(p[1], big, 1), EBADF);
	CHECK_ERR(write(p[0], big, 1), EBADF);
	CHECK(!close(p[0]) && signal(SIGPIPE, SIG_IGN) == SIG_DFL);
	CHECK_ERR(write(p[1], big, 1), EPIPE);
	CHECK_ERR(pipe2(p, 0x7), EINVAL);
	return 0;
}
