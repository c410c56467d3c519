/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a hostile file server does to its replies and its rings.  Each kind is
 * a lie of its own, made from random numbers that a seed decides.
 */
#ifndef TORIL_TESTS_HOSTILE_MUTATE_H
#define TORIL_TESTS_HOSTILE_MUTATE_H

#include <stdbool.h>
#include <stdint.h>

enum mutation {
	MUTATE_NONE,
	/* the reply's header: never to be believed */
	MUTATE_UNIQUE, /* somebody else's number */
	MUTATE_ERROR,  /* no error number at all */
	MUTATE_LENGTH, /* another length than was written */
	MUTATE_CUT,    /* fewer bytes written than its length */
	MUTATE_REPLAY, /* an older reply, as it was */
	MUTATE_LATE,   /* after those of later requests */
	/* its contents: the host's word, which must do no harm */
	MUTATE_ERRNO,    /* a proper error, at random */
	MUTATE_BITS,     /* flipped */
	MUTATE_FILL,     /* one byte all over: 0xcc stops who executes it */
	MUTATE_VALUES,   /* absurd numbers */
	MUTATE_SHORT,    /* less, and saying so */
	MUTATE_LONG,     /* more, and saying so */
	MUTATE_SWAP,     /* an older reply's contents */
	MUTATE_DIRENTS,  /* names, lengths and places of directory entries */
	MUTATE_SCRIBBLE, /* over the tables that only the guest writes */
	/* the used ring: this device is broken */
	MUTATE_USED_ID,
	MUTATE_USED_FREE, /* the number of a chain that is not in flight */
	MUTATE_USED_LEN,
	MUTATE_USED_INDEX,
	MUTATE_SILENT, /* no answer, ever */
	MUTATIONS,
};

/* A reply on its way into the ring. */
struct answer {
	uint8_t *bytes;     /* in a buffer of MUTATE_ROOM bytes */
	uint32_t len, room; /* of the reply; of the guest's buffers */
	uint32_t opcode;
	uint32_t id, used_len; /* for the used ring */
	uint16_t step;         /* of its index: 1 */
	unsigned ring;         /* entries */
	bool silent, late, scribble;
};

#define MUTATE_ROOM (2u << 20)

extern const char *const mutation_names[MUTATIONS];
int mutation_find(const char *name); /* or -EINVAL */

void mutate_seed(uint64_t seed);
uint32_t mutate_random(uint32_t below);

/* Remembers answers for later, so it is to see honest ones (NONE), too. */
void mutate(enum mutation kind, struct answer *a);

#endif
