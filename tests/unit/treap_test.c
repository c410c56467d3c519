/* SPDX-License-Identifier: BSD-2-Clause */
/* The ordered tree against a sorted array. */
#include "tests/unit/cmocka.h"
#include <stdlib.h>
#include "kernel/lib/treap.h"

#define N 500

static struct treap_node node[N];
static struct treap tree;
static bool in[N];

/* Links are mutual and keys in order; the number of nodes. */
static unsigned check(const struct treap_node *n, const struct treap_node *up)
{
	if (!n)
		return 0;
	assert_ptr_equal(n->parent, up);
	if (n->left)
		assert_true(n->left->key <= n->key);
	if (n->right)
		assert_true(n->right->key >= n->key);
	return 1 + check(n->left, n) + check(n->right, n);
}

static unsigned depth(const struct treap_node *n)
{
	unsigned l = n ? depth(n->left) : 0, r = n ? depth(n->right) : 0;

	return n ? 1 + max(l, r) : 0;
}

static void compare(void)
{
	struct treap_node *n = treap_first(&tree), *last = NULL;
	unsigned count = 0, wanted = 0;

	for (int i = 0; i < N; i++)
		wanted += in[i];
	assert_int_equal(check(tree.root, NULL), wanted);
	for (; n; last = n, n = treap_next(n), count++) {
		assert_ptr_equal(treap_prev(n), last);
		if (last)
			assert_true(last->key <= n->key);
	}
	assert_ptr_equal(treap_last(&tree), last);
	assert_int_equal(count, wanted);
}

static void find(uint64_t key)
{
	struct treap_node *floor = treap_floor(&tree, key);
	struct treap_node *ceil = treap_ceil(&tree, key);
	const struct treap_node *f = NULL, *c = NULL;

	for (int i = 0; i < N; i++) {
		if (!in[i])
			continue;
		if (node[i].key <= key && (!f || node[i].key > f->key))
			f = &node[i];
		if (node[i].key >= key && (!c || node[i].key < c->key))
			c = &node[i];
	}
	assert_int_equal(!!f, !!floor);
	assert_int_equal(!!c, !!ceil);
	if (f)
		assert_int_equal(f->key, floor->key);
	if (c)
		assert_int_equal(c->key, ceil->key);
}

static void random_operations(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < 40000; i++) {
		int k = rand() % N;
		if (in[k])
			treap_remove(&tree, &node[k]);
		else
			treap_insert(&tree, &node[k], (uint64_t)rand() % 300);
		in[k] = !in[k];
		if (i % 50 == 0) {
			compare();
			find((uint64_t)rand() % 310);
		}
	}
	for (int k = 0; k < N; k++)
		if (in[k])
			treap_remove(&tree, &node[k]);
	assert_null(tree.root);
	assert_null(treap_first(&tree));
	assert_null(treap_last(&tree));
}

static void equal_keys_keep_their_order(void **state)
{
	struct treap t = {0};
	struct treap_node *n;
	int i = 0;

	(void)state;
	for (i = 0; i < N; i++)
		treap_insert(&t, &node[i], (uint64_t)i / 100);
	for (i = 0, n = treap_first(&t); n; n = treap_next(n), i++)
		assert_ptr_equal(n, &node[i]);
	assert_int_equal(i, N);
}

static void sorted_input_stays_shallow(void **state)
{
	struct treap t = {0};

	(void)state;
	for (int i = 0; i < N; i++)
		treap_insert(&t, &node[i], (uint64_t)i);
	assert_true(depth(t.root) < 40);
}

static void extreme_keys(void **state)
{
	struct treap t = {0};

	(void)state;
	treap_insert(&t, &node[0], 0);
	treap_insert(&t, &node[1], UINT64_MAX);
	assert_ptr_equal(treap_floor(&t, UINT64_MAX), &node[1]);
	assert_ptr_equal(treap_floor(&t, UINT64_MAX - 1), &node[0]);
	assert_ptr_equal(treap_ceil(&t, 1), &node[1]);
	assert_ptr_equal(treap_ceil(&t, 0), &node[0]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_operations),
	    cmocka_unit_test(equal_keys_keep_their_order),
	    cmocka_unit_test(sorted_input_stays_shallow),
	    cmocka_unit_test(extreme_keys),
	};

	return RUN_TAP(tests);
}
