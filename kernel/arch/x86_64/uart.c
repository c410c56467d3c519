/* SPDX-License-Identifier: BSD-2-Clause */
/* The 16550 at COM1; see uart.h.  QEMU's needs no setting of baud rate. */
#include "kernel/arch/x86_64/uart.h"
#include "kernel/arch/x86_64/cpu.h"

#define COM1         0x3f8
#define UART_LSR     (COM1 + 5)
#define LSR_TX_EMPTY 0x20
#define SPIN_MAX     100000
#define PATIENCE     1000000

static void put(char c)
{
	for (int i = 0; i < SPIN_MAX; i++)
		if (cpu_inb(UART_LSR) & LSR_TX_EMPTY)
			break;
	cpu_outb(COM1, (uint8_t)c);
}

static bool busy; /* [a] a CPU is writing */

void uart_write(const char *s, size_t n)
{
	bool mine = false;

	/* Whoever has it may have panicked: a mixture is better than nothing.
	 */
	for (int i = 0; !mine && i < PATIENCE; i++)
		mine = !__atomic_exchange_n(&busy, true, __ATOMIC_ACQUIRE);
	for (; n; n--, s++) {
		if (*s == '\n')
			put('\r');
		put(*s);
	}
	if (mine)
		__atomic_store_n(&busy, false, __ATOMIC_RELEASE);
}
