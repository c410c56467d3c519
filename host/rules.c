/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --connect rules; see rules.h.  HOST[:PORT], ADDRESS[/BITS][:PORT] with
 * IPv6 addresses in brackets where a port follows, or "any".
 */
#include "host/rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/util.h"

struct in6_addr addr_map4(const void *four_bytes)
{
	struct in6_addr a = {0};

	a.s6_addr[10] = a.s6_addr[11] = 0xff;
	memcpy(a.s6_addr + 12, four_bytes, 4);
	return a;
}

bool name_equal(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	la -= la && a[la - 1] == '.';
	lb -= lb && b[lb - 1] == '.';
	return la == lb && !strncasecmp(a, b, la);
}

static int number_parse(const char *text, unsigned long max, unsigned *out)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	n = strtoul(text, &end, 10);
	if (*end || n > max)
		return -EINVAL;
	*out = (unsigned)n;
	return 0;
}

/* Take ":PORT" off the end of `text`, unless the colon is IPv6's own. */
static int port_split(char *text, uint16_t *port)
{
	char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');
	unsigned n;

	if (!colon || (bracket && colon < bracket))
		return 0;
	if (!bracket && strchr(text, ':') != colon)
		return 0;
	if (number_parse(colon + 1, 65535, &n) || !n)
		return -EINVAL;
	*colon = 0;
	*port = (uint16_t)n;
	return 0;
}

/* ADDRESS or ADDRESS/BITS: 0, -EINVAL, or 1 if it is no address. */
static int net_parse(struct rule *r, char *text)
{
	char *slash = strchr(text, '/');
	struct in_addr v4;
	unsigned bits, most = 128;

	if (slash)
		*slash = 0;
	if (inet_pton(AF_INET, text, &v4) == 1) {
		r->net = addr_map4(&v4);
		most = 32;
	} else if (inet_pton(AF_INET6, text, &r->net) != 1) {
		return slash ? -EINVAL : 1;
	}
	bits = most;
	if (slash && number_parse(slash + 1, most, &bits))
		return -EINVAL;
	r->kind = RULE_NET;
	r->prefix = 128 - most + bits;
	return 0;
}

static int name_check(const char *text)
{
	size_t len = strlen(text);

	if (!len || len > 253 ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789-_.") != len)
		return -EINVAL;
	return 0;
}

static int rule_parse(struct rule *r, char *text)
{
	char *end;
	int ret;

	if (!strcmp(text, "any")) {
		r->kind = RULE_ANY;
		return 0;
	}
	ret = port_split(text, &r->port);
	if (ret)
		return ret;
	end = text + strlen(text);
	if (*text == '[') {
		if (end[-1] != ']')
			return -EINVAL;
		end[-1] = 0;
		text++;
		ret = net_parse(r, text);
		return ret > 0 ? -EINVAL : ret;
	}
	ret = net_parse(r, text);
	if (ret <= 0)
		return ret;
	if (name_check(text))
		return -EINVAL;
	r->kind = RULE_NAME;
	r->name = must_print("%s", text);
	return 0;
}

int rules_add(struct rules *rules, const char *text)
{
	char *copy = must_print("%s", text);
	struct rule r = {0};
	int ret = rule_parse(&r, copy);

	free(copy);
	if (ret)
		return ret;
	rules->rule =
	    must_grow(rules->rule, (rules->count + 1) * sizeof(*rules->rule));
	rules->rule[rules->count++] = r;
	return 0;
}

void rules_free(struct rules *rules)
{
	for (unsigned i = 0; i < rules->count; i++)
		free(rules->rule[i].name);
	free(rules->rule);
	*rules = (struct rules){0};
}

static bool net_has(const struct rule *r, const struct in6_addr *addr)
{
	unsigned bytes = r->prefix / 8, bits = r->prefix % 8;
	uint8_t mask = (uint8_t)(0xff00 >> bits);

	if (memcmp(r->net.s6_addr, addr->s6_addr, bytes))
		return false;
	return !bits ||
	       !((r->net.s6_addr[bytes] ^ addr->s6_addr[bytes]) & mask);
}

static bool pins_have(const struct rule_pins *p, const struct in6_addr *addr)
{
	for (unsigned i = 0; i < p->count; i++)
		if (!memcmp(&p->addr[i], addr, sizeof(*addr)))
			return true;
	return false;
}

bool rules_allow(
    const struct rules *rules, const struct in6_addr *addr, uint16_t port)
{
	for (unsigned i = 0; i < rules->count; i++) {
		const struct rule *r = &rules->rule[i];

		if (r->port && r->port != port)
			continue;
		if (r->kind == RULE_ANY ||
		    (r->kind == RULE_NET && net_has(r, addr)) ||
		    (r->kind == RULE_NAME && pins_have(&r->pins, addr)))
			return true;
	}
	return false;
}

static bool rule_names(const struct rule *r, const char *name)
{
	return r->kind == RULE_NAME && name_equal(r->name, name);
}

bool rules_allow_name(
    const struct rules *rules, const char *name, uint16_t port)
{
	for (unsigned i = 0; i < rules->count; i++) {
		const struct rule *r = &rules->rule[i];

		if (r->port && port && r->port != port)
			continue;
		if (r->kind == RULE_ANY || rule_names(r, name))
			return true;
	}
	return false;
}

/* What no name on the internet should stand for: the host itself, its
 * neighbours, a cloud's description of it (169.254.169.254). */
static bool addr_is_local(const struct in6_addr *a)
{
	const uint8_t *b = a->s6_addr + 12;

	if (IN6_IS_ADDR_V4MAPPED(a))
		return b[0] == 127 || b[0] == 0 || b[0] >= 224 ||
		       (b[0] == 169 && b[1] == 254);
	return IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a) ||
	       IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MULTICAST(a) ||
	       IN6_IS_ADDR_V4COMPAT(a);
}

static bool local_is_allowed(
    const struct rules *rules, const struct in6_addr *addr)
{
	for (unsigned i = 0; i < rules->count; i++) {
		const struct rule *r = &rules->rule[i];

		if (!r->port && (r->kind == RULE_ANY ||
				    (r->kind == RULE_NET && net_has(r, addr))))
			return true;
	}
	return false;
}

bool rules_screen(
    const struct rules *rules, const char *name, struct rule_pins *found)
{
	unsigned kept = 0;

	if (name_equal(name, "localhost"))
		return found->count;
	for (unsigned i = 0; i < found->count; i++) {
		const struct in6_addr *a = &found->addr[i];

		if (!addr_is_local(a) || local_is_allowed(rules, a))
			found->addr[kept++] = *a;
	}
	found->count = kept;
	return kept;
}

const struct rule_pins *rules_pins(const struct rules *rules, const char *name)
{
	for (unsigned i = 0; i < rules->count; i++)
		if (rule_names(&rules->rule[i], name) &&
		    rules->rule[i].pins.count)
			return &rules->rule[i].pins;
	return NULL;
}

void rules_pin(
    struct rules *rules, const char *name, const struct rule_pins *pins)
{
	for (unsigned i = 0; i < rules->count; i++)
		if (rule_names(&rules->rule[i], name) &&
		    !rules->rule[i].pins.count)
			rules->rule[i].pins = *pins;
}

const char *rules_name_of(
    const struct rules *rules, const struct in6_addr *addr)
{
	for (unsigned i = 0; i < rules->count; i++)
		if (rules->rule[i].kind == RULE_NAME &&
		    pins_have(&rules->rule[i].pins, addr))
			return rules->rule[i].name;
	return NULL;
}
