/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals: pending sets, actions and sending; see signal.h.  The frames that
 * handlers run from are signal_frame.c's.
 */
#include "kernel/sched/signal.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/process.h"
#include "kernel/sched/signal_frame.h"
#include "kernel/sched/thread.h"

#define UNBLOCKABLE (SIG_BIT(SIG_KILL) | SIG_BIT(SIG_STOP))
#define STOPS                                                                  \
	(SIG_BIT(SIG_STOP) | SIG_BIT(SIG_TSTP) | SIG_BIT(SIG_TTIN) |           \
	    SIG_BIT(SIG_TTOU))
#define SIG_REAL_TIME (~0ull << (SIG_RT_MIN - 1))
#define POLL_IN       1u /* kernel/fs/file.h's */

/* The process group is orphaned: the terminal's stop signals do nothing. */
#define IGNORED_BY_DEFAULT                                                     \
	(SIG_BIT(SIG_CHLD) | SIG_BIT(SIG_CONT) | SIG_BIT(SIG_URG) |            \
	    SIG_BIT(SIG_WINCH) | STOPS)

struct queued {
	struct list node;
	struct signal_info info;
};

own_line static struct spinlock signal_lock = SPINLOCK_INIT;
static struct signal_action actions[SIGNALS + 1]; /* [signal_lock] */
static uint64_t process_pending;                  /* [signal_lock] */
static struct list process_queue = LIST_INIT(process_queue);
static unsigned queued_total; /* [signal_lock] */
static bool stopping;         /* [a] the process is ending */
static bool stopped;          /* [signal_lock] by SIGSTOP, until SIGCONT */
static struct waitq continued = WAITQ_INIT(continued);

struct waitq signal_arrival = WAITQ_INIT(signal_arrival);
unsigned signal_queue_max = 1024;
void (*signal_timer_taken)(int timer_id, int overrun);

int signal_thread_init(struct thread *t)
{
	struct thread *creator = cpu_self()->current;

	t->signals = kzalloc(sizeof(*t->signals));
	if (!t->signals)
		return -ENOMEM;
	list_init(&t->signals->queue);
	t->signals->alt_flags = 2; /* SS_DISABLE */
	if (creator && creator->signals)
		t->signals->blocked = creator->signals->blocked;
	return 0;
}

static void queue_drop(struct list *queue, uint64_t set)
{
	struct queued *q, *tmp;

	list_for_each_safe (q, tmp, queue, node) {
		if (!(SIG_BIT(q->info.signo) & set))
			continue;
		list_remove(&q->node);
		queued_total--;
		kfree(q);
	}
}

void signal_thread_free(struct thread *t)
{
	unsigned long flags;

	if (!t->signals)
		return;
	flags = spin_lock_irq(&signal_lock); /* for the count */
	queue_drop(&t->signals->queue, UINT64_MAX);
	spin_unlock_irq(&signal_lock, flags);
	kfree(t->signals);
	t->signals = NULL;
}

static bool ignored_locked(int signo)
{
	uintptr_t h = actions[signo].handler;

	return h == 1 || (h == 0 && IGNORED_BY_DEFAULT & SIG_BIT(signo));
}

/* What could be delivered to t now. */
static uint64_t deliverable(const struct thread *t)
{
	return (t->signals->pending | process_pending) & ~t->signals->blocked;
}

bool signal_interrupts(struct thread *t)
{
	if (!t->signals || t->kernel_only)
		return false;
	if (stopping)
		return true;
	if (deliverable(t))
		return true;
	/* In a cancellation point musl's own signal ends the wait although
	 * it blocks it: see pthread_cancel's handler. */
	return t->cp_call && t->signals->pending & SIG_BIT(SIG_CANCEL);
}

/* threads_lock is held. */
static void notice_all(void)
{
	struct thread *t;

	list_for_each (t, &threads_all, all_node)
		if (!t->kernel_only)
			thread_notice(t);
}

void signal_stop_others(void)
{
	unsigned long flags = spin_lock_irq(&signal_lock);

	__atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
	waitq_wake_all(&continued, 0);
	spin_lock(&threads_lock);
	notice_all();
	spin_unlock(&threads_lock);
	spin_unlock_irq(&signal_lock, flags);
}

bool signal_stopping(void)
{
	return __atomic_load_n(&stopping, __ATOMIC_ACQUIRE);
}

/* Where other threads end up once the process is ending. */
static void park_if_stopping(void)
{
	while (signal_stopping())
		(void)thread_sleep(DEADLINE_NEVER, false);
}

static void wait_if_stopped(void)
{
	struct thread *t = thread_current();

	(void)wait_event(&continued,
	    !stopped || stopping || deliverable(t) & SIG_BIT(SIG_KILL),
	    DEADLINE_NEVER, false);
}

/* One is as good as many: standard signals, and musl's for pthread_cancel(),
 * which may be called any number of times for a thread that ignores it. */
static bool merges(int signo)
{
	return signo < SIG_RT_MIN || signo == SIG_CANCEL;
}

static int enqueue_locked(struct list *queue, uint64_t *pending, int signo,
    const struct signal_info *info)
{
	struct queued *q = NULL;

	bool timer = info && info->code == SI_TIMER_CODE;

	if (merges(signo) && *pending & SIG_BIT(signo) && !timer)
		return 0; /* already pending */
	/* The limit is for what programs send: faults come through. */
	if (info && (queued_total < signal_queue_max || timer ||
			(signo < SIG_RT_MIN && info->code >= 0)))
		q = kmalloc(sizeof(*q));
	if (info && !q && signo >= SIG_RT_MIN && info->code < 0)
		return -EAGAIN;
	if (q) {
		q->info = *info;
		q->info.signo = signo;
		list_push_back(queue, &q->node);
		queued_total++;
	}
	*pending |= SIG_BIT(signo);
	return 0;
}

/* Drop `set` wherever it is pending. */
static void discard_locked(uint64_t set)
{
	struct thread *t;

	process_pending &= ~set;
	queue_drop(&process_queue, set);
	list_for_each (t, &threads_all, all_node) {
		if (!t->signals)
			continue;
		t->signals->pending &= ~set;
		queue_drop(&t->signals->queue, set);
	}
}

/*
 * Stop signals and SIGCONT undo each other, blocked or ignored or not.  As
 * SIGSTOP can't be caught, it takes effect when it is sent: threads stop on
 * their way back to program code; those that sleep in a kernel call sleep on.
 * threads_lock is held.
 */
static void stop_or_continue_locked(int signo)
{
	if (STOPS & SIG_BIT(signo))
		discard_locked(SIG_BIT(SIG_CONT));
	if (signo == SIG_STOP) {
		stopped = true;
		notice_all();
	} else if (signo == SIG_CONT) {
		discard_locked(STOPS);
		stopped = false;
		waitq_wake_all(&continued, 0);
	}
}

/* threads_lock is held. */
static int send_thread_locked(
    struct thread *t, int signo, const struct signal_info *info)
{
	struct signal_thread *s = t->signals;
	int err;

	stop_or_continue_locked(signo);
	if (signo == SIG_STOP)
		return 0;
	if (ignored_locked(signo) && !(s->blocked & SIG_BIT(signo)) &&
	    !(s->waiting & SIG_BIT(signo)))
		return 0;
	err = enqueue_locked(&s->queue, &s->pending, signo, info);
	if (!err)
		thread_notice(t);
	return err;
}

int signal_send_thread(
    struct thread *t, int signo, const struct signal_info *info)
{
	unsigned long flags = spin_lock_irq(&signal_lock);
	int err;

	spin_lock(&threads_lock);
	err = send_thread_locked(t, signo, info);
	spin_unlock(&threads_lock);
	spin_unlock_irq(&signal_lock, flags);
	waitq_wake_all(&signal_arrival, POLL_IN);
	return err;
}

int signal_send_tid(int tid, int signo, const struct signal_info *info)
{
	unsigned long flags = spin_lock_irq(&signal_lock);
	struct thread *t;
	int err = -ESRCH;

	spin_lock(&threads_lock);
	t = thread_find_locked(tid);
	if (t)
		err = signo ? send_thread_locked(t, signo, info) : 0;
	spin_unlock(&threads_lock);
	spin_unlock_irq(&signal_lock, flags);
	waitq_wake_all(&signal_arrival, POLL_IN);
	return err;
}

/* The thread that takes a process signal, or NULL if all block it: the most
 * urgent, as others may not get the CPU, and of these the oldest. */
static struct thread *taker(int signo)
{
	struct thread *t, *best = NULL;

	list_for_each (t, &threads_all, all_node) {
		if (t->kernel_only || !t->signals)
			continue;
		if (t->signals->blocked & SIG_BIT(signo) &&
		    !(t->signals->waiting & SIG_BIT(signo)))
			continue;
		if (!best || t->prio > best->prio)
			best = t;
	}
	return best;
}

/* Threads that were told of process signals of `set` won't take them: tell
 * others.  threads_lock is held. */
static void retarget_locked(uint64_t set)
{
	for (set &= process_pending; set; set &= set - 1) {
		struct thread *t = taker(__builtin_ctzll(set) + 1);
		if (t)
			thread_notice(t);
	}
}

static int send_process_locked(int signo, const struct signal_info *info)
{
	struct thread *t;
	int err;

	stop_or_continue_locked(signo);
	if (signo == SIG_STOP)
		return 0;
	t = taker(signo);
	if (t && ignored_locked(signo) &&
	    !(t->signals->waiting & SIG_BIT(signo)))
		return 0;
	err = enqueue_locked(&process_queue, &process_pending, signo, info);
	if (t && !err)
		thread_notice(t);
	return err;
}

int signal_send_process(int signo, const struct signal_info *info)
{
	unsigned long flags = spin_lock_irq(&signal_lock);
	int err;

	spin_lock(&threads_lock);
	err = send_process_locked(signo, info);
	spin_unlock(&threads_lock);
	spin_unlock_irq(&signal_lock, flags);
	waitq_wake_all(&signal_arrival, POLL_IN);
	return err;
}

/* The timer's signal that is still pending gets the overruns. */
static bool overran_locked(struct list *queue, int timer_id, uint64_t times)
{
	struct queued *q;

	list_for_each (q, queue, node) {
		if (q->info.code != SI_TIMER_CODE ||
		    q->info.timer_id != timer_id)
			continue;
		q->info.overrun = (int32_t)min(
		    (uint64_t)q->info.overrun + times, (uint64_t)INT32_MAX);
		return true;
	}
	return false;
}

int signal_send_timer(
    int tid, int signo, int timer_id, uint64_t value, uint64_t times)
{
	struct signal_info info = {.code = SI_TIMER_CODE};
	unsigned long flags = spin_lock_irq(&signal_lock);
	struct thread *t = NULL;
	int err = 0;

	info.timer_id = timer_id;
	info.timer_value = value;
	info.overrun = (int32_t)min(times - 1, (uint64_t)INT32_MAX);
	spin_lock(&threads_lock);
	if (tid)
		t = thread_find_locked(tid);
	if (tid && !t)
		err = -ESRCH;
	else if (!overran_locked(
		     t ? &t->signals->queue : &process_queue, timer_id, times))
		err = t ? send_thread_locked(t, signo, &info)
			: send_process_locked(signo, &info);
	spin_unlock(&threads_lock);
	spin_unlock_irq(&signal_lock, flags);
	waitq_wake_all(&signal_arrival, POLL_IN);
	return err;
}

static void forget_timer_locked(
    struct list *queue, uint64_t *pending, int timer_id)
{
	struct queued *q, *tmp;
	uint64_t gone = 0, kept = 0;

	list_for_each_safe (q, tmp, queue, node) {
		if (q->info.code != SI_TIMER_CODE ||
		    q->info.timer_id != timer_id) {
			kept |= SIG_BIT(q->info.signo);
			continue;
		}
		gone |= SIG_BIT(q->info.signo);
		list_remove(&q->node);
		queued_total--;
		kfree(q);
	}
	/* One that merges may have been sent by others as well. */
	*pending &= ~(gone & ~kept & SIG_REAL_TIME);
}

void signal_forget_timer(int tid, int timer_id)
{
	unsigned long flags = spin_lock_irq(&signal_lock);
	struct thread *t = NULL;

	spin_lock(&threads_lock);
	if (tid)
		t = thread_find_locked(tid);
	if (t)
		forget_timer_locked(
		    &t->signals->queue, &t->signals->pending, timer_id);
	else if (!tid)
		forget_timer_locked(&process_queue, &process_pending, timer_id);
	spin_unlock(&threads_lock);
	spin_unlock_irq(&signal_lock, flags);
}

/* Take the lowest signal of `set` that is pending for t. */
static int take_from(struct list *queue, uint64_t *pending, uint64_t set,
    struct signal_info *info)
{
	struct queued *q, *found = NULL;
	bool more = false;
	int signo;

	if (!(*pending & set))
		return 0;
	signo = __builtin_ctzll(*pending & set) + 1;
	list_for_each (q, queue, node) {
		if (q->info.signo != signo)
			continue;
		if (found)
			more = true;
		else
			found = q;
	}
	*info = found ? found->info : (struct signal_info){.signo = signo};
	if (found) {
		list_remove(&found->node);
		queued_total--;
		kfree(found);
		if (info->code == SI_TIMER_CODE && signal_timer_taken)
			signal_timer_taken(info->timer_id, info->overrun);
	}
	if (!more)
		*pending &= ~SIG_BIT(signo);
	return signo;
}

static int take_locked(struct thread *t, uint64_t set, struct signal_info *info)
{
	int signo =
	    take_from(&t->signals->queue, &t->signals->pending, set, info);

	return signo ? signo
		     : take_from(&process_queue, &process_pending, set, info);
}

/* The next signal to act upon with its action; 0 if none. */
static int next_signal(struct signal_info *info, struct signal_action *act)
{
	struct thread *t = thread_current();
	unsigned long flags = spin_lock_irq(&signal_lock);
	int signo;

	do
		signo = take_locked(t, ~t->signals->blocked, info);
	while (signo && ignored_locked(signo));
	if (signo) {
		*act = actions[signo];
		if (act->flags & 0x80000000ull) /* SA_RESETHAND */
			actions[signo].handler = 0;
	} else {
		t->signal_work = 0;
		__atomic_and_fetch(
		    &cpu_self()->work, ~CPU_WORK_SIGNAL, __ATOMIC_SEQ_CST);
	}
	spin_unlock_irq(&signal_lock, flags);
	return signo;
}

void signal_deliver_trap(struct trap_frame *f)
{
	struct signal_info info;
	struct signal_action act;
	struct signal_thread *s = thread_current()->signals;
	uint64_t mask;

	park_if_stopping();
	wait_if_stopped();
	while (next_signal(&info, &act)) {
		if (!act.handler)
			process_exit_signal(info.signo);
		mask = s->restore_mask ? s->saved_mask : s->blocked;
		s->restore_mask = false;
		if (signal_frame_push(f, &info, &act, mask))
			process_exit_signal(SIG_SEGV);
		mask = s->blocked | act.mask;
		if (!(act.flags & 0x40000000ull)) /* SA_NODEFER */
			mask |= SIG_BIT(info.signo);
		signal_set_mask(mask, NULL);
	}
	if (s->restore_mask) {
		s->restore_mask = false;
		signal_set_mask(s->saved_mask, NULL);
	}
}

void signal_fault(struct trap_frame *f, const struct fault_info *fault)
{
	struct signal_thread *s = thread_current()->signals;
	struct signal_info info = {.signo = fault->signo, .code = fault->code};
	uintptr_t handler;
	bool blocked;

	info.addr = fault->addr;
	handler = actions[fault->signo].handler;
	blocked = s->blocked & SIG_BIT(fault->signo);
	if (handler <= 1 || blocked) {
		process_report_fault(f, fault);
		process_exit_signal(fault->signo);
	}
	(void)signal_send_thread(thread_current(), fault->signo, &info);
}

uint64_t signal_mask(void)
{
	return thread_current()->signals->blocked;
}

void signal_set_mask(uint64_t mask, uint64_t *old)
{
	struct thread *t = thread_current();
	unsigned long flags = spin_lock_irq(&signal_lock);
	uint64_t was = t->signals->blocked;

	if (old)
		*old = was;
	t->signals->blocked = mask & ~UNBLOCKABLE;
	if (process_pending & mask & ~was) {
		spin_lock(&threads_lock);
		retarget_locked(mask & ~was);
		spin_unlock(&threads_lock);
	}
	if (deliverable(t)) {
		t->signal_work = 1;
		__atomic_or_fetch(
		    &cpu_self()->work, CPU_WORK_SIGNAL, __ATOMIC_SEQ_CST);
	}
	spin_unlock_irq(&signal_lock, flags);
}

void signal_thread_exit(void)
{
	unsigned long flags = spin_lock_irq(&signal_lock);

	thread_current()->signals->blocked = UINT64_MAX;
	spin_lock(&threads_lock);
	retarget_locked(UINT64_MAX);
	spin_unlock(&threads_lock);
	spin_unlock_irq(&signal_lock, flags);
}

static int try_take(uint64_t set, struct signal_info *info)
{
	struct thread *t = thread_current();
	unsigned long flags = spin_lock_irq(&signal_lock);
	int signo = take_locked(t, set, info);

	t->signals->waiting = signo ? 0 : set;
	spin_unlock_irq(&signal_lock, flags);
	return signo;
}

int signal_take(uint64_t set, struct signal_info *info)
{
	unsigned long flags = spin_lock_irq(&signal_lock);
	int signo = take_locked(thread_current(), set & ~UNBLOCKABLE, info);

	spin_unlock_irq(&signal_lock, flags);
	return signo;
}

/* Not waiting any more: the last look, and others take what comes. */
static int give_up(uint64_t set, struct signal_info *info)
{
	struct thread *t = thread_current();
	unsigned long flags = spin_lock_irq(&signal_lock);
	int signo = take_locked(t, set, info);

	t->signals->waiting = 0;
	spin_unlock_irq(&signal_lock, flags);
	return signo;
}

int signal_wait(uint64_t set, uint64_t deadline, struct signal_info *info)
{
	int signo, err = 0;

	set &= ~UNBLOCKABLE;
	while (!(signo = try_take(set, info)) && !err)
		err = thread_sleep(deadline, true);
	if (!signo)
		signo = give_up(set, info);
	if (signo)
		return signo;
	return err == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

void signal_action_get(int signo, struct signal_action *a)
{
	unsigned long flags = spin_lock_irq(&signal_lock);

	*a = actions[signo];
	spin_unlock_irq(&signal_lock, flags);
}

/* Setting a signal to be ignored drops it where it is pending. */
void signal_action_set(int signo, const struct signal_action *a)
{
	unsigned long flags = spin_lock_irq(&signal_lock);

	actions[signo] = *a;
	actions[signo].mask &= ~UNBLOCKABLE;
	if (ignored_locked(signo)) {
		spin_lock(&threads_lock);
		discard_locked(SIG_BIT(signo));
		spin_unlock(&threads_lock);
	}
	spin_unlock_irq(&signal_lock, flags);
}

uint64_t signal_pending_set(void)
{
	return thread_current()->signals->pending | process_pending;
}
