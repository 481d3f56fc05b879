#include "word_ends.h"

#include <string.h>

#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include "dynlib.h"

#define CALLS(X) X(ubrk_close) X(ubrk_next) X(ubrk_open) X(ubrk_setUText) X(utext_close) X(utext_openUTF8)
LIBRARY(lib, "libicui18n.so." U_ICU_VERSION_SHORT, CALLS);

void word_ends(const char *text, bool *inside)
{
	UErrorCode status = U_ZERO_ERROR;
	size_t n = strlen(text);

	memset(inside, 0, (WORD_ENDS_MAX + 1) * sizeof *inside);
	if (n > WORD_ENDS_MAX || !DYNLIB_LOAD(lib))
		return;
	UText *given = lib.utext_openUTF8(NULL, text, (int64_t)n, &status);
	UBreakIterator *words = lib.ubrk_open(UBRK_WORD, "zh", NULL, 0, &status);
	if (U_SUCCESS(status))
		lib.ubrk_setUText(words, given, &status);
	if (U_SUCCESS(status)) {
		memset(inside, 1, n);
		inside[0] = false;
		for (int32_t at = lib.ubrk_next(words); at != UBRK_DONE; at = lib.ubrk_next(words))
			inside[at] = false;
	}
	if (words)
		lib.ubrk_close(words);
	if (given)
		lib.utext_close(given);
}
