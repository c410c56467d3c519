/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP over vsock for programs of the Linux guest that bench/ compares with:
 * it has no network device either.  These replace the functions of musl in
 * its static library, so that ordinary servers serve vsock unchanged.
 *
 * A listener on TCP port N is one on vsock port N.  There is no IPv6, and no
 * option of TCP costs a system call; vsock knows no SO_REUSEPORT.  That a
 * server listens is said on standard error, for whoever waits for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_vm vm;
	struct sockaddr_storage room;
};

int socket(int domain, int type, int protocol)
{
	if (domain == AF_INET6) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	if (domain == AF_INET && (type & 15) == SOCK_STREAM) {
		domain = AF_VSOCK;
		protocol = 0;
	}
	return (int)syscall(SYS_socket, domain, type, protocol);
}

static int is_vsock(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
	       domain == AF_VSOCK;
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	union address to = {
	    .vm = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY}};

	if (!is_vsock(fd) || addr->sa_family != AF_INET)
		return (int)syscall(SYS_bind, fd, addr, len);
	to.vm.svm_port = ntohs(((const struct sockaddr_in *)addr)->sin_port);
	return (int)syscall(SYS_bind, fd, &to, sizeof(to.vm));
}

/* `*len` bytes of room; what the kernel answered is in `from`. */
static void give_address(
    union address *from, socklen_t n, struct sockaddr *addr, socklen_t *len)
{
	unsigned port = from->vm.svm_port;

	if (!addr || !len)
		return;
	if (from->any.sa_family == AF_VSOCK) {
		memset(&from->in, 0, sizeof(from->in));
		from->in.sin_family = AF_INET;
		from->in.sin_port = htons((uint16_t)port);
		from->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		n = sizeof(from->in);
	}
	memcpy(addr, from, n < *len ? n : *len);
	*len = n;
}

int listen(int fd, int backlog)
{
	union address at;
	socklen_t len = sizeof(at);
	int ret = (int)syscall(SYS_listen, fd, backlog);

	if (!ret && !syscall(SYS_getsockname, fd, &at, &len) &&
	    at.any.sa_family == AF_VSOCK)
		dprintf(2, "listening on %u\n", at.vm.svm_port);
	return ret;
}

int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	union address from;
	socklen_t n = sizeof(from);
	int ret = (int)syscall(
	    SYS_accept4, fd, addr ? &from : NULL, addr ? &n : NULL, flags);

	if (ret >= 0)
		give_address(&from, n, addr, len);
	return ret;
}

int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	return accept4(fd, addr, len, 0);
}

int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	union address from;
	socklen_t n = sizeof(from);
	int ret = (int)syscall(SYS_getsockname, fd, &from, &n);

	if (!ret)
		give_address(&from, n, addr, len);
	return ret;
}

int getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	union address from;
	socklen_t n = sizeof(from);
	int ret = (int)syscall(SYS_getpeername, fd, &from, &n);

	if (!ret)
		give_address(&from, n, addr, len);
	return ret;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level == IPPROTO_TCP ||
	    (level == SOL_SOCKET && name == SO_REUSEPORT))
		return 0;
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}
