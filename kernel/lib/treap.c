/* SPDX-License-Identifier: BSD-2-Clause */
/* An intrusive ordered tree; see treap.h. */
#include "kernel/lib/treap.h"

static uint32_t priority(const struct treap_node *n)
{
	uint64_t x = (uint64_t)(uintptr_t)n >> 4;

	return (uint32_t)((x * 0x9e3779b97f4a7c15ull) >> 32);
}

/* Make `child` stand where `n` stood under n's parent. */
static void replace(
    struct treap *t, struct treap_node *n, struct treap_node *child)
{
	struct treap_node *p = n->parent;

	if (!p)
		t->root = child;
	else if (p->left == n)
		p->left = child;
	else
		p->right = child;
	if (child)
		child->parent = p;
}

/* Lift n above its parent, keeping the order of keys. */
static void rotate_up(struct treap *t, struct treap_node *n)
{
	struct treap_node *p = n->parent;

	replace(t, p, n);
	if (p->left == n) {
		p->left = n->right;
		if (p->left)
			p->left->parent = p;
		n->right = p;
	} else {
		p->right = n->left;
		if (p->right)
			p->right->parent = p;
		n->left = p;
	}
	p->parent = n;
}

void treap_insert(struct treap *t, struct treap_node *n, uint64_t key)
{
	struct treap_node **link = &t->root;
	struct treap_node *parent = NULL;

	while (*link) {
		parent = *link;
		link = key < parent->key ? &parent->left : &parent->right;
	}
	n->left = n->right = NULL;
	n->parent = parent;
	n->key = key;
	*link = n;
	while (n->parent && priority(n) > priority(n->parent))
		rotate_up(t, n);
}

void treap_remove(struct treap *t, struct treap_node *n)
{
	while (n->left && n->right)
		rotate_up(t, priority(n->left) > priority(n->right) ? n->left
								    : n->right);
	replace(t, n, n->left ? n->left : n->right);
	n->left = n->right = n->parent = NULL;
}

struct treap_node *treap_first(const struct treap *t)
{
	struct treap_node *n = t->root;

	while (n && n->left)
		n = n->left;
	return n;
}

struct treap_node *treap_last(const struct treap *t)
{
	struct treap_node *n = t->root;

	while (n && n->right)
		n = n->right;
	return n;
}

struct treap_node *treap_next(const struct treap_node *n)
{
	if (n->right) {
		n = n->right;
		while (n->left)
			n = n->left;
		return (struct treap_node *)n;
	}
	while (n->parent && n->parent->right == n)
		n = n->parent;
	return n->parent;
}

struct treap_node *treap_prev(const struct treap_node *n)
{
	if (n->left) {
		n = n->left;
		while (n->right)
			n = n->right;
		return (struct treap_node *)n;
	}
	while (n->parent && n->parent->left == n)
		n = n->parent;
	return n->parent;
}

struct treap_node *treap_floor(const struct treap *t, uint64_t key)
{
	struct treap_node *n = t->root, *best = NULL;

	while (n) {
		if (n->key <= key) {
			best = n;
			n = n->right;
		} else {
			n = n->left;
		}
	}
	return best;
}

struct treap_node *treap_ceil(const struct treap *t, uint64_t key)
{
	struct treap_node *n = t->root, *best = NULL;

	while (n) {
		if (n->key >= key) {
			best = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}
