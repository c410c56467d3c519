/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel messages; see printk.h. */
#include "kernel/lib/printk.h"
#include "kernel/arch/x86_64/uart.h"
#include "kernel/lib/string.h"

bool printk_is_verbose;

struct out {
	char *buf;
	size_t size, len;
};

static void emit(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void emit_padded(
    struct out *o, const char *s, size_t n, size_t width, char pad, bool left)
{
	for (size_t i = n; !left && i < width; i++)
		emit(o, pad);
	for (size_t i = 0; i < n; i++)
		emit(o, s[i]);
	for (size_t i = n; left && i < width; i++)
		emit(o, ' ');
}

static size_t digits(char *end, uint64_t v, unsigned base, bool upper)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	size_t n = 0;

	do
		*--end = (n++, set[v % base]);
	while (v /= base);
	return n;
}

struct spec {
	bool zero, alt, left;
	size_t width, most; /* most: precision, of strings */
	int longs;
};

/* Digits, or an int argument for a star. */
static const char *parse_number(const char *f, size_t *n, va_list *ap)
{
	if (*f == '*') {
		*n = (size_t)max(va_arg(*ap, int), 0);
		return f + 1;
	}
	for (*n = 0; *f >= '0' && *f <= '9'; f++)
		*n = *n * 10 + (size_t)(*f - '0');
	return f;
}

static const char *parse_spec(const char *f, struct spec *s, va_list *ap)
{
	*s = (struct spec){.most = SIZE_MAX};
	for (;; f++) {
		if (*f == '0')
			s->zero = true;
		else if (*f == '#')
			s->alt = true;
		else if (*f == '-')
			s->left = true;
		else
			break;
	}
	s->zero &= !s->left;
	f = parse_number(f, &s->width, ap);
	if (*f == '.')
		f = parse_number(f + 1, &s->most, ap);
	for (; *f == 'l' || *f == 'z'; f++)
		s->longs++;
	return f;
}

static void emit_number(
    struct out *o, const struct spec *s, char conv, uint64_t v)
{
	char buf[24], *end = buf + sizeof(buf);
	bool neg = (conv == 'd' || conv == 'i') && (int64_t)v < 0;
	bool hex = conv == 'x' || conv == 'X' || conv == 'p';
	size_t n = digits(end, neg ? -v : v, hex ? 16 : 10, conv == 'X');

	if (hex && (s->alt || conv == 'p')) {
		end[-(long)++n] = 'x';
		end[-(long)++n] = '0';
	}
	if (neg && s->zero)
		emit(o, '-');
	else if (neg)
		end[-(long)++n] = '-';
	emit_padded(o, end - n, n, s->width - (neg && s->zero && s->width),
	    s->zero ? '0' : ' ', s->left);
}

static uint64_t take_int(char conv, int longs, va_list *ap)
{
	if (longs || conv == 'p')
		return va_arg(*ap, uint64_t);
	if (conv == 'd' || conv == 'i')
		return (uint64_t)va_arg(*ap, int);
	return va_arg(*ap, unsigned);
}

int kvsnprintf(char *buf, size_t size, const char *f, va_list args)
{
	struct out o = {buf, size, 0};
	struct spec s;
	va_list ap;

	va_copy(ap, args);
	for (; *f; f++) {
		if (*f != '%') {
			emit(&o, *f);
			continue;
		}
		f = parse_spec(f + 1, &s, &ap);
		if (*f == 's') {
			const char *str = va_arg(ap, const char *);
			if (!str)
				str = "(null)";
			emit_padded(&o, str, strnlen(str, s.most), s.width, ' ',
			    s.left);
		} else if (*f == 'c') {
			emit(&o, (char)va_arg(ap, int));
		} else if (*f && strchr("diuxXp", *f)) {
			emit_number(&o, &s, *f, take_int(*f, s.longs, &ap));
		} else if (!*f) {
			break;
		} else {
			emit(&o, *f);
		}
	}
	va_end(ap);
	if (size)
		buf[min(o.len, size - 1)] = 0;
	return (int)o.len;
}

int ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

static void vprint(const char *fmt, va_list ap)
{
	char line[256];
	int n = kvsnprintf(line, sizeof(line), fmt, ap);

	uart_write(line, min((size_t)n, sizeof(line) - 1));
}

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
}

void printk_verbose(const char *fmt, ...)
{
	va_list ap;

	if (!printk_is_verbose)
		return;
	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
}
