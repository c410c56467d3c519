/* SPDX-License-Identifier: BSD-2-Clause */
/* calls FOLDER: on Toril, or in a process of the host's. */
#include "bench/calls.h"

int main(int argc, char **argv)
{
	return calls_run(argc > 1 ? argv[1] : ".");
}
