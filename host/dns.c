/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsing and building DNS messages; see dns.h.
 */
#include "host/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER     12
#define TTL        60     /* seconds */
#define NAME_AGAIN 0xc00c /* a pointer to the question's name */

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

int dns_parse(struct dns_query *q, const uint8_t *msg, size_t len)
{
	size_t at = HEADER, put = 0;

	if (len < HEADER || len > DNS_MESSAGE_MAX || msg[2] & 0xf8 ||
	    get16(msg + 4) != 1)
		return -EPROTO; /* an answer, another opcode, more questions */
	for (;;) {
		unsigned n;

		if (at >= len)
			return -EPROTO;
		n = msg[at++];
		if (!n)
			break;
		/* 63 at most: a pointer has nothing to point to here */
		if (n > 63 || at + n > len || put + n + 1 >= 255 ||
		    memchr(msg + at, 0, n) || memchr(msg + at, '.', n))
			return -EPROTO;
		if (put)
			q->name[put++] = '.';
		memcpy(q->name + put, msg + at, n);
		put += n;
		at += n;
	}
	q->name[put] = 0;
	if (at + 4 > len || get16(msg + at + 2) != 1 /* IN */)
		return -EPROTO;
	q->type = get16(msg + at);
	q->len = at + 4;
	return 0;
}

static bool is_v4(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a);
}

static size_t put_record(
    uint8_t *at, uint16_t type, const void *data, size_t len)
{
	put16(at, NAME_AGAIN);
	put16(at + 2, type);
	put16(at + 4, 1);
	put16(at + 6, 0);
	put16(at + 8, TTL);
	put16(at + 10, (unsigned)len);
	memcpy(at + 12, data, len);
	return 12 + len;
}

/* A name as labels; 0 if it is none. */
static size_t put_name(uint8_t *to, const char *name)
{
	size_t put = 0;

	while (*name) {
		size_t n = strcspn(name, ".");

		if (!n || n > 63 || put + n + 2 > 255)
			return 0;
		to[put++] = (uint8_t)n;
		memcpy(to + put, name, n);
		put += n;
		name += n + (name[n] == '.');
	}
	to[put++] = 0;
	return put;
}

void dns_answer(struct buf *to, const uint8_t *msg, const struct dns_query *q,
    enum dns_rcode rcode, const struct rule_pins *addresses, const char *name)
{
	uint8_t out[2 + DNS_MESSAGE_MAX + 300], label[256];
	size_t len = q->len, n;
	unsigned count = 0;

	memcpy(out + 2, msg, q->len);
	for (unsigned i = 0; addresses && i < addresses->count; i++) {
		const struct in6_addr *a = &addresses->addr[i];
		bool v4 = is_v4(a);

		if (q->type != (v4 ? DNS_A : DNS_AAAA) ||
		    len + 28 > DNS_MESSAGE_MAX)
			continue;
		len += put_record(out + 2 + len, q->type,
		    v4 ? a->s6_addr + 12 : a->s6_addr, v4 ? 4 : 16);
		count++;
	}
	n = name && q->type == DNS_PTR ? put_name(label, name) : 0;
	if (n && len + 12 + n <= DNS_MESSAGE_MAX) {
		len += put_record(out + 2 + len, DNS_PTR, label, n);
		count++;
	}
	put16(out, (unsigned)len);
	out[4] = (uint8_t)(0x80 | (msg[2] & 1)); /* answer; RD as asked */
	out[5] = (uint8_t)(0x80 | rcode);        /* recursion is offered */
	put16(out + 8, count);
	memset(out + 10, 0, 4);
	buf_add(to, out, len + 2);
}

int dns_reverse(const char *name, struct in6_addr *addr)
{
	unsigned b[4];
	int end = 0;
	uint8_t four[4];

	if (sscanf(name, "%3u.%3u.%3u.%3u.%n", &b[3], &b[2], &b[1], &b[0],
		&end) == 4 &&
	    end && !strcasecmp(name + end, "in-addr.arpa")) {
		for (int i = 0; i < 4; i++) {
			if (b[i] > 255)
				return -EINVAL;
			four[i] = (uint8_t)b[i];
		}
		*addr = addr_map4(four);
		return 0;
	}
	if (strlen(name) != 72 || strcasecmp(name + 64, "ip6.arpa"))
		return -EINVAL;
	memset(addr, 0, sizeof(*addr));
	for (int i = 0; i < 32; i++) {
		char digit[2] = {name[2 * i], 0}, *stop;
		unsigned long v = strtoul(digit, &stop, 16);

		if (stop == digit || name[2 * i + 1] != '.')
			return -EINVAL;
		addr->s6_addr[15 - i / 2] |= (uint8_t)(v << (i % 2 * 4));
	}
	return 0;
}
