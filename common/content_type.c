#include "content_type.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define TAIL 2048      /* behind the end of a PDF or picture some programs leave a little */
#define ZIP_TAIL 65557 /* the end record with the longest comment */

static const struct {
	const char *type, *begin, *end;
	size_t begin_n, end_n;
} plain[] = {{"pdf", "%PDF-", "%%EOF", 5, 5}, {"png", "\x89PNG\r\n\x1a\n", "IEND", 8, 4},
	{"jpg", "\xff\xd8\xff", "\xff\xd9", 3, 2}};

/* A zip archive is what a part of this name makes it. */
static const struct {
	const char *type, *part;
} zipped[] = {{"docx", "word/document.xml"}, {"xlsx", "xl/workbook.xml"}, {"pptx", "ppt/presentation.xml"},
	{"ofd", "OFD.xml"}};

static bool ends_with(const uint8_t *bytes, size_t n, const char *end, size_t end_n)
{
	size_t tail = n < TAIL ? n : TAIL;

	return memmem(bytes + n - tail, tail, end, end_n) != NULL;
}

static size_t get_le(const uint8_t *at, size_t n)
{
	size_t v = 0;

	while (n--)
		v = v << 8 | at[n];
	return v;
}

/* The end record of an archive (PK 5 6), the last one; NULL: cut off. */
static const uint8_t *zip_end(const uint8_t *bytes, size_t n)
{
	for (size_t back = 22; back <= n && back <= ZIP_TAIL; back++)
		if (memcmp(bytes + n - back, "PK\5\6", 4) == 0)
			return bytes + n - back;
	return NULL;
}

/* The directory's names one after another, each behind 46 bytes that tell how long it is. */
static const char *zip_type(const uint8_t *bytes, size_t n, bool *cut)
{
	const uint8_t *end = zip_end(bytes, n);
	size_t at = end ? get_le(end + 16, 4) : n;

	*cut = !end || at >= n;
	while (!*cut && n - at >= 46 && memcmp(bytes + at, "PK\1\2", 4) == 0) {
		size_t length = get_le(bytes + at + 28, 2),
		       rest = get_le(bytes + at + 30, 2) + get_le(bytes + at + 32, 2);
		if (length > n - at - 46)
			break;
		for (size_t i = 0; i < sizeof zipped / sizeof *zipped; i++)
			if (length == strlen(zipped[i].part) &&
				memcmp(bytes + at + 46, zipped[i].part, length) == 0)
				return zipped[i].type;
		at += 46 + length + (rest < n - at - 46 - length ? rest : n - at - 46 - length);
	}
	return "";
}

/* Text has no control characters but the ones of lines; that keeps programs and archives out. GB 18030 has
 * them neither. */
static bool is_text(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!bytes[i] || (bytes[i] < 0x20 && !strchr("\t\n\r\f", bytes[i])))
			return false;
	return true;
}

const char *content_type(const void *data, size_t n, bool *cut)
{
	const uint8_t *bytes = data;

	*cut = false;
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		if (n < plain[i].begin_n || memcmp(bytes, plain[i].begin, plain[i].begin_n) != 0)
			continue;
		*cut = !ends_with(bytes, n, plain[i].end, plain[i].end_n);
		return plain[i].type;
	}
	if (n >= 4 && memcmp(bytes, "PK\3\4", 4) == 0)
		return zip_type(bytes, n, cut);
	return n && is_text(bytes, n) ? "txt" : "";
}

bool content_type_fits(const char *type, const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!dot || !*type)
		return false;
	return strcasecmp(dot + 1, type) == 0 ||
		(strcmp(type, "txt") == 0 && strcasecmp(dot + 1, "csv") == 0);
}
