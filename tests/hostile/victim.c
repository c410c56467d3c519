/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * victim [-b BAD] [-s] [-e PORT]... [-n OPERATIONS] [-t THREADS] GOOD: uses a
 * share whose server lies, and one whose server is honest, at the same time,
 * and says what came of it.  -s: of BAD's replies only headers are lies.  Ends
 * with 0 if all is as it must be.
 *
 * -e: echoes what connections to PORT bring, and connects to the outside, until
 * SIGUSR1.
 *
 * SIGUSR1: BAD will never answer; once GOOD has been found well again, the
 * program ends, whatever still waits for BAD.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ops.h"

#define THREADS 16

static unsigned long operations = 200;
static volatile int bad_done, leave;

static void on_usr1(int number)
{
	(void)number;
	leave = 1;
}

static void *run_bad(void *arg)
{
	struct work *w = arg;

	while (w->count < operations)
		work_one(w);
	bad_done = 1;
	return NULL;
}

static void *run_good(void *arg)
{
	struct work *w = arg;

	while (w->count < operations)
		work_one(w);
	return NULL;
}

static void print(const char *who, const struct work *w)
{
	printf("%s operations %lu data %lu wrong %lu", who, w->count, w->done,
	    w->wrong);
	for (int i = 0; i < 512; i++)
		if (w->failed[i])
			printf(" errno-%d %lu", i, w->failed[i]);
	printf("\n");
}

/* As long as BAD is at work, and a little longer. */
static void run_main(struct work *w, int bad, int echo)
{
	while (((bad && !bad_done) || echo) && !leave)
		work_one(w);
	for (int i = 0; i < 20; i++)
		work_one(w);
}

int main(int argc, char **argv)
{
	static struct work good[THREADS], bad;
	pthread_t thread[THREADS], other;
	int opt, n = 1, echo = 0;

	bad.trust = TRUST_NOTHING;
	while ((opt = getopt(argc, argv, "b:e:sn:t:")) >= 0) {
		if (opt == 'b')
			bad.root = optarg;
		else if (opt == 's')
			bad.trust = TRUST_HEADER;
		else if (opt == 'n')
			operations = strtoul(optarg, NULL, 0);
		else if (opt == 't')
			n = atoi(optarg);
		else if (opt == 'e')
			net_start((long)strtoul(optarg, NULL, 0)), echo = 1;
		else
			return 2;
	}
	if (optind + 1 != argc || n < 1 || n > THREADS)
		return 2;
	signal(SIGUSR1, on_usr1);
	signal(SIGPIPE, SIG_IGN);
	work_init();
	for (int i = 0; i < n; i++) {
		good[i].root = argv[optind];
		good[i].id = (unsigned)i;
		good[i].seed = (unsigned long)i + 1;
		area_init(&good[i].area);
	}
	bad.seed = 99;
	bad.id = THREADS;
	if (bad.root) {
		area_init(&bad.area);
		pthread_create(&other, NULL, run_bad, &bad);
	}
	for (int i = 1; i < n; i++)
		pthread_create(&thread[i], NULL, run_good, &good[i]);
	if (echo)
		net_start(0);
	if (bad.root || echo)
		run_main(&good[0], bad.root != NULL, echo);
	else
		run_good(&good[0]);
	for (int i = 1; i < n; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < n; i++) {
		print("good", &good[i]);
		good[0].wrong += i ? good[i].wrong : 0;
	}
	if (bad.root)
		print("bad", &bad);
	if (echo)
		printf("net accepted %lu connects %lu wrong %lu\n",
		    net_accepted, net_connects, net.wrong);
	fflush(stdout);
	return good[0].wrong || bad.wrong || net.wrong;
}
