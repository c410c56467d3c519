/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket options.  Those of TCP that only tune a network that is not there
 * are remembered and given back; what would promise something false is
 * refused.
 */
#include <asm/socket.h>
#include "kernel/lib/string.h"
#include "kernel/net/inet_option.h"
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

/* What tunes a machine that is not there: kept and given back. */
static const struct kept {
	int name, least, most;
} kept[SOCKET_KEPT] = {
    {SO_PRIORITY, 0, INT32_MAX},
    {SO_MARK, INT32_MIN, INT32_MAX},
    {SO_INCOMING_CPU, INT32_MIN, INT32_MAX},
    {SO_BUSY_POLL, 0, INT32_MAX},
    {SO_NO_CHECK, INT32_MIN, INT32_MAX},
    {SO_MAX_PACING_RATE, INT32_MIN, INT32_MAX},
};

static int kept_index(int name)
{
	for (unsigned i = 0; i < SOCKET_KEPT; i++)
		if (kept[i].name == name)
			return (int)i;
	return -ENOPROTOOPT;
}

static int set_kept(struct socket *s, int name, int v)
{
	int i = kept_index(name);

	if (i < 0)
		return i;
	if (v < kept[i].least || v > kept[i].most)
		return -EINVAL;
	s->kept[i] = name == SO_NO_CHECK ? v != 0 : v;
	return 0;
}

/* There is lo. */
static int set_device(struct socket *s, const void *user, uint32_t len)
{
	char name[16] = "";

	if (copy_in(name, user, min(len, (uint32_t)sizeof(name) - 1)))
		return -EFAULT;
	if (name[0] && strcmp(name, "lo"))
		return -ENODEV;
	s->lo_only = name[0] != 0;
	return 0;
}

static bool is_flag(int name)
{
	switch (name) {
	case SO_DEBUG:
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
	case SO_RCVTIMEO_NEW:
		return set_timeout(&s->recv_timeout, user, len);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return set_timeout(&s->send_timeout, user, len);
	case SO_LINGER:
		return set_linger(s, user, len);
	case SO_BINDTODEVICE:
		return set_device(s, user, len);
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
	case SO_RCVBUFFORCE:
		s->recv_buffer =
		    min(max((uint32_t)v * 2, BUFFER_FLOOR), BUFFER_CEIL);
		if (s->stream && stream_is_vsock(s->stream))
			vsock_set_buffer(
			    vsock_of(s->stream), s->recv_buffer / 2);
		return 0;
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		s->send_buffer =
		    min(max((uint32_t)v * 2, BUFFER_FLOOR * 2), BUFFER_CEIL);
		return 0;
	case SO_RCVLOWAT: /* nothing else is done */
		return v == 0 || v == 1 ? 0 : -ENOPROTOOPT;
	}
	return set_kept(s, name, v);
}

/* Those that are structures or strings, and may have any length. */
static int set_blob(
    struct socket *s, int level, int name, const void *user, uint32_t len)
{
	uint8_t v[INET_BLOB_MAX];

	if (s->family != AF_INET && s->family != AF_INET6)
		return -ENOPROTOOPT;
	if (copy_in(v, user, min(len, INET_BLOB_MAX)))
		return -EFAULT;
	return inet_blob_set(s, level, name, v, min(len, INET_BLOB_MAX));
}

int socket_setopt(
    struct socket *s, int level, int name, const void *user, uint32_t len)
{
	int v = 0, err;

	if (level == SOL_SOCKET)
		return set_socket_level(s, name, user, len);
	err = set_blob(s, level, name, user, len);
	if (err != -ENOPROTOOPT)
		return err;
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

static int get_kept(struct socket *s, int name, int *v)
{
	int i = kept_index(name);

	if (i < 0)
		return i;
	*v = name == SO_INCOMING_CPU ? 0 : s->kept[i];
	return 0;
}

static int get_socket_level(struct socket *s, int name, int *v)
{
	if (is_flag(name)) {
		*v = (int)(s->flags >> name & 1);
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
	return get_kept(s, name, v);
}

static int give_blob(
    struct socket *s, int level, int name, void *user, uint32_t *user_len)
{
	uint8_t v[INET_BLOB_MAX];
	uint32_t len;
	int err;

	if (s->family != AF_INET && s->family != AF_INET6)
		return -ENOPROTOOPT;
	err = inet_blob_get(s, level, name, v, &len);
	return err ? err : give(user, user_len, v, len);
}

/* Options of the socket level that are no int; -ENOPROTOOPT: others. */
static int give_special(
    struct socket *s, int name, void *user, uint32_t *user_len)
{
	int linger[2] = {s->linger_on, s->linger_seconds};

	switch (name) {
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return give_timeout(s->recv_timeout, user, user_len);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return give_timeout(s->send_timeout, user, user_len);
	case SO_LINGER:
		return give(user, user_len, linger, sizeof(linger));
	case SO_PEERCRED:
		return give(
		    user, user_len, &s->peer_cred, sizeof(s->peer_cred));
	case SO_BINDTODEVICE:
		return give(user, user_len, "lo", s->lo_only ? 3 : 0);
	case SO_COOKIE:
		return give(user, user_len, &s->cookie, sizeof(s->cookie));
	}
	return -ENOPROTOOPT;
}

int socket_getopt(
    struct socket *s, int level, int name, void *user, uint32_t *user_len)
{
	int v = 0, err;

	err = level == SOL_SOCKET ? give_special(s, name, user, user_len)
				  : give_blob(s, level, name, user, user_len);
	if (err != -ENOPROTOOPT)
		return err;
	err = level == SOL_SOCKET ? get_socket_level(s, name, &v)
				  : s->ops->getsockopt(s, level, name, &v);
	return err ? err : give(user, user_len, &v, sizeof(v));
}
