/* SPDX-License-Identifier: BSD-2-Clause */
/* Creating, finding and freeing threads; see thread.h. */
#include "kernel/sched/thread.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/vm.h"
#include "kernel/sched/process.h"
#include "kernel/sched/signal.h"

void thread_first(void);
noreturn void thread_begin(struct thread *t);
void thread_free(struct thread *t);

own_line struct spinlock threads_lock = SPINLOCK_INIT;
struct list threads_all = LIST_INIT(threads_all);
uint64_t threads_dead_ns;
bool sched_dedicate;
static int last_tid = PROCESS_PID - 1; /* [threads_lock] */

/* The stack as thread_switch would have left it: see trap_entry.S. */
static uintptr_t first_frame(struct thread *t)
{
	uint64_t *sp = (uint64_t *)t->kstack_top;

	*--sp = 0; /* alignment */
	*--sp = (uint64_t)thread_first;
	*--sp = 0;                      /* rbp */
	*--sp = 0;                      /* rbx */
	*--sp = (uint64_t)t;            /* r12 */
	*--sp = (uint64_t)thread_begin; /* r13 */
	*--sp = 0;                      /* r14 */
	*--sp = 0;                      /* r15 */
	*--sp = 0x37full << 32 | 0x1f80;
	return (uintptr_t)sp;
}

/* A program's thread goes where its creator may; under --dedicate each has
 * a CPU of its own while there are any. */
static struct cpumask first_affinity(bool program)
{
	static unsigned next; /* [a] */
	struct thread *creator = thread_current();
	struct cpumask m = {{0}};
	unsigned n;

	if (!program)
		return (struct cpumask)CPUMASK_ALL;
	if (!sched_dedicate)
		return creator->affinity;
	n = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
	cpumask_set(&m, n % cpus_online);
	return m;
}

struct thread *thread_create(
    const char *name, void (*fn)(void *), void *arg, uintptr_t entry_sp)
{
	struct thread *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	list_init(&t->all_node);
	list_init(&t->run_node);
	t->kstack_top = kstack_alloc();
	/* The XSAVE image wants 64-byte alignment, which classes of
	 * kmalloc do not all have. */
	t->xsave_mem = kmalloc(cpu_features.xsave_size + 64);
	if (!t->kstack_top || !t->xsave_mem || signal_thread_init(t)) {
		thread_free(t);
		return NULL;
	}
	t->xsave = (uint8_t *)ALIGN_UP((uintptr_t)t->xsave_mem, 64);
	fpu_init_area(t->xsave);
	memcpy(t->name, name, strnlen(name, sizeof(t->name) - 1));
	t->entry = fn;
	t->entry_arg = arg;
	t->entry_sp = entry_sp;
	t->kernel_only = !entry_sp;
	t->cpu = cpu_self();
	t->affinity = first_affinity(entry_sp);
	t->ksp = first_frame(t);
	spin_lock(&threads_lock);
	if (entry_sp)
		t->tid = ++last_tid;
	list_push_back(&threads_all, &t->all_node);
	spin_unlock(&threads_lock);
	return t;
}

int thread_spawn_kernel(const char *name, void (*fn)(void *), void *arg)
{
	struct thread *t = thread_create(name, fn, arg, 0);

	if (!t)
		return -ENOMEM;
	thread_start(t);
	return 0;
}

void thread_free(struct thread *t)
{
	signal_thread_free(t);
	if (t->kstack_top)
		kstack_free(t->kstack_top);
	kfree(t->xsave_mem);
	kfree(t);
}

struct thread *thread_find_locked(int tid)
{
	struct thread *t;

	list_for_each (t, &threads_all, all_node)
		if (t->tid == tid)
			return t;
	return NULL;
}

unsigned thread_count(void)
{
	struct thread *t;
	unsigned n = 0;

	spin_lock(&threads_lock);
	list_for_each (t, &threads_all, all_node)
		n += !t->kernel_only;
	spin_unlock(&threads_lock);
	return n;
}
