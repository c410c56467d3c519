/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts of kernel objects; see objects.h.
 *
 * What has a table of its own is counted there.  Everything else that the
 * kernel allocates (inodes, open files, timers, requests, mappings) is in the
 * counts by size.
 */
#include "kernel/control/objects.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/fs/file.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/printk.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/page.h"
#include "kernel/net/vsock.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/thread.h"

static unsigned count_threads(void)
{
	struct thread *t;
	unsigned n = 0;

	spin_lock(&threads_lock);
	list_for_each (t, &threads_all, all_node)
		n++;
	spin_unlock(&threads_lock);
	return n;
}

static unsigned count_descriptors(void)
{
	unsigned n = 0;

	for (int fd = fd_next(0); fd >= 0; fd = fd_next(fd + 1))
		n++;
	return n;
}

void objects_each(
    void (*show)(void *arg, const char *name, uint64_t number), void *arg)
{
	unsigned names, unused, size;
	char name[sizeof("objects_65535")];
	size_t live;

	dcache_count(&names, &unused);
	show(arg, "threads", count_threads());
	show(arg, "descriptors", count_descriptors());
	show(arg, "connections", vsock_count());
	show(arg, "names", names);
	show(arg, "names_unused", unused);
	show(arg, "pages", (page_total() - page_available()) / PAGE_SIZE);
	for (unsigned c = 0; (size = kmem_class(c, &live)); c++) {
		ksnprintf(name, sizeof(name), "objects_%u", size);
		show(arg, name, live);
	}
}

static void print_one(void *arg, const char *name, uint64_t number)
{
	(void)arg;
	printk("%s=%llu ", name, (unsigned long long)number);
}

static void objects_thread(void *arg)
{
	uint64_t every = (uintptr_t)arg * NSEC_PER_SEC;

	for (;;) {
		uint64_t until = clock_monotonic() + every;

		while (clock_monotonic() < until)
			(void)thread_sleep(until, false);
		printk("toril: objects ");
		objects_each(print_one, NULL);
		printk("\n");
	}
}

int objects_watch(unsigned seconds)
{
	return thread_spawn_kernel(
	    "objects", objects_thread, (void *)(uintptr_t)seconds);
}
