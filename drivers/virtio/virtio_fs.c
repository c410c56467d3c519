/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-fs: virtio 1.2, 5.11.  The transport of FUSE requests.
 *
 * Queue 0 is hiprio (FORGET, INTERRUPT), queue 1 takes requests.  Both are
 * under the connection's lock.  The device is found at probe and registered
 * under its tag; nothing is sent before it is mounted.
 */
#include <linux/virtio_fs.h>
#include "drivers/virtio/virtio.h"
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
	struct virtqueue *queues[2];
};

static int fs_submit(void *dev, enum fuse_queue q, const struct sg *out,
    unsigned n_out, const struct sg *in, unsigned n_in, void *token)
{
	struct virtio_fs *v = dev;

	return vq_submit(v->queues[q], out, n_out, in, n_in, token);
}

static void fs_kick(void *dev, enum fuse_queue q)
{
	struct virtio_fs *v = dev;

	vq_kick(v->queues[q]);
}

static const struct fuse_transport transport = {
    .submit = fs_submit,
    .kick = fs_kick,
};

static void fs_interrupt(struct virtio_device *dev, struct virtqueue *vq)
{
	struct virtio_fs *v = dev->priv;
	unsigned long flags;
	uint32_t written;
	void *token;

	flags = spin_lock_irq(&v->conn.lock);
	do
		while ((token = vq_get(vq, &written)))
			fuse_completed(&v->conn, token, written);
	while (!vq_interrupts_on(vq));
	spin_unlock_irq(&v->conn.lock, flags);
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

static int fs_probe(struct virtio_device *dev)
{
	struct virtio_fs *v = kzalloc(sizeof(*v));
	struct virtio_fs_config config;

	if (!v)
		return -ENOMEM;
	virtio_config_read(dev, 0, &config, sizeof(config));
	memcpy(v->conn.tag, config.tag, sizeof(config.tag));
	v->dev = dev;
	v->conn.dev = v;
	v->conn.transport = &transport;
	v->queues[0] = virtio_queue(dev, FUSE_QUEUE_HIPRIO, HIPRIO_SIZE);
	v->queues[1] = virtio_queue(dev, FUSE_QUEUE_REQUESTS, REQUEST_SIZE);
	if (!v->conn.tag[0] || !v->queues[0] || !v->queues[1]) {
		kfree(v);
		return -ENODEV;
	}
	v->conn.max_sg = v->queues[1]->indirect ? (unsigned)VQ_INDIRECT_MAX
						: v->queues[1]->size;
	fuse_conn_register(&v->conn);
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
