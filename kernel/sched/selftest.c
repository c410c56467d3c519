/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mistakes that a debug build must find: `toril.mistake=NAME` on the kernel's
 * command line makes one.  tests/debug asks for each, and for the panic.
 */
#include "kernel/lib/assert.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/page.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/lockdep.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/thread.h"

static struct spinlock a = SPINLOCK_INIT;
static struct spinlock b = SPINLOCK_INIT;
static struct mutex m = MUTEX_INIT(m);
static struct mutex n = MUTEX_INIT(n);
static bool fired; /* [a] */

static void order(void)
{
	spin_lock(&a);
	spin_lock(&b);
	spin_unlock(&b);
	spin_unlock(&a);
	spin_lock(&b);
	spin_lock(&a);
}

static void mutex_order(void)
{
	mutex_lock(&m);
	mutex_lock(&n);
	mutex_unlock(&m);
	mutex_lock(&m);
}

static void twice(void)
{
	spin_lock(&a);
	spin_lock(&a);
}

static void not_held(void)
{
	a.locked = 1; /* as if another CPU did */
	spin_unlock(&a);
}

static void sleeping(void)
{
	spin_lock(&a);
	mutex_lock(&m);
}

static void handler(struct timer *t)
{
	(void)t;
	spin_lock(&a);
	spin_unlock(&a);
	__atomic_store_n(&fired, true, __ATOMIC_RELEASE);
}

/* A handler takes a; who holds b with interrupts on may be in its way. */
static void irq(void)
{
	static struct timer t;
	unsigned long flags;

	timer_init(&t, handler);
	timer_set(&t, clock_monotonic() + NSEC_PER_MSEC);
	while (!__atomic_load_n(&fired, __ATOMIC_ACQUIRE))
		(void)thread_sleep(clock_monotonic() + NSEC_PER_MSEC, false);
	flags = spin_lock_irq(&a);
	spin_lock(&b);
	spin_unlock(&b);
	spin_unlock_irq(&a, flags);
	spin_lock(&b);
}

static void freed(void)
{
	char *p = kmalloc(100);

	kfree(p);
	p[50] = 1;
	for (int i = 0; i < 1000; i++)
		(void)kmalloc(100);
}

static void freed_twice(void)
{
	char *p = kmalloc(100);

	kfree(p);
	kfree(p);
}

static void freed_page(void)
{
	struct page *p = page_alloc(0, 0);

	page_unref(p);
	((char *)page_to_virt(p))[5] = 1;
	while (page_alloc(0, 0))
		;
}

static void use_stack(uintptr_t bottom)
{
	volatile char frame[200];

	frame[0] = 0;
	if ((uintptr_t)frame > bottom + 800)
		use_stack(bottom);
	frame[1] = frame[0];
}

static void stack_deep(void *arg)
{
	(void)arg;
	use_stack(thread_current()->kstack_top - KSTACK_SIZE);
}

static void stack(void)
{
	(void)thread_spawn_kernel("deep", stack_deep, NULL);
	(void)thread_sleep(clock_monotonic() + NSEC_PER_SEC, false);
}

static const struct {
	const char *name;
	void (*make)(void);
} mistakes[] = {
    {"order", order},
    {"mutex_order", mutex_order},
    {"twice", twice},
    {"not_held", not_held},
    {"sleeping", sleeping},
    {"irq", irq},
    {"freed", freed},
    {"freed_twice", freed_twice},
    {"freed_page", freed_page},
    {"stack", stack},
};

void lockdep_mistake(const char *cmdline)
{
	const char *pos = NULL, *name;

	name = cmdline_next(cmdline, "toril.mistake", &pos);
	for (unsigned i = 0; name && i < ARRAY_LEN(mistakes); i++) {
		size_t len = strlen(mistakes[i].name);
		if (strncmp(name, mistakes[i].name, len) ||
		    (name[len] && name[len] != ' '))
			continue;
		mistakes[i].make();
		panic("the mistake was not found");
	}
}
