/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-fs: virtio 1.2, 5.11.  The transport of FUSE requests.
 *
 * Queue 0 is hiprio (FORGET, INTERRUPT), the others take requests: as many as
 * there are CPUs, if the device has them.  Each is under the lock of the
 * connection's queue.  The device is found at probe and registered under its
 * tag; nothing is sent before it is mounted.
 */
#include <linux/virtio_fs.h>
#include "drivers/virtio/virtio.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/fs/fuse.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/printk.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"

#define HIPRIO_SIZE  16
#define REQUEST_SIZE 64

static_assert(sizeof(struct virtio_fs_config) == 40, "5.11.4");

struct virtio_fs {
	struct fuse_conn conn;
	struct virtio_device *dev;
};

static int fs_submit(void *dev, unsigned queue, const struct sg *out,
    unsigned n_out, const struct sg *in, unsigned n_in, void *token)
{
	struct virtio_fs *v = dev;

	return vq_submit(v->dev->queues[queue], out, n_out, in, n_in, token);
}

static void fs_kick(void *dev, unsigned queue)
{
	struct virtio_fs *v = dev;

	vq_kick(v->dev->queues[queue]);
}

static const struct fuse_transport transport = {
    .submit = fs_submit,
    .kick = fs_kick,
};

static void fs_interrupt(struct virtio_device *dev, struct virtqueue *vq)
{
	struct virtio_fs *v = dev->priv;
	struct spinlock *lock = &v->conn.queues[vq->index].lock;
	unsigned long flags;
	uint32_t written;
	void *token;

	if (!vq_has_news(vq))
		return;
	flags = spin_lock_irq(lock);
	do
		while ((token = vq_get(vq, &written)))
			fuse_completed(&v->conn, token, written);
	while (!vq_interrupts_on(vq));
	spin_unlock_irq(lock, flags);
	if (vq->broken)
		fuse_conn_kill(&v->conn, -EIO);
	fuse_conn_woken(&v->conn);
}

/* A queue breaks in vq_get, that is above, with the lock held: there the
 * rest is done when it is free again. */
static void fs_failed(struct virtio_device *dev)
{
	(void)dev;
}

static void fs_config_changed(struct virtio_device *dev)
{
	(void)dev; /* the tag never changes */
}

/* How many there are now, hiprio included.  A device that says that it has
 * more than it lets us set up is not worth an error. */
static unsigned queues_create(struct virtio_device *dev, unsigned offered)
{
	unsigned want = FUSE_QUEUE_REQUESTS + min(offered, smp_expected()), n;

	for (n = 0; n < min(want, (unsigned)VIRTIO_QUEUES_MAX); n++)
		if (!virtio_queue(dev, n,
			n == FUSE_QUEUE_HIPRIO ? HIPRIO_SIZE : REQUEST_SIZE))
			break;
	return n;
}

static int fs_probe(struct virtio_device *dev)
{
	struct virtio_fs *v = kzalloc(sizeof(*v));
	struct virtio_fs_config config;
	struct virtqueue *vq;
	unsigned n;

	if (!v)
		return -ENOMEM;
	virtio_config_read(dev, 0, &config, sizeof(config));
	memcpy(v->conn.tag, config.tag, sizeof(config.tag));
	v->dev = dev;
	v->conn.dev = v;
	v->conn.transport = &transport;
	n = queues_create(dev, config.num_request_queues);
	if (!v->conn.tag[0] || n <= FUSE_QUEUE_REQUESTS ||
	    fuse_conn_register(&v->conn, n)) {
		kfree(v);
		return -ENODEV;
	}
	vq = dev->queues[FUSE_QUEUE_REQUESTS];
	v->conn.max_sg = vq->indirect ? (unsigned)VQ_INDIRECT_MAX : vq->size;
	dev->priv = v;
	virtio_ready(dev);
	printk_verbose("virtio-fs: %s\n", v->conn.tag);
	return 0;
}

const struct virtio_driver virtio_fs_driver = {
    .id = VIRTIO_ID_FS,
    .probe = fs_probe,
    .interrupt = fs_interrupt,
    .config_changed = fs_config_changed,
    .failed = fs_failed,
};
