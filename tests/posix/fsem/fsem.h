/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the programs here, which print tables of what file-system calls do, to
 * be compared with Linux's line by line: a tree with an object of each kind,
 * its listing, and the names of errors.  Each program goes through its tables
 * once on a share (its working directory) and once in /dev/shm, a tmpfs.
 */
#ifndef TORIL_TESTS_POSIX_FSEM_H
#define TORIL_TESTS_POSIX_FSEM_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/posix/check.h"

static const struct {
	int number;
	const char *name;
} error_names[] = {
#define E(name)                                                                \
	{                                                                      \
		name, #name                                                    \
	}
    E(EPERM),
    E(ENOENT),
    E(EACCES),
    E(EEXIST),
    E(EXDEV),
    E(ENOTDIR),
    E(EISDIR),
    E(EINVAL),
    E(EMFILE),
    E(EFBIG),
    E(ENOSPC),
    E(ESPIPE),
    E(EROFS),
    E(EMLINK),
    E(ERANGE),
    E(ENAMETOOLONG),
    E(ENOTEMPTY),
    E(ELOOP),
    E(ENXIO),
    E(ENODEV),
    E(EBUSY),
    E(EBADF),
    E(EOPNOTSUPP),
    E(ENOSYS),
    E(EFAULT),
    E(ETXTBSY),
    E(EAGAIN),
    E(ENOTBLK),
    E(ENODATA),
    E(EOVERFLOW),
    E(ESTALE),
#undef E
};

/* "ok" for a result that is not negative, else the name of errno. */
static inline const char *outcome(long r)
{
	static char other[32];

	if (r >= 0)
		return "ok";
	for (unsigned i = 0; i < sizeof(error_names) / sizeof(*error_names);
	     i++)
		if (error_names[i].number == errno)
			return error_names[i].name;
	snprintf(other, sizeof(other), "errno %d", errno);
	return other;
}

/* musl has no function for it. */
static inline long rename_flags(const char *a, const char *b, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags);
}

/* A descriptor's worth of an open(): closed again. */
static inline int opened(int fd)
{
	return fd < 0 ? fd : close(fd);
}

static inline void put(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(!close(fd));
}

/* An object of each kind; what is missing is "none". */
static inline void tree_build(void)
{
	put("file", "hello");
	CHECK(!mkdir("dir", 0755) && !mkdir("full", 0755));
	CHECK(!link("file", "twin"));
	put("full/inner", "i");
	CHECK(!symlink("file", "tofile") && !symlink("dir", "todir"));
	CHECK(!symlink("nowhere", "dangling") && !symlink("loop", "loop"));
	CHECK(!mkfifo("fifo", 0644));
	CHECK(!mknod("sock", S_IFSOCK | 0644, 0));
}

static inline void tree_clean(const char *at)
{
	struct dirent *d;
	DIR *dir = opendir(at);
	char path[PATH_MAX];

	CHECK(dir);
	while ((d = readdir(dir))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", at, d->d_name);
		if (unlink(path)) {
			tree_clean(path);
			CHECK(!rmdir(path));
		}
	}
	CHECK(!closedir(dir));
}

#define LISTING 8192

/* Append what is in `at`: name, kind, links, mode, size or target. */
static inline void tree_list(const char *at, char *text)
{
	struct dirent **d;
	int n = scandir(at, &d, NULL, alphasort);
	char path[PATH_MAX], target[PATH_MAX];
	size_t len;

	CHECK(n >= 0);
	for (int i = 0; i < n; i++) {
		struct stat st;
		int dots =
		    !strcmp(d[i]->d_name, ".") || !strcmp(d[i]->d_name, "..");

		snprintf(path, sizeof(path), "%s/%s", at, d[i]->d_name);
		free(d[i]);
		if (dots)
			continue;
		CHECK(!lstat(path, &st));
		len = strlen(text);
		snprintf(text + len, LISTING - len, "%.40s %o*%d", path + 2,
		    st.st_mode, (int)st.st_nlink);
		len = strlen(text);
		if (S_ISREG(st.st_mode))
			snprintf(text + len, LISTING - len, " %ld",
			    (long)st.st_size);
		if (S_ISLNK(st.st_mode)) {
			ssize_t got = readlink(path, target, 40);
			CHECK(got >= 0);
			snprintf(text + len, LISTING - len, "->%.*s", (int)got,
			    target);
		}
		strcat(text, "\n");
		if (S_ISDIR(st.st_mode))
			tree_list(path, text);
	}
	free(d);
}

/* Print the lines of `a` that are not in `b`. */
static inline void lines_without(const char *a, const char *b, char sign)
{
	char line[512];

	for (const char *end; *a; a = end + 1) {
		const char *at;

		end = strchr(a, '\n');
		snprintf(line, sizeof(line), "%.*s\n", (int)(end - a), a);
		for (at = strstr(b, line); at && at != b && at[-1] != '\n';)
			at = strstr(at + 1, line);
		if (!at)
			printf(" %c[%.*s]", sign, (int)(end - a), a);
	}
}

static char tree_before[LISTING], tree_after[LISTING];

/* Print how the tree differs from a fresh one, and make it one again. */
static inline void tree_renew(void)
{
	*tree_after = 0;
	tree_list(".", tree_after);
	if (*tree_before && !strcmp(tree_before, tree_after))
		return;
	if (*tree_before) {
		lines_without(tree_before, tree_after, '-');
		lines_without(tree_after, tree_before, '+');
	}
	tree_clean(".");
	tree_build();
	*tree_before = 0;
	tree_list(".", tree_before);
}

/* body(place) on the share and in a tmpfs, in an empty directory each. */
static inline int on_both(const char *share, void (*body)(const char *place))
{
	char memory[] = "/dev/shm/fsemXXXXXX";

	umask(022);
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	CHECK(!chdir(share) && !mkdir("sub", 0755) && !chdir("sub"));
	body("share");
	CHECK(mkdtemp(memory) && !chdir(memory));
	CHECK(!mkdir("sub", 0755) && !chdir("sub"));
	*tree_before = 0;
	body("tmpfs");
	CHECK(!chdir(memory));
	tree_clean(".");
	CHECK(!chdir("/") && !rmdir(memory));
	return 0;
}

#endif
