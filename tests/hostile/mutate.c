/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See mutate.h.  A reply whose header lies also has other contents than the
 * honest one: whoever believes it, shows it.
 */
#include "tests/hostile/mutate.h"

#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <string.h>

#include "host/util.h"

#define KEPT     64
#define KEPT_MAX 4096u

const char *const mutation_names[MUTATIONS] = {
    [MUTATE_NONE] = "none",
    [MUTATE_UNIQUE] = "unique",
    [MUTATE_ERROR] = "error",
    [MUTATE_LENGTH] = "length",
    [MUTATE_CUT] = "cut",
    [MUTATE_REPLAY] = "replay",
    [MUTATE_LATE] = "late",
    [MUTATE_ERRNO] = "errno",
    [MUTATE_BITS] = "bits",
    [MUTATE_FILL] = "fill",
    [MUTATE_VALUES] = "values",
    [MUTATE_SHORT] = "short",
    [MUTATE_LONG] = "long",
    [MUTATE_SWAP] = "swap",
    [MUTATE_DIRENTS] = "dirents",
    [MUTATE_SCRIBBLE] = "scribble",
    [MUTATE_USED_ID] = "used-id",
    [MUTATE_USED_FREE] = "used-free",
    [MUTATE_USED_LEN] = "used-len",
    [MUTATE_USED_INDEX] = "used-index",
    [MUTATE_SILENT] = "silent",
};

static uint64_t state = 1;
static struct {
	uint32_t len;
	uint8_t bytes[KEPT_MAX];
} kept[KEPT];
static unsigned kept_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int mutation_find(const char *name)
{
	for (int i = 0; i < MUTATIONS; i++)
		if (!strcmp(mutation_names[i], name))
			return i;
	return -EINVAL;
}

void mutate_seed(uint64_t seed)
{
	state = seed * 2654435761u + 88172645463325252u;
}

uint32_t mutate_random(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16) % below;
}

static uint64_t absurd(void)
{
	static const uint64_t values[] = {0, 1, 2, 0x7f, 0xff, 0xfff, 0x1000,
	    0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 32, INT64_MAX,
	    1ull << 63, UINT64_MAX - 1, UINT64_MAX, 0xffff800000000000,
	    0x100000, 0xcccccccccccccccc};
	uint64_t v = values[mutate_random(ARRAY_SIZE(values))];

	return mutate_random(4) ? v : v + mutate_random(64) - 32;
}

static uint8_t *body(struct answer *a)
{
	return a->bytes + sizeof(struct fuse_out_header);
}

static uint32_t body_len(const struct answer *a)
{
	return a->len - (uint32_t)sizeof(struct fuse_out_header);
}

static void set_len(struct answer *a, uint32_t len)
{
	struct fuse_out_header *h = (void *)a->bytes;

	a->len = a->used_len = h->len = len;
}

static void keep(const struct answer *a)
{
	unsigned i = kept_count % KEPT;

	if (a->len > KEPT_MAX)
		return;
	kept[i].len = a->len;
	memcpy(kept[i].bytes, a->bytes, a->len);
	kept_count++;
}

/* Something that nobody takes for the truth. */
static void spoil(struct answer *a)
{
	memset(body(a), 0xcc, body_len(a));
}

static void lie_header(enum mutation kind, struct answer *a)
{
	static const int32_t errors[] = {
	    1, 2, 511, INT32_MAX, -512, -513, -4096, INT32_MIN};
	struct fuse_out_header *h = (void *)a->bytes;
	uint32_t honest = h->len;

	spoil(a);
	switch (kind) {
	case MUTATE_UNIQUE:
		h->unique += mutate_random(2) ? absurd() | 1 : 2;
		break;
	case MUTATE_ERROR:
		h->error = errors[mutate_random(ARRAY_SIZE(errors))];
		if (mutate_random(4)) /* as errors are: without contents */
			set_len(a, sizeof(*h));
		break;
	case MUTATE_LENGTH:
		do
			h->len = (uint32_t)absurd();
		while (h->len >= sizeof(*h) && h->len <= honest);
		break;
	default: /* MUTATE_CUT */
		a->used_len = mutate_random(a->len);
		if (a->used_len >= sizeof(*h) && a->len == sizeof(*h))
			a->used_len = 0;
	}
}

static void replay(struct answer *a, bool whole)
{
	struct fuse_out_header h;
	unsigned i;

	if (!kept_count)
		return;
	memcpy(&h, a->bytes, sizeof(h));
	i = mutate_random(MIN(kept_count, KEPT));
	memcpy(a->bytes, kept[i].bytes, kept[i].len);
	set_len(a, MIN(kept[i].len, a->room));
	if (!whole)
		((struct fuse_out_header *)a->bytes)->unique = h.unique;
	else
		spoil(a);
}

static void flip_bits(struct answer *a)
{
	uint32_t n = 1 + mutate_random(8);

	while (n--)
		a->bytes[mutate_random(MIN(a->len, 512u))] ^=
		    (uint8_t)(1 << mutate_random(8));
}

static void put_values(struct answer *a)
{
	uint32_t words = body_len(a) / 4, n = 1 + mutate_random(3);
	uint64_t v;

	if (!words)
		return;
	while (n--) {
		uint32_t at = mutate_random(MIN(words, 128u));

		v = absurd();
		memcpy(body(a) + at * 4ul, &v, at + 1 < words ? 8 : 4);
	}
}

static void lie_dirent(struct fuse_dirent *d)
{
	switch (mutate_random(7)) {
	case 0:
		d->namelen = (uint32_t)absurd();
		break;
	case 1:
		d->off = absurd();
		break;
	case 2:
		if (d->namelen)
			d->name[mutate_random(d->namelen)] = '/';
		break;
	case 3:
		if (d->namelen)
			d->name[mutate_random(d->namelen)] = 0;
		break;
	case 4:
		d->type = (uint32_t)absurd();
		break;
	case 5:
		d->ino = absurd();
		break;
	default:
		d->namelen++;
	}
}

static void lie_dirents(struct answer *a)
{
	size_t skip =
	    a->opcode == FUSE_READDIRPLUS ? sizeof(struct fuse_entry_out) : 0;
	uint32_t at = 0, stop = mutate_random(8);

	if (a->opcode != FUSE_READDIR && a->opcode != FUSE_READDIRPLUS) {
		put_values(a);
		return;
	}
	while (at + skip + FUSE_NAME_OFFSET < body_len(a)) {
		struct fuse_dirent *d = (void *)(body(a) + at + skip);
		uint32_t size = (uint32_t)(FUSE_DIRENT_ALIGN(
		    skip + FUSE_NAME_OFFSET + d->namelen));

		if (!stop--) {
			lie_dirent(d);
			return;
		}
		at += size;
	}
}

static void lie_used(enum mutation kind, struct answer *a)
{
	if (kind == MUTATE_USED_ID)
		a->id =
		    mutate_random(2) ? (uint32_t)absurd() | a->ring : a->ring;
	else if (kind == MUTATE_USED_FREE)
		a->id = (a->id + 1 + mutate_random(a->ring - 9)) % a->ring;
	else if (kind == MUTATE_USED_LEN)
		a->used_len = mutate_random(2)
				  ? a->room + 1
				  : (uint32_t)absurd() | a->room << 1;
	else
		a->step = (uint16_t)(2 + mutate_random(2) * a->ring +
				     mutate_random(40000));
	if (kind != MUTATE_USED_LEN)
		spoil(a);
}

static void apply(enum mutation kind, struct answer *a)
{
	uint32_t more;

	switch (kind) {
	case MUTATE_ERRNO:
		set_len(a, sizeof(struct fuse_out_header));
		((struct fuse_out_header *)a->bytes)->error =
		    -(int32_t)(1 + mutate_random(510));
		break;
	case MUTATE_BITS:
		flip_bits(a);
		break;
	case MUTATE_FILL:
		memset(body(a), mutate_random(2) ? 0xcc : 0xff, body_len(a));
		break;
	case MUTATE_VALUES:
		put_values(a);
		break;
	case MUTATE_SHORT:
		if (body_len(a))
			set_len(a, a->len - 1 - mutate_random(body_len(a)));
		break;
	case MUTATE_LONG:
		more = a->room - a->len;
		if (!more)
			break;
		more = 1 + mutate_random(more);
		memset(a->bytes + a->len, 0xcc, more);
		set_len(a, a->len + more);
		break;
	case MUTATE_DIRENTS:
		lie_dirents(a);
		break;
	default:
		break;
	}
}

void mutate(enum mutation kind, struct answer *a)
{
	pthread_mutex_lock(&lock);
	if (kind == MUTATE_NONE) {
		keep(a);
	} else if (kind == MUTATE_REPLAY || kind == MUTATE_SWAP) {
		replay(a, kind == MUTATE_REPLAY);
	} else if (kind < MUTATE_REPLAY) {
		lie_header(kind, a);
	} else if (kind >= MUTATE_USED_ID && kind < MUTATE_SILENT) {
		lie_used(kind, a);
	} else {
		apply(kind, a);
		a->late = kind == MUTATE_LATE;
		a->scribble = kind == MUTATE_SCRIBBLE;
		a->silent = kind == MUTATE_SILENT;
	}
	pthread_mutex_unlock(&lock);
}
