/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio socket device: virtio 1.2, 5.10.
 *
 * One thread receives: the interrupt only wakes it.  Receive buffers are
 * pages, header in front; a page that the protocol keeps is replaced.
 * Packets to send are one descriptor each.  The device's transmit interrupt
 * is off: finished packets are taken back when the next one is sent, and
 * only a sender that found no space switches it on.
 */
#include <linux/virtio_vsock.h>
#include "drivers/virtio/virtio.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/page.h"
#include "kernel/net/vsock.h"
#include "kernel/sched/thread.h"

#define RX_QUEUE    0
#define TX_QUEUE    1
#define EVENT_QUEUE 2
#define TX_SIZE     128
#define RX_MIN      8
#define RX_MAX      64
#define EVENTS      4
#define HEADER      sizeof(struct virtio_vsock_hdr)

static struct {
	struct virtio_device *dev;
	struct virtqueue *rx, *tx, *event;
	struct spinlock tx_lock; /* tx, and what follows */
	size_t tx_bytes;         /* [tx_lock] handed to the device */
	size_t tx_limit;         /* [i] */
	bool tx_wanted;          /* [tx_lock] a sender waits for space */
	unsigned rx_missing;     /* buffers that there was no memory for */
	unsigned rx_posted;      /* that the device should have */
	unsigned rx_limit;       /* [i] */
	struct waitq wait;       /* the thread */
	uint32_t work;           /* [a] it has something to do */
	struct virtio_vsock_event *events;
} vs;

static void thread_notify(void)
{
	__atomic_store_n(&vs.work, 1, __ATOMIC_RELEASE);
	waitq_wake_all(&vs.wait, 0);
}

static void tx_reclaim_locked(void)
{
	struct vsock_packet *p;
	uint32_t len;

	while ((p = vq_get(vs.tx, &len))) {
		vs.tx_bytes -= p->bytes;
		vsock_packet_free(p);
	}
}

static int tx_send(struct vsock_packet *p)
{
	uint32_t size = (uint32_t)HEADER + p->hdr.len;
	struct sg sg[2] = {{virt_to_phys(&p->hdr), size}};
	int err = -ENOSPC;

	p->bytes = size;
	if (p->page) {
		sg[0].len = HEADER;
		sg[1] = (struct sg){page_to_phys(p->page) + p->off, p->hdr.len};
	}
	spin_lock(&vs.tx_lock);
	tx_reclaim_locked();
	if (vs.tx_bytes == 0 || vs.tx_bytes + size <= vs.tx_limit)
		err = vq_submit(vs.tx, sg, p->page ? 2 : 1, NULL, 0, p);
	if (!err) {
		vs.tx_bytes += size;
	} else if (err == -ENOSPC) {
		vq_kick(vs.tx);
		vs.tx_wanted = true;
		if (!vq_interrupts_on(vs.tx))
			thread_notify();
	}
	spin_unlock(&vs.tx_lock);
	return err;
}

static void tx_flush(void)
{
	bool wanted;

	if (!vq_unkicked(vs.tx))
		return;
	spin_lock(&vs.tx_lock);
	wanted = vq_kick_prepare(vs.tx);
	spin_unlock(&vs.tx_lock);
	if (wanted)
		vs.tx->notify(vs.tx);
}

static const struct vsock_transport transport = {
    .send = tx_send, .flush = tx_flush, .wake = thread_notify};

/* Give a page to the device to receive into. */
static bool rx_post(struct page *p)
{
	struct sg sg = {page_to_phys(p), PAGE_SIZE};

	memset(page_to_virt(p), 0, HEADER);
	if (vq_submit(vs.rx, NULL, 0, &sg, 1, p) == 0)
		return true;
	page_unref(p);
	return false;
}

static void rx_refill(void)
{
	while (vs.rx_missing) {
		struct page *p = page_alloc(0, 0);
		if (!p || !rx_post(p))
			break;
		vs.rx_missing--;
	}
}

static void rx_packet(struct page *p, uint32_t len)
{
	struct virtio_vsock_hdr hdr;
	struct page *spare = NULL;
	bool kept;

	memcpy(&hdr, page_to_virt(p), HEADER);
	if (len < HEADER || hdr.len > len - HEADER) {
		page_unref(p);
		vs.rx_missing++;
		virtio_fail(vs.dev, "length of a packet");
		return;
	}
	if (hdr.op != VIRTIO_VSOCK_OP_RW)
		hdr.len = 0;
	/* Only with a replacement at hand may the page go: the device must
	 * never be left without buffers. */
	if (hdr.len >= VSOCK_KEEP_MIN)
		spare = page_alloc(0, 0);
	if (!vq_has_news(vs.rx))
		thread_handover_begin();
	kept = vsock_input(&hdr, p, HEADER, spare != NULL);
	thread_handover_end();
	if (kept)
		p = spare;
	else if (spare)
		page_unref(spare);
	if (!rx_post(p))
		vs.rx_missing++;
}

/* Most programs never need more buffers than a few; whoever gets many packets
 * at once gets more. */
static void rx_grow(unsigned packets)
{
	unsigned more = min(vs.rx_posted, vs.rx_limit - vs.rx_posted);

	if (packets < vs.rx_posted / 2)
		return;
	vs.rx_posted += more;
	vs.rx_missing += more;
}

static void events_receive(void)
{
	struct virtio_vsock_event *e;
	uint32_t len;

again:
	while ((e = vq_get(vs.event, &len))) {
		struct sg sg = {virt_to_phys(e), sizeof(*e)};
		uint32_t id = 0;
		if (len >= sizeof(*e) &&
		    e->id == VIRTIO_VSOCK_EVENT_TRANSPORT_RESET) {
			virtio_config_read(vs.dev, 0, &id, sizeof(id));
			vsock_transport_reset();
			vsock_init(&transport, id);
		}
		(void)vq_submit(vs.event, NULL, 0, &sg, 1, e);
	}
	vq_kick(vs.event);
	if (!vq_interrupts_on(vs.event))
		goto again;
}

static void tx_completed(void)
{
	bool ready;

	spin_lock(&vs.tx_lock);
	tx_reclaim_locked();
	ready = vs.tx_wanted;
	vs.tx_wanted = false;
	if (ready)
		vq_interrupts_off(vs.tx);
	spin_unlock(&vs.tx_lock);
	if (ready)
		vsock_tx_ready();
}

static void receive(void *arg)
{
	struct page *p;
	uint32_t len;

	(void)arg;
	for (;;) {
		unsigned packets = 0;
		__atomic_store_n(&vs.work, 0, __ATOMIC_SEQ_CST);
		if (vs.dev->broken) {
			vsock_transport_failed();
			return;
		}
		for (; (p = vq_get(vs.rx, &len)); packets++) {
			thread_spread();
			rx_packet(p, len);
		}
		rx_grow(packets);
		rx_refill();
		vq_kick(vs.rx);
		if (vq_has_news(vs.event))
			events_receive();
		tx_completed();
		vsock_run_timers();
		if (!vq_interrupts_on(vs.rx))
			continue;
		(void)wait_event(&vs.wait,
		    __atomic_load_n(&vs.work, __ATOMIC_ACQUIRE), DEADLINE_NEVER,
		    false);
	}
}

static void events_post(void)
{
	for (int i = 0; i < EVENTS; i++) {
		struct sg sg = {
		    virt_to_phys(&vs.events[i]), sizeof(vs.events[i])};
		(void)vq_submit(vs.event, NULL, 0, &sg, 1, &vs.events[i]);
	}
	vq_kick(vs.event);
}

static int probe(struct virtio_device *d)
{
	uint64_t cid = 0;
	unsigned buffers =
	    (unsigned)min(max(page_total() / (256 * KIB), (uint64_t)RX_MIN),
		(uint64_t)RX_MAX);

	if (vs.dev)
		return -EBUSY; /* one host, one device */
	vs.dev = d;
	waitq_init(&vs.wait);
	vs.rx = virtio_queue(d, RX_QUEUE, RX_MAX);
	vs.tx = virtio_queue(d, TX_QUEUE, TX_SIZE);
	vs.event = virtio_queue(d, EVENT_QUEUE, 8);
	vs.events = kzalloc(EVENTS * sizeof(*vs.events));
	if (!vs.rx || !vs.tx || !vs.event || !vs.events)
		return -ENOMEM;
	vs.rx_limit = min(buffers, vq_space(vs.rx));
	vs.rx_posted = vs.rx_missing = min(vs.rx_limit, (unsigned)RX_MIN);
	vs.tx_limit = page_total() / 16;
	virtio_config_read(d, 0, &cid, 4);
	if (cid <= VSOCK_CID_HOST)
		return -EINVAL;
	vsock_init(&transport, cid);
	vq_interrupts_off(vs.tx);
	virtio_ready(d);
	rx_refill();
	vq_kick(vs.rx);
	events_post();
	return thread_spawn_kernel("vsock", receive, NULL);
}

static void interrupt(struct virtio_device *d, struct virtqueue *vq)
{
	(void)d, (void)vq;
	thread_notify();
}

static void failed(struct virtio_device *d)
{
	(void)d;
	thread_notify();
}

static void config_changed(struct virtio_device *d)
{
	(void)d; /* the CID changes with a transport reset only */
}

extern const struct virtio_driver virtio_vsock_driver;
const struct virtio_driver virtio_vsock_driver = {
    .id = VIRTIO_ID_VSOCK,
    .probe = probe,
    .interrupt = interrupt,
    .failed = failed,
    .config_changed = config_changed,
};
