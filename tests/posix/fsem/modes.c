/* SPDX-License-Identifier: BSD-2-Clause */
/* needs root: set-id and sticky bits, and who may do what, as root and others.
 */
#include <grp.h>
#include <sys/fsuid.h>
#include "tests/posix/fsem/fsem.h"

#define OWN   1001
#define OTHER 1002
#define GROUP 2001

static const char *where;

static void show(const char *what, const char *name, long r)
{
	struct stat st;

	printf("%s %s: %s", where, what, outcome(r));
	if (name && !lstat(name, &st))
		printf(" %o %d:%d", st.st_mode, (int)st.st_uid, (int)st.st_gid);
	printf("\n");
}

static void become(uid_t uid, gid_t gid)
{
	CHECK(!seteuid(0) && !setegid(gid) && !seteuid(uid));
}

/* A file with this mode; then the call, as this user. */
#define ON(what, bits, uid, gid, expr)                                         \
	do {                                                                   \
		long r_;                                                       \
		become(0, 0);                                                  \
		unlink("f");                                                   \
		put("f", "hello");                                             \
		CHECK(!chown("f", OWN, GROUP) && !chmod("f", bits));           \
		become(uid, gid);                                              \
		errno = 0;                                                     \
		r_ = (expr);                                                   \
		show(what, "f", r_);                                           \
	} while (0)

static int written(const char *name)
{
	int fd = open(name, O_WRONLY);
	int r = fd < 0 ? -1 : (int)write(fd, "x", 1);

	if (fd >= 0)
		close(fd);
	return r;
}

static int written_nothing(const char *name)
{
	int fd = open(name, O_WRONLY);
	int r = fd < 0 ? -1 : (int)write(fd, "", 0);

	if (fd >= 0)
		close(fd);
	return r;
}

static int shortened(const char *name)
{
	int fd = open(name, O_WRONLY);
	int r = fd < 0 ? -1 : ftruncate(fd, 1);

	if (fd >= 0)
		close(fd);
	return r;
}

/* Who could enter may not be able to leave: root takes it back. */
static int entered(const char *name)
{
	uid_t uid = geteuid();
	int r = chdir(name), err = errno;

	CHECK(!seteuid(0));
	if (!r)
		CHECK(!chdir(".."));
	CHECK(!seteuid(uid));
	errno = err;
	return r;
}

static void set_id(void)
{
	static const mode_t bits[] = {04777, 02777, 06777, 02767, 06666, 01777};
	char what[64];

#define EACH(name, uid, gid, expr)                                             \
	snprintf(what, sizeof(what), "%o " name " by " #uid, bits[i]);         \
	ON(what, bits[i], uid, gid, expr)
	for (unsigned i = 0; i < sizeof(bits) / sizeof(*bits); i++) {
		EACH("write", 0, 0, written("f"));
		EACH("write", OWN, GROUP, written("f"));
		EACH("write", OTHER, OTHER, written("f"));
		EACH("write nothing", OTHER, OTHER, written_nothing("f"));
		EACH("truncate", OTHER, OTHER, truncate("f", 2));
		EACH("ftruncate", OTHER, OTHER, shortened("f"));
		EACH("O_TRUNC", OTHER, OTHER,
		    opened(open("f", O_WRONLY | O_TRUNC)));
		EACH("truncate", 0, 0, truncate("f", 2));
		EACH("chown", 0, 0, chown("f", OTHER, GROUP));
		EACH("chown same", 0, 0, chown("f", OWN, GROUP));
		EACH("chown none", 0, 0, chown("f", (uid_t)-1, (gid_t)-1));
		EACH("chown same", OWN, GROUP, chown("f", OWN, GROUP));
		EACH("chgrp", OWN, GROUP, chown("f", (uid_t)-1, 0));
		EACH("chown", OWN, GROUP, chown("f", OTHER, (gid_t)-1));
		EACH("chmod", OWN, GROUP, chmod("f", bits[i]));
		EACH("chmod", OWN, OTHER, chmod("f", bits[i]));
		EACH("chmod", OTHER, GROUP, chmod("f", 0777));
		EACH("utimes now", OTHER, OTHER,
		    utimensat(AT_FDCWD, "f", NULL, 0));
		EACH("utimes set", OTHER, OTHER,
		    utimensat(AT_FDCWD, "f",
			(struct timespec[2]){{1, 1}, {1, 1}}, 0));
	}
}

static void in_set_id_folder(void)
{
	become(0, 0);
	CHECK(!mkdir("g", 0777) && !chown("g", OWN, GROUP));
	CHECK(!chmod("g", 02777));
	show("folder", "g", 0);
	become(OTHER, OTHER);
	show(
	    "file in it", "g/f", opened(open("g/f", O_CREAT | O_WRONLY, 0777)));
	show("set-id file in it", "g/s",
	    opened(open("g/s", O_CREAT | O_WRONLY, 06777)));
	show("set-id file, no group execution", "g/t",
	    opened(open("g/t", O_CREAT | O_WRONLY, 06767)));
	show("folder in it", "g/d", mkdir("g/d", 0755));
	show("fifo in it", "g/p", mkfifo("g/p", 0644));
	show("link in it", "g/l", symlink("x", "g/l"));
	show("mkdir with bits", "g/e", mkdir("g/e", 07777));
	become(0, 0);
	show("mkdir by root", "m", mkdir("m", 07777));
	show("creat by root", "c", opened(open("c", O_CREAT, 07777)));
	show("mknod by root", "n", mknod("n", S_IFREG | 07777, 0));
	CHECK(umask(077) == 022);
	show("umask 077", "u", opened(open("u", O_CREAT, 0777)));
	show("umask 077 mkdir", "v", mkdir("v", 0777));
	CHECK(umask(022) == 077);
}

static void sticky(void)
{
	static const mode_t modes[] = {01777, 0777, 0755};
	static const uid_t owners[] = {OWN, OTHER, 0};

	become(0, 0);
	CHECK(!mkdir("s", 0777));
	for (unsigned m = 0; m < 3; m++)
		for (unsigned f = 0; f < 3; f++) {
			char what[64];
			const char *const tries[] = {"unlink", "rename",
			    "rename over", "rmdir", "link", "create"};
			for (unsigned t = 0; t < 6; t++) {
				long r = -1;
				become(0, 0);
				tree_clean("s");
				put("s/f", "x");
				put("s/own", "x");
				CHECK(!mkdir("s/d", 0755));
				CHECK(!chown("s/f", owners[f], 0));
				CHECK(!chown("s/d", owners[f], 0));
				CHECK(!chown("s/own", OTHER, 0));
				CHECK(!chown("s", m == 2 ? OTHER : OWN, 0));
				CHECK(!chmod("s", modes[m]));
				become(OTHER, OTHER);
				errno = 0;
				switch (t) {
				case 0:
					r = unlink("s/f");
					break;
				case 1:
					r = rename("s/f", "s/g");
					break;
				case 2:
					r = rename("s/own", "s/f");
					break;
				case 3:
					r = rmdir("s/d");
					break;
				case 4:
					r = link("s/f", "s/l");
					break;
				case 5:
					r = opened(open("s/n", O_CREAT, 0600));
					break;
				}
				snprintf(what, sizeof(what),
				    "folder %o, file of %d: %s", modes[m],
				    (int)owners[f], tries[t]);
				/* protected_hardlinks is the machine's */
				if (t != 4)
					show(what, NULL, r);
			}
		}
	become(0, 0);
}

/* What each of nine bits gives to owner, group and others. */
static void bits(void)
{
	static const struct {
		const char *name;
		uid_t uid;
		gid_t gid;
	} who[] = {{"owner", OWN, OTHER}, {"group", OTHER, GROUP},
	    {"others", OTHER, OTHER}, {"root", 0, 0}};

	for (mode_t bit = 0; bit < 9; bit++)
		for (unsigned w = 0; w < 4; w++) {
			mode_t mode = 1u << bit;
			become(0, 0);
			put("p", "x");
			CHECK(!mkdir("q", 0755) || errno == EEXIST);
			put("q/in", "x");
			CHECK(!chown("p", OWN, GROUP) && !chmod("p", mode));
			CHECK(!chown("q", OWN, GROUP) && !chmod("q", mode));
			become(who[w].uid, who[w].gid);
#define MAY(what, expr) (errno = 0, printf(" " what " %s", outcome(expr)))
			printf("%s %03o %s:", where, mode, who[w].name);
			MAY("r", opened(open("p", O_RDONLY)));
			MAY("w", opened(open("p", O_WRONLY)));
			MAY("rw", opened(open("p", O_RDWR)));
			MAY("trunc", truncate("p", 1));
			MAY("list", opened(open("q", O_RDONLY)));
			MAY("in", opened(open("q/in", O_RDONLY)));
			MAY("new", opened(open("q/new", O_CREAT, 0600)));
			MAY("rm", unlink("q/new"));
			MAY("chdir", entered("q"));
			MAY("chmod", chmod("p", mode));
			printf("\n");
			become(0, 0);
			unlink("q/new");
		}
}

static void body(const char *place)
{
	where = place;
	CHECK(!chmod(".", 0777) && !chmod("..", 0755));
	set_id();
	in_set_id_folder();
	sticky();
	bits();
}

int main(int argc, char **argv)
{
	CHECK(argc > 1 && !setgroups(0, NULL));
	CHECK(!chmod(argv[1], 0755));
	return on_both(argv[1], body);
}
