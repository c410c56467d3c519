/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One turn of the loop: wait, call `ready` for each event, fire timers, run
 * deferred tasks, free what was given to loop_free().
 *
 * Timers form a list sorted by due time.  Most of them have one of very few
 * lengths, so that looking for the place from the end is short.
 */
#include "host/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "host/util.h"

static int epoll_fd = -1;
static struct loop_timer timers = {&timers, &timers, 0, NULL};
static struct loop_task *tasks, **tasks_end = &tasks;
static void **dead;
static size_t dead_count, dead_room;

int loop_open(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return epoll_fd < 0 ? -errno : 0;
}

static void dead_free(void)
{
	for (size_t i = 0; i < dead_count; i++)
		free(dead[i]);
	dead_count = 0;
}

void loop_close(void)
{
	dead_free();
	free(dead);
	dead = NULL;
	dead_room = 0;
	while (timers.next != &timers)
		loop_timer_cancel(timers.next);
	for (; tasks; tasks = tasks->next)
		tasks->queued = false;
	tasks_end = &tasks;
	close(epoll_fd);
	epoll_fd = -1;
}

int loop_add(struct loop_fd *io, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = io};

	assert(io->ready);
	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, io->fd, &ev) ? -errno : 0;
}

int loop_change(struct loop_fd *io, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = io};

	return epoll_ctl(epoll_fd, EPOLL_CTL_MOD, io->fd, &ev) ? -errno : 0;
}

void loop_del(struct loop_fd *io)
{
	if (io->fd >= 0 && io->ready)
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	io->ready = NULL; /* an event of this turn may still be waiting */
}

uint64_t loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void loop_timer_set(struct loop_timer *timer, unsigned ms)
{
	struct loop_timer *at;

	loop_timer_cancel(timer);
	timer->due = loop_now() + ms;
	for (at = timers.prev; at != &timers && at->due > timer->due;)
		at = at->prev;
	timer->prev = at;
	timer->next = at->next;
	at->next->prev = timer;
	at->next = timer;
}

void loop_timer_cancel(struct loop_timer *timer)
{
	if (!timer->next)
		return;
	timer->prev->next = timer->next;
	timer->next->prev = timer->prev;
	timer->prev = timer->next = NULL;
}

void loop_defer(struct loop_task *task)
{
	if (task->queued)
		return;
	task->queued = true;
	task->next = NULL;
	*tasks_end = task;
	tasks_end = &task->next;
}

void loop_free(void *ptr)
{
	if (!ptr)
		return;
	if (dead_count == dead_room) {
		dead_room = dead_room ? 2 * dead_room : 64;
		dead = must_grow(dead, dead_room * sizeof(*dead));
	}
	dead[dead_count++] = ptr;
}

static void tasks_run(void)
{
	struct loop_task *task = tasks;

	tasks = NULL; /* what a task queues again runs in the next turn */
	tasks_end = &tasks;
	while (task) {
		struct loop_task *next = task->next;

		task->queued = false;
		task->run(task);
		task = next;
	}
}

static int wait_time(void)
{
	uint64_t now;

	if (tasks)
		return 0;
	if (timers.next == &timers)
		return -1;
	now = loop_now();
	if (timers.next->due <= now)
		return 0;
	return (int)MIN(timers.next->due - now, 1000000);
}

int loop_turn(void)
{
	struct epoll_event ev[64];
	int n = epoll_wait(epoll_fd, ev, ARRAY_SIZE(ev), wait_time());

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		struct loop_fd *io = ev[i].data.ptr;

		if (io->ready)
			io->ready(io, ev[i].events);
	}
	while (timers.next != &timers && timers.next->due <= loop_now()) {
		struct loop_timer *timer = timers.next;

		loop_timer_cancel(timer);
		timer->fire(timer);
	}
	tasks_run();
	dead_free();
	return 0;
}
