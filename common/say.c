#include "say.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "text.h"

void say_text(FILE *out, const char *text)
{
	size_t room = strlen(text) * 3 + 1; /* a byte that is not UTF-8 becomes three */
	char *fit = malloc(room);

	if (!fit)
		return;
	text_printable(fit, room, text);
	fputs(fit, out);
	free(fit);
}

void say_line(FILE *out, const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) >= 0) {
		say_text(out, text);
		free(text);
	}
	fputc('\n', out);
}

int say_width(const char *text)
{
	int width = 0;
	utf8proc_int32_t c;

	for (utf8proc_ssize_t n; (n = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &c)) > 0 && c;
		text += n)
		width += utf8proc_charwidth(c);
	return width;
}

void say_pair(FILE *out, const char *left, int width, const char *text)
{
	int fill = width - say_width(left);

	fprintf(out, "  %s%*s  %s\n", left, fill > 0 ? fill : 0, "", text);
}
