/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AF_NETLINK sockets with NETLINK_ROUTE, rtnetlink(7): enough for
 * getifaddrs(3), if_nameindex(3) and programs that list routes.
 *
 * A request is answered within the call that sends it: there is lo with its
 * two addresses, and no route.  Nothing ever changes, so groups can be joined
 * and stay silent; what would change something is EPERM.  The C library also
 * uses such a socket to hear from a message queue (netlink_tell).
 */
#include "kernel/net/netlink.h"
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include "kernel/fs/file.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/interface.h"
#include "kernel/net/packet.h"
#include "kernel/net/socket_abi.h"

#define REQUEST_MAX 4096u
#define REPLY_MAX   1024u

struct netlink_sock {
	uint32_t port; /* its address; 0: none yet */
	struct packetq in;
};

/* Messages that are being put together. */
struct reply {
	size_t len;
	uint8_t text[REPLY_MAX];
};

static const struct socket_ops netlink_ops;

static struct netlink_sock *netlink_of(struct socket *s)
{
	return s->priv;
}

static void export(uint32_t port, struct sock_addr *a)
{
	struct sockaddr_nl *nl = (void *)a->bytes;

	memset(a, 0, sizeof(*a));
	a->len = sizeof(*nl);
	nl->nl_family = AF_NETLINK;
	nl->nl_pid = port;
}

/* The first one gets the process's number, as on Linux. */
static void assign_port(struct socket *s, uint32_t wish)
{
	static uint32_t next = 1; /* [a] */
	struct netlink_sock *n = netlink_of(s);

	if (!n->port)
		n->port = wish ? wish
			       : __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
	s->bound = true;
	export(n->port, &s->local);
}

static int import(const struct sock_addr *a, const struct sockaddr_nl **nl)
{
	*nl = (const void *)a->bytes;
	return a->len < sizeof(**nl) || a->family != AF_NETLINK ? -EINVAL : 0;
}

static int netlink_bind(struct socket *s, const struct sock_addr *a)
{
	const struct sockaddr_nl *nl;
	int err = import(a, &nl);

	if (err)
		return err;
	if (s->bound && nl->nl_pid && nl->nl_pid != netlink_of(s)->port)
		return -EINVAL;
	assign_port(s, nl->nl_pid);
	return 0;
}

static int netlink_connect(struct socket *s, const struct sock_addr *a)
{
	const struct sockaddr_nl *nl;
	int err = import(a, &nl);

	if (err)
		return err;
	if (nl->nl_pid)
		return -ECONNREFUSED; /* there is nobody but the kernel */
	assign_port(s, 0);
	s->connected = true;
	export(0, &s->peer);
	return 0;
}

static void queue(struct socket *s, const void *data, size_t n)
{
	struct netlink_sock *nl = netlink_of(s);
	struct packet *p;

	if (nl->in.charge + n > s->recv_buffer)
		return; /* nobody reads: dropped, as on Linux */
	p = packet_from_memory("", 0, data, n);
	if (!p)
		return;
	p->cred = (struct sock_cred){0, 0, 0}; /* the kernel */
	packetq_push(&nl->in, p);
	waitq_wake_all(&s->wait, POLL_IN);
}

static void *add(struct reply *r, const void *data, size_t n)
{
	uint8_t *at = r->text + r->len;

	memcpy(at, data, n);
	memset(at + n, 0, NLMSG_ALIGN(n) - n);
	r->len += NLMSG_ALIGN(n);
	return at;
}

static void add_attr(struct reply *r, unsigned type, const void *v, size_t n)
{
	struct rtattr a = {
	    .rta_len = (uint16_t)RTA_LENGTH(n), .rta_type = (uint16_t)type};

	add(r, &a, sizeof(a));
	add(r, v, n);
}

/* The beginning of a message; message_end sets its length. */
static struct nlmsghdr *message_start(struct reply *r, struct socket *s,
    const struct nlmsghdr *to, unsigned type, unsigned flags)
{
	struct nlmsghdr h = {.nlmsg_type = (uint16_t)type,
	    .nlmsg_flags = (uint16_t)flags,
	    .nlmsg_seq = to->nlmsg_seq,
	    .nlmsg_pid = netlink_of(s)->port};

	return add(r, &h, sizeof(h));
}

static void message_end(struct reply *r, struct nlmsghdr *h)
{
	h->nlmsg_len = (uint32_t)(r->text + r->len - (uint8_t *)h);
}

static void add_link(struct reply *r, struct socket *s,
    const struct nlmsghdr *to, unsigned flags)
{
	struct nlmsghdr *h = message_start(r, s, to, RTM_NEWLINK, flags);
	const struct ifinfomsg i = {.ifi_type = ARPHRD_LOOPBACK,
	    .ifi_index = LO_INDEX,
	    .ifi_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_LOWER_UP};
	const uint32_t queue_len = LO_TX_QUEUE, mtu = LO_MTU;
	const uint8_t none[6] = {0};

	add(r, &i, sizeof(i));
	add_attr(r, IFLA_IFNAME, LO_NAME, sizeof(LO_NAME));
	add_attr(r, IFLA_TXQLEN, &queue_len, sizeof(queue_len));
	add_attr(r, IFLA_MTU, &mtu, sizeof(mtu));
	add_attr(r, IFLA_ADDRESS, none, sizeof(none));
	add_attr(r, IFLA_BROADCAST, none, sizeof(none));
	message_end(r, h);
}

static void add_address(
    struct reply *r, struct socket *s, const struct nlmsghdr *to, bool v4)
{
	struct nlmsghdr *h = message_start(r, s, to, RTM_NEWADDR, NLM_F_MULTI);
	const struct ifaddrmsg i = {.ifa_family = v4 ? AF_INET : AF_INET6,
	    .ifa_prefixlen = v4 ? 8 : 128,
	    .ifa_flags = IFA_F_PERMANENT,
	    .ifa_scope = RT_SCOPE_HOST,
	    .ifa_index = LO_INDEX};
	const uint8_t a4[4] = {127, 0, 0, 1}, a6[16] = {[15] = 1};

	add(r, &i, sizeof(i));
	if (v4) {
		add_attr(r, IFA_ADDRESS, a4, sizeof(a4));
		add_attr(r, IFA_LOCAL, a4, sizeof(a4));
		add_attr(r, IFA_LABEL, LO_NAME, sizeof(LO_NAME));
	} else {
		add_attr(r, IFA_ADDRESS, a6, sizeof(a6));
	}
	message_end(r, h);
}

static void add_done(
    struct reply *r, struct socket *s, const struct nlmsghdr *to)
{
	struct nlmsghdr *h = message_start(r, s, to, NLMSG_DONE, NLM_F_MULTI);
	const int status = 0;

	add(r, &status, sizeof(status));
	message_end(r, h);
}

static void add_error(
    struct reply *r, struct socket *s, const struct nlmsghdr *to, int err)
{
	struct nlmsghdr *h = message_start(r, s, to, NLMSG_ERROR, 0);
	const struct nlmsgerr e = {.error = err, .msg = *to};

	add(r, &e, sizeof(e));
	message_end(r, h);
}

/* The addresses, or with family 0 those of both. */
static void add_addresses(
    struct reply *r, struct socket *s, const struct nlmsghdr *h, int family)
{
	if (!family || family == AF_INET)
		add_address(r, s, h, true);
	if (!family || family == AF_INET6)
		add_address(r, s, h, false);
}

/* One link that is asked for by its number.  True: that is an answer. */
static bool add_one_link(
    struct reply *r, struct socket *s, const struct nlmsghdr *h)
{
	const struct ifinfomsg *i = NLMSG_DATA(h);

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*i)))
		add_error(r, s, h, -EINVAL);
	else if (i->ifi_index != LO_INDEX)
		add_error(r, s, h, -ENODEV);
	else
		add_link(r, s, h, 0);
	return true;
}

static void answer(struct socket *s, const struct nlmsghdr *h)
{
	const struct rtgenmsg *g = NLMSG_DATA(h);
	bool body = h->nlmsg_len >= NLMSG_LENGTH(sizeof(*g));
	bool dump = (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	bool get = (h->nlmsg_type - RTM_BASE) % 4 == 2;
	struct reply r = {.len = 0};

	if (h->nlmsg_type < NLMSG_MIN_TYPE)
		return; /* a NOOP and the like */
	if (!body || h->nlmsg_type < RTM_BASE)
		add_error(&r, s, h, body ? -EOPNOTSUPP : -EINVAL);
	else if (!get)
		add_error(&r, s, h, -EPERM);
	else if (h->nlmsg_type == RTM_GETLINK && !dump)
		(void)add_one_link(&r, s, h);
	else if (!dump || (h->nlmsg_type != RTM_GETLINK &&
			      h->nlmsg_type != RTM_GETADDR &&
			      h->nlmsg_type != RTM_GETROUTE))
		add_error(&r, s, h, -EOPNOTSUPP);
	else if (h->nlmsg_type == RTM_GETLINK)
		add_link(&r, s, h, NLM_F_MULTI);
	else if (h->nlmsg_type == RTM_GETADDR)
		add_addresses(&r, s, h, g->rtgen_family);
	if (dump && get &&
	    (!r.len ||
		((struct nlmsghdr *)(void *)r.text)->nlmsg_type != NLMSG_ERROR))
		add_done(&r, s, h);
	if (r.len)
		queue(s, r.text, r.len);
}

/* Requests in kernel memory, one behind the other. */
static void answer_all(struct socket *s, const uint8_t *buf, size_t n)
{
	size_t at = 0;

	while (n - at >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr *h = (void *)(uintptr_t)(buf + at);
		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n - at)
			break;
		if (h->nlmsg_flags & NLM_F_REQUEST)
			answer(s, h);
		if (NLMSG_ALIGN(h->nlmsg_len) >= n - at)
			break;
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
}

static ssize_t netlink_send(struct socket *s, struct socket_msg *m)
{
	size_t n = m->it.left;
	const struct sockaddr_nl *nl;
	uint8_t *buf;
	int err = m->to ? import(m->to, &nl) : 0;

	if (err)
		return err;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->to && nl->nl_pid)
		return -ECONNREFUSED;
	if (n > REQUEST_MAX)
		return -EMSGSIZE;
	buf = kmalloc(max(n, (size_t)1));
	if (!buf)
		return -ENOBUFS;
	assign_port(s, 0);
	if (n && iter_in(buf, n, &m->it) != (ssize_t)n)
		err = -EFAULT;
	else
		answer_all(s, buf, n);
	kfree(buf);
	return err ? err : (ssize_t)n;
}

static ssize_t netlink_recv(struct socket *s, struct socket_msg *m)
{
	struct netlink_sock *n = netlink_of(s);
	uint64_t deadline = socket_deadline(s->recv_timeout);
	uint32_t none;
	ssize_t r;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	for (;;) {
		r = packetq_take(&n->in, m, NULL, 0, &none);
		if (r >= 0)
			export(0, &m->from);
		if (r != -EAGAIN || !socket_blocks(s, m->flags))
			return r;
		r = wait_event(
		    &s->wait, !packetq_empty(&n->in), deadline, true);
		if (r)
			return socket_wait_error((int)r, s->recv_timeout);
	}
}

static unsigned netlink_poll(struct socket *s, struct poll_table *pt)
{
	(void)pt;
	return POLL_OUT | (packetq_empty(&netlink_of(s)->in) ? 0 : POLL_IN);
}

static int no_shutdown(struct socket *s, unsigned how)
{
	(void)s, (void)how;
	return -EOPNOTSUPP;
}

static int no_listen(struct socket *s)
{
	(void)s;
	return -EOPNOTSUPP;
}

static size_t netlink_pending(struct socket *s)
{
	return packetq_first(&netlink_of(s)->in);
}

static int no_error(struct socket *s)
{
	(void)s;
	return 0;
}

static bool is_connecting(struct socket *s)
{
	(void)s;
	return false;
}

/* Groups that stay silent, and details of errors that nobody writes. */
static int netlink_setsockopt(struct socket *s, int level, int name, int v)
{
	(void)s, (void)v;
	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	return name == NETLINK_ADD_MEMBERSHIP || name == NETLINK_DROP_MEMBERSHIP
		   ? 0
		   : -ENOPROTOOPT;
}

static int netlink_getsockopt(struct socket *s, int level, int name, int *v)
{
	(void)s, (void)level, (void)name, (void)v;
	return -ENOPROTOOPT;
}

static void netlink_release(struct socket *s)
{
	packetq_drain(&netlink_of(s)->in);
	kfree(s->priv);
}

static const struct socket_ops netlink_ops = {
    .bind = netlink_bind,
    .listen = no_listen,
    .unlisten = socket_no_unlisten,
    .connect = netlink_connect,
    .send = netlink_send,
    .recv = netlink_recv,
    .poll = netlink_poll,
    .shutdown = no_shutdown,
    .pending = netlink_pending,
    .unsent = socket_no_unsent,
    .connect_result = no_error,
    .is_connecting = is_connecting,
    .setsockopt = netlink_setsockopt,
    .getsockopt = netlink_getsockopt,
    .release = netlink_release,
};

int netlink_socket(struct socket *s)
{
	struct netlink_sock *n;

	if (s->type != SOCK_RAW && s->type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (s->protocol != NETLINK_ROUTE)
		return -EPROTONOSUPPORT;
	n = kzalloc(sizeof(*n));
	if (!n)
		return -ENOBUFS;
	packetq_init(&n->in);
	export(0, &s->local);
	s->priv = n;
	s->ops = &netlink_ops;
	return 0;
}

bool netlink_is(struct file *f)
{
	struct socket *s = socket_of(f);

	return s && s->ops == &netlink_ops;
}

void netlink_tell(struct file *f, const void *data, size_t n)
{
	queue(socket_of(f), data, n);
}
