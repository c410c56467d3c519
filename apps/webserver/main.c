/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * webserver: a static web server for Linux and Toril.  Options, the listening
 * socket, signals, and one thread per worker.
 */
#include "apps/webserver/worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define WORKERS_MAX  64
#define WORKER_STACK (64 * 1024)
#define CACHE_MIN    (128 * 1024)
#define CACHE_MAX    (16 * 1024 * 1024)
#define MEMORY_SHARE 16 /* the cache's default: this part of memory */

static const char usage[] =
    "usage: webserver [OPTION]... DIRECTORY\n"
    "Serves the files of DIRECTORY over HTTP/1.1.\n"
    "\n"
    "  -p PORT     port to listen on; 0 picks one and prints it (80)\n"
    "  -b ADDRESS  IPv4 or IPv6 address to listen on (0.0.0.0)\n"
    "  -l          list directories that have no index.html\n"
    "  -a FILE     access log in Combined format; - is stdout (none)\n"
    "  -w WORKERS  threads, each with an event loop and cache (1)\n"
    "  -c NUMBER   connections at a time, of all workers (8192)\n"
    "  -m KIB      small files kept in memory, of all workers\n"
    "              (a sixteenth of memory, 128 to 16384)\n"
    "  -t SECONDS  for a request to arrive in full (15)\n"
    "  -k SECONDS  for an idle connection between requests (30)\n"
    "  -s SECONDS  for a reply that makes no progress (60)\n"
    "  -h          this help\n"
    "\n"
    "FILE.br and FILE.gz next to FILE are sent to who accepts them.\n"
    "SIGTERM and SIGINT let running requests finish; a second one does not.\n";

struct options {
	struct config config;
	const char *root, *address, *log;
	unsigned port, cache_kib;
	bool cache_set;
};

static int stop_fd = -1;

static void say(int fd, const char *a, const char *b, const char *c)
{
	char line[512];
	struct text t = {line, 0, sizeof(line) - 1, false};

	text_cstr(&t, a);
	text_cstr(&t, b);
	text_cstr(&t, c);
	line[t.len++] = '\n';
	if (write(fd, line, t.len) < 0)
		return; /* nobody is left to be told */
}

static int fail(const char *what, int error)
{
	char line[256];
	struct text t = {line, 0, sizeof(line), false};

	text_cstr(&t, "webserver: ");
	text_cstr(&t, what);
	line[t.len < sizeof(line) ? t.len : sizeof(line) - 1] = '\0';
	say(STDERR_FILENO, line, ": ", strerror(-error));
	return 1;
}

static int print_usage(void)
{
	size_t len = sizeof(usage) - 1;

	return write(STDOUT_FILENO, usage, len) != (ssize_t)len;
}

static bool number_of(const char *s, unsigned max, unsigned *value)
{
	uint64_t n;

	if (!str_number(str_from(s), &n) || n > max)
		return false;
	*value = n;
	return true;
}

static bool set_option(struct options *o, int option, const char *value)
{
	struct config *c = &o->config;

	switch (option) {
	case 'p':
		return number_of(value, 65535, &o->port);
	case 'b':
		o->address = value;
		return true;
	case 'l':
		c->listing = true;
		return true;
	case 'a':
		o->log = value;
		return true;
	case 'w':
		return number_of(value, WORKERS_MAX, &c->workers) && c->workers;
	case 'c':
		return number_of(value, 1000000, &c->connections) &&
		       c->connections;
	case 'm':
		o->cache_set = true;
		return number_of(value, 1 << 20, &o->cache_kib);
	case 't':
		return number_of(value, 86400, &c->request_s) && c->request_s;
	case 'k':
		return number_of(value, 86400, &c->idle_s) && c->idle_s;
	case 's':
		return number_of(value, 86400, &c->send_s) && c->send_s;
	}
	return false;
}

/* 0 to go on, else 1 + the exit status. */
static int parse_options(struct options *o, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "p:b:la:w:c:m:t:k:s:h")) != -1) {
		if (option == 'h') {
			return 1 + print_usage();
		}
		if (option == '?')
			return 1 + 2;
		if (!set_option(o, option, optarg)) {
			say(STDERR_FILENO, "webserver: bad value: ", optarg,
			    "");
			return 1 + 2;
		}
	}
	if (optind + 1 != argc) {
		say(STDERR_FILENO,
		    "webserver: ", "give one directory to serve; -h explains",
		    "");
		return 1 + 2;
	}
	o->root = argv[optind];
	return 0;
}

static int address_of(
    const char *s, unsigned port, union address *a, socklen_t *len)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, s, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons(port);
		*len = sizeof(a->in);
		return 0;
	}
	if (inet_pton(AF_INET6, s, &a->in6.sin6_addr) == 1) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons(port);
		*len = sizeof(a->in6);
		return 0;
	}
	return -EINVAL;
}

static void print_address(int fd)
{
	union address a;
	socklen_t len = sizeof(a);
	char line[80];
	struct text t = {line, 0, sizeof(line) - 1, false};

	if (getsockname(fd, &a.any, &len) < 0)
		return;
	address_text(&t, &a);
	text_char(&t, ':');
	text_number(&t, ntohs(a.in.sin_port)); /* at the same place in in6 */
	line[t.len] = '\0';
	say(STDERR_FILENO, line, "", "");
}

/* Clients inherit TCP_NODELAY: every reply is sent whole, so there is
 * nothing for Nagle to collect. */
static int listen_on(const char *address, unsigned port)
{
	union address a;
	socklen_t len;
	int one = 1, r, fd;

	r = address_of(address, port, &a, &len);
	if (r < 0)
		return r;
	fd = socket(
	    a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, &a.any, len) < 0 || listen(fd, SOMAXCONN) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	if (port == 0)
		print_address(fd);
	return fd;
}

static int log_fd_of(const char *name)
{
	int fd;

	if (!name)
		return -1;
	if (!strcmp(name, "-"))
		return STDOUT_FILENO;
	fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : fd;
}

static void on_signal(int signal)
{
	uint64_t one = 1;
	int saved = errno;

	(void)signal;
	if (write(stop_fd, &one, sizeof(one)) < 0)
		_exit(1);
	errno = saved;
}

/* The event is never read: all workers see it. */
static int catch_signals(struct config *c)
{
	struct sigaction stop = {
	    .sa_handler = on_signal, .sa_flags = SA_RESETHAND};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (stop_fd < 0)
		return -errno;
	c->stop_fd = stop_fd;
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	return 0;
}

static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit); /* else we live with what we have */
}

static size_t cache_bytes(const struct options *o)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	size_t bytes;

	if (o->cache_set)
		return (size_t)o->cache_kib * 1024;
	bytes = pages > 0 ? (size_t)pages * page / MEMORY_SHARE : 0;
	if (bytes < CACHE_MIN)
		bytes = CACHE_MIN;
	return bytes < CACHE_MAX ? bytes : CACHE_MAX;
}

static void *worker_main(void *arg)
{
	struct worker *w = malloc(sizeof(*w));
	int r = w ? worker_run(w, arg) : -ENOMEM;

	free(w);
	if (r < 0) {
		fail("worker", r);
		exit(1);
	}
	return NULL;
}

static int serve(struct config *config)
{
	pthread_t thread[WORKERS_MAX];
	pthread_attr_t attr;
	unsigned started = 0;
	int r = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	while (r == 0 && started + 1 < config->workers) {
		r = -pthread_create(
		    &thread[started], &attr, worker_main, config);
		started += r == 0;
	}
	if (r < 0)
		return r;
	worker_main(config);
	for (unsigned i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

static int start(struct options *o)
{
	struct config *c = &o->config;
	int r;

	r = site_open(&c->site, o->root);
	if (r < 0)
		return fail(o->root, r);
	c->log_fd = log_fd_of(o->log);
	if (o->log && c->log_fd < 0)
		return fail(o->log, c->log_fd);
	r = catch_signals(c);
	if (r < 0)
		return fail("eventfd", r);
	raise_limits();
	c->listener = listen_on(o->address, o->port);
	if (c->listener < 0)
		return fail("listen", c->listener);
	c->cache_bytes = cache_bytes(o) / c->workers;
	c->connections = (c->connections + c->workers - 1) / c->workers;
	r = serve(c);
	if (r < 0)
		return fail("thread", r);
	close(c->listener);
	close(stop_fd);
	site_close(&c->site);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {.port = 80,
	    .address = "0.0.0.0",
	    .config = {.workers = 1,
		.connections = 8192,
		.request_s = 15,
		.idle_s = 30,
		.send_s = 60}};
	int done = parse_options(&o, argc, argv);

	return done ? done - 1 : start(&o);
}
