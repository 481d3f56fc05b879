#include "man.h"

#include <stdbool.h>

/* Chinese has no blanks: roff is told that a line may end behind each character, but before punctuation. */
static bool may_break(const char *at)
{
	const unsigned char *c = (const unsigned char *)at;
	bool han = c[0] >= 0xE3 && c[0] < 0xF0 && c[1] && c[2];

	return han && c[3] && c[3] != '\n' && c[3] != ' ' && !(c[3] == 0xE3 && c[4] == 0x80) && c[3] != 0xEF;
}

static void put_character(FILE *out, const char **text)
{
	const char *at = *text;

	if (may_break(at)) {
		fprintf(out, "%.3s\\:", at);
		*text += 2;
	} else if (*at == '\\') {
		fputs("\\e", out);
	} else if (*at == '-') {
		fputs("\\-", out);
	} else if (*at == '\n' && (at[1] == '.' || at[1] == '\'')) {
		fputs("\n\\&", out);
	} else {
		fputc(*at, out);
	}
}

/* What roff would take for its own is escaped: backslashes, dashes that are typed, dots that begin a line. */
static void put(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++)
		put_character(out, &text);
}

/* A macro's argument: quotes are doubled. */
static void put_argument(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++)
		if (*text == '"')
			fputs("\"\"", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text == '\n' ? ' ' : *text, out);
	fputc('"', out);
}

void man_begin(FILE *out, const char *name, int section, const char *what)
{
	fprintf(out, ".TH \"%s\" %d \"\" \"jingguan " JG_VERSION "\"\n.ad l\n.SH NAME\n", name, section);
	put(out, name);
	fputs(" \\- ", out);
	put(out, what);
	fputc('\n', out);
}

void man_heading(FILE *out, const char *text)
{
	fputs(".SH ", out);
	put_argument(out, text);
	fputc('\n', out);
}

void man_group(FILE *out, const char *text)
{
	fputs(".SS ", out);
	put_argument(out, text);
	fputc('\n', out);
}

void man_item(FILE *out, const char *word, const char *rest, const char *text, const char *more)
{
	fputs(".TP\n\\fB", out);
	put(out, word);
	fputs("\\fR", out);
	if (*rest) {
		fputc(' ', out);
		put(out, rest);
	}
	fputc('\n', out);
	put(out, text);
	fputc('\n', out);
	if (more) {
		fputs(".br\n", out);
		put(out, more);
		fputc('\n', out);
	}
}

void man_text(FILE *out, const char *text)
{
	fputs(".PP\n", out);
	put(out, text);
	fputc('\n', out);
}

void man_example(FILE *out, const char *command)
{
	fputs(".PP\n.nf\n", out);
	put(out, command);
	fputs("\n.fi\n", out);
}
