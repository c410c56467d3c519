/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /init of the Linux guest that bench/ compares with.  It loads the modules
 * that /modules names, mounts what there is, runs the program that /command
 * says, says on the console how it ended, and ends the machine.
 *
 * /command holds strings that end with NUL: where the share is to be mounted
 * (or nothing), then the program and its arguments.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *args[1000];

static void module_load(const char *name)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		perror(path);
	close(fd);
}

static void modules_load(void)
{
	FILE *list = fopen("/modules", "re");
	char name[64];

	while (list && fscanf(list, "%63s", name) == 1)
		module_load(name);
	if (list)
		fclose(list);
}

static void mount_at(
    const char *what, const char *at, const char *type, unsigned long flags)
{
	mkdir(at, 0755);
	if (mount(what, at, type, flags, ""))
		perror(at);
}

static void command_read(void)
{
	static char text[65536];
	int fd = open("/command", O_RDONLY | O_CLOEXEC), count = 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);

	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(text + at) + 1)
		args[count++] = text + at;
	close(fd);
}

static int run(void)
{
	struct rlimit files = {100000, 100000};
	int status;
	pid_t pid;

	setrlimit(RLIMIT_NOFILE, &files);
	pid = fork();
	if (!pid) {
		chdir(*args[0] ? args[0] : "/");
		execv(args[1], args + 1);
		perror(args[1]);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) != pid)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
	modules_load();
	mount_at("dev", "/dev", "devtmpfs", 0);
	mount_at("proc", "/proc", "proc", 0);
	mount_at("tmp", "/tmp", "tmpfs", 0);
	if (!access("/dev/vda", F_OK))
		mount_at("/dev/vda", "/fat", "vfat", MS_RDONLY);
	command_read();
	if (!args[1])
		puts("no command");
	else if (*args[0])
		mount_at("share", args[0], "virtiofs", 0);
	printf("\nended with %d\n", args[1] ? run() : 127);
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}
