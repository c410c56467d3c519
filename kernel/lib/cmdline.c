/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel command line; see cmdline.h.  Takes any bytes. */
#include "kernel/lib/cmdline.h"
#include "kernel/lib/string.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

const char *cmdline_next(const char *line, const char *name, const char **pos)
{
	size_t len = strlen(name);
	const char *p = *pos ? *pos : line;

	while (*p) {
		const char *word;
		while (is_blank(*p))
			p++;
		word = p;
		while (*p && !is_blank(*p))
			p++;
		if ((size_t)(p - word) < len || memcmp(word, name, len) != 0)
			continue;
		if (word + len != p && word[len] != '=')
			continue;
		*pos = p;
		return word + len == p ? "" : word + len + 1;
	}
	*pos = p;
	return NULL;
}

static int digit(char c, unsigned base)
{
	int d = -1;

	if (c >= '0' && c <= '9')
		d = c - '0';
	else if (c >= 'a' && c <= 'f')
		d = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		d = c - 'A' + 10;
	return d >= 0 && (unsigned)d < base ? d : -1;
}

static bool is_end(char c, const char *ends)
{
	return !c || is_blank(c) || strchr(ends, c);
}

bool cmdline_number(const char **p, const char *ends, uint64_t *value)
{
	const char *s = *p;
	unsigned base = 10;
	uint64_t v = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (digit(*s, base) < 0)
		return false;
	for (; digit(*s, base) >= 0; s++) {
		if (v > (UINT64_MAX - 15) / base)
			return false;
		v = v * base + (unsigned)digit(*s, base);
	}
	/* Linux's memparse suffixes, which QEMU does not use but users may */
	if (*s == 'K' || *s == 'k')
		v <<= 10, s++;
	else if (*s == 'M' || *s == 'm')
		v <<= 20, s++;
	if (!is_end(*s, ends))
		return false;
	*p = s;
	*value = v;
	return true;
}

bool cmdline_device_parse(const char *value, struct cmdline_device *d)
{
	uint64_t irq;

	if (!cmdline_number(&value, "@", &d->size) || *value != '@')
		return false;
	value++;
	if (!cmdline_number(&value, ":", &d->base) || *value != ':')
		return false;
	value++;
	if (!cmdline_number(&value, ":", &irq) || irq > 255)
		return false;
	d->irq = (unsigned)irq;
	return true;
}
