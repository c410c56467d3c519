/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the unwind tables are, for a libgcc_eh that was built for glibc 2.35
 * or later, which asks for them so.  There is one object: the image.
 */
#include <stddef.h>

struct dl_find_object {
	unsigned long long flags;
	const void *map_start, *map_end;
	void *link_map;
	const void *eh_frame_hdr;
	unsigned long long reserved[7];
};

extern const char __image_start[] __attribute__((visibility("hidden")));
extern const char __image_end[] __attribute__((visibility("hidden")));
extern const char toril_eh_frame_hdr[] __attribute__((visibility("hidden")));

int _dl_find_object(void *pc, struct dl_find_object *result);
int _dl_find_object(void *pc, struct dl_find_object *result)
{
	if ((const char *)pc < __image_start || (const char *)pc >= __image_end)
		return -1;
	*result = (struct dl_find_object){
	    .map_start = __image_start,
	    .map_end = __image_end,
	    .eh_frame_hdr = toril_eh_frame_hdr,
	};
	return 0;
}
