/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS messages (RFC 1035), as far as a resolver's client sends them: one
 * question for A, AAAA or PTR, answered from a list of addresses or a name.
 */
#ifndef TORIL_HOST_DNS_H
#define TORIL_HOST_DNS_H

#include <stddef.h>
#include <stdint.h>

#include "host/rules.h"
#include "host/util.h"

enum { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28 };
enum dns_rcode {
	DNS_OK = 0,
	DNS_FORMAT = 1,
	DNS_FAILED = 2,
	DNS_NO_NAME = 3,
	DNS_NOT_DONE = 4,
	DNS_REFUSED = 5,
};

#define DNS_MESSAGE_MAX 512 /* ours and theirs: what UDP carries */

struct dns_query {
	char name[256]; /* text, no final dot */
	uint16_t type;
	size_t len; /* header and question: what an answer starts with */
};

/* 0, or -EPROTO: not even an answer of DNS_FORMAT is due. */
int dns_parse(struct dns_query *q, const uint8_t *msg, size_t len);

/* Append the answer to `msg`, with its two-byte length in front. */
void dns_answer(struct buf *to, const uint8_t *msg, const struct dns_query *q,
    enum dns_rcode rcode, const struct rule_pins *addresses, const char *name);

/* The address that a PTR query's name stands for: 0 or -EINVAL. */
int dns_reverse(const char *name, struct in6_addr *addr);

#endif
