/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image to run: whether it is one, and the names in it.
 */
#ifndef TORIL_HOST_IMAGE_H
#define TORIL_HOST_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct image {
	const uint8_t *data; /* the mapped file */
	size_t size;
	uint64_t base; /* where it told us that it runs */
};

/* Map `path` and check that it can be booted: 0, or the exit status, with a
 * message in `why`. */
int image_open(struct image *im, const char *path, char *why, size_t room);
void image_close(struct image *im);

/* Whether these bytes are a Toril image: NULL, or what is missing. */
const char *image_check(const struct image *im);

/* The function at `addr` of the running image, and how far into it. */
const char *image_symbol(
    const struct image *im, uint64_t addr, uint64_t *offset);

bool image_has_symbols(const struct image *im);

/* Print a line of the guest's console with names behind its addresses. */
void image_print_line(struct image *im, const char *line, FILE *to);

#endif
