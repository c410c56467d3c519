/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel command line takes any bytes. */
#include <stdlib.h>
#include <string.h>
#include "kernel/lib/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {
	    "virtio_mmio.device", "toril.ctl", "toril.verbose", ""};
	char *line = malloc(size + 1);

	memcpy(line, data, size);
	line[size] = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *pos = NULL, *value, *p;
		size_t found = 0;
		while ((value = cmdline_next(line, names[i], &pos))) {
			struct cmdline_device d;
			uint64_t n;
			if (cmdline_device_parse(value, &d) && d.irq > 255)
				abort();
			p = value;
			if (cmdline_number(&p, ",:", &n) && p == value)
				abort();
			if (++found > size + 1)
				abort(); /* no end */
		}
	}
	free(line);
	return 0;
}
