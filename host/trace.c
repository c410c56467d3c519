/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trace events; see trace.h.
 *
 * The lines are those of QEMU's log back-end with time-stamps,
 * THREAD@SECONDS.MICROSECONDS:EVENT ARGUMENTS.  The guest's kicks are in no
 * event of QEMU, which passes them on by eventfd; for vsock we see them
 * ourselves.  Devices have interrupt lines downwards from the highest, in the
 * order of QEMU's arguments, which only we know: the file begins with that.
 */
#include "host/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_vsock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "host/run.h"

#define IRQ_HIGHEST 12 /* of microvm's slots without ACPI */

static int trace_fd = -1;
static pid_t us;

static void line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void line(const char *fmt, ...)
{
	char text[256];
	struct timeval now;
	va_list ap;
	int len;

	gettimeofday(&now, NULL);
	len = snprintf(text, sizeof(text), "%d@%lld.%06ld:", (int)us,
	    (long long)now.tv_sec, (long)now.tv_usec);
	va_start(ap, fmt);
	len += vsnprintf(text + len, sizeof(text) - (size_t)len - 1, fmt, ap);
	va_end(ap);
	len = MIN(len, (int)sizeof(text) - 2);
	text[len++] = '\n';
	if (write(trace_fd, text, (size_t)len) < 0) {
		complain("--trace: %s", strerror(errno));
		close(trace_fd);
		trace_fd = -1;
	}
}

int trace_open(struct run *r)
{
	char *path;

	if (!r->opt.trace)
		return 0;
	us = getpid();
	path = must_print("%s.toril", r->opt.trace_file);
	trace_fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (trace_fd < 0)
		complain("%s: %s", path, strerror(errno));
	free(path);
	if (trace_fd < 0)
		return -errno;
	line("toril_device irq %d vsock", IRQ_HIGHEST);
	for (unsigned i = 0; i < r->opt.share_count; i++)
		line("toril_device irq %d fs%u %s", IRQ_HIGHEST - 1 - (int)i, i,
		    r->opt.share[i].path);
	return 0;
}

void trace_close(void)
{
	if (trace_fd < 0)
		return;
	line("toril_end"); /* a machine that hangs has no last event */
	if (trace_fd >= 0)
		close(trace_fd);
	trace_fd = -1;
}

void trace_args(const struct run *r, struct args *a)
{
	const char *at = r->opt.trace;

	if (!at)
		return;
	if (!strcmp(at, "default"))
		at = "virtio_mmio_*,virtio_set_status,memory_region_ops_write,"
		     "ioapic_*,apic_*";
	args_add(a, "-msg");
	args_add(a, "timestamp=on");
	args_add(a, "-D");
	args_add(a, "%s", r->opt.trace_file);
	while (*at) {
		size_t len = strcspn(at, ",");

		args_add(a, "-trace");
		args_add(a, "enable=%.*s", (int)len, at);
		at += len + (at[len] == ',');
	}
}

static const char *op_name(uint16_t op)
{
	static const char *const names[] = {"invalid", "request", "response",
	    "rst", "shutdown", "rw", "credit_update", "credit_request"};

	return op < ARRAY_SIZE(names) ? names[op] : "unknown";
}

void trace_vsock(const char *what, int ring, const struct virtio_vsock_hdr *hdr)
{
	if (trace_fd < 0)
		return;
	if (!hdr)
		line("toril_vsock_%s queue %s", what, ring ? "tx" : "rx");
	else
		line("toril_vsock_%s op %s len %u guest %u host %u", what,
		    op_name(hdr->op), hdr->len,
		    ring ? hdr->src_port : hdr->dst_port,
		    ring ? hdr->dst_port : hdr->src_port);
}
