/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The values of options: sizes, addresses, ports, directories, names.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/options.h"
#include "host/util.h"

int option_number(const char *text, unsigned long max, unsigned *out)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (*end || errno || n > max)
		return -EINVAL;
	*out = (unsigned)n;
	return 0;
}

int option_size(uint64_t *bytes, const char *text)
{
	static const char units[] = "kmgt";
	char *end;
	const char *unit;
	unsigned shift = 0;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*bytes = strtoull(text, &end, 10);
	if (errno)
		return -EINVAL;
	if (*end) {
		unit = strchr(units, *end | 32);
		if (*end == 'b' && !end[1])
			unit = NULL, end++;
		else if (!unit || (end[1] && ((end[1] | 32) != 'b' || end[2])))
			return -EINVAL;
		if (unit)
			shift = 10 * (unsigned)(unit - units + 1);
	}
	if (*bytes > (UINT64_MAX >> 1) >> shift)
		return -EINVAL;
	*bytes <<= shift;
	return 0;
}

socklen_t address_len(const union address *a)
{
	return a->sa.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

const char *address_print(const union address *a, char *text)
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (a->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof(host));
		snprintf(
		    text, ADDRESS_TEXT, "%s:%u", host, ntohs(a->v4.sin_port));
	} else {
		inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof(host));
		snprintf(text, ADDRESS_TEXT, "[%s]:%u", host,
		    ntohs(a->v6.sin6_port));
	}
	return text;
}

static int address_parse(union address *a, char *host, uint16_t port)
{
	size_t len = strlen(host);

	memset(a, 0, sizeof(*a));
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = 0;
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons(port);
		if (inet_pton(AF_INET6, host + 1, &a->v6.sin6_addr) == 1)
			return 0;
		return -EINVAL;
	}
	a->v4.sin_family = AF_INET;
	a->v4.sin_port = htons(port);
	return inet_pton(AF_INET, host, &a->v4.sin_addr) == 1 ? 0 : -EINVAL;
}

static int publish_parse(struct publish_option *p, char *host, char *rest)
{
	char *colon = strchr(rest, ':');
	unsigned port, guest;

	if (colon)
		*colon = 0;
	if (option_number(rest, 65535, &port))
		return -EINVAL;
	guest = port;
	if (colon && option_number(colon + 1, 65535, &guest))
		return -EINVAL;
	if (!guest) /* "-p 0" says nothing about the guest's port */
		return -EINVAL;
	p->guest_port = (uint16_t)guest;
	p->any_port = !port;
	return address_parse(&p->address, host, (uint16_t)port);
}

int option_publish(struct publish_option *p, const char *text)
{
	char *copy = must_print("%s", text), *rest = copy, *host = NULL, *cut;
	char local[] = "127.0.0.1";
	size_t len = strlen(copy);
	int ret = -EINVAL;

	if (len > 4 && !strcmp(copy + len - 4, "/tcp"))
		copy[len - 4] = 0;
	if (*copy == '[') {
		cut = strstr(copy, "]:");
		if (!cut)
			goto out;
		host = copy;
		cut[1] = 0;
		rest = cut + 2;
	} else if (strchr(copy, '.')) {
		cut = strchr(copy, ':');
		if (!cut)
			goto out;
		host = copy;
		*cut = 0;
		rest = cut + 1;
	}
	ret = publish_parse(p, host ? host : local, rest);
out:
	free(copy);
	return ret;
}

/* -p without its last part. */
int option_listen(struct publish_option *p, const char *text)
{
	char *with = must_print("%s:1", text);
	int ret = option_publish(p, with);

	free(with);
	return ret;
}

int option_share(struct share_option *s, const char *text)
{
	char *copy = must_print("%s", text), *end = copy + strlen(copy), *cut;

	s->rdonly = false;
	if (end - copy > 3 && !strcmp(end - 3, ":ro"))
		s->rdonly = true, end[-3] = 0;
	else if (end - copy > 3 && !strcmp(end - 3, ":rw"))
		end[-3] = 0;
	/* the last ":/": DIR may have colons, PATH is absolute */
	for (cut = NULL, end = copy; (end = strstr(end, ":/")); end++)
		cut = end;
	if (!cut || cut == copy) {
		free(copy);
		return -EINVAL;
	}
	*cut = 0;
	s->dir = must_print("%s", copy);
	s->path = must_print("%s", cut + 1);
	free(copy);
	return 0;
}

bool option_name_good(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return isalnum((unsigned char)*name) && !name[len] &&
	       len <= NAME_MAX_BYTES;
}
