/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SOCKS version 5 (RFC 1928), the wire: no authentication, CONNECT only.
 */
#ifndef TORIL_HOST_SOCKS_H
#define TORIL_HOST_SOCKS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum socks_reply {
	SOCKS_OK = 0,
	SOCKS_FAILED = 1,
	SOCKS_NOT_ALLOWED = 2,
	SOCKS_NET_UNREACHABLE = 3,
	SOCKS_HOST_UNREACHABLE = 4,
	SOCKS_REFUSED = 5,
	SOCKS_BAD_COMMAND = 7,
	SOCKS_BAD_ADDRESS = 8,
};

#define SOCKS_MESSAGE_MAX 262 /* a request with a name of 255 bytes */
#define SOCKS_REPLY_MAX   22

struct socks_request {
	char name[256]; /* "": by address */
	struct in6_addr addr;
	uint16_t port;
};

/* How long the message at `msg` is, of which `len` bytes are there: 0 if
 * more must be seen to tell, -EPROTO if it is not SOCKS 5. */
int socks_greeting_len(const uint8_t *msg, size_t len);
int socks_request_len(const uint8_t *msg, size_t len);

/* Whether a whole greeting offers to go without authentication. */
int socks_greeting_suits(const uint8_t *msg);

/* Parse a whole request: SOCKS_OK, or what to answer. */
enum socks_reply socks_parse(struct socks_request *r, const uint8_t *msg);

/* Build a reply; returns its length. */
size_t socks_reply_put(
    uint8_t *to, enum socks_reply reply, const struct sockaddr *bound);

enum socks_reply socks_reply_of(int error); /* for -errno of connect */

#endif
