/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads.
 *
 *	         thread_start              picked
 *	NEW ------------------> RUNNABLE ---------> RUNNING ----> DEAD
 *	                           ^  ^ pre-empted,    |
 *	                           |  +-- yields ------+
 *	                thread_wake+------- SLEEPING <-+ thread_sleep
 *
 * Each thread has a kernel stack, always mapped, on which every kernel call
 * and every interrupt runs.  Kernel code is not pre-empted: a kernel call
 * runs until it sleeps or returns.  Threads that run program code are
 * pre-empted at the end of their time slice, or when a thread of a higher
 * priority becomes runnable.
 *
 * Priorities are those of sched(7): 1 to 99 for SCHED_FIFO and SCHED_RR, 0 for
 * SCHED_OTHER and SCHED_BATCH, whose time slices follow the nice value, and -1
 * for SCHED_IDLE.
 */
#ifndef TORIL_KERNEL_SCHED_THREAD_H
#define TORIL_KERNEL_SCHED_THREAD_H

#include "kernel/lib/list.h"
#include "kernel/sched/cpumask.h"
#include "kernel/sched/timer.h"
#include "kernel/sched/wait.h"

enum thread_state {
	THREAD_NEW,
	THREAD_RUNNABLE,
	THREAD_RUNNING,
	THREAD_SLEEPING,
	THREAD_MOVING, /* runnable, on its way to another CPU's queue */
	THREAD_DEAD,
};

#define KSTACK_SIZE (16 * KIB)
#define KSTACK_SLOT (32 * KIB) /* the lower half is never mapped: a guard */

struct cpu;
struct signal_thread;

/*
 * Locks: [r] the run queue of t->cpu, [o] only the thread itself, [i] set
 * once before the start, [a] atomic.
 */
struct thread {
	uintptr_t ksp;        /* [o] saved kernel stack pointer */
	uintptr_t kstack_top; /* [i] */
	uintptr_t fs_base;    /* [o] thread pointer (TLS) */
	uint8_t cp_call;      /* [o] in a cancellation point; see kcall.h */
	bool vectors_live;    /* [o] vector registers must survive a switch */
	uint8_t *xsave;       /* [o] where, 64-byte aligned */
	void *xsave_mem;      /* [i] the memory that holds it */

	enum thread_state state;  /* [r] */
	uint32_t wake_pending;    /* [r] a wake-up came while it ran */
	struct list run_node;     /* [r] */
	struct cpu *cpu;          /* [r] where it runs, waits or last ran */
	struct cpumask affinity;  /* [r] where it may run */
	int8_t prio;              /* [r] effective: base or inherited */
	int8_t base_prio;         /* [r] */
	int8_t nice;              /* [r] -20 .. 19 */
	uint8_t policy;           /* [r] SCHED_* */
	bool reset_on_fork;       /* [r] SCHED_RESET_ON_FORK */
	bool process_scope;       /* [threads_lock] PTHREAD_SCOPE_PROCESS */
	bool spawn_process_scope; /* [o] so are threads that it creates */
	uint64_t run_ns;          /* [r] CPU time used */
	uint64_t run_since;       /* [r] when it was put on the CPU */
	uint32_t switches[2];     /* [r] away from it: forced, of its own */
	struct timer sleep_timer;

	int tid;                       /* [i] */
	char name[16];                 /* [o] */
	bool kernel_only;              /* [i] never runs program code */
	int *clear_child_tid;          /* [o] CLONE_CHILD_CLEARTID */
	void *robust_list;             /* [o] */
	void (*entry)(void *arg);      /* [i] */
	void *entry_arg;               /* [i] */
	uintptr_t entry_sp;            /* [i] program stack, 0: kernel thread */
	struct signal_thread *signals; /* [i] posix/signal.c's part, or NULL */
	uint32_t signal_work;          /* [a] look for signals on the way out */
	struct list all_node;          /* [threads_lock] */
	bool exiting;                  /* [threads_lock] in exit(2) */
	bool pi_exited;                /* [pi_lock] owns no PI futex */
	struct lockdep_thread lockdep; /* [o] */
};

/* The thread that runs on this CPU. */
struct thread *thread_current(void);

/*
 * Create a thread that is not running yet.  fn(arg) runs on the kernel stack
 * (entry_sp 0) or, as program code, on the program's stack that ends at
 * entry_sp.  NULL when memory is short.  May sleep.
 */
struct thread *thread_create(
    const char *name, void (*fn)(void *), void *arg, uintptr_t entry_sp);
void thread_start(struct thread *t);

/* Create and start a kernel thread; -ENOMEM. */
int thread_spawn_kernel(const char *name, void (*fn)(void *), void *arg);

/* End the calling thread. */
noreturn void thread_exit(void);

/* Make a sleeping thread runnable; any context.  If it does not sleep, its
 * next thread_sleep() returns at once. */
void thread_wake(struct thread *t);

/* Around wake-ups with a lock held that who wakes will want: other CPUs are
 * told at the end, since that takes long on a virtual machine.  Any context;
 * they nest. */
void thread_wakes_begin(void);
void thread_wakes_end(void);

/* Around wake-ups by a thread that is about to sleep: who is woken runs after
 * it on this CPU, which costs less than to tell another.  Nothing in between
 * sleeps.  A kernel thread that has something to do after all says so by
 * thread_spread(): who waits for this CPU goes to an idle one if there is one.
 * A program's does, unless it sleeps within 100 us. */
void thread_handover_begin(void);
void thread_handover_end(void);
void thread_spread(void);

/* Let others run. */
void thread_yield(void);

/* How many threads run program code. */
unsigned thread_count(void);

/* Look up by tid; NULL if none.  Caller holds threads_lock. */
struct thread *thread_find_locked(int tid);
extern struct spinlock threads_lock;
extern struct list threads_all;  /* [threads_lock] through all_node */
extern uint64_t threads_dead_ns; /* [threads_lock] CPU time of ended ones */

/* Scheduling class of t: policy SCHED_*, prio 1 .. 99 or 0; checked by the
 * caller.  Takes effect at once. */
void thread_set_policy(struct thread *t, int policy, int prio);
void thread_set_nice(struct thread *t, int nice);

/* The priority that t runs with: inherited through a PI futex, or its own. */
void thread_set_inherited(struct thread *t, int prio);

/* CPU time that t has used, in nanoseconds. */
uint64_t thread_cpu_time(struct thread *t);

/* SCHED_RR's time slice for t, in nanoseconds. */
uint64_t thread_slice(const struct thread *t);

/* Called when the CPU's current thread has used up its slice. */
void thread_preempt(void);

/* Have t look for signals: at once where it runs program code or sleeps.  Any
 * context. */
void thread_notice(struct thread *t);

/* The CPUs that t may run on; the mask has one that runs.  Takes effect at
 * once, for the calling thread on its way out of the kernel. */
void thread_set_affinity(struct thread *t, const struct cpumask *m);
struct cpumask thread_affinity(struct thread *t);

/* One thread per CPU, in turn, and no balancing.  Set before the start. */
extern bool sched_dedicate;

/* The reschedule interrupt: somebody has put a thread on this CPU's queue. */
void sched_interrupt(void);

/* Set up a CPU's idle thread, whose stack is c->kstack_top; the boot CPU's is
 * the running context. */
int sched_init_cpu(struct cpu *c);

/* The idle loop: take work from other CPUs, or halt until something comes. */
noreturn void sched_idle(void);

/* A pending signal that would interrupt a sleep; set by posix/signal.c. */
bool signal_interrupts(struct thread *t);

#endif
