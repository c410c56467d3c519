/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the launcher's parsers: DNS and SOCKS messages of the guest, --connect
 * rules and ELF images.  The first byte chooses.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/dns.h"
#include "host/image.h"
#include "host/options.h"
#include "host/socks.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void fuzz_dns(const uint8_t *in, size_t len)
{
	struct rule_pins pins = {.count = PIN_MAX};
	struct in6_addr addr;
	struct dns_query q;
	struct buf out = {0};

	if (dns_parse(&q, in, len))
		return;
	dns_answer(&out, in, &q, DNS_OK, &pins, q.name);
	dns_reverse(q.name, &addr);
	buf_drop(&out);
}

static void fuzz_socks(const uint8_t *in, size_t len)
{
	uint8_t msg[SOCKS_MESSAGE_MAX] = {0};
	struct socks_request r;
	int need = socks_request_len(in, len);

	if (need <= 0 || (size_t)need > len)
		return;
	memcpy(msg, in, (size_t)need);
	socks_parse(&r, msg);
}

static void fuzz_text(const uint8_t *in, size_t len)
{
	char *text = must_print("%.*s", (int)len, (const char *)in);
	struct rules rules = {0};
	struct publish_option p;
	struct share_option s = {0};
	uint64_t size;

	rules_add(&rules, text);
	rules_free(&rules);
	option_publish(&p, text);
	option_size(&size, text);
	if (!option_share(&s, text)) {
		free(s.dir);
		free(s.path);
	}
	free(text);
}

static void fuzz_image(const uint8_t *in, size_t len)
{
	uint8_t *copy = must_alloc(len);
	struct image im = {.data = copy, .size = len};
	uint64_t offset;

	memcpy(copy, in, len);
	if (!image_check(&im))
		image_symbol(&im, 0x110, &offset);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static void (*const parts[])(const uint8_t *in, size_t len) = {
	    fuzz_dns, fuzz_socks, fuzz_text, fuzz_image};

	if (len)
		parts[in[0] & 3](in + 1, len - 1);
	return 0;
}
