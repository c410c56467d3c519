/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small file system in memory that speaks FUSE (linux/fuse.h, 7.36): what
 * fsd.c serves.  It is honest; whatever lies is added by mutate.c.
 *
 * One lock covers all of it, so that any thread may serve any request.
 */
#ifndef TORIL_TESTS_HOSTILE_TREE_H
#define TORIL_TESTS_HOSTILE_TREE_H

#include <stddef.h>
#include <stdint.h>

/* What the file /f of a fresh tree has at `at`; it has TREE_F_SIZE bytes. */
#define TREE_F_SIZE 200000u
static inline uint8_t tree_byte(size_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7);
}

/* / with f, empty, link (to f) and dir, which has TREE_DIR_FILES files; names
 * and attributes may be kept for `timeout` seconds. */
#define TREE_DIR_FILES 300
void tree_init(unsigned timeout);

/* Answer the request `in`: the reply's bytes in `out`, header included, 0 if
 * there is none.  `room` must be REPLY_MIN or more. */
#define REPLY_MIN 4096
size_t tree_serve(const void *in, size_t len, void *out, size_t room);

#endif
