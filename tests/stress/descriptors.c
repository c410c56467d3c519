/* SPDX-License-Identifier: BSD-2-Clause */
/* Open, dup, dup2, close of descriptors that others are using at that moment:
 * a call works on one file or says EBADF, and nothing leaks. */
#include <fcntl.h>
#include <sys/socket.h>
#include "tests/stress/stress.h"

#define THREADS 4
#define LOOPS   300
#define LOW     100 /* the descriptors that are fought for */
#define SLOTS   8

static int slot(uint64_t *r)
{
	return LOW + (int)(stress_random(r) % SLOTS);
}

static int ok(long result)
{
	return result >= 0 || errno == EBADF || errno == EAGAIN ||
	       errno == EPIPE || errno == EINVAL || errno == ENOTCONN ||
	       errno == ENOTSOCK || errno == EBUSY;
}

static int fresh(uint64_t *r)
{
	int fd[2];

	switch (stress_random(r) % 4) {
	case 0:
		CHECK(!pipe2(fd, O_NONBLOCK));
		break;
	case 1:
		CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd));
		break;
	case 2:
		return open("/dev/zero", O_RDWR);
	default:
		return open("/dev/null", O_RDWR);
	}
	CHECK(!close(fd[stress_random(r) & 1 ? 0 : 1]) || 1);
	return fcntl(fd[0], F_GETFD) >= 0 ? fd[0] : fd[1];
}

static void *worker(void *arg)
{
	uint64_t r = stress_random_init((unsigned long)arg + stress_rounds);
	char buf[64] = {0};
	int fd;

	for (int i = 0; i < LOOPS; i++) {
		switch (stress_random(&r) % 7) {
		case 0:
			fd = open("/dev/zero", O_RDWR);
			CHECK(fd >= 0);
			CHECK(ok(dup2(fd, slot(&r))));
			CHECK(!close(fd));
			break;
		case 1:
			CHECK(ok(close(slot(&r))));
			break;
		case 2:
			CHECK(ok(read(slot(&r), buf, sizeof(buf))));
			break;
		case 3:
			CHECK(ok(write(slot(&r), buf, sizeof(buf))));
			break;
		case 4:
			fd = dup(slot(&r));
			CHECK(ok(fd));
			if (fd >= 0)
				CHECK(!close(fd));
			break;
		case 5:
			CHECK(ok(fcntl(slot(&r), F_GETFL)));
			CHECK(ok(dup2(slot(&r), slot(&r))));
			break;
		default:
			CHECK(ok(shutdown(slot(&r), SHUT_RDWR)));
		}
	}
	return NULL;
}

static int lowest(void)
{
	int fd = open("/dev/null", O_RDWR);

	CHECK(fd >= 0 && !close(fd));
	return fd;
}

static void round_(unsigned long n)
{
	uint64_t r = stress_random_init(n + 1000);
	pthread_t t[THREADS];
	int low = lowest();

	for (int i = 0; i < SLOTS; i++) {
		int fd = fresh(&r);
		CHECK(fd >= 0 && dup2(fd, LOW + i) == LOW + i);
		CHECK(!close(fd));
	}
	for (long i = 0; i < THREADS; i++)
		t[i] = stress_thread(worker, i);
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
	for (int i = 0; i < SLOTS; i++)
		(void)close(LOW + i);
	CHECK(lowest() == low);
	for (int fd = low; fd < LOW + SLOTS; fd++)
		CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	return stress_main(argc, argv, round_);
}
