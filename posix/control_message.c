/* SPDX-License-Identifier: BSD-2-Clause */
/* Ancillary data of sockets, cmsg(3): open files, credentials, addresses. */
#include <asm/socket.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ipv6.h>
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/inet_option.h"
#include "kernel/net/interface.h"
#include "kernel/net/socket_abi.h"
#include "kernel/sched/creds.h"
#include "kernel/sched/process.h"
#include "posix/calls.h"
#include "posix/socket.h"

#define CONTROL_MAX 20480u /* about Linux's net.core.optmem_max */

struct cmsghdr64 {
	size_t len;
	int32_t level, type;
};

static size_t aligned(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static int rights_import(struct socket_msg *m, const int *fd, size_t n)
{
	unsigned had = m->rights ? m->rights->nr : 0;
	struct rights *r;

	if (had + n > SCM_RIGHTS_MAX)
		return -EINVAL;
	r = rights_alloc(had + (unsigned)n);
	if (!r)
		return -ENOMEM;
	if (had) {
		memcpy(r->file, m->rights->file, had * sizeof(r->file[0]));
		kfree(m->rights);
	}
	m->rights = r;
	for (size_t i = 0; i < n; i++) {
		r->file[had + i] = fd_get(fd[i]);
		if (!r->file[had + i])
			return -EBADF;
	}
	return 0;
}

static int cred_import(struct socket_msg *m, const struct sock_cred *c)
{
	if (c->pid != socket_cred.pid && !creds_capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (c->pid != socket_cred.pid && c->pid != PROCESS_INIT)
		return -ESRCH;
	if ((c->uid != socket_cred.uid && !creds_capable(CAP_SETUID)) ||
	    (c->gid != socket_cred.gid && !creds_capable(CAP_SETGID)))
		return -EPERM;
	m->cred = *c;
	return 0;
}

static int one_import(
    struct socket *s, struct socket_msg *m, const struct cmsghdr64 *c)
{
	size_t n = c->len - sizeof(*c);

	if (c->level != SOL_SOCKET)
		return 0;
	if (c->type != SCM_RIGHTS && c->type != SCM_CREDENTIALS)
		return -EINVAL;
	if (s->family != AF_UNIX)
		return 0; /* ignored, as in Linux */
	if (c->type == SCM_RIGHTS)
		return n / sizeof(int)
			   ? rights_import(m, (const int *)(c + 1), n / 4)
			   : 0;
	if (n != sizeof(struct sock_cred))
		return -EINVAL;
	return cred_import(m, (const struct sock_cred *)(c + 1));
}

int socket_control_import(
    struct socket *s, const struct msghdr64 *h, struct socket_msg *m)
{
	size_t at = 0, n = h->controllen;
	char *buf;
	int err;

	if (n > CONTROL_MAX)
		return -ENOBUFS;
	buf = kmalloc(n);
	if (!buf)
		return -ENOBUFS;
	err = copy_in(buf, h->control, n);
	while (!err && n - at >= sizeof(struct cmsghdr64)) {
		const struct cmsghdr64 *c = (const void *)(buf + at);
		if (c->len < sizeof(*c) || c->len > n - at) {
			err = -EINVAL;
			break;
		}
		err = one_import(s, m, c);
		if (aligned(c->len) >= n - at)
			break;
		at += aligned(c->len);
	}
	kfree(buf);
	return err;
}

/* One control message; what does not fit is cut. */
static void give(struct msghdr64 *h, struct socket_msg *m, int level, int type,
    const void *data, size_t size)
{
	struct cmsghdr64 c = {sizeof(c) + size, level, type};

	if (!h->control || h->controllen < sizeof(c)) {
		m->out |= MSG_CTRUNC;
		return;
	}
	if (h->controllen < c.len) {
		m->out |= MSG_CTRUNC;
		c.len = h->controllen;
	}
	if (copy_out(h->control, &c, sizeof(c)) ||
	    copy_out((char *)h->control + sizeof(c), data, c.len - sizeof(c)))
		return;
	size = min(aligned(c.len), h->controllen);
	h->control = (char *)h->control + size;
	h->controllen -= size;
}

/* As many of the files as there is space and descriptors for. */
static void rights_export(struct msghdr64 *h, struct socket_msg *m)
{
	struct rights *r = m->rights;
	int fd[SCM_RIGHTS_MAX];
	unsigned room = 0, n = 0;

	if (h->control && h->controllen > sizeof(struct cmsghdr64))
		room = (unsigned)min(
		    (h->controllen - sizeof(struct cmsghdr64)) / sizeof(int),
		    (size_t)SCM_RIGHTS_MAX);
	for (; n < r->nr && n < room; n++) {
		fd[n] = fd_install(r->file[n], 0, m->flags & MSG_CMSG_CLOEXEC);
		if (fd[n] < 0)
			break;
		r->file[n] = NULL;
	}
	if (n)
		give(h, m, SOL_SOCKET, SCM_RIGHTS, fd, n * sizeof(int));
	if (n < r->nr)
		m->out |= MSG_CTRUNC;
}

/* Where a datagram was sent to; all come over lo. */
static void pktinfo_export(
    struct socket *s, struct msghdr64 *h, struct socket_msg *m)
{
	const struct sockaddr_in *v4 = (const void *)m->dest.bytes;
	const struct sockaddr_in6 *v6 = (const void *)m->dest.bytes;
	struct in_pktinfo info4 = {.ipi_ifindex = LO_INDEX};
	struct in6_pktinfo info6 = {.ipi6_ifindex = LO_INDEX};

	if (s->family == AF_INET && inet_option(s, IPPROTO_IP, IP_PKTINFO)) {
		info4.ipi_addr = info4.ipi_spec_dst = v4->sin_addr;
		give(h, m, IPPROTO_IP, IP_PKTINFO, &info4, sizeof(info4));
	}
	if (s->family == AF_INET6 &&
	    inet_option(s, IPPROTO_IPV6, IPV6_RECVPKTINFO)) {
		info6.ipi6_addr = v6->sin6_addr;
		give(h, m, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
	}
}

void socket_control_export(
    struct socket *s, struct msghdr64 *h, struct socket_msg *m)
{
	if (s->family == AF_UNIX && s->flags & SOCKET_FLAG(SO_PASSCRED))
		give(h, m, SOL_SOCKET, SCM_CREDENTIALS, &m->cred,
		    sizeof(m->cred));
	if (m->rights)
		rights_export(h, m);
	if (m->dest.len)
		pktinfo_export(s, h, m);
}
