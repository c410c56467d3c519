/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket calls. */
#include <linux/fcntl.h>
#include "kernel/fs/file.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/inet.h"
#include "kernel/net/socket.h"
#include "kernel/net/socket_abi.h"
#include "kernel/net/unix.h"
#include "kernel/net/vsock_socket.h"
#include "posix/calls.h"

struct msghdr64 {
	void *name;
	uint32_t namelen, pad1;
	struct iovec *iov;
	size_t iovlen;
	void *control;
	size_t controllen;
	uint32_t flags, pad2;
};

/* The socket behind a descriptor, with a reference to its file for as long as
 * this is in scope. */
struct socket_ref {
	struct file *f;
	struct socket *s;
};

static struct socket_ref socket_get(int fd)
{
	struct file *f = fd_get(fd);

	return (struct socket_ref){f, f ? socket_of(f) : NULL};
}

static void socket_put(struct socket_ref *ref)
{
	if (ref->f)
		file_put(ref->f);
}

#define SOCKET_OR_RETURN(s, fd)                                                \
	__attribute__((cleanup(socket_put))) struct socket_ref ref_ =          \
	    socket_get(fd);                                                    \
	struct socket *s = ref_.s;                                             \
	if (!s)                                                                \
	return ref_.f ? -ENOTSOCK : -EBADF

static int addr_import(const void *user, uint32_t len, struct sock_addr *a)
{
	if ((int32_t)len < 0 || len > SOCKADDR_MAX)
		return -EINVAL;
	memset(a, 0, sizeof(*a));
	a->len = len;
	return copy_in(a->bytes, user, len);
}

static int addr_export(
    const struct sock_addr *a, void *user, uint32_t *user_len)
{
	uint32_t len;

	if (!user)
		return 0;
	if (get_user(len, user_len))
		return -EFAULT;
	if ((int32_t)len < 0)
		return -EINVAL;
	if (copy_out(user, a->bytes, min(len, a->len)) ||
	    put_user(user_len, a->len))
		return -EFAULT;
	return 0;
}

static long install(struct file *f, bool cloexec)
{
	long fd = fd_install(f, 0, cloexec);

	if (fd < 0)
		file_put(f);
	return fd;
}

static int family_init(struct socket *s)
{
	switch (s->family) {
	case AF_INET:
	case AF_INET6:
		return inet_socket(s);
	case AF_VSOCK:
		return vsock_socket(s);
	}
	return -EAFNOSUPPORT;
}

long kcall_socket(int family, int type, int protocol)
{
	struct file *f;
	struct socket *s;
	int err;

	if (type & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	f = socket_create(family, type & SOCK_TYPE_MASK,
	    type & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	if (!f)
		return -ENOBUFS;
	s = socket_of(f);
	s->protocol = protocol;
	err = family_init(s);
	if (err) {
		s->ops = NULL;
		file_put(f);
		return err;
	}
	return install(f, type & SOCK_CLOEXEC);
}

long kcall_socketpair(int family, int type, int protocol, int *user)
{
	struct file *f[2];
	int fd[2], err;

	if (type & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	if (family != AF_UNIX)
		return family == AF_INET || family == AF_INET6 ? -EOPNOTSUPP
							       : -EAFNOSUPPORT;
	if ((type & SOCK_TYPE_MASK) != SOCK_STREAM)
		return -ESOCKTNOSUPPORT;
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	err = unix_pair(type & SOCK_NONBLOCK ? O_NONBLOCK : 0, f);
	if (err)
		return err;
	fd[0] = (int)install(f[0], type & SOCK_CLOEXEC);
	if (fd[0] < 0) {
		file_put(f[1]);
		return fd[0];
	}
	fd[1] = (int)install(f[1], type & SOCK_CLOEXEC);
	if (fd[1] < 0 || copy_out(user, fd, sizeof(fd))) {
		(void)fd_close(fd[0]);
		if (fd[1] < 0)
			return fd[1];
		(void)fd_close(fd[1]);
		return -EFAULT;
	}
	return 0;
}

long kcall_bind(int fd, const void *user, uint32_t len)
{
	struct sock_addr a;
	int err;

	SOCKET_OR_RETURN(s, fd);
	err = addr_import(user, len, &a);
	if (err)
		return err;
	MUTEX_GUARD(&s->lock);
	return s->ops->bind(s, &a);
}

long kcall_listen(int fd, int backlog)
{
	SOCKET_OR_RETURN(s, fd);
	return socket_listen(s, backlog);
}

long kcall_accept4(int fd, void *user, uint32_t *user_len, int flags)
{
	struct file *n;
	struct sock_addr peer;
	long r;

	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	SOCKET_OR_RETURN(s, fd);
	r = socket_accept(s, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0, &peer, &n);
	if (r)
		return r;
	r = addr_export(&peer, user, user_len);
	if (!r)
		return install(n, flags & SOCK_CLOEXEC);
	file_put(n);
	return r;
}

long kcall_accept(int fd, void *user, uint32_t *user_len)
{
	return kcall_accept4(fd, user, user_len, 0);
}

long kcall_connect(int fd, const void *user, uint32_t len)
{
	struct sock_addr a;
	int err;

	SOCKET_OR_RETURN(s, fd);
	err = addr_import(user, len, &a);
	return err ? err : socket_connect(s, &a);
}

static long name(int fd, void *user, uint32_t *user_len, bool peer)
{
	SOCKET_OR_RETURN(s, fd);
	if (peer && !s->connected)
		return -ENOTCONN;
	return addr_export(peer ? &s->peer : &s->local, user, user_len);
}

long kcall_getsockname(int fd, void *user, uint32_t *user_len)
{
	return name(fd, user, user_len, false);
}

long kcall_getpeername(int fd, void *user, uint32_t *user_len)
{
	return name(fd, user, user_len, true);
}

long kcall_shutdown(int fd, int how)
{
	SOCKET_OR_RETURN(s, fd);
	return socket_shutdown(s, how);
}

long kcall_setsockopt(
    int fd, int level, int opt, const void *user, uint32_t len)
{
	SOCKET_OR_RETURN(s, fd);
	return socket_setopt(s, level, opt, user, len);
}

long kcall_getsockopt(
    int fd, int level, int opt, void *user, uint32_t *user_len)
{
	SOCKET_OR_RETURN(s, fd);
	return socket_getopt(s, level, opt, user, user_len);
}

/* A destination on a connected stream is ignored, as Linux does for TCP
 * unless it is no longer connected. */
long kcall_sendto(int fd, const void *buf, size_t n, int flags,
    const void *addr, uint32_t len)
{
	struct iovec iov = {(void *)(uintptr_t)buf, min(n, (size_t)RW_MAX)};
	struct iov_iter it;

	(void)addr, (void)len;
	SOCKET_OR_RETURN(s, fd);
	iter_init(&it, &iov, 1, false);
	return socket_send(s, &it, (unsigned)flags);
}

long kcall_recvfrom(
    int fd, void *buf, size_t n, int flags, void *addr, uint32_t *user_len)
{
	struct iovec iov = {buf, min(n, (size_t)RW_MAX)};
	struct iov_iter it;
	ssize_t r;

	SOCKET_OR_RETURN(s, fd);
	iter_init(&it, &iov, 1, false);
	r = socket_recv(s, &it, (unsigned)flags);
	/* A stream has no sender to name: the length becomes 0. */
	if (r >= 0 && addr && user_len && put_user(user_len, 0))
		return -EFAULT;
	return r;
}

static ssize_t message(
    struct socket *s, struct msghdr64 *m, unsigned flags, bool send)
{
	struct iovec fast[8], *heap;
	struct iov_iter it;
	ssize_t r;

	if (m->iovlen > IOV_MAX)
		return -EMSGSIZE;
	if (send && m->control && m->controllen)
		return -EOPNOTSUPP; /* no ancillary data yet */
	r = iovec_import(m->iov, m->iovlen, fast, &heap, &it);
	if (r)
		return r;
	r = send ? socket_send(s, &it, flags) : socket_recv(s, &it, flags);
	kfree(heap);
	return r;
}

static ssize_t message_of_user(
    struct socket *s, struct msghdr64 *user, unsigned flags, bool send)
{
	struct msghdr64 m;
	ssize_t r;

	if (copy_in(&m, user, sizeof(m)))
		return -EFAULT;
	r = message(s, &m, flags, send);
	if (r < 0 || send)
		return r;
	if (put_user(&user->namelen, 0) || put_user(&user->controllen, 0) ||
	    put_user(&user->flags, 0))
		return -EFAULT;
	return r;
}

static long message_call(
    int fd, struct msghdr64 *user, unsigned flags, bool send)
{
	SOCKET_OR_RETURN(s, fd);
	return message_of_user(s, user, flags, send);
}

long kcall_sendmsg(int fd, struct msghdr64 *user, unsigned flags)
{
	return message_call(fd, user, flags, true);
}

long kcall_recvmsg(int fd, struct msghdr64 *user, unsigned flags)
{
	return message_call(fd, user, flags, false);
}
