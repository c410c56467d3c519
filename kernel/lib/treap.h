/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An intrusive ordered tree keyed by a 64-bit number; equal keys keep the
 * order in which they were inserted.
 *
 * It is a treap: a binary search tree by key that is also a heap by a hash of
 * the node's address, which keeps it balanced in expectation without
 * bookkeeping.  Callers provide the locking.
 */
#ifndef TORIL_KERNEL_LIB_TREAP_H
#define TORIL_KERNEL_LIB_TREAP_H

#include "kernel/lib/base.h"

struct treap_node {
	struct treap_node *left, *right, *parent;
	uint64_t key;
};

struct treap {
	struct treap_node *root;
};

/* Insert a node under `key`.  The node must not be in a tree. */
void treap_insert(struct treap *t, struct treap_node *n, uint64_t key);

/* Remove a node that is in the tree. */
void treap_remove(struct treap *t, struct treap_node *n);

/* The node with the smallest or largest key, or NULL. */
struct treap_node *treap_first(const struct treap *t);
struct treap_node *treap_last(const struct treap *t);

/* Neighbours in order, or NULL. */
struct treap_node *treap_next(const struct treap_node *n);
struct treap_node *treap_prev(const struct treap_node *n);

/* The last node whose key is <= key, or NULL. */
struct treap_node *treap_floor(const struct treap *t, uint64_t key);

/* The first node whose key is >= key, or NULL. */
struct treap_node *treap_ceil(const struct treap *t, uint64_t key);

#endif
