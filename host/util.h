/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small things that every file of the launcher uses.
 */
#ifndef TORIL_HOST_UTIL_H
#define TORIL_HOST_UTIL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member)                                        \
	((type *)((char *)(ptr)-offsetof(type, member)))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Exit statuses of the launcher itself, as docker has them. */
enum {
	STATUS_TIMEOUT = 124,
	STATUS_FAILED = 125,    /* the launcher, or the VM, failed */
	STATUS_UNUSABLE = 126,  /* IMAGE exists but cannot be run */
	STATUS_NOT_FOUND = 127, /* no such IMAGE */
};

/* Print "toril-run: ..." and a newline on stderr, in one write; with time and
 * level before it if `log_time`. */
extern int log_time;
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What has to go from the terminal before anything is written on stderr. */
extern void (*stderr_hide)(void);

/* As complain, only with --verbose. */
extern int verbose;
void remark(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* malloc and its like, which end the process when memory is out. */
void *must_alloc(size_t size); /* zeroed */
void *must_grow(void *ptr, size_t size);
char *must_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A growing byte buffer; bytes are taken from `start`. */
struct buf {
	uint8_t *data;
	size_t start, end, room;
};

static inline size_t buf_len(const struct buf *b)
{
	return b->end - b->start;
}

static inline uint8_t *buf_at(const struct buf *b)
{
	return b->data + b->start;
}

void buf_add(struct buf *b, const void *data, size_t len);
void buf_take(struct buf *b, size_t len);
void buf_drop(struct buf *b); /* free it; usable again */

/* Copy out of or into `iov`, from byte `skip` on; return bytes copied. */
size_t iov_read(
    const struct iovec *iov, int n, size_t skip, void *to, size_t len);
size_t iov_write(
    const struct iovec *iov, int n, size_t skip, const void *from, size_t len);

/* Make `to` (of `n` entries) the bytes [skip, skip + len) of `iov`; returns
 * the entries used. */
int iov_slice(
    struct iovec *to, const struct iovec *iov, int n, size_t skip, size_t len);

#endif
