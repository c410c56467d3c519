/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/control/control.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/uart.h"
#include "kernel/fs/file.h"
#include "kernel/lib/printk.h"

static char *no_argv[] = {"program", NULL};
static char *no_envp[] = {NULL};
struct control_config control_config = {
    .argv = no_argv, .envp = no_envp, .argc = 1};

static ssize_t uart_file_write(
    struct file *f, struct iov_iter *it, uint64_t *pos)
{
	char buf[128];
	ssize_t n, done = 0;

	(void)f, (void)pos;
	while (it->left) {
		n = iter_in(buf, min(sizeof(buf), it->left), it);
		if (n < 0)
			return done ? done : n;
		uart_write(buf, (size_t)n);
		done += n;
	}
	return done;
}

static void uart_file_release(struct file *f)
{
	(void)f;
}

static int uart_file_stat(struct file *f, struct stat *st)
{
	(void)f, (void)st;
	return -EIO;
}

static const struct file_ops uart_file_ops = {
    .read = file_no_read,
    .write = uart_file_write,
    .seek = file_no_seek,
    .poll = file_always_ready,
    .ioctl = file_no_ioctl,
    .stat = uart_file_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = file_no_fsync,
    .release = uart_file_release,
};

int control_start(const char *cmdline)
{
	(void)cmdline;
	for (int i = 0; i < 3; i++) {
		struct file *f = file_alloc(&uart_file_ops, 2);
		if (!f || fd_install(f, 0, false) < 0)
			return -ENOMEM;
	}
	return 0;
}

void control_started(void)
{
}

void control_listening(uint16_t port)
{
	(void)port;
}

noreturn void control_exit(int status, int signo)
{
	(void)signo;
	machine_exit((uint8_t)status);
}
