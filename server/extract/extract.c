/* jgd-extract: what a stranger's file is, and its words, read where it can do no harm (sandbox.h). jgd
 * gives it the bytes as standard input and takes from its standard output a line "TYPE whole|cut" and then
 * the text, UTF-8. Whatever becomes of it costs jgd nothing: what it has not said by its end is not known. */
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <utf8proc.h>

#include "content_type.h"
#include "office_text.h"
#include "sandbox.h"

#define BYTES_MAX (10u << 20)
#define CHARACTERS_MAX 100000
#define PDFTOTEXT "/usr/bin/pdftotext"

static bool put(const char *text, size_t n)
{
	while (n) {
		ssize_t wrote = write(STDOUT_FILENO, text, n);
		if (wrote <= 0)
			return false;
		text += wrote;
		n -= (size_t)wrote;
	}
	return true;
}

/* data: how many characters have gone out. */
static bool put_characters(void *data, const char *text, size_t n)
{
	size_t *characters = data, at = 0;

	for (; at < n && *characters < CHARACTERS_MAX; at++)
		*characters += (text[at] & 0xC0) != 0x80;
	/* The last one whole. */
	while (at < n && (text[at] & 0xC0) == 0x80)
		at++;
	return put(text, at) && *characters < CHARACTERS_MAX;
}

static bool is_utf8(const uint8_t *bytes, size_t n)
{
	utf8proc_int32_t c;

	for (utf8proc_ssize_t used; n; bytes += used, n -= (size_t)used)
		if ((used = utf8proc_iterate(bytes, (utf8proc_ssize_t)n, &c)) <= 0)
			return false;
	return true;
}

/* What is no UTF-8 is what Windows here writes, GB 18030. */
static void put_text(iconv_t gb18030, char *bytes, size_t n, size_t *characters)
{
	char part[4096];

	if (is_utf8((const uint8_t *)bytes, n)) {
		put_characters(characters, bytes, n);
		return;
	}
	while (n && gb18030 != (iconv_t)-1) {
		char *out = part;
		size_t room = sizeof part, before = n;
		iconv(gb18030, &bytes, &n, &out, &room);
		if (!put_characters(characters, part, sizeof part - room))
			return;
		if (n == before) { /* no character of its: the next byte may begin one */
			bytes++;
			n--;
		}
	}
}

/* It reads its file from its standard input, which it may go back in. */
static int run_pdftotext(const void *bytes, size_t n)
{
	int file = memfd_create("pdf", 0);

	if (file < 0 || ftruncate(file, (off_t)n))
		return 1;
	void *map = mmap(NULL, n, PROT_WRITE, MAP_SHARED, file, 0);
	if (map == MAP_FAILED)
		return 1;
	memcpy(map, bytes, n);
	munmap(map, n);
	if (dup2(file, STDIN_FILENO) < 0 || !sandbox_limit() || !sandbox_for_program())
		return 1;
	execle(PDFTOTEXT, "pdftotext", "-q", "-enc", "UTF-8", "-", "-", (char *)NULL,
		(char *[]){"PATH=/usr/bin", "LC_ALL=C.UTF-8", NULL});
	return 1;
}

int main(void)
{
	char *bytes = malloc(BYTES_MAX + 1), line[32];
	size_t n = 0, characters = 0;
	ssize_t got;
	bool cut;

	while (bytes && n <= BYTES_MAX && (got = read(STDIN_FILENO, bytes + n, BYTES_MAX + 1 - n)) > 0)
		n += (size_t)got;
	if (!bytes || n > BYTES_MAX)
		return 1;
	iconv_t gb18030 = iconv_open("UTF-8", "GB18030"); /* opens a file: before that is over */
	setenv("TZ", "UTC0", 1);                          /* and so does the first look at it */
	tzset();
	const char *type = content_type(bytes, n, &cut);
	snprintf(line, sizeof line, "%s %s\n", type, cut ? "cut" : "whole");
	if (strcmp(type, "pdf") == 0)
		return put(line, strlen(line)) ? run_pdftotext(bytes, n) : 1;
	if (!sandbox_limit() || !sandbox_close() || !put(line, strlen(line)))
		return 1;
	if (strcmp(type, "txt") == 0)
		put_text(gb18030, bytes, n, &characters);
	else
		office_text(type, bytes, n, put_characters, &characters);
	return 0;
}
