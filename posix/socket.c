/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket calls. */
#include <linux/fcntl.h>
#include "kernel/fs/file.h"
#include "kernel/lib/string.h"
#include "kernel/net/inet.h"
#include "kernel/net/netlink.h"
#include "kernel/net/socket.h"
#include "kernel/net/socket_abi.h"
#include "kernel/net/unix.h"
#include "kernel/net/vsock_socket.h"
#include "posix/calls.h"
#include "posix/fs.h"
#include "posix/socket.h"

int socket_addr_import(const void *user, uint32_t len, struct sock_addr *a)
{
	if ((int32_t)len < 0 || len > SOCKADDR_MAX)
		return -EINVAL;
	memset(a, 0, sizeof(*a));
	a->len = len;
	return copy_in(a->bytes, user, len);
}

int socket_addr_export(
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
	case AF_UNIX:
		return unix_socket(s);
	case AF_NETLINK:
		return netlink_socket(s);
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
	err = unix_pair(type & SOCK_TYPE_MASK, protocol,
	    type & SOCK_NONBLOCK ? O_NONBLOCK : 0, f);
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

/* The name in the file system first, then the socket's. */
static int bind_path(
    struct socket *s, const struct sock_addr *a, const char *path)
{
	struct inode *i;
	int err;

	if (s->bound)
		return -EINVAL;
	err = fs_make_socket(path, &i);
	if (err)
		return err == -EEXIST ? -EADDRINUSE : err;
	err = unix_bind_inode(s, a, i);
	if (err)
		inode_put(i);
	return err;
}

long kcall_bind(int fd, const void *user, uint32_t len)
{
	char path[UNIX_PATH_MAX + 1];
	struct sock_addr a;
	int err;

	SOCKET_OR_RETURN(s, fd);
	err = socket_addr_import(user, len, &a);
	if (err)
		return err;
	MUTEX_GUARD(&s->lock);
	if (s->family == AF_UNIX && unix_path(&a, path))
		return bind_path(s, &a, path);
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
	int new;

	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	SOCKET_OR_RETURN(s, fd);
	/* first: without a descriptor the connection stays in the queue */
	new = fd_reserve();
	if (new < 0)
		return new;
	r = socket_accept(s, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0, &peer, &n);
	if (r) {
		fd_unreserve(new);
		return r;
	}
	r = socket_addr_export(&peer, user, user_len);
	if (!r) {
		fd_fill(new, n, flags & SOCK_CLOEXEC);
		return new;
	}
	fd_unreserve(new);
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
	err = socket_addr_import(user, len, &a);
	return err ? err : s->ops->connect(s, &a);
}

static long name(int fd, void *user, uint32_t *user_len, bool peer)
{
	SOCKET_OR_RETURN(s, fd);
	if (peer && !s->connected)
		return -ENOTCONN;
	return socket_addr_export(peer ? &s->peer : &s->local, user, user_len);
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
