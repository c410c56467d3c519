/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket options.  Those of TCP that only tune a network that is not there
 * are remembered and given back; what would promise something false is
 * refused.
 */
#include <asm/socket.h>
#include <linux/tcp.h>
#include "kernel/lib/string.h"
#include "kernel/net/socket.h"
#include "kernel/net/socket_abi.h"
#include "kernel/net/vsock.h"

#define BUFFER_FLOOR 2304u
#define BUFFER_CEIL  425984u

struct timeval64 {
	int64_t sec, usec;
};

static int set_timeout(uint64_t *ns, const void *user, uint32_t len)
{
	struct timeval64 tv;

	if (len < sizeof(tv))
		return -EINVAL;
	if (copy_in(&tv, user, sizeof(tv)))
		return -EFAULT;
	if (tv.usec < 0 || tv.usec >= 1000000)
		return -EDOM;
	if (tv.sec < 0 || tv.sec > INT32_MAX)
		*ns = 0;
	else
		*ns =
		    (uint64_t)tv.sec * NSEC_PER_SEC + (uint64_t)tv.usec * 1000;
	return 0;
}

static int set_linger(struct socket *s, const void *user, uint32_t len)
{
	struct {
		int on, seconds;
	} l;

	if (len < sizeof(l))
		return -EINVAL;
	if (copy_in(&l, user, sizeof(l)))
		return -EFAULT;
	s->linger_on = l.on != 0;
	s->linger_seconds = l.seconds;
	s->linger_reset = l.on && l.seconds == 0;
	return 0;
}

static bool is_flag(int name)
{
	switch (name) {
	case SO_REUSEADDR:
	case SO_KEEPALIVE:
	case SO_BROADCAST:
	case SO_DONTROUTE:
	case SO_OOBINLINE:
	case SO_REUSEPORT:
	case SO_PASSCRED:
		return true;
	}
	return false;
}

static int set_socket_level(
    struct socket *s, int name, const void *user, uint32_t len)
{
	int v;

	switch (name) {
	case SO_RCVTIMEO_OLD:
		return set_timeout(&s->recv_timeout, user, len);
	case SO_SNDTIMEO_OLD:
		return set_timeout(&s->send_timeout, user, len);
	case SO_LINGER:
		return set_linger(s, user, len);
	}
	if (len < sizeof(v))
		return -EINVAL;
	if (copy_in(&v, user, sizeof(v)))
		return -EFAULT;
	if (is_flag(name)) {
		s->flags = v ? s->flags | 1u << name : s->flags & ~(1u << name);
		return 0;
	}
	switch (name) {
	case SO_RCVBUF:
		s->recv_buffer =
		    min(max((uint32_t)v * 2, BUFFER_FLOOR), BUFFER_CEIL);
		if (s->stream && stream_is_vsock(s->stream))
			vsock_set_buffer(
			    vsock_of(s->stream), s->recv_buffer / 2);
		return 0;
	case SO_SNDBUF:
		s->send_buffer =
		    min(max((uint32_t)v * 2, BUFFER_FLOOR * 2), BUFFER_CEIL);
		return 0;
	case SO_PRIORITY:
		return v >= 0 && v <= 6 ? 0 : -EPERM;
	}
	return -ENOPROTOOPT;
}

int socket_setopt(
    struct socket *s, int level, int name, const void *user, uint32_t len)
{
	int v = 0;

	if (level == SOL_SOCKET)
		return set_socket_level(s, name, user, len);
	if (len < 1)
		return -EINVAL;
	if (copy_in(&v, user, min(len, (uint32_t)sizeof(v))))
		return -EFAULT;
	return s->ops->setsockopt(s, level, name, v);
}

static int give(void *user, uint32_t *user_len, const void *v, uint32_t size)
{
	uint32_t len;

	if (get_user(len, user_len))
		return -EFAULT;
	if ((int32_t)len < 0)
		return -EINVAL;
	len = min(len, size);
	if (copy_out(user, v, len) || put_user(user_len, len))
		return -EFAULT;
	return 0;
}

static int socket_error(struct socket *s)
{
	int err;

	if (s->ops->is_connecting(s))
		return 0;
	err = s->ops->connect_result(s);
	if (s->connecting) {
		s->connecting = false;
		s->connected = err == 0;
	}
	return err;
}

static int give_timeout(uint64_t ns, void *user, uint32_t *user_len)
{
	struct timeval64 tv = {
	    (int64_t)(ns / NSEC_PER_SEC), (int64_t)(ns % NSEC_PER_SEC / 1000)};

	return give(user, user_len, &tv, sizeof(tv));
}

static int get_socket_level(struct socket *s, int name, int *v)
{
	if (is_flag(name)) {
		*v = s->flags >> name & 1;
		return 0;
	}
	switch (name) {
	case SO_ERROR:
		*v = socket_error(s);
		return 0;
	case SO_TYPE:
		*v = s->type;
		return 0;
	case SO_DOMAIN:
		*v = s->family;
		return 0;
	case SO_PROTOCOL:
		*v = s->protocol;
		return 0;
	case SO_ACCEPTCONN:
		*v = s->listening;
		return 0;
	case SO_RCVBUF:
		*v = (int)s->recv_buffer;
		return 0;
	case SO_SNDBUF:
		*v = (int)s->send_buffer;
		return 0;
	case SO_RCVLOWAT:
	case SO_SNDLOWAT:
		*v = 1;
		return 0;
	}
	return -ENOPROTOOPT;
}

int socket_getopt(
    struct socket *s, int level, int name, void *user, uint32_t *user_len)
{
	int v = 0, err;

	if (level == SOL_SOCKET && name == SO_RCVTIMEO_OLD)
		return give_timeout(s->recv_timeout, user, user_len);
	if (level == SOL_SOCKET && name == SO_SNDTIMEO_OLD)
		return give_timeout(s->send_timeout, user, user_len);
	if (level == SOL_SOCKET && name == SO_LINGER) {
		int l[2] = {s->linger_on, s->linger_seconds};
		return give(user, user_len, l, sizeof(l));
	}
	if (level == SOL_SOCKET && name == SO_PEERCRED)
		return give(
		    user, user_len, &s->peer_cred, sizeof(s->peer_cred));
	err = level == SOL_SOCKET ? get_socket_level(s, name, &v)
				  : s->ops->getsockopt(s, level, name, &v);
	return err ? err : give(user, user_len, &v, sizeof(v));
}
