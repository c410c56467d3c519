/* SPDX-License-Identifier: BSD-2-Clause */
/* Long names, long paths, deep trees, chains of links, large directories. */
#include "tests/posix/fsem/fsem.h"

#define DEPTH   40
#define ENTRIES 600

static const char *where;

static void say(const char *what, long r)
{
	printf("%s %s: %s\n", where, what, outcome(r));
}

#define SAY(expr) (errno = 0, say(#expr, (long)(expr)))

static char name[NAME_MAX + 2], path[2 * PATH_MAX];

static void long_names(void)
{
	memset(name, 'a', NAME_MAX);
	SAY(opened(open(name, O_CREAT, 0600)));
	SAY(access(name, F_OK));
	SAY(rename(name, "short"));
	SAY(rename("short", name));
	SAY(link(name, "short"));
	name[NAME_MAX] = 'a';
	SAY(access(name, F_OK));
	SAY(opened(open(name, O_CREAT, 0600)));
	SAY(mkdir(name, 0700));
	SAY(rename("short", name));
	SAY(rename("none", name));
	SAY(link("short", name));
	SAY(symlink("short", name));
	SAY(symlink(name, "longlink"));
	SAY(access("longlink", F_OK));
	SAY(unlink(name));
	SAY(rmdir(name));
	name[NAME_MAX] = 0;
	SAY(unlink(name));
	SAY(unlink("short"));
	SAY(unlink("longlink"));
	/* Any bytes but two make a name. */
	for (int c = 1; c < 256; c++) {
		char odd[2] = {(char)c, 0};
		if (c == '/' || c == '.')
			continue;
		CHECK(!opened(open(odd, O_CREAT | O_EXCL, 0600)));
		CHECK(!unlink(odd));
	}
	SAY(mkdir("...", 0700));
	SAY(rmdir("..."));
	SAY(mkdir("-\n \xff", 0700));
	SAY(rmdir("-\n \xff"));
}

/* "./././file" of so many bytes. */
static const char *dotted(size_t bytes)
{
	size_t n = 0;

	while (n + 6 <= bytes)
		n += (size_t)sprintf(path + n, "./");
	while (n + 4 < bytes)
		path[n++] = '/';
	strcpy(path + n, "file");
	return path;
}

static void long_paths(void)
{
	put("file", "x");
	SAY(access(dotted(4000), F_OK));
	SAY(access(dotted(PATH_MAX - 1), F_OK));
	SAY(access(dotted(PATH_MAX), F_OK));
	SAY(access(dotted(PATH_MAX + 100), F_OK));
	SAY(opened(open(dotted(PATH_MAX), O_CREAT, 0600)));
	SAY(symlink(dotted(PATH_MAX - 1), "link"));
	SAY(access("link", F_OK));
	SAY(access("link/", F_OK));
	SAY(readlink("link", path, sizeof(path)) == PATH_MAX - 1);
	SAY(unlink("link"));
	SAY(symlink(dotted(PATH_MAX), "link"));
	SAY(symlink("", "link"));
	SAY(unlink("file"));
}

static void deep(void)
{
	char cwd[2 * DEPTH * 101];
	int top = open(".", O_RDONLY | O_DIRECTORY), levels = 0;
	size_t before;

	CHECK(top >= 0 && getcwd(cwd, sizeof(cwd)));
	before = strlen(cwd);
	memset(name, 'd', 100);
	name[100] = 0;
	for (; levels < DEPTH - 3; levels++)
		CHECK(!mkdir(name, 0755) && !chdir(name));
	CHECK(getcwd(cwd, sizeof(cwd)));
	SAY(strlen(cwd) == before + 101ul * (unsigned)levels ? 0 : -1);
	SAY(getcwd(cwd, 10) ? 0 : -1);
	for (; levels < DEPTH + 5; levels++)
		CHECK(!mkdir(name, 0755) && !chdir(name));
	put("leaf", "x");
	SAY(access("../../../../leaf", F_OK));
	SAY(access("leaf", F_OK));
	SAY(rename("leaf", "../leaf"));
	SAY(unlink("../leaf"));
	for (; levels; levels--)
		CHECK(!chdir("..") && !rmdir(name));
	CHECK(getcwd(cwd, sizeof(cwd)) && strlen(cwd) == before);
	CHECK(!close(top));
}

static void chains(void)
{
	char from[16], to[16];
	struct stat st;

	put("l0", "x");
	for (int i = 1; i <= 45; i++) {
		snprintf(to, sizeof(to), "l%d", i - 1);
		snprintf(from, sizeof(from), "l%d", i);
		CHECK(!symlink(to, from));
	}
	SAY(stat("l39", &st));
	SAY(stat("l40", &st));
	SAY(stat("l41", &st));
	SAY(opened(open("l40", O_RDONLY)));
	SAY(opened(open("l41", O_RDONLY)));
	SAY(opened(open("l41", O_RDONLY | O_CREAT, 0600)));
	SAY(opened(open("l41", O_PATH | O_NOFOLLOW)));
	SAY(lstat("l45", &st));
	SAY(chmod("l41", 0600));
	SAY(unlink("l45"));
	tree_clean(".");
	/* Many links, in one path, one after the other. */
	CHECK(!mkdir("d", 0755) && !symlink(".", "d/s"));
	strcpy(path, "d");
	for (int i = 0; i < 40; i++)
		strcat(path, "/s");
	SAY(stat(path, &st));
	strcat(path, "/s");
	SAY(stat(path, &st));
	SAY(lstat(path, &st));
	strcat(path, "/");
	SAY(lstat(path, &st));
	tree_clean(".");
}

static int count(DIR *d)
{
	int n = 0;

	while (readdir(d))
		n++;
	return n;
}

static void large(void)
{
	DIR *d;
	struct dirent *e;
	char entry[64];
	long middle = 0;
	int n = 0, left = 0;
	char seen[16];

	CHECK(!mkdir("many", 0755) && !chdir("many"));
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(entry, sizeof(entry), "entry-%040d", i);
		CHECK(!opened(open(entry, O_CREAT | O_EXCL, 0600)));
	}
	d = opendir(".");
	CHECK(d);
	printf("%s entries %d\n", where, count(d));
	rewinddir(d);
	while ((e = readdir(d)) && n++ < 100)
		;
	middle = telldir(d);
	e = readdir(d);
	CHECK(e);
	snprintf(
	    seen, sizeof(seen), "%.15s", e->d_name + strlen(e->d_name) - 5);
	n = count(d);
	seekdir(d, middle);
	e = readdir(d);
	CHECK(e && !strcmp(seen, e->d_name + strlen(e->d_name) - 5));
	printf("%s again %d\n", where, count(d) == n);
	/* Removing what has been read disturbs nothing. */
	rewinddir(d);
	for (n = 0; (e = readdir(d)); n++)
		if (e->d_name[0] == 'e' && n % 2)
			CHECK(!unlink(e->d_name));
	printf("%s while removing %d\n", where, n);
	rewinddir(d);
	left = count(d);
	printf("%s left %d\n", where, left > 2 && left < ENTRIES + 2);
	SAY(rmdir("../many"));
	CHECK(!closedir(d));
	tree_clean(".");
	CHECK(!chdir(".."));
	SAY(rmdir("many"));
}

static void body(const char *place)
{
	where = place;
	long_names();
	long_paths();
	deep();
	chains();
	large();
}

int main(int argc, char **argv)
{
	CHECK(argc > 1);
	return on_both(argv[1], body);
}
