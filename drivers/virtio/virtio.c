/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio over MMIO: finding devices, negotiating, queues, interrupts, and the
 * end of a device that breaks the protocol.  virtio 1.2: 3.1.1 (start), 4.2.
 *
 * Lines are level-triggered and may be shared; the interrupt status register
 * says whether a device means us.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include "drivers/virtio/mmio.h"
#include "drivers/virtio/virtio.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/printk.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/page.h"

#define TRANSPORT_FEATURES                                                     \
	(1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_RING_F_EVENT_IDX |        \
	    1ull << VIRTIO_RING_F_INDIRECT_DESC)

extern const struct virtio_driver virtio_fs_driver __attribute__((weak));
extern const struct virtio_driver virtio_vsock_driver __attribute__((weak));

static const struct virtio_driver *const drivers[] = {
    &virtio_vsock_driver, &virtio_fs_driver};

static uint32_t reg_read(struct virtio_device *d, enum mmio_reg r)
{
	return d->regs[r];
}

static void reg_write(struct virtio_device *d, enum mmio_reg r, uint32_t v)
{
	d->regs[r] = v;
}

static void status_add(struct virtio_device *d, uint32_t bit)
{
	reg_write(d, MMIO_STATUS, reg_read(d, MMIO_STATUS) | bit);
}

static void notify(struct virtqueue *vq)
{
	reg_write(vq_device(vq), MMIO_QUEUE_NOTIFY, vq->index);
}

static void queue_broken(struct virtqueue *vq)
{
	virtio_fail(vq_device(vq), "used ring");
}

static uint64_t table_phys(const void *p)
{
	return virt_to_phys(p);
}

void virtio_fail(struct virtio_device *d, const char *why)
{
	if (__atomic_exchange_n(&d->broken, true, __ATOMIC_ACQ_REL))
		return;
	printk("toril: virtio device %u at line %u broke the protocol (%s);"
	       " it is not used any more\n",
	    d->id, d->irq, why);
	reg_write(d, MMIO_STATUS, 0);
	for (unsigned i = 0; i < d->nr_queues; i++)
		if (d->queues[i])
			d->queues[i]->broken = true;
	d->driver->failed(d);
}

static void interrupt(void *arg)
{
	struct virtio_device *d = arg;
	uint32_t status = reg_read(d, MMIO_INTERRUPT_STATUS);

	reg_write(d, MMIO_INTERRUPT_ACK, status);
	if (d->broken)
		return;
	if (status & MMIO_INT_VRING)
		for (unsigned i = 0; i < d->nr_queues; i++)
			if (d->queues[i])
				d->driver->interrupt(d, d->queues[i]);
	if (status & MMIO_INT_CONFIG)
		d->driver->config_changed(d);
}

static int negotiate(struct virtio_device *d)
{
	uint64_t offered, want = d->driver->features | TRANSPORT_FEATURES;

	reg_write(d, MMIO_DEVICE_FEATURES_SEL, 0);
	offered = reg_read(d, MMIO_DEVICE_FEATURES);
	reg_write(d, MMIO_DEVICE_FEATURES_SEL, 1);
	offered |= (uint64_t)reg_read(d, MMIO_DEVICE_FEATURES) << 32;
	d->features = offered & want;
	if (!(d->features >> VIRTIO_F_VERSION_1 & 1))
		return -ENODEV;
	reg_write(d, MMIO_DRIVER_FEATURES_SEL, 0);
	reg_write(d, MMIO_DRIVER_FEATURES, (uint32_t)d->features);
	reg_write(d, MMIO_DRIVER_FEATURES_SEL, 1);
	reg_write(d, MMIO_DRIVER_FEATURES, (uint32_t)(d->features >> 32));
	status_add(d, VIRTIO_CONFIG_S_FEATURES_OK);
	if (!(reg_read(d, MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK))
		return -ENODEV;
	return 0;
}

/* QEMU's TCG seems to leave fences out when there is one CPU, although devices
 * are threads and processes of their own: a machine was once found waiting for
 * replies that lay in the ring.  Its RDTSC takes a lock, which is a fence. */
static void tcg_fence(void)
{
	(void)cpu_rdtsc();
}

struct virtqueue *virtio_queue(
    struct virtio_device *d, unsigned index, uint16_t size)
{
	struct virtqueue *vq = kzalloc(sizeof(*vq));
	struct vq_chain *chains;
	uint32_t max;
	paddr_t pa;
	void *mem;

	reg_write(d, MMIO_QUEUE_SEL, index);
	max = reg_read(d, MMIO_QUEUE_NUM_MAX);
	if (!vq || !max || index >= VIRTIO_QUEUES_MAX)
		goto fail;
	while (size > max || size > VQ_SIZE_MAX)
		size /= 2;
	chains = kzalloc(size * sizeof(*chains));
	/* Whole pages, so that nothing of ours shares one with the device. */
	mem = kzalloc(ALIGN_UP(vq_memory_size(size), PAGE_SIZE));
	if (!chains || !mem || !size) {
		kfree(chains);
		kfree(mem);
		goto fail;
	}
	vq_init(vq, size, mem, chains);
	vq->index = index;
	vq->priv = d;
	vq->notify = notify;
	vq->fence = cpu_features.tcg && smp_expected() == 1 ? tcg_fence : NULL;
	vq->on_broken = queue_broken;
	vq->to_phys = table_phys;
	vq->event_idx = d->features >> VIRTIO_RING_F_EVENT_IDX & 1;
	vq->indirect = d->features >> VIRTIO_RING_F_INDIRECT_DESC & 1;
	pa = virt_to_phys(vq->desc);
	reg_write(d, MMIO_QUEUE_NUM, size);
	reg_write(d, MMIO_QUEUE_DESC_LOW, (uint32_t)pa);
	reg_write(d, MMIO_QUEUE_DESC_HIGH, (uint32_t)(pa >> 32));
	pa = virt_to_phys(vq->avail);
	reg_write(d, MMIO_QUEUE_DRIVER_LOW, (uint32_t)pa);
	reg_write(d, MMIO_QUEUE_DRIVER_HIGH, (uint32_t)(pa >> 32));
	pa = virt_to_phys(vq->used);
	reg_write(d, MMIO_QUEUE_DEVICE_LOW, (uint32_t)pa);
	reg_write(d, MMIO_QUEUE_DEVICE_HIGH, (uint32_t)(pa >> 32));
	reg_write(d, MMIO_QUEUE_READY, 1);
	d->queues[index] = vq;
	d->nr_queues = max(d->nr_queues, index + 1);
	return vq;
fail:
	kfree(vq);
	return NULL;
}

void virtio_ready(struct virtio_device *d)
{
	status_add(d, VIRTIO_CONFIG_S_DRIVER_OK);
}

void virtio_config_read(
    struct virtio_device *d, unsigned offset, void *buf, size_t n)
{
	const volatile uint8_t *config =
	    (const volatile uint8_t *)&d->regs[MMIO_CONFIG];
	uint8_t *out = buf;
	uint32_t generation;
	int tries = 0;

	do {
		generation = reg_read(d, MMIO_CONFIG_GENERATION);
		for (size_t i = 0; i < n; i++)
			out[i] = config[offset + i];
	} while (
	    generation != reg_read(d, MMIO_CONFIG_GENERATION) && ++tries < 100);
}

static const struct virtio_driver *driver_for(unsigned id)
{
	for (unsigned i = 0; i < ARRAY_LEN(drivers); i++)
		if (drivers[i] && drivers[i]->id == id)
			return drivers[i];
	return NULL;
}

static int start(struct virtio_device *d)
{
	int err;

	reg_write(d, MMIO_STATUS, 0);
	status_add(d, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	status_add(d, VIRTIO_CONFIG_S_DRIVER);
	err = negotiate(d);
	if (!err)
		err = irq_register(d->irq, interrupt, d);
	if (!err)
		err = d->driver->probe(d);
	if (err)
		status_add(d, VIRTIO_CONFIG_S_FAILED);
	return err;
}

static void probe(const struct cmdline_device *c)
{
	struct virtio_device *d;
	volatile uint32_t *regs = mmio_map(c->base, c->size);
	const struct virtio_driver *driver;
	int err = -ENOMEM;

	if (!regs || regs[MMIO_MAGIC] != MMIO_MAGIC_VALUE ||
	    regs[MMIO_VERSION] != MMIO_VERSION_2) {
		printk_verbose("virtio: nothing modern at %#lx\n", c->base);
		return;
	}
	driver = driver_for(regs[MMIO_DEVICE_ID]);
	if (!driver)
		return; /* an empty slot (id 0), or a device we don't know */
	d = kzalloc(sizeof(*d));
	if (d) {
		d->regs = regs;
		d->irq = c->irq;
		d->id = driver->id;
		d->driver = driver;
		err = start(d);
	}
	if (err)
		printk("toril: virtio device %u at %#lx: error %d\n",
		    driver->id, c->base, -err);
}

void virtio_probe_all(const char *cmdline)
{
	const char *pos = NULL, *value;
	struct cmdline_device c;

	while ((value = cmdline_next(cmdline, "virtio_mmio.device", &pos))) {
		if (cmdline_device_parse(value, &c) && c.size >= 0x100 &&
		    c.base && c.base < 1ull << 40)
			probe(&c);
		else
			printk("toril: bad virtio_mmio.device entry\n");
	}
}
