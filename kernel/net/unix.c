/* SPDX-License-Identifier: BSD-2-Clause */
/* AF_UNIX stream pairs; see unix.h.  Both ends are unnamed. */
#include "kernel/net/unix.h"
#include "kernel/net/socket.h"
#include "kernel/net/socket_abi.h"

static int no_address(struct socket *s, const struct sock_addr *a)
{
	(void)s, (void)a;
	return -EOPNOTSUPP;
}

static int no_listen(struct socket *s)
{
	(void)s;
	return -EINVAL;
}

static int connect_result(struct socket *s)
{
	(void)s;
	return 0;
}

static bool is_connecting(struct socket *s)
{
	(void)s;
	return false;
}

static int no_setsockopt(struct socket *s, int level, int name, int v)
{
	(void)s, (void)level, (void)name, (void)v;
	return -EOPNOTSUPP;
}

static int no_getsockopt(struct socket *s, int level, int name, int *v)
{
	(void)s, (void)level, (void)name, (void)v;
	return -EOPNOTSUPP;
}

static void release(struct socket *s)
{
	(void)s;
}

static const struct socket_ops unix_ops = {
    .bind = no_address,
    .listen = no_listen,
    .unlisten = socket_no_unlisten,
    .connect = no_address,
    .connect_result = connect_result,
    .is_connecting = is_connecting,
    .setsockopt = no_setsockopt,
    .getsockopt = no_getsockopt,
    .release = release,
};

int unix_pair(unsigned flags, struct file *out[2])
{
	struct socket like = {
	    .ops = &unix_ops, .family = AF_UNIX, .type = SOCK_STREAM};
	struct stream *st[2];
	int err = local_pair(&st[0], &st[1]);

	if (err)
		return err;
	for (int i = 0; i < 2; i++) {
		out[i] = socket_from_stream(&like, st[i], flags);
		if (out[i]) {
			struct socket *s = socket_of(out[i]);
			s->local.len = s->peer.len = 2;
			s->local.family = s->peer.family = AF_UNIX;
			continue;
		}
		st[i]->ops->close(st[i]);
		if (i)
			file_put(out[0]);
		else
			st[1]->ops->close(st[1]);
		return -ENOBUFS;
	}
	return 0;
}
