/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that send and receive messages on sockets. */
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/socket_abi.h"
#include "posix/calls.h"
#include "posix/socket.h"
#include "posix/time_convert.h"

#define MESSAGES_MAX 1024u

struct mmsghdr64 {
	struct msghdr64 hdr;
	uint32_t len, pad;
};

long kcall_sendto(int fd, const void *buf, size_t n, int flags,
    const void *user, uint32_t len)
{
	struct iovec iov = {(void *)(uintptr_t)buf, min(n, (size_t)RW_MAX)};
	struct socket_msg m;
	struct sock_addr to;
	int err;

	SOCKET_OR_RETURN(s, fd);
	socket_msg_init(&m, (unsigned)flags);
	if (user) {
		err = socket_addr_import(user, len, &to);
		if (err)
			return err;
		m.to = len ? &to : NULL;
	}
	iter_init(&m.it, &iov, 1, false);
	return socket_send(s, &m);
}

long kcall_recvfrom(
    int fd, void *buf, size_t n, int flags, void *addr, uint32_t *user_len)
{
	struct iovec iov = {buf, min(n, (size_t)RW_MAX)};
	struct socket_msg m;
	ssize_t r;

	SOCKET_OR_RETURN(s, fd);
	socket_msg_init(&m, (unsigned)flags);
	iter_init(&m.it, &iov, 1, false);
	r = socket_recv(s, &m);
	rights_free(m.rights);
	if (r >= 0 && addr && socket_addr_export(&m.from, addr, user_len))
		return -EFAULT;
	return r;
}

static ssize_t send_one(
    struct socket *s, const struct msghdr64 *h, struct socket_msg *m)
{
	struct iovec fast[8], *heap;
	ssize_t r;

	if (h->control && h->controllen) {
		r = socket_control_import(s, h, m);
		if (r)
			return r;
	}
	r = iovec_import(h->iov, h->iovlen, fast, &heap, &m->it);
	if (r)
		return r;
	r = socket_send(s, m);
	kfree(heap);
	return r;
}

static ssize_t send_message(
    struct socket *s, const struct msghdr64 *user, unsigned flags)
{
	struct socket_msg m;
	struct sock_addr to;
	struct msghdr64 h;
	ssize_t r = 0;

	socket_msg_init(&m, flags);
	if (copy_in(&h, user, sizeof(h)))
		return -EFAULT;
	if (h.iovlen > IOV_MAX)
		return -EMSGSIZE;
	if (h.name && h.namelen) {
		h.namelen = min(h.namelen, (uint32_t)SOCKADDR_MAX);
		r = socket_addr_import(h.name, h.namelen, &to);
		m.to = &to;
	}
	if (!r)
		r = send_one(s, &h, &m);
	rights_free(m.rights);
	return r;
}

/* Sender, ancillary data and flags, as far as the program has asked. */
static int give_details(struct socket *s, struct msghdr64 *h,
    struct socket_msg *m, struct msghdr64 *user)
{
	void *control = h->control;

	if ((int32_t)h->namelen < 0)
		return -EINVAL;
	if (h->name &&
	    (copy_out(h->name, m->from.bytes, min(h->namelen, m->from.len)) ||
		put_user(&user->namelen, m->from.len)))
		return -EFAULT;
	m->out |= m->flags & MSG_CMSG_CLOEXEC;
	socket_control_export(s, h, m);
	if (put_user(&user->controllen,
		(size_t)((char *)h->control - (char *)control)) ||
	    put_user(&user->flags, m->out))
		return -EFAULT;
	return 0;
}

static ssize_t recv_message(
    struct socket *s, struct msghdr64 *user, unsigned flags)
{
	struct socket_msg m;
	struct iovec fast[8], *heap;
	struct msghdr64 h;
	ssize_t r;
	int err;

	socket_msg_init(&m, flags);
	if (copy_in(&h, user, sizeof(h)))
		return -EFAULT;
	if (h.iovlen > IOV_MAX)
		return -EMSGSIZE;
	r = iovec_import(h.iov, h.iovlen, fast, &heap, &m.it);
	if (r)
		return r;
	r = socket_recv(s, &m);
	kfree(heap);
	err = r >= 0 ? give_details(s, &h, &m, user) : 0;
	rights_free(m.rights);
	return err ? err : r;
}

long kcall_sendmsg(int fd, struct msghdr64 *user, unsigned flags)
{
	SOCKET_OR_RETURN(s, fd);
	return send_message(s, user, flags);
}

long kcall_recvmsg(int fd, struct msghdr64 *user, unsigned flags)
{
	SOCKET_OR_RETURN(s, fd);
	return recv_message(s, user, flags);
}

long kcall_sendmmsg(int fd, struct mmsghdr64 *user, unsigned n, unsigned flags)
{
	unsigned done;
	ssize_t r = 0;

	SOCKET_OR_RETURN(s, fd);
	n = min(n, MESSAGES_MAX);
	for (done = 0; done < n; done++) {
		r = send_message(s, &user[done].hdr, flags);
		if (r >= 0 && put_user(&user[done].len, (uint32_t)r))
			r = -EFAULT;
		if (r < 0)
			break;
	}
	return done ? (long)done : r;
}

/* As in Linux, the time-out is looked at between messages only. */
static long recv_messages(struct socket *s, struct mmsghdr64 *user, unsigned n,
    unsigned flags, uint64_t deadline)
{
	unsigned done = 0;
	ssize_t r = 0;

	while (done < n) {
		r = recv_message(
		    s, &user[done].hdr, flags & ~(unsigned)MSG_WAITFORONE);
		if (r >= 0 && put_user(&user[done].len, (uint32_t)r))
			r = -EFAULT;
		if (r < 0)
			break;
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (deadline != DEADLINE_NEVER && clock_monotonic() >= deadline)
			break;
	}
	return done ? (long)done : r;
}

long kcall_recvmmsg(int fd, struct mmsghdr64 *user, unsigned n, unsigned flags,
    struct __kernel_timespec *ts)
{
	uint64_t deadline = DEADLINE_NEVER, ns, now;
	long r;

	if (ts) {
		r = timespec_import(ts, &ns);
		if (r)
			return r;
		deadline = deadline_after(ns);
	}
	SOCKET_OR_RETURN(s, fd);
	r = recv_messages(s, user, min(n, MESSAGES_MAX), flags, deadline);
	if (r > 0 && ts) {
		now = clock_monotonic();
		ns = deadline > now ? deadline - now : 0;
		if (put_user(ts, timespec_of(ns)))
			return -EFAULT;
	}
	return r;
}
