/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the guest may connect to: the --connect options.
 *
 * A rule that names a host is pinned to the addresses which that name had
 * when it was looked up first, by us: whoever owns the name cannot move the
 * guest to another address later (DNS rebinding).  A guest that connects by
 * address is allowed the pinned ones.
 */
#ifndef TORIL_HOST_RULES_H
#define TORIL_HOST_RULES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define PIN_MAX 16 /* addresses of one name */

/* An address without a port: IPv4 ones are in their mapped form. */
struct rule_pins {
	unsigned count;
	struct in6_addr addr[PIN_MAX];
};

enum rule_kind { RULE_ANY, RULE_NET, RULE_NAME };

struct rule {
	enum rule_kind kind;
	uint16_t port; /* 0: every one */
	struct in6_addr net;
	unsigned prefix; /* of 128 bits */
	char *name;
	struct rule_pins pins;
};

struct rules {
	struct rule *rule;
	unsigned count;
};

int rules_add(struct rules *rules, const char *text); /* 0 or -EINVAL */
void rules_free(struct rules *rules);

/* Whether `addr` may be connected to by address. */
bool rules_allow(
    const struct rules *rules, const struct in6_addr *addr, uint16_t port);

/* Whether `name` may be looked up; port 0: for any. */
bool rules_allow_name(
    const struct rules *rules, const char *name, uint16_t port);

/* Of what `name` was found to be, keep what a name may stand for: loopback,
 * link-local, multicast and unspecified addresses only where "any" or a
 * network rule for every port allows them, or the name is localhost.
 * Whether any is left. */
bool rules_screen(
    const struct rules *rules, const char *name, struct rule_pins *found);

/* The pinned addresses of `name`, or NULL. */
const struct rule_pins *rules_pins(const struct rules *rules, const char *name);
void rules_pin(
    struct rules *rules, const char *name, const struct rule_pins *pins);

/* The name that `addr` is pinned for, or NULL. */
const char *rules_name_of(
    const struct rules *rules, const struct in6_addr *addr);

struct in6_addr addr_map4(const void *four_bytes);
bool name_equal(const char *a, const char *b); /* case and final dot apart */

#endif
