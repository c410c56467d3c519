/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Media types; see mime.h.  The table is sorted by suffix, in lower case,
 * for a binary search.
 */
#include "apps/webserver/mime.h"

#include <stdlib.h>
#include <string.h>

static const struct mime types[] = {
    {"7z", true, "application/x-7z-compressed"},
    {"aac", true, "audio/aac"},
    {"apng", true, "image/apng"},
    {"atom", false, "application/atom+xml"},
    {"avif", true, "image/avif"},
    {"bin", false, "application/octet-stream"},
    {"bmp", false, "image/bmp"},
    {"br", true, "application/octet-stream"},
    {"bz2", true, "application/x-bzip2"},
    {"c", false, "text/plain; charset=utf-8"},
    {"css", false, "text/css; charset=utf-8"},
    {"csv", false, "text/csv; charset=utf-8"},
    {"deb", true, "application/vnd.debian.binary-package"},
    {"eot", false, "application/vnd.ms-fontobject"},
    {"epub", true, "application/epub+zip"},
    {"flac", true, "audio/flac"},
    {"gif", true, "image/gif"},
    {"gz", true, "application/gzip"},
    {"h", false, "text/plain; charset=utf-8"},
    {"htm", false, "text/html; charset=utf-8"},
    {"html", false, "text/html; charset=utf-8"},
    {"ico", false, "image/vnd.microsoft.icon"},
    {"ics", false, "text/calendar; charset=utf-8"},
    {"iso", false, "application/octet-stream"},
    {"jpeg", true, "image/jpeg"},
    {"jpg", true, "image/jpeg"},
    {"js", false, "text/javascript; charset=utf-8"},
    {"json", false, "application/json"},
    {"jsonld", false, "application/ld+json"},
    {"jxl", true, "image/jxl"},
    {"log", false, "text/plain; charset=utf-8"},
    {"m4a", true, "audio/mp4"},
    {"m4v", true, "video/mp4"},
    {"map", false, "application/json"},
    {"md", false, "text/markdown; charset=utf-8"},
    {"mjs", false, "text/javascript; charset=utf-8"},
    {"mp3", true, "audio/mpeg"},
    {"mp4", true, "video/mp4"},
    {"oga", true, "audio/ogg"},
    {"ogg", true, "audio/ogg"},
    {"ogv", true, "video/ogg"},
    {"opus", true, "audio/ogg"},
    {"otf", false, "font/otf"},
    {"pdf", true, "application/pdf"},
    {"png", true, "image/png"},
    {"py", false, "text/x-python; charset=utf-8"},
    {"rss", false, "application/rss+xml"},
    {"sh", false, "text/x-shellscript; charset=utf-8"},
    {"svg", false, "image/svg+xml"},
    {"tar", false, "application/x-tar"},
    {"tgz", true, "application/gzip"},
    {"tif", false, "image/tiff"},
    {"tiff", false, "image/tiff"},
    {"ttf", false, "font/ttf"},
    {"txt", false, "text/plain; charset=utf-8"},
    {"vtt", false, "text/vtt; charset=utf-8"},
    {"wasm", false, "application/wasm"},
    {"wav", false, "audio/wav"},
    {"webm", true, "video/webm"},
    {"webmanifest", false, "application/manifest+json"},
    {"webp", true, "image/webp"},
    {"woff", true, "font/woff"},
    {"woff2", true, "font/woff2"},
    {"xhtml", false, "application/xhtml+xml"},
    {"xml", false, "application/xml"},
    {"xz", true, "application/x-xz"},
    {"yaml", false, "application/yaml"},
    {"zip", true, "application/zip"},
    {"zst", true, "application/zstd"},
};

static const struct mime unknown = {"", false, "application/octet-stream"};

static int compare(const void *key, const void *entry)
{
	const struct mime *mime = entry;

	/* A suffix of the full width has no terminator in the table. */
	return strncmp(key, mime->suffix, sizeof(mime->suffix));
}

const struct mime *mime_of(struct str path)
{
	char suffix[sizeof(types[0].suffix) + 1] = "";
	const struct mime *found;
	size_t len = 0;

	while (len < path.len && path.at[path.len - 1 - len] != '.' &&
	       path.at[path.len - 1 - len] != '/')
		len++;
	if (!len || len >= sizeof(suffix) || len == path.len ||
	    path.at[path.len - 1 - len] != '.')
		return &unknown;
	for (size_t i = 0; i < len; i++) {
		char c = path.at[path.len - len + i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		suffix[i] = c;
	}
	found = bsearch(suffix, types, sizeof(types) / sizeof(types[0]),
	    sizeof(types[0]), compare);
	return found ? found : &unknown;
}
