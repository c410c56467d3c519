/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters and what /proc says of QEMU and the launcher; see stats.h.
 *
 * A confined launcher opens nothing: the two stat files are opened before,
 * and read again from their start.  What serves the shares has processes of
 * its own, which begin later; toril-ps counts them.
 */
#include "host/stats.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/relay.h"
#include "host/run.h"

#define SECOND_MS 1000

struct stats stats;

static struct process {
	const char *name;
	int fd;
	double cpu;    /* seconds, both modes */
	uint64_t size; /* resident bytes */
} processes[] = {{"qemu", -1, 0, 0}, {"toril-run", -1, 0, 0}};

static long ticks, page;
static struct timespec began;
static struct loop_timer second;

static struct {
	uint64_t at; /* loop_now() */
	double cpu;
	uint64_t in, out, fs;
} last;

static void process_open(struct process *p, pid_t pid)
{
	char *path = must_print("/proc/%d/stat", (int)pid);

	p->fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
}

/* proc(5): fields 14 and 15 are ticks, 24 pages. */
static void process_read(struct process *p)
{
	char text[1024], *at;
	unsigned long user, system, size;
	ssize_t len;

	if (p->fd < 0 || lseek(p->fd, 0, SEEK_SET) < 0)
		return;
	len = read(p->fd, text, sizeof(text) - 1);
	if (len <= 0)
		return; /* it has ended: what it was */
	text[len] = 0;
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1,
		       " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu"
		       " %*d %*d %*d %*d %*d %*d %*u %*u %lu",
		       &user, &system, &size) != 3)
		return;
	p->cpu = (double)(user + system) / (double)ticks;
	p->size = (uint64_t)size * (uint64_t)page;
}

/* "12.3M" */
static const char *size_print(double n, char *text, size_t room)
{
	const char *unit = "BKMGT";

	while (n >= 1000 && unit[1]) {
		n /= 1024;
		unit++;
	}
	snprintf(text, room, *unit == 'B' || n >= 100 ? "%.0f%c" : "%.1f%c", n,
	    *unit);
	return text;
}

/* On a terminal each line takes the place of the one before. */
static void line_print(double cpu, uint64_t in, uint64_t out, uint64_t fs)
{
	bool tty = isatty(STDERR_FILENO);
	char size[16], from[16], to[16], line[256];
	unsigned open = stats.open[STATS_IN] + stats.open[STATS_OUT];
	unsigned long long total =
	    stats.total[STATS_IN] + stats.total[STATS_OUT];
	int len = snprintf(line, sizeof(line),
	    "%storil-run: cpu %.0f%% memory %s connections %u of %llu "
	    "in %s/s out %s/s files %llu/s%s",
	    tty ? "\r" : "", cpu,
	    size_print((double)processes[0].size, size, sizeof(size)), open,
	    total, size_print((double)in, to, sizeof(to)),
	    size_print((double)out, from, sizeof(from)), (unsigned long long)fs,
	    tty ? "\033[K" : "\n");

	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return; /* nobody looks */
}

static void line_update(void)
{
	uint64_t now = loop_now(), ms = now - last.at;
	double cpu = 0;

	for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
		process_read(&processes[i]);
		cpu += processes[i].cpu;
	}
	if (!ms)
		ms = 1;
	line_print((cpu - last.cpu) * 100000 / (double)ms,
	    (relay_bytes.in - last.in) * 1000 / ms,
	    (relay_bytes.out - last.out) * 1000 / ms,
	    (stats.guest.fs_requests - last.fs) * 1000 / ms);
	last.at = now;
	last.cpu = cpu;
	last.in = relay_bytes.in;
	last.out = relay_bytes.out;
	last.fs = stats.guest.fs_requests;
}

static void second_over(struct loop_timer *timer)
{
	if (run.opt.stats)
		line_update();
	if (run.started && !run.exited && !stats.asked) {
		stats.asked = true;
		control_send(&run, CTL_ASK_COUNTS, NULL, 0);
	}
	loop_timer_set(timer, SECOND_MS);
}

void stats_prepare(struct run *r)
{
	ticks = sysconf(_SC_CLK_TCK);
	page = sysconf(_SC_PAGESIZE);
	clock_gettime(CLOCK_REALTIME, &began);
	if (!r->opt.stats && !r->opt.metrics)
		return;
	process_open(&processes[0], r->qemu.pid);
	process_open(&processes[1], getpid());
	last.at = loop_now();
	second.fire = second_over;
	loop_timer_set(&second, SECOND_MS);
}

void stats_finish(void)
{
	if (run.opt.stats && second.fire && isatty(STDERR_FILENO))
		dprintf(STDERR_FILENO, "\n");
	loop_timer_cancel(&second);
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
		if (processes[i].fd >= 0)
			close(processes[i].fd);
		processes[i].fd = -1;
	}
}

static void head(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP toril_%s %s\n# TYPE toril_%s %s\n", name, help,
	    name, type);
}

/* The format's escapes: \\, \" and \n. */
static void label_print(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			fputs("\\n", to);
			continue;
		}
		if (*text == '\\' || *text == '"')
			fputc('\\', to);
		fputc(*text, to);
	}
}

static void print_machine(struct run *r, FILE *to)
{
	const char *slash = strrchr(r->file, '/');

	head(to, "info", "gauge", "Which image runs, and under what.");
	fputs("toril_info{image=\"", to);
	label_print(to, slash ? slash + 1 : r->file);
	fputs("\",version=\"" TORIL_VERSION "\"} 1\n", to);
	head(to, "start_time_seconds", "gauge",
	    "When the machine was started, since 1970.");
	fprintf(to, "toril_start_time_seconds %.3f\n",
	    (double)began.tv_sec + (double)began.tv_nsec / 1e9);
	head(to, "up", "gauge", "Whether the program's main has been called.");
	fprintf(to, "toril_up %d\n", r->started && !r->exited);
	head(to, "cpus", "gauge", "Virtual CPUs.");
	fprintf(to, "toril_cpus %u\n", r->opt.cpus);
	head(to, "memory_limit_bytes", "gauge", "Memory of the machine.");
	fprintf(to, "toril_memory_limit_bytes %llu\n",
	    (unsigned long long)r->opt.memory);
}

static void print_processes(FILE *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++)
		process_read(&processes[i]);
	head(to, "process_cpu_seconds_total", "counter",
	    "CPU time, user and system.");
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++)
		fprintf(to,
		    "toril_process_cpu_seconds_total{process=\"%s\"} %.2f\n",
		    processes[i].name, processes[i].cpu);
	head(to, "process_resident_memory_bytes", "gauge", "Resident memory.");
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++)
		fprintf(to,
		    "toril_process_resident_memory_bytes{process=\"%s\"} "
		    "%llu\n",
		    processes[i].name, (unsigned long long)processes[i].size);
}

static void print_connections(FILE *to)
{
	static const char *const ways[] = {"in", "out"};

	head(to, "connections", "gauge",
	    "TCP connections that are open; in: to the program.");
	for (int i = 0; i < STATS_WAYS; i++)
		fprintf(to, "toril_connections{direction=\"%s\"} %u\n", ways[i],
		    stats.open[i]);
	head(to, "connections_opened_total", "counter",
	    "TCP connections so far.");
	for (int i = 0; i < STATS_WAYS; i++)
		fprintf(to,
		    "toril_connections_opened_total{direction=\"%s\"} %llu\n",
		    ways[i], (unsigned long long)stats.total[i]);
	head(to, "network_receive_bytes_total", "counter",
	    "Bytes of TCP connections to the program.");
	fprintf(to, "toril_network_receive_bytes_total %llu\n",
	    (unsigned long long)relay_bytes.in);
	head(to, "network_transmit_bytes_total", "counter",
	    "Bytes of TCP connections from the program.");
	fprintf(to, "toril_network_transmit_bytes_total %llu\n",
	    (unsigned long long)relay_bytes.out);
}

static void print_notifications(struct vsock *v, FILE *to)
{
	uint64_t kicks[2], calls[2];

	if (!v->notifications)
		return; /* the kernel carries, and does not count */
	v->notifications(v, kicks, calls);
	head(to, "vsock_kicks_total", "counter", "Notifications by the guest.");
	fprintf(to,
	    "toril_vsock_kicks_total{queue=\"rx\"} %llu\n"
	    "toril_vsock_kicks_total{queue=\"tx\"} %llu\n",
	    (unsigned long long)kicks[0], (unsigned long long)kicks[1]);
	head(to, "vsock_interrupts_total", "counter",
	    "Interrupts of the guest.");
	fprintf(to,
	    "toril_vsock_interrupts_total{queue=\"rx\"} %llu\n"
	    "toril_vsock_interrupts_total{queue=\"tx\"} %llu\n",
	    (unsigned long long)calls[0], (unsigned long long)calls[1]);
}

static void print_guest(FILE *to)
{
	head(to, "memory_used_bytes", "gauge",
	    "Memory that the kernel and the program use of it.");
	fprintf(to, "toril_memory_used_bytes %llu\n",
	    (unsigned long long)stats.guest.memory);
	head(to, "filesystem_requests_total", "counter",
	    "Requests to the servers of the shares.");
	fprintf(to, "toril_filesystem_requests_total %llu\n",
	    (unsigned long long)stats.guest.fs_requests);
}

void stats_print(struct run *r, FILE *to)
{
	print_machine(r, to);
	print_guest(to);
	print_processes(to);
	print_connections(to);
	print_notifications(r->v, to);
}
