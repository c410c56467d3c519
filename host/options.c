/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options, docker's where docker has them.  They stop at IMAGE; what follows
 * is the guest program's.
 */
#include "host/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/util.h"

#define MEMORY_DEFAULT (64ull << 20)
/* What is never touched costs nothing, and a process has no limit at all. */
#define MEMORY_PROCESS (512ull << 20)
#define MEMORY_LEAST   (2ull << 20)

static void env_append(struct options *o, char *entry)
{
	o->env = must_grow(o->env, (o->env_count + 2) * sizeof(*o->env));
	o->env[o->env_count++] = entry;
	o->env[o->env_count] = NULL;
}

static int add_env(struct options *o, const char *text)
{
	const char *value = getenv(text);
	char *entry;

	if (!*text || *text == '=')
		return -EINVAL;
	if (strchr(text, '='))
		entry = must_print("%s", text);
	else if (value)
		entry = must_print("%s=%s", text, value);
	else
		return 0; /* as docker: what is not set is not passed on */
	env_append(o, entry);
	return 0;
}

static int word(const char *text, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(text, words[i]))
			return i;
	return -EINVAL;
}

enum {
	OPT_CONNECT = 256,
	OPT_ACCEL,
	OPT_TIMEOUT,
	OPT_VERBOSE,
	OPT_DRY_RUN,
	OPT_HELP,
	OPT_VERSION,
	OPT_VSOCK,
	OPT_QEMU,
	OPT_VIRTIOFSD,
	OPT_QEMU_ARG,
	OPT_BACKEND,
	OPT_AS_PROCESS,
	OPT_DEDICATE,
	OPT_FS_SOCKET,
	OPT_GDB,
	OPT_CONNECTIONS,
	OPT_FILES,
	OPT_CORE,
	OPT_STRACE,
	OPT_NAME,
	OPT_LOG_TIME,
	OPT_TRACE,
	OPT_TRACE_FILE,
	OPT_PERF,
	OPT_STATS,
	OPT_METRICS,
};

static const struct option longs[] = {
    {"publish", required_argument, NULL, 'p'},
    {"volume", required_argument, NULL, 'v'},
    {"env", required_argument, NULL, 'e'},
    {"workdir", required_argument, NULL, 'w'},
    {"memory", required_argument, NULL, 'm'},
    {"cpus", required_argument, NULL, 'c'},
    {"max-connections", required_argument, NULL, OPT_CONNECTIONS},
    {"max-files", required_argument, NULL, OPT_FILES},
    {"dedicate", no_argument, NULL, OPT_DEDICATE},
    {"connect", required_argument, NULL, OPT_CONNECT},
    {"accel", required_argument, NULL, OPT_ACCEL},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"verbose", no_argument, NULL, OPT_VERBOSE},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {"vsock", required_argument, NULL, OPT_VSOCK},
    {"qemu", required_argument, NULL, OPT_QEMU},
    {"virtiofsd", required_argument, NULL, OPT_VIRTIOFSD},
    {"fs-socket", required_argument, NULL, OPT_FS_SOCKET},
    {"qemu-arg", required_argument, NULL, OPT_QEMU_ARG},
    {"strace", optional_argument, NULL, OPT_STRACE},
    {"detach", no_argument, NULL, 'd'},
    {"perf", required_argument, NULL, OPT_PERF},
    {"trace", required_argument, NULL, OPT_TRACE},
    {"trace-file", required_argument, NULL, OPT_TRACE_FILE},
    {"log-time", no_argument, NULL, OPT_LOG_TIME},
    {"stats", no_argument, NULL, OPT_STATS},
    {"metrics", required_argument, NULL, OPT_METRICS},
    {"name", required_argument, NULL, OPT_NAME},
    {"core", required_argument, NULL, OPT_CORE},
    {"gdb", optional_argument, NULL, OPT_GDB},
    {"vsock-backend", required_argument, NULL, OPT_BACKEND},
    {"as-process", required_argument, NULL, OPT_AS_PROCESS},
    {0},
};

static int set_cpus(struct options *o, const char *text)
{
	return option_number(text, CPUS_MAX, &o->cpus) || !o->cpus ? -EINVAL
								   : 0;
}

/* From `least`: fewer would be a machine that cannot work. */
static int set_limit(unsigned *to, unsigned least, const char *text)
{
	return option_number(text, FILES_LIMIT_MAX, to) || *to < least ? -EINVAL
								       : 0;
}

static int add_share(struct options *o, const char *text, bool socket)
{
	int ret;

	if (o->share_count == SHARES_MAX)
		return -E2BIG;
	ret = option_share(&o->share[o->share_count], text);
	o->share[o->share_count].socket = socket;
	o->share_count += !ret;
	return ret;
}

static int add_publish(struct options *o, const char *text)
{
	int ret;

	if (o->publish_count == PUBLISH_MAX)
		return -E2BIG;
	ret = option_publish(&o->publish[o->publish_count], text);
	o->publish_count += !ret;
	return ret;
}

static int add_connect(struct options *o, const char *text)
{
	o->connect =
	    must_grow(o->connect, (o->connect_count + 1) * sizeof(*o->connect));
	o->connect[o->connect_count++] = text;
	return rules_add(&o->outbound, text);
}

static int set_memory(struct options *o, const char *text)
{
	int ret = option_size(&o->memory, text);

	if (!ret && o->memory < MEMORY_LEAST)
		return -ERANGE;
	o->memory &= ~8191ull; /* QEMU rounds, to 8 KiB, just one of two */
	return ret;
}

static int set_word(int opt, struct options *o, const char *text)
{
	static const char *const accels[] = {"auto", "kvm", "tcg", NULL};
	static const char *const vsocks[] = {"auto", "vhost", "builtin", NULL};
	int n = word(text, opt == OPT_ACCEL ? accels : vsocks);

	if (n < 0)
		return n;
	if (opt == OPT_ACCEL)
		o->accel = (enum accel)n;
	else
		o->vsock = (enum vsock_kind)n;
	return 0;
}

static int option_set(struct options *o, int opt, const char *arg)
{
	switch (opt) {
	case 'p':
		return add_publish(o, arg);
	case 'v':
		return add_share(o, arg, false);
	case OPT_FS_SOCKET:
		return add_share(o, arg, true);
	case 'e':
		return add_env(o, arg);
	case 'w':
		o->workdir = arg;
		return *arg == '/' ? 0 : -EINVAL;
	case 'm':
		return set_memory(o, arg);
	case 'c':
		return set_cpus(o, arg);
	case OPT_CONNECTIONS:
		return set_limit(&o->connections, 1, arg);
	case OPT_FILES:
		return set_limit(&o->files, 16, arg);
	case OPT_DEDICATE:
		o->dedicate = true;
		return 0;
	case OPT_CONNECT:
		return add_connect(o, arg);
	case OPT_TIMEOUT:
		return option_number(arg, 1000000, &o->timeout);
	case OPT_ACCEL:
	case OPT_VSOCK:
		return set_word(opt, o, arg);
	case OPT_GDB:
		o->gdb = true;
		o->gdb_socket = arg;
		return 0;
	case OPT_STRACE:
		o->gdb = o->strace = true;
		o->strace_calls = arg;
		return 0;
	case OPT_CORE:
		o->core = arg;
		return 0;
	case OPT_NAME:
		o->name = arg;
		return option_name_good(arg) ? 0 : -EINVAL;
	case OPT_PERF:
		o->perf = arg;
		return 0;
	case OPT_TRACE:
		o->trace = arg;
		return *arg ? 0 : -EINVAL;
	case OPT_TRACE_FILE:
		o->trace_file = arg;
		return 0;
	case OPT_LOG_TIME:
		o->log_time = true;
		return 0;
	case OPT_STATS:
		o->stats = true;
		return 0;
	case OPT_METRICS:
		o->metrics = true;
		return option_listen(&o->metrics_at, arg);
	case 'd':
		o->detach = true;
		return 0;
	case OPT_VERBOSE:
		o->verbose = true;
		return 0;
	case OPT_DRY_RUN:
		o->dry_run = true;
		return 0;
	case OPT_QEMU:
		o->qemu = arg;
		return 0;
	case OPT_VIRTIOFSD:
		o->virtiofsd = arg;
		return 0;
	case OPT_BACKEND:
		o->backend = arg;
		return 0;
	case OPT_AS_PROCESS:
		o->as_process = arg;
		return 0;
	case OPT_QEMU_ARG:
		o->qemu_args = must_grow(o->qemu_args,
		    (o->qemu_arg_count + 1) * sizeof(*o->qemu_args));
		o->qemu_args[o->qemu_arg_count++] = arg;
		return 0;
	}
	return -EINVAL;
}

/* What to say when an option's value is wrong. */
static const char *option_hint(int opt, int err)
{
	if (err == -E2BIG)
		return opt == 'v' || opt == OPT_FS_SOCKET
			   ? "at most 7 directories can be shared"
			   : "at most 64 ports can be published";
	if (err == -ERANGE)
		return "a machine needs at least 2M";
	switch (opt) {
	case 'p':
		return "expected [ADDR:]PORT[:GUEST_PORT]";
	case 'v':
		return "expected DIR:PATH or DIR:PATH:ro, PATH absolute";
	case OPT_FS_SOCKET:
		return "expected SOCKET:PATH or SOCKET:PATH:ro, PATH absolute";
	case 'e':
		return "expected NAME=VALUE or NAME";
	case 'w':
		return "expected an absolute path";
	case 'm':
		return "expected a size such as 64M or 2G";
	case 'c':
		return "expected a number from 1 to 255";
	case OPT_CONNECTIONS:
		return "expected a number from 1 to 1048576";
	case OPT_FILES:
		return "expected a number from 16 to 1048576";
	case OPT_CONNECT:
		return "expected HOST[:PORT], ADDRESS[/BITS][:PORT] or any";
	case OPT_TIMEOUT:
		return "expected a number of seconds";
	case OPT_ACCEL:
		return "expected auto, kvm or tcg";
	case OPT_VSOCK:
		return "expected auto, vhost or builtin";
	case OPT_METRICS:
		return "expected [ADDR:]PORT";
	case OPT_TRACE:
		return "expected default, or names of QEMU's events";
	case OPT_NAME:
		return "expected letters, digits and _.- after the first";
	}
	return "not understood";
}

int options_parse(
    struct options *o, int argc, char **argv, char *why, size_t room)
{
	const char *cpus = getenv("TORIL_CPUS");
	int opt, ret, at;

	memset(o, 0, sizeof(*o));
	if (set_cpus(o, cpus ? cpus : "1")) {
		snprintf(why, room, "TORIL_CPUS: %s: %s", cpus,
		    option_hint('c', -EINVAL));
		return -EINVAL;
	}
	o->trace_file = "toril.trace";
	opterr = 0;
	optind = 0; /* glibc: start afresh */
	for (;;) {
		at = optind ? optind : 1;
		opt = getopt_long(argc, argv, "+:p:v:e:w:m:c:d", longs, NULL);
		if (opt < 0)
			break;
		if (opt == OPT_HELP || opt == OPT_VERSION) {
			fputs(opt == OPT_HELP ? options_usage
					      : "toril-run " TORIL_VERSION "\n",
			    stdout);
			return 1;
		}
		if (opt == ':' || opt == '?') {
			snprintf(why, room, "%s %s; see toril-run --help",
			    argv[at],
			    opt == ':' ? "needs a value" : "is not an option");
			return -EINVAL;
		}
		ret = option_set(o, opt, optarg);
		if (ret) {
			snprintf(why, room, "%s: %s: %s", argv[at], optarg,
			    option_hint(opt, ret));
			return -EINVAL;
		}
	}
	o->image = optind;
	if (!o->memory)
		o->memory = o->as_process ? MEMORY_PROCESS : MEMORY_DEFAULT;
	if (o->as_process && options_inherit(o, environ)) {
		snprintf(why, room, "%s", option_hint('v', -E2BIG));
		return -EINVAL;
	}
	if (o->perf && o->gdb) {
		snprintf(why, room, "--perf is a debugger: no --gdb, --strace");
		return -EINVAL;
	}
	o->gdb |= o->perf != NULL;
	if (optind >= argc) {
		snprintf(why, room, "no IMAGE given; see toril-run --help");
		return -EINVAL;
	}
	return 0;
}

/* Whether a share shows `dir` at its own path. */
static bool share_covers(const struct share_option *s, const char *dir)
{
	size_t len = strlen(s->path);
	char *real = realpath(s->dir, NULL);
	bool same = real && !strcmp(real, s->path);

	free(real);
	if (len == 1) /* "/" */
		return same;
	return same && !strncmp(dir, s->path, len) &&
	       (!dir[len] || dir[len] == '/');
}

static int share_here(struct options *o)
{
	char *dir = getcwd(NULL, 0);

	/* A folder that has been removed has no path. */
	if (!dir || *dir != '/') {
		free(dir);
		return 0;
	}
	if (!o->workdir)
		o->workdir = o->here = must_print("%s", dir);
	for (unsigned i = 0; i < o->share_count; i++) {
		if (share_covers(&o->share[i], dir)) {
			free(dir);
			return 0;
		}
	}
	if (o->share_count == SHARES_MAX) {
		free(dir);
		return -E2BIG;
	}
	o->share[o->share_count++] =
	    (struct share_option){.dir = dir, .path = must_print("%s", dir)};
	return 0;
}

int options_inherit(struct options *o, char **environ)
{
	unsigned given = o->env_count, i;

	for (; *environ; environ++) {
		size_t name = strcspn(*environ, "=");

		for (i = 0; i < given; i++)
			if (!strncmp(o->env[i], *environ, name) &&
			    o->env[i][name] == '=')
				break;
		if (i == given)
			env_append(o, must_print("%s", *environ));
	}
	return share_here(o);
}

void options_free(struct options *o)
{
	for (unsigned i = 0; i < o->share_count; i++) {
		free(o->share[i].dir);
		free(o->share[i].path);
	}
	for (unsigned i = 0; i < o->env_count; i++)
		free(o->env[i]);
	free(o->env);
	free(o->here);
	free(o->qemu_args);
	free(o->connect);
	rules_free(&o->outbound);
}
