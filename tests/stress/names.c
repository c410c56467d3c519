/* SPDX-License-Identifier: BSD-2-Clause */
/* Renaming, linking, unlinking and reading the same few names, in /tmp and in
 * the working directory (a share, in a VM): no file is lost or half there. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include "tests/stress/stress.h"

#define THREADS 4
#define LOOPS   30
#define NAMES   5
#define MAGIC   0x5eedu

static char root[2][100];

struct content {
	uint32_t magic, who, n, check;
};

static void name_of(char *buf, size_t size, uint64_t *r)
{
	snprintf(buf, size, "%s/d%u/f%u", root[stress_random(r) & 1],
	    stress_random(r) & 1, stress_random(r) % NAMES);
}

static void make(uint64_t *r, uint32_t who, uint32_t n)
{
	struct content c = {MAGIC, who, n, MAGIC ^ who ^ n};
	char tmp[200], name[200], *end;
	int fd;

	name_of(name, sizeof(name), r);
	strcpy(tmp, name);
	end = strrchr(tmp, '/');
	sprintf(end, "/new%u", who);
	fd = open(tmp, O_CREAT | O_EXCL | O_WRONLY, 0600);
	CHECK(fd >= 0);
	CHECK(write(fd, &c, sizeof(c)) == sizeof(c));
	CHECK(!close(fd));
	if (stress_random(r) & 1) {
		CHECK(!rename(tmp, name));
	} else {
		CHECK(!link(tmp, name) || errno == EEXIST);
		CHECK(!unlink(tmp));
	}
}

static void look(uint64_t *r)
{
	struct content c;
	struct stat st;
	char name[200];
	int fd;

	name_of(name, sizeof(name), r);
	fd = open(name, O_RDONLY);
	if (fd < 0) {
		CHECK(errno == ENOENT);
		return;
	}
	CHECK(read(fd, &c, sizeof(c)) == sizeof(c));
	CHECK(c.magic == MAGIC && c.check == (MAGIC ^ c.who ^ c.n));
	CHECK(!fstat(fd, &st) && st.st_size == sizeof(c));
	CHECK(!close(fd));
}

static void move(uint64_t *r)
{
	char a[200], b[200];

	name_of(a, sizeof(a), r);
	name_of(b, sizeof(b), r);
	CHECK(!rename(a, b) || errno == ENOENT || errno == EXDEV);
}

static void drop(uint64_t *r)
{
	char a[200];

	name_of(a, sizeof(a), r);
	CHECK(!unlink(a) || errno == ENOENT);
}

static void list(uint64_t *r)
{
	char dir[200];
	struct dirent *e;
	DIR *d;
	int n = 0;

	snprintf(dir, sizeof(dir), "%s/d%u", root[stress_random(r) & 1],
	    stress_random(r) & 1);
	d = opendir(dir);
	CHECK(d);
	while ((e = readdir(d)))
		CHECK(e->d_name[0] && ++n < 1000);
	CHECK(!closedir(d));
	CHECK(n >= 2);
}

static void *worker(void *arg)
{
	uint64_t r = stress_random_init((unsigned long)arg + stress_rounds);

	for (uint32_t i = 0; i < LOOPS; i++) {
		make(&r, (uint32_t)(long)arg, i);
		look(&r);
		move(&r);
		look(&r);
		drop(&r);
		if (i % 8 == 0)
			list(&r);
	}
	return NULL;
}

static void tree(int make_it)
{
	char path[300];

	for (int i = 0; i < 2; i++) {
		if (make_it)
			CHECK(!mkdir(root[i], 0700));
		for (int d = 0; d < 2; d++) {
			sprintf(path, "%s/d%d", root[i], d);
			if (make_it)
				CHECK(!mkdir(path, 0700));
			for (int f = 0; f < NAMES && !make_it; f++) {
				sprintf(path, "%s/d%d/f%d", root[i], d, f);
				CHECK(!unlink(path) || errno == ENOENT);
			}
			sprintf(path, "%s/d%d", root[i], d);
			if (!make_it)
				CHECK(!rmdir(path));
		}
		if (!make_it)
			CHECK(!rmdir(root[i]));
	}
}

static void round_(unsigned long n)
{
	pthread_t t[THREADS];

	(void)n;
	tree(1);
	for (long i = 0; i < THREADS; i++)
		t[i] = stress_thread(worker, i);
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
	tree(0); /* nothing else may be left in them */
}

int main(int argc, char **argv)
{
	snprintf(root[0], sizeof(root[0]), "/tmp/stress-names.%d", getpid());
	snprintf(root[1], sizeof(root[1]), "stress-names.%d", getpid());
	return stress_main(argc, argv, round_);
}
