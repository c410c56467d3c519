/* SPDX-License-Identifier: BSD-2-Clause */
/* What the socket calls share: descriptors and addresses of the program. */
#ifndef TORIL_POSIX_SOCKET_H
#define TORIL_POSIX_SOCKET_H

#include "kernel/fs/file.h"
#include "kernel/net/socket.h"

/* The socket behind a descriptor, with a reference to its file for as long as
 * this is in scope. */
struct socket_ref {
	struct file *f;
	struct socket *s;
};

static inline struct socket_ref socket_get(int fd)
{
	struct file *f = fd_get(fd);

	return (struct socket_ref){f, f ? socket_of(f) : NULL};
}

static inline void socket_put(struct socket_ref *ref)
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

/* Bring an address in: -EINVAL (length), -EFAULT. */
int socket_addr_import(const void *user, uint32_t len, struct sock_addr *a);

/* Give one out, cut to *user_len, which becomes its whole length.  Nothing
 * where user is NULL.  -EFAULT, -EINVAL (length). */
int socket_addr_export(
    const struct sock_addr *a, void *user, uint32_t *user_len);

/* Linux's struct msghdr. */
struct msghdr64 {
	void *name;
	uint32_t namelen, pad1;
	struct iovec *iov;
	size_t iovlen;
	void *control;
	size_t controllen;
	uint32_t flags, pad2;
};

/* Ancillary data.  Import fills m's rights and credentials: -EINVAL, -EBADF,
 * -EPERM, -ENOBUFS, -EFAULT.  Export writes what m has and socket s wants
 * told to h->control, advances that, and sets MSG_CTRUNC in m->out where it
 * does not fit; rights are gone afterwards. */
int socket_control_import(
    struct socket *s, const struct msghdr64 *h, struct socket_msg *m);
void socket_control_export(
    struct socket *s, struct msghdr64 *h, struct socket_msg *m);

#endif
