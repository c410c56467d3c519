/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtqueue whose device writes what it likes into the shared memory while
 * the driver submits, takes and drains.  Whatever happens, a token comes back
 * at most once, and all of them by the end.
 */
#include <stdlib.h>
#include <string.h>
#include "drivers/virtio/virtqueue.h"
#include "kernel/mm/kmem.h"
#include "tests/unit/shim/shim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKENS 64

static bool in_flight[TOKENS];
static uint32_t room[TOKENS];

static void on_notify(struct virtqueue *vq)
{
	(void)vq;
}

static void on_broken(struct virtqueue *vq)
{
	if (!vq->broken)
		abort();
}

static uint64_t to_phys(const void *p)
{
	return (uintptr_t)p;
}

static void take_back(const void *token)
{
	size_t i = (size_t)((const bool *)token - in_flight);

	if (i >= TOKENS || !in_flight[i])
		abort();
	in_flight[i] = false;
}

static void submit(struct virtqueue *vq, uint8_t shape)
{
	static const struct sg sg[16] = {{0x1000, 100}, {0x2000, 200}};
	unsigned n_out = shape & 7, n_in = shape >> 4;
	size_t i = 0;

	while (i < TOKENS && in_flight[i])
		i++;
	if (i == TOKENS || n_out + n_in == 0)
		return;
	if (vq_submit(vq, sg, n_out, sg, n_in, &in_flight[i]))
		return;
	in_flight[i] = true;
	room[i] = n_in == 0 ? 0 : n_in == 1 ? 100 : 300;
}

static void get(struct virtqueue *vq)
{
	uint32_t written = UINT32_MAX;
	void *token = vq_get(vq, &written);

	if (!token)
		return;
	if (written > room[(const bool *)token - in_flight])
		abort();
	take_back(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vq_chain chains[VQ_SIZE_MAX];
	struct virtqueue vq = {
	    .notify = on_notify, .on_broken = on_broken, .to_phys = to_phys};
	size_t bytes;
	uint8_t *memory;
	void *token;

	if (size < 1)
		return 0;
	vq.indirect = data[0] & 1;
	vq.event_idx = data[0] & 2;
	bytes = vq_memory_size((uint16_t)(1u << (data[0] >> 4) % 9));
	memory = calloc(1, bytes);
	memset(chains, 0, sizeof(chains));
	vq_init(&vq, (uint16_t)(1u << (data[0] >> 4) % 9), memory, chains);
	for (size_t i = 1; i + 3 < size; i += 4) {
		const uint8_t *d = data + i;
		switch (d[0] % 8) {
		case 0:
		case 1:
			submit(&vq, d[1]);
			break;
		case 2:
			get(&vq);
			break;
		case 3: /* one used entry, honest if the input says so */
			memory[(d[1] | d[2] << 8) % bytes] = d[3];
			break;
		case 4:
			vq_kick(&vq);
			break;
		case 5:
			(void)vq_interrupts_on(&vq);
			break;
		case 6:
			vq_interrupts_off(&vq);
			break;
		case 7: { /* the used ring's entry and index */
			uint16_t *idx = (uint16_t *)vq.used + 1;
			uint32_t *e =
			    (uint32_t *)vq.used + 1 + 2 * (*idx % vq.size);
			e[0] = d[1];
			e[1] = d[2];
			*idx = (uint16_t)(*idx + 1 + (d[3] >> 6));
		}
		}
	}
	while ((token = vq_drain(&vq)))
		take_back(token);
	for (size_t i = 0; i < TOKENS; i++)
		if (in_flight[i])
			abort();
	for (unsigned i = 0; i < vq.size; i++)
		kfree(chains[i].indirect);
	free(memory);
	if (shim_memory_used)
		abort();
	return 0;
}
