/* Which characters a .csv is written in: UTF-8 with or without mark, or GB 18030; several of them where files
 * were joined (copy /b). */
#include "csv_decode.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lang.h"
#include "lint.h"
#include "sheet_build.h"
#include "text.h"

#define BOM "\xEF\xBB\xBF"
#define BOM_BYTES 3
/* so many whole characters for each broken one: UTF-8 that was cut, not another encoding */
#define MOSTLY 4

static uint32_t lines_in(const char *bytes, size_t n)
{
	uint32_t lines = 1;

	for (size_t i = 0; i < n; i++)
		lines += bytes[i] == '\n' || (bytes[i] == '\r' && (i + 1 == n || bytes[i + 1] != '\n'));
	return lines;
}

static enum err bad_byte(struct problem *p, const char *name, uint32_t line)
{
	problem_set(p, ERR_FILE_DAMAGED, NULL, sheet_advice_save_as(),
		_("%s：第 %u 行有半个或无法识别的汉字（既不是 UTF-8 也不是 GB 18030）"), name, line);
	if (p)
		p->row = (long)line;
	return ERR_FILE_DAMAGED;
}

/* GB 18030 to UTF-8; GBK would not do, it lacks the four-byte characters of rare names. *bad is where it
 * stopped. */
static enum err gb18030_decode(const char *bytes, size_t n, struct buf *out, size_t *bad, struct problem *p)
{
	size_t room = n * 2 + 4, in_left = n, out_left = room; /* two bytes become three, or four at most */
	iconv_t ic = iconv_open("UTF-8", "GB18030");
	char *in = (char *)bytes, *text, *to;

	*bad = n;
	if (ic == (iconv_t)-1) {
		LINT_KEPT(ic); /* no handle, nothing to close */
		return problem_set(
			p, errno == ENOMEM ? ERR_NOMEM : ERR_INTERNAL, NULL, NULL, _("系统不支持 GB 18030"));
	}
	text = to = malloc(room);
	size_t rc = text ? iconv(ic, &in, &in_left, &to, &out_left) : 0;
	iconv_close(ic);
	if (!text)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	if (rc == (size_t)-1)
		*bad = n - in_left;
	else
		buf_add(out, text, room - out_left);
	free(text);
	return rc == (size_t)-1 ? ERR_FILE_DAMAGED : ERR_OK;
}

/* Whether it is UTF-8 with a few broken places: as GB 18030 it would be read without an error, as
 * nonsense. */
static bool is_cut_utf8(const char *bytes, size_t n)
{
	size_t whole = 0, broken = 0;

	for (size_t i = 0; i < n;) {
		size_t good = text_utf8_prefix(bytes + i, n - i);
		for (size_t k = i; k < i + good; k++)
			whole += ((unsigned char)bytes[k] & 0xC0) == 0xC0;
		i += good;
		if (i < n) {
			broken++;
			i++;
			while (i < n && ((unsigned char)bytes[i] & 0xC0) == 0x80)
				i++;
		}
	}
	return whole > broken * MOSTLY;
}

/* One stretch of one encoding; `at` is where it begins in the file. */
static enum err part_decode(const char *bytes, size_t at, size_t n, bool marked, const char *name,
	struct buf *out, struct problem *p)
{
	const char *part = bytes + at;
	size_t good = text_utf8_prefix(part, n);

	if (good < n && !marked && !is_cut_utf8(part, n)) {
		enum err e = gb18030_decode(part, n, out, &good, p);
		return e == ERR_FILE_DAMAGED ? bad_byte(p, name, lines_in(bytes, at + good)) : e;
	}
	if (good < n)
		return bad_byte(p, name, lines_in(bytes, at + good));
	buf_add(out, part, n);
	return ERR_OK;
}

/* The next mark, or the end. In GB 18030 its bytes may be halves of two characters, but not behind ASCII. */
static size_t mark_next(const char *bytes, size_t from, size_t n)
{
	for (size_t i = from; i + BOM_BYTES <= n; i++)
		if (memcmp(bytes + i, BOM, BOM_BYTES) == 0 &&
			(i == from || (unsigned char)bytes[i - 1] < 0x80 ||
				text_utf8_prefix(bytes + from, i - from) == i - from))
			return i;
	return n;
}

enum err csv_decode(const char *bytes, size_t n, const char *name, struct buf *out, struct problem *p)
{
	enum err e = ERR_OK;

	for (size_t at = 0; !e && at < n;) {
		bool marked = n - at >= BOM_BYTES && memcmp(bytes + at, BOM, BOM_BYTES) == 0;
		/* the first file did not end its last line */
		if (marked && at && !strchr("\r\n", bytes[at - 1]))
			buf_u8(out, '\n');
		at += marked ? BOM_BYTES : 0;
		size_t end = mark_next(bytes, at, n);
		e = part_decode(bytes, at, end - at, marked, name, out, p);
		at = end;
	}
	return !e && out->failed ? sheet_problem(p, ERR_NOMEM, name, 0, NULL) : e;
}
