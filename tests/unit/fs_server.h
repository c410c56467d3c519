/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A FUSE server in memory, at the other end of the transport: a root with a
 * file "f" (node 2), a directory "d" (3) with entries, and a link "l" (4).
 * It counts requests and spoils replies on demand.
 */
#ifndef TORIL_TESTS_UNIT_FS_SERVER_H
#define TORIL_TESTS_UNIT_FS_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/fs/fuse.h"

#define SERVER_FILE_MAX 400000

struct server {
	unsigned count[64];  /* requests by opcode */
	uint64_t lookups[8]; /* what the client owes in FORGETs, by node */
	uint64_t open_handles;
	unsigned char file[SERVER_FILE_MAX];
	size_t size;
	uint64_t mtime;
	unsigned timeout;    /* seconds */
	unsigned open_flags; /* FOPEN_* */
	/* Called with every reply before it is delivered. */
	void (*spoil)(uint32_t opcode, unsigned char *out, uint32_t *len,
	    uint32_t *written, size_t room);
	unsigned queue_size; /* requests in flight at most; 0: any */
	bool silent;         /* no answers */
};

extern struct server server;
extern struct fuse_conn server_conn;

/* A fresh connection and server; not mounted. */
void server_start(void);

/* Requests in all. */
unsigned server_total(void);

/* Answer what is waiting; false if nothing was. */
bool server_run(void);

#endif
