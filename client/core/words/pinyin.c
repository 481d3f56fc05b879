#include "pinyin.h"

#include <ctype.h>
#include <string.h>

#include <unicode/ustring.h>
#include <unicode/utrans.h>

#include "dynlib.h"

#define NAME_UNITS 128 /* of UTF-16: the longest name is 120 bytes */

#define CALLS(X) X(utrans_openU) X(utrans_transUChars) X(u_strFromUTF8) X(u_strToUTF8)
LIBRARY(lib, "libicui18n.so." U_ICU_VERSION_SHORT, CALLS);

bool pinyin_ready(void)
{
	return DYNLIB_LOAD(lib);
}

void pinyin(const char *name, char *out, size_t size)
{
	static UTransliterator *latin;
	static const UChar rules[] = u"Han-Latin; Latin-ASCII";
	UErrorCode status = U_ZERO_ERROR;
	UChar text[NAME_UNITS];
	int32_t n = 0, limit;

	*out = 0;
	if (!pinyin_ready())
		return;
	if (!latin)
		latin = lib.utrans_openU(rules, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
	lib.u_strFromUTF8(text, NAME_UNITS, &n, name, -1, &status);
	limit = n;
	if (U_FAILURE(status) || n == NAME_UNITS)
		return;
	lib.utrans_transUChars(latin, text, &n, NAME_UNITS, 0, &limit, &status);
	if (U_SUCCESS(status))
		lib.u_strToUTF8(out, (int32_t)size, NULL, text, n, &status);
	if (U_FAILURE(status) || strlen(out) >= size)
		*out = 0;
	for (; *out; out++)
		*out = (char)tolower((unsigned char)*out);
}

void pinyin_initials(const char *name, char *out, size_t size)
{
	char text[PINYIN_SIZE];
	size_t n = 0;

	pinyin(name, text, sizeof text);
	for (size_t i = 0; text[i] && n + 1 < size; i++)
		if (isalpha((unsigned char)text[i]) && (i == 0 || !isalpha((unsigned char)text[i - 1])))
			out[n++] = text[i];
	out[n] = 0;
}
