/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fsd SOCKET [OPTION...]: a vhost-user-fs server of a file system in memory
 * (tree.c), for one machine: it listens on SOCKET, says "ready", serves
 * whoever connects first, and ends with it.
 *
 *   --queues N      request queues (1), each with a thread of its own
 *   --timeout S     how long attributes and names may be kept (1)
 *   --mutate KIND   lie, as mutate.h says, or as --seed has it if KIND is
 *                   "any" (all but used-* and silent)
 *   --seed N --rate PERCENT (50) --skip REQUESTS (1: INIT)
 *
 * At the end it prints how many requests came through each queue and how many
 * replies were lies.  What mutates the used ring, or says nothing, does so
 * once.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/fuse.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/util.h"
#include "host/vhost_user.h"
#include "tests/hostile/mutate.h"
#include "tests/hostile/tree.h"

#define QUEUES_MAX (VU_RINGS_MAX - 1)

/* A ring and its thread, which has it to itself while it runs. */
struct queue {
	struct vq *q;
	pthread_t thread;
	bool runs;
	int stop_fd;
	uint64_t requests;
	struct vq_chain chain, held;
	struct answer held_answer; /* with bytes of its own */
	bool holds;
	uint8_t *in, *out;
};

static struct {
	struct vhost_user vu;
	struct guest_mem mem;
	struct vq vq[VU_RINGS_MAX];
	struct queue queue[VU_RINGS_MAX];
	unsigned count; /* rings: hiprio, then requests */
} fs;

static struct {
	int kind;
	bool any;
	unsigned rate, skip;
	uint64_t seen, applied[MUTATIONS];
	bool done; /* what is done only once */
	pthread_mutex_t lock;
} lies = {.rate = 50, .skip = 1, .lock = PTHREAD_MUTEX_INITIALIZER};

static bool over;

static void call_guest(struct vq *q)
{
	uint64_t one = 1;

	if (q->call_fd >= 0 && vq_must_call(q) &&
	    write(q->call_fd, &one, sizeof(one)) < 0)
		perror("fsd: call");
}

/* Which lie the next reply is; NONE most of all. */
static enum mutation choose(void)
{
	int kind = lies.kind;

	pthread_mutex_lock(&lies.lock);
	lies.seen++;
	if (lies.any)
		kind = 1 + (int)mutate_random(MUTATE_USED_ID - 1);
	if (lies.seen <= lies.skip || lies.done ||
	    mutate_random(100) >= lies.rate)
		kind = MUTATE_NONE;
	if (kind >= MUTATE_USED_ID)
		lies.done = true;
	lies.applied[kind]++;
	pthread_mutex_unlock(&lies.lock);
	return (enum mutation)kind;
}

/* Over what is the guest's to write, as far as it has no use for it. */
static void scribble(struct queue *w)
{
	struct vq *q = w->q;
	uint16_t taken = (uint16_t)(q->next_avail - 1);

	memset((void *)&q->desc[w->chain.head], 0xcc, sizeof(*q->desc));
	q->avail->ring[taken & (q->size - 1)] = (uint16_t)mutate_random(65536);
	q->used->flags = (uint16_t)mutate_random(65536);
}

static void give(struct queue *w, struct vq_chain *c, struct answer *a)
{
	struct vq *q = w->q;
	struct vring_used_elem *e =
	    &q->used->ring[q->next_used & (q->size - 1)];

	iov_write(c->iov + c->out_count, c->in_count, 0, a->bytes,
	    MIN(a->len, a->room));
	if (a->scribble)
		scribble(w);
	e->id = a->id;
	e->len = a->used_len;
	q->next_used = (uint16_t)(q->next_used + a->step);
	__atomic_store_n(&q->used->idx, q->next_used, __ATOMIC_RELEASE);
	call_guest(q);
}

static void give_held(struct queue *w)
{
	if (!w->holds)
		return;
	w->holds = false;
	give(w, &w->held, &w->held_answer);
	free(w->held_answer.bytes);
}

static void hold(struct queue *w, const struct answer *a)
{
	w->holds = true;
	memcpy(&w->held, &w->chain, sizeof(w->held));
	w->held_answer = *a;
	w->held_answer.bytes = must_alloc(a->len);
	memcpy(w->held_answer.bytes, a->bytes, a->len);
}

static void answer(struct queue *w, size_t in_len)
{
	const struct fuse_in_header *h = (const void *)w->in;
	struct vq_chain *c = &w->chain;
	enum mutation kind = MUTATE_NONE;
	struct answer a = {.bytes = w->out,
	    .room = (uint32_t)MIN(c->in_len, MUTATE_ROOM),
	    .opcode = h->opcode,
	    .id = c->head,
	    .step = 1,
	    .ring = w->q->size};

	a.len = (uint32_t)tree_serve(
	    w->in, in_len, w->out, MAX(MIN(c->in_len, MUTATE_ROOM), REPLY_MIN));
	a.used_len = a.len;
	if (a.len && in_len >= sizeof(*h)) {
		if (lies.kind || lies.any)
			kind = choose();
		mutate(kind, &a);
	}
	if (a.silent) {
		printf("silent\n");
		return;
	}
	if (a.late && !w->holds)
		hold(w, &a);
	else
		give(w, c, &a);
}

/* All that is available. */
static void serve(struct queue *w)
{
	struct vq_chain *c = &w->chain;
	size_t n;

	while (vq_peek(w->q, c) > 0) {
		vq_take(w->q);
		n = MIN(c->out_len, MUTATE_ROOM);
		iov_read(c->iov, c->out_count, 0, w->in, n);
		w->requests++;
		answer(w, n);
	}
}

static void *run(void *arg)
{
	struct queue *w = arg;
	struct pollfd fds[2] = {{.fd = w->stop_fd, .events = POLLIN},
	    {.fd = w->q->kick_fd, .events = POLLIN}};
	uint64_t count;

	while (!(fds[0].revents & POLLIN)) {
		serve(w);
		if (vq_listen(w->q))
			continue;
		if (!poll(fds, 2, w->holds ? 20 : -1))
			give_held(w);
		if (fds[1].revents & POLLIN &&
		    read(w->q->kick_fd, &count, sizeof(count)) < 0 &&
		    errno != EAGAIN)
			break;
	}
	return NULL;
}

static void queue_stop(struct queue *w)
{
	uint64_t one = 1;

	if (!w->runs)
		return;
	w->runs = false;
	if (write(w->stop_fd, &one, sizeof(one)) < 0)
		abort();
	pthread_join(w->thread, NULL);
	if (read(w->stop_fd, &one, sizeof(one)) < 0)
		abort();
}

static void queue_start(struct queue *w)
{
	if (w->runs || !w->q->running || !w->q->enabled || w->q->kick_fd < 0)
		return;
	w->runs = true;
	if (pthread_create(&w->thread, NULL, run, w))
		abort();
}

static void fs_kick_fd(void *dev, int ring, int fd)
{
	struct vq *q = &fs.vq[ring];

	(void)dev;
	queue_stop(&fs.queue[ring]);
	if (q->kick_fd >= 0)
		close(q->kick_fd);
	q->kick_fd = fd;
}

static void fs_pause(void *dev)
{
	(void)dev;
	for (unsigned i = 0; i < fs.count; i++)
		queue_stop(&fs.queue[i]);
}

static void fs_work(void *dev)
{
	(void)dev;
	for (unsigned i = 0; i < fs.count; i++)
		queue_start(&fs.queue[i]);
}

static void fs_fini(void *dev)
{
	fs_pause(dev);
	guest_mem_unmap(&fs.mem);
}

static void fs_hangup(struct vhost_user *vu)
{
	(void)vu;
	over = true;
}

static int listen_at(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) ||
	    listen(fd, 1)) {
		fprintf(stderr, "fsd: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	return fd;
}

static void options(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"queues", required_argument, NULL, 'q'},
	    {"timeout", required_argument, NULL, 't'},
	    {"mutate", required_argument, NULL, 'm'},
	    {"seed", required_argument, NULL, 's'},
	    {"rate", required_argument, NULL, 'r'},
	    {"skip", required_argument, NULL, 'k'},
	    {0},
	};
	unsigned queues = 1, timeout = 1;
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		unsigned n = optarg ? (unsigned)atoi(optarg) : 0;

		if (opt == 'q')
			queues = n;
		else if (opt == 't')
			timeout = n;
		else if (opt == 's')
			mutate_seed(n);
		else if (opt == 'r')
			lies.rate = n;
		else if (opt == 'k')
			lies.skip = n;
		else if (opt == 'm' && !strcmp(optarg, "any"))
			lies.any = true;
		else if (opt != 'm' || (lies.kind = mutation_find(optarg)) < 0)
			exit(2);
	}
	if (optind + 1 != argc || !queues || queues > QUEUES_MAX)
		exit(2);
	fs.count = queues + 1;
	tree_init(timeout);
}

static void report(void)
{
	for (unsigned i = 0; i < fs.count; i++)
		printf(
		    "queue %u %lu\n", i, (unsigned long)fs.queue[i].requests);
	for (int i = 1; i < MUTATIONS; i++)
		if (lies.applied[i])
			printf("mutated %s %lu\n", mutation_names[i],
			    (unsigned long)lies.applied[i]);
}

int main(int argc, char **argv)
{
	struct vu_device device = {.vq = fs.vq,
	    .mem = &fs.mem,
	    .kick_fd = fs_kick_fd,
	    .pause = fs_pause,
	    .work = fs_work,
	    .reset = fs_pause,
	    .fini = fs_fini};
	int fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	options(argc, argv);
	if (loop_open())
		return 2;
	device.vq_count = fs.count;
	vhost_user_init(&fs.vu, &device);
	for (unsigned i = 0; i < fs.count; i++) {
		fs.queue[i].q = &fs.vq[i];
		fs.queue[i].stop_fd = eventfd(0, EFD_CLOEXEC);
		fs.queue[i].in = must_alloc(MUTATE_ROOM);
		fs.queue[i].out = must_alloc(MUTATE_ROOM + REPLY_MIN);
	}
	fs.vu.on_hangup = fs_hangup;
	fd = listen_at(argv[optind]);
	printf("ready\n");
	if (vhost_user_start(
		&fs.vu, accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)))
		return 2;
	unlink(argv[optind]);
	while (!over && !loop_turn())
		;
	vhost_user_stop(&fs.vu);
	report();
	loop_close();
	return 0;
}
