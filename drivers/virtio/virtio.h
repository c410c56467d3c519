/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio devices over MMIO, modern only: virtio 1.2, 3.1 and 4.2.
 *
 * Devices are those that the kernel command line lists.  For each one a
 * driver with its device id gets probe() called once, in a thread, in the
 * order of the command line.
 */
#ifndef TORIL_DRIVERS_VIRTIO_VIRTIO_H
#define TORIL_DRIVERS_VIRTIO_VIRTIO_H

#include "drivers/virtio/virtqueue.h"
#include "kernel/sched/spinlock.h"

#define VIRTIO_ID_VSOCK 19
#define VIRTIO_ID_FS    26

#define VIRTIO_QUEUES_MAX 64

struct virtio_device {
	volatile uint32_t *regs;
	unsigned irq, id;
	uint64_t features;  /* negotiated */
	bool broken;        /* [a] reset: nothing works any more */
	unsigned nr_queues; /* one more than the last one's index */
	struct virtqueue *queues[VIRTIO_QUEUES_MAX];
	const struct virtio_driver *driver;
	void *priv; /* the driver's */
};

struct virtio_driver {
	unsigned id;
	uint64_t features; /* wanted, beside those of the transport */
	/* Set up queues, then virtio_ready.  0 or -errno; may sleep. */
	int (*probe)(struct virtio_device *dev);
	/* A queue has finished chains; interrupts off, may not sleep. */
	void (*interrupt)(struct virtio_device *dev, struct virtqueue *vq);
	/* The configuration space has changed; the same context. */
	void (*config_changed)(struct virtio_device *dev);
	/* The device broke the protocol and was reset: fail all users with
	 * EIO.  Any context, interrupts included; may not sleep. */
	void (*failed)(struct virtio_device *dev);
};

/* Find and probe all devices of the command line.  May sleep. */
void virtio_probe_all(const char *cmdline);

/* For probe(): a queue with at most `size` entries, or NULL (-ENOMEM or the
 * device has no such queue).  vq->priv is the device. */
struct virtqueue *virtio_queue(
    struct virtio_device *dev, unsigned index, uint16_t size);

/* For probe(): DRIVER_OK; from now on the device works. */
void virtio_ready(struct virtio_device *dev);

/* Read configuration space consistently (generation counter, 2.5.1). */
void virtio_config_read(
    struct virtio_device *dev, unsigned offset, void *buf, size_t n);

/* The device broke the protocol: reset it and call driver->failed.
 * Any context. */
void virtio_fail(struct virtio_device *dev, const char *why);

static inline struct virtio_device *vq_device(struct virtqueue *vq)
{
	return vq->priv;
}

#endif
