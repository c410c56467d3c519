/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Circular doubly linked lists, intrusive.  A head is a node of its own; an
 * unlinked node points at itself, so removing twice is harmless.
 */
#ifndef TORIL_KERNEL_LIB_LIST_H
#define TORIL_KERNEL_LIB_LIST_H

#include "kernel/lib/base.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(head)                                                        \
	{                                                                      \
		&(head), &(head)                                               \
	}

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_insert(
    struct list *node, struct list *prev, struct list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
	list_insert(node, head, head->next);
}

static inline void list_push_back(struct list *head, struct list *node)
{
	list_insert(node, head->prev, head);
}

static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Move all nodes of `from` to the end of `to`; `from` is empty afterwards. */
static inline void list_splice(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_last(head, type, member)  list_entry((head)->prev, type, member)

#define list_for_each(var, head, member)                                       \
	for (var = list_first(head, __typeof__(*var), member);                 \
	     &var->member != (head);                                           \
	     var = list_first(&var->member, __typeof__(*var), member))

/* The current node may be removed within the body. */
#define list_for_each_safe(var, tmp, head, member)                             \
	for (var = list_first(head, __typeof__(*var), member),                 \
	    tmp = list_first(&var->member, __typeof__(*var), member);          \
	     &var->member != (head); var = tmp,                                \
	    tmp = list_first(&var->member, __typeof__(*var), member))

#endif
