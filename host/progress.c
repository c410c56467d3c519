/* SPDX-License-Identifier: BSD-2-Clause */
/* The bar: see progress.h. */
#include "host/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/loop.h"
#include "host/util.h"

#define PATIENCE_MS 2000
#define STEP_MS     200
#define WIDTH       20 /* of the bar */
#define BLOCK       4  /* of what moves in it */

static void draw(struct loop_timer *timer);

static struct loop_timer timer = {.fire = draw};
static const char *waited_for;
static uint64_t begun;
static bool on_fresh_line;

static void draw(struct loop_timer *t)
{
	uint64_t ms = loop_now() - begun;
	unsigned way = WIDTH - BLOCK;
	unsigned at = (unsigned)(ms / STEP_MS) % (2 * way);
	char bar[WIDTH + 1];

	memset(bar, ' ', WIDTH);
	memset(bar + (at < way ? at : 2 * way - at), '=', BLOCK);
	bar[WIDTH] = 0;
	fprintf(stderr, "%s\rtoril-run: %s [%s] %llu s",
	    on_fresh_line ? "\n" : "", waited_for, bar,
	    (unsigned long long)ms / 1000);
	fflush(stderr);
	on_fresh_line = false;
	stderr_hide = progress_hide;
	loop_timer_set(t, STEP_MS);
}

void progress_begin(const char *what, bool fresh)
{
	if (!isatty(STDERR_FILENO))
		return;
	waited_for = what;
	on_fresh_line = fresh;
	begun = loop_now();
	loop_timer_set(&timer, PATIENCE_MS);
}

void progress_hide(void)
{
	if (!stderr_hide)
		return;
	stderr_hide = NULL;
	fputs("\r\033[K", stderr);
	fflush(stderr);
}

void progress_end(void)
{
	loop_timer_cancel(&timer);
	progress_hide();
}
