/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF, as far as needed: a PVH note says that QEMU can boot it, .symtab names
 * the addresses of a backtrace.  Every offset in the file is checked.
 *
 * The image is linked at 0 and relocates itself.  Before the first address
 * the guest prints "image base 0x..."; addresses look like [<0x...>].
 */
#include "host/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/util.h"

#define NOTE_PVH 18 /* XEN_ELFNOTE_PHYS32_ENTRY */

static const void *image_at(
    const struct image *im, uint64_t offset, uint64_t len, unsigned align)
{
	if (offset > im->size || len > im->size - offset || offset % align)
		return NULL;
	return im->data + offset;
}

static int notes_have_pvh(const uint8_t *at, uint64_t len)
{
	while (len >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr n;
		uint64_t name, desc;

		memcpy(&n, at, sizeof(n));
		name = (n.n_namesz + 3ull) & ~3ull;
		desc = (n.n_descsz + 3ull) & ~3ull;
		if (name + desc > len - sizeof(n))
			return 0;
		if (n.n_type == NOTE_PVH && n.n_namesz == 4 &&
		    !memcmp(at + sizeof(n), "Xen", 4))
			return 1;
		at += sizeof(n) + name + desc;
		len -= sizeof(n) + name + desc;
	}
	return 0;
}

const char *image_check(const struct image *im)
{
	const Elf64_Ehdr *eh = image_at(im, 0, sizeof(*eh), 8);
	const Elf64_Phdr *ph;

	if (!eh || memcmp(eh->e_ident, ELFMAG, SELFMAG))
		return "not an ELF file";
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_X86_64)
		return "not for x86-64";
	ph = image_at(im, eh->e_phoff, eh->e_phnum * sizeof(*ph), 8);
	if (!ph || eh->e_phentsize != sizeof(*ph))
		return "a damaged ELF file";
	for (int i = 0; i < eh->e_phnum; i++) {
		const void *notes;

		if (ph[i].p_type != PT_NOTE)
			continue;
		notes = image_at(im, ph[i].p_offset, ph[i].p_filesz, 1);
		if (notes && notes_have_pvh(notes, ph[i].p_filesz))
			return NULL;
	}
	return "not a Toril image (build it with toril-cc)";
}

int image_open(struct image *im, const char *path, char *why, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), status = STATUS_UNUSABLE;
	const char *wrong = NULL;
	struct stat st;

	*im = (struct image){0};
	if (fd < 0) {
		wrong = strerror(errno);
		if (errno == ENOENT || errno == ENOTDIR)
			status = STATUS_NOT_FOUND;
	} else if (fstat(fd, &st)) {
		wrong = strerror(errno);
	} else if (!S_ISREG(st.st_mode)) {
		wrong = "not a regular file";
	} else if (!st.st_size) {
		wrong = "not an ELF file";
	} else {
		im->size = (size_t)st.st_size;
		im->data = mmap(NULL, im->size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (im->data == MAP_FAILED) {
			im->data = NULL;
			wrong = strerror(errno);
		} else {
			wrong = image_check(im);
		}
	}
	if (fd >= 0)
		close(fd);
	if (wrong) {
		snprintf(why, room, "%s: %s", path, wrong);
		image_close(im);
	}
	return wrong ? status : 0;
}

void image_close(struct image *im)
{
	if (im->data)
		munmap((void *)im->data, im->size);
	im->data = NULL;
}

static const Elf64_Shdr *image_sections(const struct image *im, unsigned *n)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)im->data;

	*n = eh->e_shnum;
	if (eh->e_shentsize != sizeof(Elf64_Shdr))
		*n = 0;
	return image_at(im, eh->e_shoff, *n * sizeof(Elf64_Shdr), 8);
}

bool image_has_symbols(const struct image *im)
{
	unsigned n, i = 0;
	const Elf64_Shdr *sh = image_sections(im, &n);

	while (sh && i < n && sh[i].sh_type != SHT_SYMTAB)
		i++;
	return sh && i < n;
}

const char *image_symbol(
    const struct image *im, uint64_t addr, uint64_t *offset)
{
	const Elf64_Shdr *sh, *tab, *names;
	const Elf64_Sym *sym, *best = NULL;
	const char *text;
	unsigned n, i;

	sh = image_sections(im, &n);
	for (i = 0; sh && i < n && sh[i].sh_type != SHT_SYMTAB; i++)
		;
	if (!sh || i >= n || sh[i].sh_link >= n)
		return NULL;
	tab = &sh[i];
	names = &sh[tab->sh_link];
	sym = image_at(im, tab->sh_offset, tab->sh_size, 8);
	text = image_at(im, names->sh_offset, names->sh_size, 1);
	if (!sym || !text || !names->sh_size)
		return NULL;
	addr -= im->base;
	for (; (const uint8_t *)(sym + 1) <=
	       im->data + tab->sh_offset + tab->sh_size;
	     sym++) {
		if (ELF64_ST_TYPE(sym->st_info) > STT_FUNC ||
		    sym->st_shndx == SHN_UNDEF || sym->st_value > addr ||
		    (sym->st_size && addr - sym->st_value >= sym->st_size))
			continue;
		if (!best || sym->st_value > best->st_value ||
		    (sym->st_value == best->st_value &&
			ELF64_ST_TYPE(sym->st_info) == STT_FUNC))
			best = sym;
	}
	if (!best || best->st_name >= names->sh_size ||
	    !memchr(text + best->st_name, 0, names->sh_size - best->st_name))
		return NULL;
	*offset = addr - best->st_value;
	return text + best->st_name;
}

void image_print_line(struct image *im, const char *line, FILE *to)
{
	const char *at = strstr(line, "image base 0x"), *end, *name;
	uint64_t addr, offset;
	char *stop;

	if (at)
		im->base = strtoull(at + 11, NULL, 16);
	while ((at = strstr(line, "[<0x"))) {
		addr = strtoull(at + 2, &stop, 16);
		end = strncmp(stop, ">]", 2) ? at + 4 : stop + 2;
		fprintf(to, "%.*s", (int)(end - line), line);
		line = end;
		name = end == at + 4 ? NULL : image_symbol(im, addr, &offset);
		if (name && *name)
			fprintf(to, " %s+0x%lx", name, (unsigned long)offset);
	}
	fprintf(to, "%s\n", line);
}
