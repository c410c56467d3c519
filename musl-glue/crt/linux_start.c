/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An image that Linux executes: the ELF entry point, where it is in a process
 * (kernel/arch/x86_64/pvh.S), becomes toril-run, started on the image itself:
 *
 *	toril-run [$TORIL_OPTS] --as-process ARGV0 IMAGE [ARG...]
 *
 * toril-run is $TORIL_RUN; otherwise it is looked for in the image's own
 * DT_RUNPATH, where toril-cc notes the folder that it is in itself, and then
 * on PATH.
 *
 * This file is linked into a segment of its own, the one place with SYSCALL
 * instructions.  It is a Linux process with neither libc nor kernel below it,
 * has no writable data, and is position-independent without relocations, so
 * nothing here may be a table of pointers.  The kernel never maps it.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define NOT_FOUND  127
#define UNUSABLE   126
#define LAUNCHER   "toril-run"
#define USUAL_PATH "/usr/local/bin:/usr/bin:/bin"

/* Where ld puts the tags and strings of the dynamic section. */
extern const Elf64_Dyn toril_dynamic[] __attribute__((visibility("hidden")));
extern const char toril_dynstr[] __attribute__((visibility("hidden")));

/* What has been found out, on the stack. */
struct start {
	char **argv, **envp;
	char *free;       /* memory for strings */
	char *image;      /* our own path */
	char **new_argv;  /* of toril-run */
	size_t count;     /* its entries so far */
	const char *seen; /* a launcher that is there but does not start */
	int error;        /* of its execve */
};

/* As at any entry point: no return address and no aligned stack. */
__asm__(".globl toril_linux_start\n"
	"toril_linux_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call toril_linux_main\n");

static long call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile(
	    "syscall"
	    : "=a"(ret)
	    : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
	    : "rcx", "r11", "memory");
	return ret;
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static void print(const char *text)
{
	call(SYS_write, 2, (long)text, (long)length(text), 0, 0, 0);
}

_Noreturn static void leave(int status)
{
	for (;;)
		call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

static const char *variable(char **envp, const char *name)
{
	for (; *envp; envp++) {
		size_t i = 0;

		while (name[i] && (*envp)[i] == name[i])
			i++;
		if (!name[i] && (*envp)[i] == '=')
			return *envp + i + 1;
	}
	return NULL;
}

/* Append to the string that is being made at s->free. */
static char *append(char *to, const char *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = from[i];
	to[len] = 0;
	return to + len;
}

/* Memory for a path, the words of $TORIL_OPTS and toril-run's arguments. */
static int memory_get(struct start *s, const char *opts, const char *path)
{
	size_t args = 8 + length(opts) / 2, bytes;
	long at;

	for (char **arg = s->argv; *arg; arg++)
		args++;
	bytes = args * sizeof(char *) + length(opts) + length(path) +
		2 * PATH_MAX + 64;
	at = call(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((unsigned long)at > -4096ul)
		return (int)at;
	s->new_argv = (char **)at;
	s->free = (char *)(s->new_argv + args);
	return 0;
}

static int image_find(struct start *s)
{
	long n;

	s->image = s->free;
	n = call(SYS_readlink, (long)"/proc/self/exe", (long)s->image,
	    PATH_MAX - 1, 0, 0, 0);
	if (n < 0)
		return (int)n;
	s->image[n] = 0;
	s->free += n + 1;
	return 0;
}

static int is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* $TORIL_OPTS, split at white space. */
static void options_add(struct start *s, const char *opts)
{
	for (;;) {
		size_t len = 0;

		while (is_space(*opts))
			opts++;
		while (opts[len] && !is_space(opts[len]))
			len++;
		if (!len)
			return;
		s->new_argv[s->count++] = s->free;
		s->free = append(s->free, opts, len) + 1;
		opts += len;
	}
}

static void arguments_make(struct start *s, const char *opts)
{
	s->count = 1;
	options_add(s, opts);
	s->new_argv[s->count++] = (char *)"--as-process";
	s->new_argv[s->count++] = s->argv[0] ? s->argv[0] : s->image;
	s->new_argv[s->count++] = s->image;
	for (char **arg = s->argv; *arg && *++arg;)
		s->new_argv[s->count++] = *arg;
	s->new_argv[s->count] = NULL;
}

/* Become the launcher at `path`; returns if that is impossible. */
static void launcher_try(struct start *s, const char *path)
{
	long err;

	s->new_argv[0] = (char *)path;
	err = call(
	    SYS_execve, (long)path, (long)s->new_argv, (long)s->envp, 0, 0, 0);
	if (err == -ENOENT || err == -ENOTDIR)
		return;
	if (!s->seen) {
		s->error = (int)-err;
		s->seen = path;
		s->free += length(path) + 1;
	}
}

/* Try each folder of a list with colons; an empty one is the current. */
static void list_try(struct start *s, const char *list)
{
	for (;;) {
		size_t len = 0;
		char *to = s->free;

		while (list[len] && list[len] != ':')
			len++;
		if (len < PATH_MAX) {
			to = append(to, list, len);
			if (len)
				to = append(to, "/", 1);
			append(to, LAUNCHER, sizeof(LAUNCHER) - 1);
			launcher_try(s, s->free);
		}
		if (!list[len])
			return;
		list += len + 1;
	}
}

static const char *runpath(void)
{
	for (const Elf64_Dyn *d = toril_dynamic; d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_RUNPATH || d->d_tag == DT_RPATH)
			return toril_dynstr + d->d_un.d_val;
	return NULL;
}

_Noreturn static void complain(const struct start *s)
{
	print(s->argv[0] ? s->argv[0] : s->image);
	print(": ");
	if (!s->seen) {
		print(
		    LAUNCHER ": not found; set TORIL_RUN or put it on PATH\n");
		leave(NOT_FOUND);
	}
	print(s->seen);
	print(s->error == EACCES    ? ": Permission denied\n"
	      : s->error == ENOEXEC ? ": Exec format error\n"
	      : s->error == E2BIG   ? ": Argument list too long\n"
				    : ": cannot be executed\n");
	leave(UNUSABLE);
}

/* `stack` is what Linux puts there: argc, argv, envp. */
_Noreturn void toril_linux_main(long *stack);
_Noreturn void toril_linux_main(long *stack)
{
	struct start s = {.argv = (char **)(stack + 1)};
	const char *opts, *path, *given;

	s.envp = s.argv + stack[0] + 1;
	opts = variable(s.envp, "TORIL_OPTS");
	path = variable(s.envp, "PATH");
	given = variable(s.envp, "TORIL_RUN");
	if (!opts)
		opts = "";
	if (!path)
		path = USUAL_PATH;
	if (memory_get(&s, opts, path) || image_find(&s)) {
		print("cannot find this program: is /proc mounted?\n");
		leave(UNUSABLE);
	}
	arguments_make(&s, opts);
	if (given && *given) {
		launcher_try(&s, given);
	} else {
		if (runpath())
			list_try(&s, runpath());
		list_try(&s, path);
	}
	complain(&s);
}
