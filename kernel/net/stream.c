/* SPDX-License-Identifier: BSD-2-Clause */
/* What all streams share; see stream.h. */
#include "kernel/net/stream.h"
#include "kernel/fs/file.h"

void stream_init(struct stream *s, const struct stream_ops *ops)
{
	s->ops = ops;
	waitq_init(&s->wait);
	mutex_init(&s->send_lock);
	mutex_init(&s->recv_lock);
}

static ssize_t all(struct stream *s, void *buf, size_t n, bool send)
{
	struct iovec iov = {buf, n};
	struct iov_iter it;
	ssize_t r;

	iter_init(&it, &iov, 1, true);
	while (it.left) {
		r = send ? s->ops->send(s, &it) : s->ops->recv(s, &it, false);
		if (r == -EAGAIN)
			(void)wait_event(&s->wait,
			    s->ops->poll(s) & (send ? POLL_OUT : POLL_IN),
			    DEADLINE_NEVER, false);
		else if (r <= 0)
			return n - it.left ? (ssize_t)(n - it.left) : r;
	}
	return (ssize_t)n;
}

ssize_t stream_send_all(struct stream *s, const void *buf, size_t n)
{
	return all(s, (void *)(uintptr_t)buf, n, true);
}

ssize_t stream_recv_all(struct stream *s, void *buf, size_t n)
{
	return all(s, buf, n, false);
}
