/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The launcher's one event loop: epoll, timers, and tasks that run after the
 * events of a turn.
 *
 * The process has one thread that touches any of this, and so one loop, which
 * lives in loop.c.  Memory that a callback may still see in this turn is
 * given to loop_free(), which frees it when the turn is over.
 */
#ifndef TORIL_HOST_LOOP_H
#define TORIL_HOST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop_fd {
	int fd; /* the owner's; closing it is the owner's task too */
	void (*ready)(struct loop_fd *io, uint32_t events);
};

struct loop_timer {
	struct loop_timer *prev, *next; /* NULL while not set */
	uint64_t due;                   /* CLOCK_MONOTONIC, milliseconds */
	void (*fire)(struct loop_timer *timer);
};

struct loop_task {
	struct loop_task *next;
	bool queued;
	void (*run)(struct loop_task *task);
};

int loop_open(void); /* 0 or -errno */
void loop_close(void);

/* Watch `io->fd` for EPOLL* events.  -EPERM: a file that is always ready. */
int loop_add(struct loop_fd *io, uint32_t events);
int loop_change(struct loop_fd *io, uint32_t events);
void loop_del(struct loop_fd *io); /* harmless when not watched */

/* Fire once, `ms` from now; setting again moves it. */
void loop_timer_set(struct loop_timer *timer, unsigned ms);
void loop_timer_cancel(struct loop_timer *timer);
uint64_t loop_now(void); /* milliseconds */

/* Run once after this turn's events; queueing twice runs it once. */
void loop_defer(struct loop_task *task);
void loop_free(void *ptr);

int loop_turn(void); /* wait for events and serve them; 0 or -errno */

#endif
