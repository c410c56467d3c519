/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/self: what the process looks like from outside; proc(5). */
#include "posix/proc.h"
#include "kernel/control/control.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/printk.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/vm.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/process.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"
#include "posix/clock.h"

#define PATH_COLUMN 73 /* of maps */

typedef unsigned long long ull;

/* Bytes in regions with all of these flags. */
static uint64_t mapped_bytes(unsigned flags)
{
	struct vm_region *r;
	uint64_t n = 0;

	MUTEX_GUARD(&vm_lock);
	for (r = vm_region_next(NULL); r; r = vm_region_next(r))
		if ((r->flags & flags) == flags)
			n += r->end - r->start;
	return n;
}

/* Memory in use; all of it is the one process's. */
static uint64_t resident_bytes(void)
{
	return page_total() - page_available();
}

/* The name that the first thread has. */
static void process_name(char name[16])
{
	struct thread *t;

	spin_lock(&threads_lock);
	t = thread_find_locked(PROCESS_PID);
	memcpy(name, t ? t->name : thread_current()->name, 16);
	spin_unlock(&threads_lock);
}

void proc_write_comm(struct proc_text *t)
{
	proc_add(t, "%s\n", thread_current()->name);
}

static void add_strings(struct proc_text *t, char **s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		proc_add_bytes(t, s[i], strlen(s[i]) + 1);
}

void proc_write_cmdline(struct proc_text *t)
{
	add_strings(t, control_config.argv, control_config.argc);
}

void proc_write_environ(struct proc_text *t)
{
	add_strings(t, control_config.envp, control_config.envc);
}

/* Signals that are ignored, or have a handler. */
static uint64_t signals_with(bool handled)
{
	struct signal_action a;
	uint64_t set = 0;

	for (int n = 1; n <= SIGNALS; n++) {
		signal_action_get(n, &a);
		if (handled ? a.handler > 1 : a.handler == 1)
			set |= SIG_BIT(n);
	}
	return set;
}

static void add_signals(struct proc_text *t)
{
	struct thread *self = thread_current();

	proc_add(t, "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\n",
	    (ull)self->signals->pending,
	    (ull)(signal_pending_set() & ~self->signals->pending),
	    (ull)self->signals->blocked);
	proc_add(t, "SigIgn:\t%016llx\nSigCgt:\t%016llx\n",
	    (ull)signals_with(false), (ull)signals_with(true));
}

/* The mask in words of 32 bits, and as ranges. */
static void add_affinity(struct proc_text *t, struct thread *self)
{
	struct cpumask m = thread_affinity(self);
	const char *comma = "";

	for (unsigned n = cpus_online; n < CPUMASK_WORDS * 64; n++)
		cpumask_clear(&m, n);
	proc_add(t, "Cpus_allowed:\t");
	for (unsigned i = (cpus_online + 31) / 32; i-- > 0;)
		proc_add(t, cpus_online > 32 ? "%08x%s" : "%x%s",
		    (uint32_t)(m.word[i / 2] >> (i % 2 * 32)), i ? "," : "\n");
	proc_add(t, "Cpus_allowed_list:\t");
	for (unsigned n = 0, end; n < cpus_online; n = end + 1) {
		for (end = n; end < cpus_online && cpumask_has(&m, end); end++)
			;
		if (end == n)
			continue;
		proc_add(
		    t, end == n + 1 ? "%s%u" : "%s%u-%u", comma, n, end - 1);
		comma = ",";
	}
	proc_add(t, "\n");
}

void proc_write_status(struct proc_text *t)
{
	struct thread *self = thread_current();
	ull size = mapped_bytes(0) / KIB, rss = resident_bytes() / KIB;
	char name[16];

	process_name(name);
	proc_add(t,
	    "Name:\t%s\nState:\tR (running)\nTgid:\t2\nNgid:\t0\nPid:\t2\n"
	    "PPid:\t1\nTracerPid:\t0\n",
	    name);
	proc_write_ids(t);
	proc_add(t, "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmLck:\t%8llu kB\n",
	    size, size, (ull)mapped_bytes(VM_MLOCK) / KIB);
	proc_add(t,
	    "VmHWM:\t%8llu kB\nVmRSS:\t%8llu kB\nVmSwap:\t       0 kB\n", rss,
	    rss);
	proc_add(t, "Threads:\t%u\n", thread_count());
	add_signals(t);
	add_affinity(t, self);
	proc_add(t,
	    "voluntary_ctxt_switches:\t%u\n"
	    "nonvoluntary_ctxt_switches:\t%u\n",
	    self->switches[1], self->switches[0]);
}

void proc_write_statm(struct proc_text *t)
{
	ull size = mapped_bytes(0) >> PAGE_SHIFT;
	ull rss = resident_bytes() >> PAGE_SHIFT;

	proc_add(t, "%llu %llu 0 0 0 %llu 0\n", size, rss, rss);
}

/* Fields 1 to 52 of proc(5); what does not apply is 0. */
void proc_write_stat(struct proc_text *t)
{
	struct thread *self = thread_current();
	ull user = clock_process() / (NSEC_PER_SEC / PROC_TICKS);
	bool rt = self->base_prio > 0;
	char name[16];

	process_name(name);
	proc_add(t, "2 (%s) R 1 2 2 0 -1 4194304 0 0 0 0 ", name);
	proc_add(t, "%llu 0 0 0 %d %d %u 0 0 ", user,
	    rt ? -1 - self->base_prio : 20 + self->nice, self->nice,
	    thread_count());
	proc_add(t, "%llu %llu 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 ",
	    (ull)mapped_bytes(0), (ull)(resident_bytes() >> PAGE_SHIFT));
	proc_add(t, "17 0 %d %u 0 0 0 0 0 0 0 0 0 0 0\n",
	    max((int)self->base_prio, 0), self->policy);
}

static void add_region_path(
    struct proc_text *t, const struct vm_region *r, int column)
{
	struct file *f = r->object ? vm_object_file(r->object) : NULL;
	char *buf = f && f->dentry ? kmalloc(PATH_MAX) : NULL;
	const char *path = r->flags & VM_STACK ? "[stack]" : "";

	if (buf && dentry_path(f->dentry, buf, PATH_MAX) > 0)
		path = buf;
	if (*path)
		proc_add(t, "%*s%s", max(PATH_COLUMN - column, 1), "", path);
	proc_add(t, "\n");
	kfree(buf);
}

static void add_region(struct proc_text *t, const struct vm_region *r)
{
	struct file *f = r->object ? vm_object_file(r->object) : NULL;
	char line[96];
	int n = ksnprintf(line, sizeof(line),
	    "%08llx-%08llx %c%c%c%c %08llx 00:%02x %llu", (ull)r->start,
	    (ull)r->end, r->flags & VM_READ ? 'r' : '-',
	    r->flags & VM_WRITE ? 'w' : '-', r->flags & VM_EXEC ? 'x' : '-',
	    r->flags & VM_SHARED ? 's' : 'p', (ull)r->index << PAGE_SHIFT,
	    f && f->inode ? f->inode->fs->dev : 0,
	    (ull)(f && f->inode ? f->inode->attr.ino : 0));

	proc_add_bytes(t, line, (size_t)n);
	add_region_path(t, r, n);
}

void proc_write_maps(struct proc_text *t)
{
	struct vm_region *r;

	MUTEX_GUARD(&vm_lock);
	for (r = vm_region_next(NULL); r; r = vm_region_next(r))
		add_region(t, r);
}
