/* SPDX-License-Identifier: BSD-2-Clause */
/* SCM_RIGHTS and SCM_CREDENTIALS, and files that die under way. */
#include <fcntl.h>
#include <unistd.h>
#include "tests/posix/check.h"
#include "tests/posix/socket/unix.h"

struct message {
	struct msghdr h;
	struct iovec iov;
	char data[32];
	_Alignas(struct cmsghdr) char control[256];
};

static void message_init(struct message *m, const char *data, size_t control)
{
	memset(m, 0, sizeof(*m));
	strcpy(m->data, data);
	m->iov = (struct iovec){m->data, *data ? strlen(data) : 32};
	m->h = (struct msghdr){.msg_iov = &m->iov,
	    .msg_iovlen = 1,
	    .msg_control = control ? m->control : NULL,
	    .msg_controllen = control};
}

static ssize_t send_fds(int s, const char *data, const int *fd, size_t n)
{
	struct message m;
	struct cmsghdr *c;

	message_init(&m, data, CMSG_SPACE(n * sizeof(int)));
	c = CMSG_FIRSTHDR(&m.h);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fd, n * sizeof(int));
	return sendmsg(s, &m.h, 0);
}

/* How many descriptors came; the first ones in fd. */
static size_t recv_fds(
    int s, ssize_t want, int *fd, size_t space, int flags, int *out)
{
	struct message m;
	struct cmsghdr *c;
	size_t n = 0;

	message_init(&m, "", space);
	CHECK(recvmsg(s, &m.h, flags) == want);
	for (c = CMSG_FIRSTHDR(&m.h); c; c = CMSG_NXTHDR(&m.h, c)) {
		CHECK(c->cmsg_level == SOL_SOCKET);
		CHECK(c->cmsg_type == SCM_RIGHTS);
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fd, CMSG_DATA(c), n * sizeof(int));
	}
	*out = m.h.msg_flags;
	return n;
}

static int open_count(void)
{
	int n = 0;

	for (int i = 0; i < 64; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

static void pass(int type)
{
	int s[2], p[2], fd[8], out, before = open_count();
	char c;

	CHECK(!socketpair(AF_UNIX, type, 0, s) && !pipe(p));
	CHECK(send_fds(s[0], "fds", p, 2) == 3 && !close(p[0]));
	CHECK(recv_fds(s[1], 3, fd, 64, MSG_PEEK, &out) == 2 && out == 0);
	CHECK(!close(fd[0]) && !close(fd[1]));
	CHECK(recv_fds(s[1], 3, fd, 64, MSG_CMSG_CLOEXEC, &out) == 2);
	CHECK(fcntl(fd[0], F_GETFD) == FD_CLOEXEC);
	CHECK(write(p[1], "x", 1) == 1 && read(fd[0], &c, 1) == 1 && c == 'x');
	CHECK(!close(fd[0]) && !close(fd[1]));
	/* Too little space: what does not fit is closed. */
	CHECK(send_fds(s[0], "ab", (int[]){p[1], p[1], p[1]}, 3) == 2);
	CHECK(recv_fds(s[1], 2, fd, CMSG_LEN(sizeof(int)), 0, &out) == 1);
	CHECK(out == MSG_CTRUNC && !close(fd[0]));
	CHECK(send_fds(s[0], "ab", p + 1, 1) == 2);
	CHECK(recv_fds(s[1], 2, fd, 0, 0, &out) == 0 && out == MSG_CTRUNC);
	CHECK(send_fds(s[0], "ab", p + 1, 1) == 2 && read(s[1], fd, 2) == 2);
	CHECK_ERR(send_fds(s[0], "ab", (int[]){p[1], 999}, 2), EBADF);
	CHECK(!close(p[1]) && !close(s[0]) && !close(s[1]));
	CHECK(open_count() == before);
}

/* Of a stream, bytes before files are read with them, those behind not. */
static void stream_stops(void)
{
	int s[2], fd[2], out;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK(write(s[0], "aa", 2) == 2 && send_fds(s[0], "bb", s, 1) == 2);
	CHECK(write(s[0], "cc", 2) == 2);
	CHECK(recv_fds(s[1], 4, fd, 64, 0, &out) == 1 && !close(fd[0]));
	CHECK(recv_fds(s[1], 2, fd, 64, 0, &out) == 0);
	CHECK(!close(s[0]) && !close(s[1]));
}

/* The queue's end closes what is in it, whatever depth. */
static void die_under_way(void)
{
	int p[2], outer[2], inner[2];
	char c;

	CHECK(!pipe(p) && !socketpair(AF_UNIX, SOCK_DGRAM, 0, inner));
	CHECK(send_fds(inner[0], "x", p + 1, 1) == 1 && !close(p[1]));
	for (int i = 0; i < 200; i++) {
		CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, outer));
		CHECK(send_fds(outer[0], "x", inner, 2) == 1);
		CHECK(!close(inner[0]) && !close(inner[1]));
		inner[0] = outer[0];
		inner[1] = outer[1];
	}
	CHECK(!close(inner[0]) && !close(inner[1]));
	CHECK(read(p[0], &c, 1) == 0 && !close(p[0])); /* no writer is left */
}

/* Two that are in each other's queue do no harm. */
static void cycle(void)
{
	int s[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK(send_fds(s[0], "x", s, 2) == 1 && send_fds(s[1], "x", s, 2) == 1);
	CHECK(!close(s[0]) && !close(s[1]));
}

static void credentials(void)
{
	struct {
		int pid, uid, gid;
	} cred, peer;
	socklen_t len = sizeof(peer);
	struct message m;
	struct cmsghdr *c;
	int s[2], on = 1;

	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	CHECK(!setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	CHECK(send(s[0], "x", 1, 0) == 1);
	message_init(&m, "", 128);
	CHECK(recvmsg(s[1], &m.h, 0) == 1);
	c = CMSG_FIRSTHDR(&m.h);
	CHECK(c && c->cmsg_type == 2 && c->cmsg_len == CMSG_LEN(sizeof(cred)));
	memcpy(&cred, CMSG_DATA(c), sizeof(cred));
	CHECK(cred.pid == getpid() && cred.uid == (int)getuid());
	CHECK(m.h.msg_controllen == CMSG_SPACE(sizeof(cred)));
	CHECK(!getsockopt(s[0], SOL_SOCKET, 17, &peer, &len));
	CHECK(len == sizeof(peer) && !memcmp(&peer, &cred, sizeof(peer)));
	/* Said by the sender itself; a lie is refused. */
	message_init(&m, "own", CMSG_SPACE(sizeof(cred)));
	c = CMSG_FIRSTHDR(&m.h);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = 2;
	c->cmsg_len = CMSG_LEN(sizeof(cred));
	memcpy(CMSG_DATA(c), &cred, sizeof(cred));
	CHECK(sendmsg(s[0], &m.h, 0) == 3);
	cred.pid = 99999999;
	memcpy(CMSG_DATA(c), &cred, sizeof(cred));
	CHECK(sendmsg(s[0], &m.h, 0) == -1);
	CHECK(errno == ESRCH || errno == EPERM);
	c->cmsg_type = 77;
	CHECK_ERR(sendmsg(s[0], &m.h, 0), EINVAL);
	CHECK(!close(s[0]) && !close(s[1]));
	s[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!getsockopt(s[0], SOL_SOCKET, 17, &peer, &len));
	printf("nobody: %d %d %d\n", peer.pid, peer.uid, peer.gid);
	CHECK(!close(s[0]));
}

int main(void)
{
	pass(SOCK_STREAM);
	pass(SOCK_DGRAM);
	pass(SOCK_SEQPACKET);
	stream_stops();
	die_under_way();
	cycle();
	credentials();
	return 0;
}
