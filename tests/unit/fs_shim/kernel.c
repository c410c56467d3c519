/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's primitives on the host, for unit tests and fuzzers: one
 * thread, no interrupts.  Kernel memory is malloc's, so that the sanitizers
 * watch it; pages come from an arena, with real reference counts; physical
 * addresses are virtual ones.  A lock taken twice, or held while sleeping,
 * aborts.  Compiled as kernel code is: without libc's headers.
 */
#include <linux/uio.h>
#include "kernel/lib/assert.h"
#include "kernel/lib/list.h"
#include "kernel/lib/printk.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/page.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/hazard.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"
#include "tests/unit/fs_shim/shim.h"

void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);
void free(void *p);
noreturn void abort(void);
int vprintf(const char *fmt, va_list ap);
int vsnprintf(char *s, size_t n, const char *fmt, va_list ap);
int puts(const char *s);
int fflush(void *f);

#define ARENA_PAGES 4096u

uint64_t shim_now = NSEC_PER_SEC;
unsigned shim_pages_used;
bool (*shim_idle)(void);
bool shim_no_memory;
static int locks_held;

noreturn void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	puts("");
	fflush(NULL);
	abort();
}

void printk(const char *fmt, ...)
{
	(void)fmt;
}

void printk_verbose(const char *fmt, ...)
{
	(void)fmt;
}

int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	return vsnprintf(buf, size, fmt, ap);
}

int ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

void random_bytes(void *buf, size_t n)
{
	static uint64_t state = 1;

	for (size_t i = 0; i < n; i++) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		((uint8_t *)buf)[i] = (uint8_t)(state >> 56);
	}
}

void random_mix(uint64_t v)
{
	(void)v;
}

void *kmalloc(size_t size)
{
	return shim_no_memory ? NULL : malloc(size);
}

void *kzalloc(size_t size)
{
	return shim_no_memory ? NULL : calloc(1, size);
}

void kfree(void *p)
{
	free(p);
}

void *krealloc(void *p, size_t size)
{
	return realloc(p, size);
}

/* Pages: blocks of an arena, first fit. */

static char arena[ARENA_PAGES * PAGE_SIZE] __attribute__((aligned(2097152)));
static struct page map[ARENA_PAGES];
static struct page outside = {.kind = PAGE_SLAB};
static page_reclaim_fn *reclaim;

static bool block_free(unsigned n, unsigned order)
{
	for (unsigned i = n; i < n + (1u << order); i++)
		if (i >= ARENA_PAGES || map[i].kind == PAGE_USED)
			return false;
	return true;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	if (shim_no_memory)
		return NULL;
	do {
		for (unsigned n = 0; n < ARENA_PAGES; n += 1u << order) {
			if (!block_free(n, order))
				continue;
			for (unsigned i = 0; i < 1u << order; i++)
				map[n + i].kind = PAGE_USED;
			map[n].order = (uint8_t)order;
			map[n].refs = 1;
			shim_pages_used += 1u << order;
			memset(page_to_virt(&map[n]),
			    flags & PAGE_ZERO ? 0 : 0xa5, PAGE_SIZE << order);
			return &map[n];
		}
	} while (page_reclaim(1u << order));
	return NULL;
}

void page_ref(struct page *p)
{
	assert(p->kind == PAGE_USED && p->refs);
	p->refs++;
}

void page_unref(struct page *p)
{
	assert(p->kind == PAGE_USED && p->refs);
	if (--p->refs)
		return;
	shim_pages_used -= 1u << p->order;
	for (unsigned i = 0; i < 1u << p->order; i++)
		p[i].kind = PAGE_FREE;
}

struct page *page_from_phys(paddr_t pa)
{
	uintptr_t off = pa - (uintptr_t)arena;

	return off < sizeof(arena) ? &map[off >> PAGE_SHIFT] : &outside;
}

paddr_t page_to_phys(const struct page *p)
{
	return (uintptr_t)arena + (paddr_t)(p - map) * PAGE_SIZE;
}

void *page_to_virt(const struct page *p)
{
	return (void *)page_to_phys(p);
}

void *phys_to_virt(paddr_t pa)
{
	return (void *)pa;
}

paddr_t virt_to_phys(const void *va)
{
	return (uintptr_t)va;
}

uint64_t page_total(void)
{
	return sizeof(arena);
}

uint64_t page_available(void)
{
	return sizeof(arena) - shim_pages_used * PAGE_SIZE;
}

size_t page_reclaim(size_t pages)
{
	return reclaim ? reclaim(pages) : 0;
}

void page_set_reclaim(page_reclaim_fn *fn)
{
	reclaim = fn;
}

/* Locks and sleeping. */

void spin_lock(struct spinlock *l)
{
	assert(!l->locked);
	l->locked = 1;
	locks_held++;
}

void spin_unlock(struct spinlock *l)
{
	assert(l->locked);
	l->locked = 0;
	locks_held--;
}

unsigned long spin_lock_irq(struct spinlock *l)
{
	spin_lock(l);
	return 0;
}

void spin_unlock_irq(struct spinlock *l, unsigned long flags)
{
	(void)flags;
	spin_unlock(l);
}

void mutex_setup(struct mutex *m)
{
	memset(m, 0, sizeof(*m));
}

void mutex_lock(struct mutex *m)
{
	assert(!m->contended);
	m->contended = 1;
}

void mutex_unlock(struct mutex *m)
{
	assert(m->contended);
	m->contended = 0;
}

static struct thread only_thread;

struct thread *thread_current(void)
{
	return &only_thread;
}

void thread_wake(struct thread *t)
{
	assert(t == &only_thread);
}

static int wakes; /* begun and not ended */

void thread_wakes_begin(void)
{
	wakes++;
}

void thread_wakes_end(void)
{
	wakes--;
}

void thread_handover_begin(void)
{
}

void thread_handover_end(void)
{
}

int thread_sleep(uint64_t deadline, bool interruptible)
{
	(void)deadline, (void)interruptible;
	assert(locks_held == 0 && wakes == 0);
	if (!shim_idle || !shim_idle())
		panic("asleep for ever");
	return 0;
}

int thread_spawn_kernel(const char *name, void (*fn)(void *), void *arg)
{
	(void)name, (void)fn, (void)arg;
	return -ENOMEM;
}

bool signal_stopping(void)
{
	return false;
}

uint64_t clock_monotonic(void)
{
	return shim_now;
}

uint64_t clock_realtime(void)
{
	return 1700000000 * NSEC_PER_SEC + shim_now;
}

/* The program's memory is the test's; page 0 is a bad address. */

static bool bad(const void *p)
{
	assert(locks_held == 0);
	return (uintptr_t)p < PAGE_SIZE;
}

int copy_in(void *dst, const void *src, size_t n)
{
	if (bad(src))
		return -EFAULT;
	memcpy(dst, src, n);
	return 0;
}

int copy_out(void *dst, const void *src, size_t n)
{
	if (bad(dst))
		return -EFAULT;
	memcpy(dst, src, n);
	return 0;
}

ssize_t copy_in_string(char *dst, const char *src, size_t size)
{
	size_t n;

	if (bad(src))
		return -EFAULT;
	n = strnlen(src, size);
	if (n == size)
		return -ENAMETOOLONG;
	memcpy(dst, src, n + 1);
	return (ssize_t)n;
}

void iter_init(
    struct iov_iter *it, const struct iovec *iov, unsigned nr, bool kernel)
{
	*it = (struct iov_iter){.iov = iov, .nr = nr, .kernel = kernel};
	for (unsigned i = 0; i < nr; i++)
		it->left += iov[i].iov_len;
}

static size_t piece(struct iov_iter *it, size_t n, char **p)
{
	while (it->nr && it->skip == it->iov->iov_len) {
		it->iov++;
		it->nr--;
		it->skip = 0;
	}
	if (!it->nr)
		return 0;
	*p = (char *)it->iov->iov_base + it->skip;
	return min(min(n, it->left), it->iov->iov_len - it->skip);
}

void iter_advance(struct iov_iter *it, size_t n)
{
	size_t len;
	char *p;

	assert(n <= it->left);
	for (; n && (len = piece(it, n, &p)); n -= len) {
		it->skip += len;
		it->left -= len;
	}
}

int iovec_import(const struct iovec *user, unsigned long nr,
    struct iovec fast[8], struct iovec **heap, struct iov_iter *it)
{
	if (nr > 8)
		return -EINVAL;
	*heap = NULL;
	memcpy(fast, user, nr * sizeof(*user));
	iter_init(it, fast, (unsigned)nr, false);
	return 0;
}

static ssize_t iter_copy(
    struct iov_iter *it, char *to, const char *from, size_t n)
{
	size_t done = 0, len;
	char *p;

	for (; done < n && (len = piece(it, n - done, &p)); done += len) {
		if (bad(p))
			return done ? (ssize_t)done : -EFAULT;
		if (to)
			memcpy(to + done, p, len);
		else if (from)
			memcpy(p, from + done, len);
		else
			memset(p, 0, len);
		iter_advance(it, len);
	}
	return (ssize_t)done;
}

ssize_t iter_in(void *dst, size_t n, struct iov_iter *it)
{
	return iter_copy(it, dst, NULL, n);
}

ssize_t iter_out(struct iov_iter *it, const void *src, size_t n)
{
	return iter_copy(it, NULL, src, n);
}

ssize_t iter_clear(struct iov_iter *it, size_t n)
{
	return iter_copy(it, NULL, NULL, n);
}

ssize_t iter_pin(const struct iov_iter *it, bool write, size_t max_bytes,
    struct sg *sg, unsigned max_sg, unsigned *nr)
{
	struct iov_iter at = *it;
	size_t done = 0, len;
	char *p;

	(void)write;
	*nr = 0;
	while (done < max_bytes && *nr < max_sg &&
	       (len = piece(&at, max_bytes - done, &p))) {
		if (bad(p))
			return done ? (ssize_t)done : -EFAULT;
		len = min(len, PAGE_SIZE - ((uintptr_t)p & ~PAGE_MASK));
		if (page_from_phys((uintptr_t)p) != &outside)
			page_ref(page_from_phys((uintptr_t)p));
		sg[(*nr)++] = (struct sg){(uintptr_t)p, (uint32_t)len};
		iter_advance(&at, len);
		done += len;
	}
	return (ssize_t)done;
}

void iter_unpin(const struct sg *sg, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		if (page_from_phys(sg[i].phys) != &outside)
			page_unref(page_from_phys(sg[i].phys));
}

void hazard_set(const void *p)
{
	(void)p;
}

void hazard_clear(void)
{
}

void hazard_wait(const void *p)
{
	(void)p;
}

ssize_t clear_out_part(void *dst, size_t n)
{
	memset(dst, 0, n);
	return (ssize_t)n;
}
