/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of IP, IPv6, TCP and UDP; see inet_option.h. */
#include "kernel/net/inet_option.h"
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/socket.h"
#include "kernel/net/socket_abi.h"

#define FLAG  INT32_MIN, INT32_MAX, true /* any value; kept as 0 or 1 */
#define ANY   INT32_MIN, INT32_MAX, false
#define NR    ARRAY_LEN(rows)
#define ONLY6 AF_INET6

static const struct row {
	int level, name, initial, least, most;
	bool flag;
	uint8_t family, type; /* 0: any */
} rows[] = {
    {IPPROTO_TCP, TCP_NODELAY, 0, FLAG, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_MAXSEG, 0, 0, 32767, false, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_CORK, 0, FLAG, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_KEEPIDLE, 7200, 1, 32767, false, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_KEEPINTVL, 75, 1, 32767, false, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_KEEPCNT, 9, 1, 127, false, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_SYNCNT, 6, 1, 127, false, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_LINGER2, 60, ANY, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT, 0, ANY, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_WINDOW_CLAMP, 0, ANY, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_QUICKACK, 1, FLAG, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, 0, 0, INT32_MAX, false, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_FASTOPEN, 0, 0, INT32_MAX, false, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0, 0, 1, false, 0, SOCK_STREAM},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, 0, ANY, 0, SOCK_STREAM},
    {IPPROTO_IP, IP_TOS, 0, ANY, 0, 0},
    {IPPROTO_IP, IP_TTL, 64, 1, 255, false, 0, 0},
    {IPPROTO_IP, IP_PKTINFO, 0, FLAG, 0, 0},
    {IPPROTO_IP, IP_MTU_DISCOVER, 1, 0, 5, false, 0, 0},
    {IPPROTO_IP, IP_RECVERR, 0, FLAG, 0, 0},
    {IPPROTO_IP, IP_RECVTTL, 0, FLAG, 0, SOCK_STREAM},
    {IPPROTO_IP, IP_RECVTOS, 0, FLAG, 0, SOCK_STREAM},
    {IPPROTO_IP, IP_FREEBIND, 0, FLAG, 0, 0},
    {IPPROTO_IP, IP_MINTTL, 0, 0, 255, false, 0, 0},
    {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0, FLAG, 0, 0},
    {IPPROTO_IP, IP_MULTICAST_TTL, 1, -1, 255, false, 0, SOCK_DGRAM},
    {IPPROTO_IP, IP_MULTICAST_LOOP, 1, FLAG, 0, 0},
    {IPPROTO_IPV6, IPV6_V6ONLY, 0, FLAG, ONLY6, 0},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, 64, -1, 255, false, ONLY6, 0},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1, -1, 255, false, ONLY6, SOCK_DGRAM},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1, 0, 1, false, ONLY6, 0},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, 1, 0, 5, false, ONLY6, 0},
    {IPPROTO_IPV6, IPV6_RECVERR, 0, FLAG, ONLY6, 0},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO, 0, FLAG, ONLY6, 0},
    {IPPROTO_IPV6, IPV6_TCLASS, 0, -1, 255, false, ONLY6, 0},
    {IPPROTO_IPV6, IPV6_DONTFRAG, 0, FLAG, ONLY6, 0},
    {IPPROTO_IPV6, IPV6_FREEBIND, 0, FLAG, ONLY6, 0},
};

struct inet_values {
	int v[ARRAY_LEN(rows)];
};

static int find(const struct socket *s, int level, int name)
{
	for (unsigned i = 0; i < NR; i++)
		if (rows[i].level == level && rows[i].name == name &&
		    (!rows[i].family || rows[i].family == s->family) &&
		    (!rows[i].type || rows[i].type == s->type))
			return (int)i;
	return -ENOPROTOOPT;
}

int inet_option(const struct socket *s, int level, int name)
{
	int i = find(s, level, name);

	if (i < 0)
		return 0;
	return s->options ? s->options->v[i] : rows[i].initial;
}

struct inet_values *inet_values_copy(const struct inet_values *from)
{
	struct inet_values *v = kmalloc(sizeof(*v));

	if (v && from)
		memcpy(v, from, sizeof(*v));
	for (unsigned i = 0; v && !from && i < NR; i++)
		v->v[i] = rows[i].initial;
	return v;
}

/* What has a meaning that we can't give it; -ENOPROTOOPT for the others. */
static int refusal(int level, int name, int value)
{
	if (level == IPPROTO_IP && name == IP_TRANSPARENT)
		return value ? -EPERM : 0;
	if (level == IPPROTO_IPV6 && name == IPV6_TRANSPARENT)
		return value ? -EPERM : 0;
	if (level == IPPROTO_TCP && name == TCP_REPAIR)
		return -EPERM;
	return -ENOPROTOOPT;
}

static int check(const struct socket *s, const struct row *r, int *value)
{
	bool ttl = r->name == IP_TTL && r->level == IPPROTO_IP;

	if (*value == -1 && (ttl || r->least == -1)) {
		*value = r->initial; /* the default again */
		return 0;
	}
	if (r->flag)
		*value = *value != 0;
	if (r->level == IPPROTO_IPV6 && r->name == IPV6_V6ONLY && s->bound)
		return -EINVAL;
	if (r->level == IPPROTO_IP && r->name == IP_TOS)
		*value &= 0xff;
	return *value < r->least || *value > r->most ? -EINVAL : 0;
}

/* The first option that is set; two may be at the same time. */
static bool values_make(struct socket *s)
{
	struct inet_values *none = NULL, *v = inet_values_copy(NULL);

	if (v && !__atomic_compare_exchange_n(&s->options, &none, v, false,
		     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		kfree(v);
	return v != NULL;
}

int inet_option_set(struct socket *s, int level, int name, int value)
{
	int i = find(s, level, name), err;

	if (i < 0)
		return refusal(level, name, value);
	err = check(s, &rows[i], &value);
	if (err)
		return err;
	if (!s->options && !values_make(s))
		return -ENOMEM;
	s->options->v[i] = value;
	return 0;
}

int inet_option_get(struct socket *s, int level, int name, int *value)
{
	int i = find(s, level, name);

	*value = inet_option(s, level, name);
	if (level == IPPROTO_TCP && name == TCP_MAXSEG && i >= 0)
		*value = s->connected ? 32768 : 536;
	else if ((level == IPPROTO_IP && name == IP_MTU) ||
		 (level == IPPROTO_IPV6 && name == IPV6_MTU))
		*value = 65536; /* of lo */
	else if (level == IPPROTO_IP && name == IP_TRANSPARENT)
		*value = 0;
	else
		return i < 0 ? i : 0;
	return level != IPPROTO_TCP && name == IP_MTU && !s->connected
		   ? -ENOTCONN
		   : 0;
}

static bool names_algorithm(const char *v, uint32_t len, const char *name)
{
	size_t n = strlen(name);

	return len >= n && !memcmp(v, name, n) && (len == n || !v[n]);
}

/* Nobody is near who could be joined as a group. */
static int membership(const struct socket *s, int level, int name)
{
	if (s->type == SOCK_STREAM)
		return level == IPPROTO_IP ? -EPROTO : -ENOPROTOOPT;
	if (level == IPPROTO_IP)
		return name == IP_ADD_MEMBERSHIP ? -ENODEV : -EADDRNOTAVAIL;
	return name == IPV6_ADD_MEMBERSHIP ? -ENODEV : -EADDRNOTAVAIL;
}

int inet_blob_set(
    struct socket *s, int level, int name, const void *v, uint32_t len)
{
	if (level == IPPROTO_TCP && s->type == SOCK_STREAM) {
		if (name == TCP_CONGESTION)
			return names_algorithm(v, len, "cubic") ||
				       names_algorithm(v, len, "reno")
				   ? 0
				   : -ENOENT;
		if (name == TCP_ULP)
			return -ENOENT;
	}
	if ((level == IPPROTO_IP &&
		(name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP)) ||
	    (level == IPPROTO_IPV6 &&
		(name == IPV6_ADD_MEMBERSHIP || name == IPV6_DROP_MEMBERSHIP)))
		return membership(s, level, name);
	return -ENOPROTOOPT;
}

int inet_blob_get(struct socket *s, int level, int name, void *v, uint32_t *len)
{
	struct tcp_info *info = v;

	if (level != IPPROTO_TCP || s->type != SOCK_STREAM)
		return -ENOPROTOOPT;
	memset(v, 0, INET_BLOB_MAX);
	if (name == TCP_CONGESTION) {
		memcpy(v, "cubic", 6);
		*len = 16;
		return 0;
	}
	if (name != TCP_INFO)
		return -ENOPROTOOPT;
	/* The state alone: 1 established, 2 connecting, 7 closed, 10 listens */
	info->tcpi_state = s->listening    ? 10
			   : s->connected  ? 1
			   : s->connecting ? 2
					   : 7;
	info->tcpi_snd_mss = info->tcpi_rcv_mss = info->tcpi_advmss = 32768;
	info->tcpi_pmtu = 65536;
	*len = min((uint32_t)sizeof(*info), INET_BLOB_MAX);
	return 0;
}
