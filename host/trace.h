/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --trace: QEMU's trace events go to a file, and what the built-in vsock
 * device sees to another beside it, FILE.toril, in the same form and by the
 * same clock; toril-trace reads both.
 */
#ifndef TORIL_HOST_TRACE_H
#define TORIL_HOST_TRACE_H

struct run;
struct args;
struct vsock_dev;
struct virtio_vsock_hdr;

/* Before QEMU is started: 0, or -errno after a message. */
int trace_open(struct run *run);
void trace_close(void);

/* QEMU's arguments, if any. */
void trace_args(const struct run *run, struct args *a);

/* As vsock_dev's `observe`: a kick or an interrupt of a ring (`hdr` is NULL),
 * or a packet. */
void trace_vsock(
    const char *what, int ring, const struct virtio_vsock_hdr *hdr);

#endif
