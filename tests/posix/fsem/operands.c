/* SPDX-License-Identifier: BSD-2-Clause */
/* Every call on one path, on an object of every kind, as each kind of path. */
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <utime.h>
#include "tests/posix/fsem/fsem.h"

static char buf[PATH_MAX];
static char long_name[NAME_MAX + 2];
static struct stat st;
static struct statfs fs;
static const struct timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
static const struct timespec set[2] = {{5, 6}, {7, 8}};

#define CALLS(C)                                                               \
	C(open_read, opened(open(p, O_RDONLY | O_NONBLOCK)))                   \
	C(open_write, opened(open(p, O_WRONLY | O_NONBLOCK)))                  \
	C(open_both, opened(open(p, O_RDWR | O_NONBLOCK)))                     \
	C(open_trunc, opened(open(p, O_RDWR | O_TRUNC | O_NONBLOCK)))          \
	C(open_creat, opened(open(p, O_RDONLY | O_CREAT | O_NONBLOCK, 0600)))  \
	C(open_creat_w,                                                        \
	    opened(open(p, O_WRONLY | O_CREAT | O_NONBLOCK, 0600)))            \
	C(open_excl, opened(open(p, O_RDWR | O_CREAT | O_EXCL, 0600)))         \
	C(open_creat_nofollow,                                                 \
	    opened(                                                            \
		open(p, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOFOLLOW, 0600)))  \
	C(open_nofollow, opened(open(p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)))  \
	C(open_directory, opened(open(p, O_RDONLY | O_DIRECTORY)))             \
	C(open_directory_w, opened(open(p, O_WRONLY | O_DIRECTORY)))           \
	C(open_dir_nofollow,                                                   \
	    opened(open(p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)))              \
	C(open_path, opened(open(p, O_PATH)))                                  \
	C(open_path_nofollow, opened(open(p, O_PATH | O_NOFOLLOW)))            \
	C(mkdir, mkdir(p, 0700))                                               \
	C(rmdir, rmdir(p))                                                     \
	C(unlink, unlink(p))                                                   \
	C(remove, remove(p))                                                   \
	C(symlink, symlink("target", p))                                       \
	C(readlink, readlink(p, buf, sizeof(buf)))                             \
	C(mkfifo, mkfifo(p, 0600))                                             \
	C(mknod_file, mknod(p, S_IFREG | 0600, 0))                             \
	C(mknod_dir, mknod(p, S_IFDIR | 0600, 0))                              \
	C(link_from, link(p, "new"))                                           \
	C(link_from_follow,                                                    \
	    linkat(AT_FDCWD, p, AT_FDCWD, "new", AT_SYMLINK_FOLLOW))           \
	C(link_to, link("file", p))                                            \
	C(link_dir_to, link("dir", p))                                         \
	C(rename_from, rename(p, "new"))                                       \
	C(rename_file_to, rename("file", p))                                   \
	C(rename_dir_to, rename("dir", p))                                     \
	C(rename_full_to, rename("full", p))                                   \
	C(rename_link_to, rename("tofile", p))                                 \
	C(rename_none_to, rename("none", p))                                   \
	C(stat, stat(p, &st))                                                  \
	C(lstat, lstat(p, &st))                                                \
	C(statfs, statfs(p, &fs))                                              \
	C(access, access(p, F_OK))                                             \
	C(access_all, access(p, R_OK | W_OK | X_OK))                           \
	C(access_nofollow,                                                     \
	    syscall(SYS_faccessat2, AT_FDCWD, p, F_OK, AT_SYMLINK_NOFOLLOW))   \
	C(chmod, chmod(p, 0750))                                               \
	C(chown, chown(p, (uid_t)-1, (gid_t)-1))                               \
	C(lchown, lchown(p, (uid_t)-1, (gid_t)-1))                             \
	C(truncate, truncate(p, 2))                                            \
	C(truncate_negative, truncate(p, -1))                                  \
	C(utimensat, utimensat(AT_FDCWD, p, set, 0))                           \
	C(utimensat_nofollow,                                                  \
	    utimensat(AT_FDCWD, p, set, AT_SYMLINK_NOFOLLOW))                  \
	C(utimensat_omit, utimensat(AT_FDCWD, p, omit, 0))                     \
	C(chdir, chdir_and_back(p))                                            \
	C(opendir, opened_dir(p))

static int chdir_and_back(const char *p)
{
	int here = open(".", O_RDONLY | O_DIRECTORY), r, err;

	CHECK(here >= 0);
	r = chdir(p);
	err = errno;
	CHECK(!fchdir(here) && !close(here));
	errno = err;
	return r;
}

static int opened_dir(const char *p)
{
	DIR *d = opendir(p);

	return d ? closedir(d) : -1;
}

#define CALL_FUNCTION(name, expr)                                              \
	static long call_##name(const char *p)                                 \
	{                                                                      \
		return expr;                                                   \
	}
CALLS(CALL_FUNCTION)

static const struct {
	const char *name;
	long (*fn)(const char *p);
} calls[] = {
#define CALL_ROW(name, expr) {#name, call_##name},
    CALLS(CALL_ROW)};

/* Each with what may follow a name. */
static const char *const kinds[] = {"none", "file", "dir", "full", "tofile",
    "todir", "dangling", "loop", "fifo", "sock", "full/inner", "full/none",
    "none/none", "file/none", "loop/none", "dangling/none", "todir/none",
    "file//none", long_name};
static const char *const tails[] = {"", "/", "/.", "/.."};
static const char *const wholes[] = {"", "/", ".", "..", "./", "dir/../file",
    "file/../file", "dir/./../dir", "/..", ".//dir", "none/../file"};

static void try(const char *place, unsigned call, const char *path)
{
	long r;

	errno = 0;
	r = calls[call].fn(path);
	printf("%s %s %.20s%s: %s", place, calls[call].name, path,
	    strlen(path) > 20 ? path + strlen(path) - 3 : "", outcome(r));
	if (r >= 0)
		tree_renew();
	printf("\n");
}

/* The root is another file system, and everybody's on Linux. */
static int excepted(const char *name, const char *path)
{
	static const char *const not_root[] = {
	    "chmod", "chown", "utimensat", "rename", "link_from"};

	if (path[0] == '/')
		for (unsigned i = 0; i < 5; i++)
			if (strstr(name, not_root[i]))
				return 1;
	return 0;
}

static void body(const char *place)
{
	char path[PATH_MAX];

	memset(long_name, 'n', NAME_MAX + 1);
	tree_renew();
	for (unsigned c = 0; c < sizeof(calls) / sizeof(*calls); c++) {
		for (unsigned k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
			for (unsigned t = 0; t < sizeof(tails) / sizeof(*tails);
			     t++) {
				snprintf(path, sizeof(path), "%s%s", kinds[k],
				    tails[t]);
				if (!excepted(calls[c].name, path))
					try(place, c, path);
			}
		for (unsigned w = 0; w < sizeof(wholes) / sizeof(*wholes); w++)
			if (!excepted(calls[c].name, wholes[w]))
				try(place, c, wholes[w]);
		printf("%s %s left:", place, calls[c].name);
		tree_renew();
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	CHECK(argc > 1);
	return on_both(argv[1], body);
}
