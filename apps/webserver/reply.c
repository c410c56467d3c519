/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending; see reply.h.  What is in memory goes out together with the text
 * before it in one call, the rest by sendfile.
 */
#include "apps/webserver/reply.h"
#include "apps/webserver/cache.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#define SEND_MAX  (256 * 1024)  /* per call */
#define SHARE_MAX (1024 * 1024) /* per turn: others wait, too */

size_t reply_text_left(const struct reply *reply)
{
	size_t left = 0;

	for (unsigned i = reply->current; i < reply->segments; i++)
		left += reply->segment[i].text;
	return left;
}

uint64_t reply_body_sent(const struct reply *reply)
{
	return reply->sent > reply->head ? reply->sent - reply->head : 0;
}

static ssize_t send_memory(struct reply *reply, struct segment *s, int fd)
{
	const char *content = reply->file ? reply->file->content : NULL;
	struct iovec iov[2] = {{(char *)reply->text, s->text}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 1};
	int flags = MSG_NOSIGNAL;

	if (s->len && content)
		iov[msg.msg_iovlen++] =
		    (struct iovec){(char *)content + s->offset, s->len};
	if ((s->len && !content) || reply->current + 1 < reply->segments)
		flags |= MSG_MORE;
	return sendmsg(fd, &msg, flags);
}

static ssize_t send_file(struct reply *reply, struct segment *s, int fd)
{
	off_t offset = (off_t)s->offset;
	size_t len = s->len < SEND_MAX ? s->len : SEND_MAX;
	ssize_t n = sendfile(fd, reply->file->fd, &offset, len);

	if (n == 0)
		errno = EPIPE;
	return n == 0 ? -1 : n;
}

static void advance(struct reply *reply, struct segment *s, size_t n)
{
	size_t text = n < s->text ? n : s->text;

	reply->sent += n;
	reply->text += text;
	s->text -= text;
	s->offset += n - text;
	s->len -= n - text;
}

int reply_send(struct reply *reply, int fd)
{
	uint64_t stop = reply->sent + SHARE_MAX;

	while (reply->current < reply->segments) {
		struct segment *s = &reply->segment[reply->current];
		ssize_t n;

		if (!s->text && !s->len) {
			reply->current++;
			continue;
		}
		if (reply->sent >= stop)
			return 0;
		n = s->text || reply->file->content ? send_memory(reply, s, fd)
						    : send_file(reply, s, fd);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		advance(reply, s, n);
	}
	return 1;
}
