/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of toril-run, parsed.
 */
#ifndef TORIL_HOST_OPTIONS_H
#define TORIL_HOST_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "host/rules.h"

#define NAME_MAX_BYTES 63
#define SHARES_MAX     7 /* microvm has 8 slots, and vsock takes one */
#define CPUS_MAX       255
#define PUBLISH_MAX    64

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct publish_option {
	union address address; /* where to listen on the host */
	uint16_t guest_port;
	bool any_port; /* port 0: say which one it became */
};

struct share_option {
	char *dir;  /* on the host; or a running server's socket */
	char *path; /* in the guest, absolute */
	bool rdonly, socket;
};

#define FILES_LIMIT_MAX 1048576 /* the kernel's own */

enum accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };
enum vsock_kind { VSOCK_AUTO, VSOCK_VHOST, VSOCK_BUILTIN };

struct options {
	struct publish_option publish[PUBLISH_MAX];
	unsigned publish_count;
	struct share_option share[SHARES_MAX];
	unsigned share_count;
	char **env; /* NAME=VALUE; NULL at the end */
	unsigned env_count;
	struct rules outbound;
	const char **connect; /* its rules as they were given */
	unsigned connect_count;
	const char *workdir;
	char *here;                  /* workdir, where --as-process gave it */
	const char *as_process;      /* argv[0]; NULL: not asked for */
	uint64_t memory;             /* bytes, whole pages */
	unsigned cpus, timeout;      /* seconds, 0: none */
	unsigned connections, files; /* at most; 0: no such limit */
	enum accel accel;
	enum vsock_kind vsock;
	bool verbose, dry_run;
	bool dedicate;                /* threads to CPUs in turn */
	const char *qemu, *virtiofsd; /* NULL: look for them */
	const char *backend; /* --vsock-backend: serve there, start nothing */
	bool gdb;            /* wait for gdb ... */
	const char *gdb_socket;   /* ... here; NULL: a place of our own */
	bool strace;              /* print kernel calls ... */
	const char *strace_calls; /* ... strace's options; NULL: none */
	const char *trace;        /* --trace: patterns; NULL: none */
	const char *trace_file;   /* ... to here */
	const char *perf;         /* --perf: the file; NULL: none */
	const char *core;         /* --core: the file; NULL: none */
	const char *name;         /* --name; NULL: none was given */
	bool detach, stats, metrics, log_time;
	struct publish_option metrics_at; /* ... if so */
	const char **qemu_args;
	unsigned qemu_arg_count;
	int image; /* index in argv of IMAGE */
};

/* Fill `o`: 0; 1 when --help or --version has been answered; or -EINVAL,
 * with what is wrong in `why`. */
int options_parse(
    struct options *o, int argc, char **argv, char *why, size_t room);
extern const char options_usage[];
void options_free(struct options *o);

/* --as-process, once all else is known: add what a process would inherit,
 * the current directory as a share and as the place to start, and the
 * variables of `environ` that no -e sets.  0, or -E2BIG: too many shares. */
int options_inherit(struct options *o, char **environ);

/* Whether `name` can be a machine's: letters, digits, and _.- after the
 * first. */
bool option_name_good(const char *name);

/* One value each; 0 or -EINVAL (exposed for tests). */
int option_number(const char *text, unsigned long max, unsigned *out);
int option_publish(struct publish_option *p, const char *text);
int option_listen(struct publish_option *p, const char *text);
int option_share(struct share_option *s, const char *text);
int option_size(uint64_t *bytes, const char *text);

/* ADDRESS:PORT for messages; `text` has ADDRESS_TEXT bytes. */
#define ADDRESS_TEXT 64
const char *address_print(const union address *a, char *text);
socklen_t address_len(const union address *a);

#endif
