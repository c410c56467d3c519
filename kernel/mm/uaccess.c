/* SPDX-License-Identifier: BSD-2-Clause */
/* The program's memory, seen from a kernel call; see uaccess.h. */
#include <linux/uio.h>
#include "kernel/arch/x86_64/layout.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/vm.h"

/* arch/x86_64/uaccess.S: bytes left, 0 if all went well. */
size_t uaccess_copy(void *dst, const void *src, size_t n);
size_t uaccess_clear(void *dst, size_t n);
int uaccess_byte(const void *src);

/* Whether it is the program's; whoever asks may be about to fault on it. */
static bool range_ok(const void *p, size_t n)
{
	uintptr_t a = (uintptr_t)p;

	lockdep_sleeps();
	lockdep_might_lock(&vm_lock.debug, LOCKDEP_HERE);
	return a < USER_END && n <= USER_END - a;
}

int copy_in(void *dst, const void *src, size_t n)
{
	if (!range_ok(src, n) || uaccess_copy(dst, src, n))
		return -EFAULT;
	return 0;
}

int copy_out(void *dst, const void *src, size_t n)
{
	if (!range_ok(dst, n) || uaccess_copy(dst, src, n))
		return -EFAULT;
	return 0;
}

int clear_out(void *dst, size_t n)
{
	if (!range_ok(dst, n) || uaccess_clear(dst, n))
		return -EFAULT;
	return 0;
}

ssize_t clear_out_part(void *dst, size_t n)
{
	size_t left = range_ok(dst, n) ? uaccess_clear(dst, n) : n;

	return left && left == n ? -EFAULT : (ssize_t)(n - left);
}

ssize_t copy_in_string(char *dst, const char *src, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int c = range_ok(src + i, 1) ? uaccess_byte(src + i) : -1;
		if (c < 0)
			return -EFAULT;
		dst[i] = (char)c;
		if (!c)
			return (ssize_t)i;
	}
	return -ENAMETOOLONG;
}

void iter_init(
    struct iov_iter *it, const struct iovec *iov, unsigned nr, bool kernel)
{
	size_t left = 0;

	for (unsigned i = 0; i < nr; i++)
		left += iov[i].iov_len;
	it->iov = iov;
	it->nr = nr;
	it->skip = 0;
	it->left = left;
	it->kernel = kernel;
	it->pages = false;
}

void iter_advance(struct iov_iter *it, size_t n)
{
	assert(n <= it->left);
	it->left -= n;
	n += it->skip;
	while (it->nr && n >= it->iov->iov_len) {
		n -= it->iov->iov_len;
		it->iov++;
		it->nr--;
	}
	it->skip = n;
}

void iter_revert(struct iov_iter *it, const struct iovec *iov0, size_t n)
{
	it->left += n;
	while (n > it->skip) {
		n -= it->skip;
		assert(it->iov > iov0);
		it->iov--;
		it->nr++;
		it->skip = it->iov->iov_len;
	}
	it->skip -= n;
}

/* The current contiguous piece, at most n bytes; 0 at the end. */
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

enum move { MOVE_IN, MOVE_OUT, MOVE_CLEAR };

static size_t move_piece(
    enum move how, bool kernel, char *p, char *buf, size_t len)
{
	if (!kernel && !range_ok(p, len))
		return len;
	if (how == MOVE_IN)
		return uaccess_copy(buf, p, len);
	if (how == MOVE_OUT)
		return uaccess_copy(p, buf, len);
	return uaccess_clear(p, len);
}

static ssize_t iter_move(
    enum move how, struct iov_iter *it, char *buf, size_t n)
{
	size_t done = 0, len;
	char *p;

	while (done < n && (len = piece(it, n - done, &p)) > 0) {
		size_t left = move_piece(how, it->kernel, p, buf + done, len);
		/* piece() goes on to the next entry. */
		it->left -= len - left;
		it->skip += len - left;
		done += len - left;
		if (left)
			return done ? (ssize_t)done : -EFAULT;
	}
	return (ssize_t)done;
}

ssize_t iter_in(void *dst, size_t n, struct iov_iter *it)
{
	return iter_move(MOVE_IN, it, dst, n);
}

ssize_t iter_out(struct iov_iter *it, const void *src, size_t n)
{
	return iter_move(MOVE_OUT, it, (char *)(uintptr_t)src, n);
}

ssize_t iter_clear(struct iov_iter *it, size_t n)
{
	return iter_move(MOVE_CLEAR, it, NULL, n);
}

/* Fault in and reference the page behind va; its physical address or 0. */
static paddr_t pin_page(uintptr_t va, bool write, bool kernel)
{
	for (int tries = 0; tries < 16; tries++) {
		paddr_t pa;
		mutex_lock(&vm_lock);
		pa = vm_translate_locked(va, write);
		if (pa && page_from_phys(pa)->kind == PAGE_USED)
			page_ref(page_from_phys(pa));
		mutex_unlock(&vm_lock);
		if (pa)
			return pa;
		if (kernel || vm_fault(va, write ? VM_WRITE : VM_READ))
			return 0;
	}
	return 0;
}

ssize_t iter_pin(const struct iov_iter *it, bool write, size_t max_bytes,
    struct sg *sg, unsigned max_sg, unsigned *nr)
{
	struct iov_iter at = *it;
	size_t done = 0, len;
	char *p;

	*nr = 0;
	while (done < max_bytes && (len = piece(&at, max_bytes - done, &p))) {
		paddr_t pa;
		len = min(len, PAGE_SIZE - ((uintptr_t)p & ~PAGE_MASK));
		if (*nr == max_sg)
			break;
		pa = at.kernel || range_ok(p, len)
			 ? pin_page((uintptr_t)p, write, at.kernel)
			 : 0;
		if (!pa)
			return done ? (ssize_t)done : -EFAULT;
		sg[(*nr)++] = (struct sg){pa, (uint32_t)len};
		iter_advance(&at, len);
		done += len;
	}
	return (ssize_t)done;
}

void iter_unpin(const struct sg *sg, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		struct page *p = page_from_phys(sg[i].phys);
		if (p->kind == PAGE_USED)
			page_unref(p);
	}
}

int iovec_import(const struct iovec *user, unsigned long nr,
    struct iovec fast[8], struct iovec **heap, struct iov_iter *it)
{
	struct iovec *v = fast;
	size_t sum = 0;

	*heap = NULL;
	if (nr > IOV_MAX)
		return -EINVAL;
	if (nr > 8) {
		v = *heap = kmalloc(nr * sizeof(*v));
		if (!v)
			return -ENOMEM;
	}
	if (copy_in(v, user, nr * sizeof(*v)))
		goto fault;
	for (unsigned i = 0; i < nr; i++) {
		if ((ssize_t)v[i].iov_len < 0)
			goto inval;
		v[i].iov_len = min(v[i].iov_len, (size_t)RW_MAX - sum);
		sum += v[i].iov_len;
	}
	iter_init(it, v, (unsigned)nr, false);
	return 0;
inval:
	kfree(*heap);
	*heap = NULL;
	return -EINVAL;
fault:
	kfree(*heap);
	*heap = NULL;
	return -EFAULT;
}
