/* SPDX-License-Identifier: BSD-2-Clause */
/* Renames and links of every kind of object over every other. */
#include "tests/posix/fsem/fsem.h"

#define NOREPLACE 1
#define EXCHANGE  2

static const char *const names[] = {"none", "file", "twin", "dir", "full",
    "tofile", "todir", "dangling", "loop", "fifo", "sock", "full/inner",
    "full/none", "dir/none", "file/none", "todir/none", "tofile/none"};
static const char *const tails[] = {"", "/", "/."};

static long by_rename(const char *a, const char *b)
{
	return rename(a, b);
}

static long by_noreplace(const char *a, const char *b)
{
	return rename_flags(a, b, NOREPLACE);
}

static long by_exchange(const char *a, const char *b)
{
	return rename_flags(a, b, EXCHANGE);
}

static long by_link(const char *a, const char *b)
{
	return link(a, b);
}

static const struct {
	const char *name;
	long (*fn)(const char *a, const char *b);
} calls[] = {{"rename", by_rename}, {"noreplace", by_noreplace},
    {"exchange", by_exchange}, {"link", by_link}};

static void try(const char *place, unsigned call, const char *a, const char *b)
{
	long r;

	errno = 0;
	r = calls[call].fn(a, b);
	printf("%s %s %s %s: %s", place, calls[call].name, a, b, outcome(r));
	if (r >= 0)
		tree_renew();
	printf("\n");
}

static void body(const char *place)
{
	enum { NAMES = sizeof(names) / sizeof(*names), ALL = 3 * NAMES };
	static char path[ALL][64];

	for (int i = 0; i < ALL; i++)
		snprintf(path[i], 64, "%s%s", names[i / 3], tails[i % 3]);
	tree_renew();
	for (unsigned c = 0; c < sizeof(calls) / sizeof(*calls); c++) {
		for (int a = 0; a < ALL; a++)
			for (int b = 0; b < ALL; b++)
				try(place, c, path[a], path[b]);
		printf("%s %s left:", place, calls[c].name);
		tree_renew();
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	CHECK(argc > 1);
	return on_both(argv[1], body);
}
