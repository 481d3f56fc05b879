#include "pdf_form.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

/* The side margins of GB/T 9704: 28 mm and 26 mm. */
#define MARGIN_TOP 72.0 /* a 交办单 must fit one sheet: less than the 37 mm of a letter */
#define MARGIN_BOTTOM 60.0
#define MARGIN_LEFT (28 * PDF_MM)
#define TEXT_W (PDF_WIDTH - MARGIN_LEFT - 26 * PDF_MM)
#define LABEL_W 92.0
#define PADDING 4
#define INDENT 6
#define TITLE_SIZE 26                 /* 一号 */
#define TEXT_SIZE 14                  /* 四号 */
#define NOTE_SIZE 12                  /* 小四 */
#define LINE_HEIGHT (1.5 * TEXT_SIZE) /* no font of ours is higher */
#define LINE_CHARACTERS ((unsigned)((TEXT_W - LABEL_W - 2 * INDENT) / TEXT_SIZE))
#define ROW_LINES 20 /* of one row: it fits on any sheet */

void pdf_form_begin(struct pdf_form *f, struct pdf_page *paper, const char *watermark)
{
	*f = (struct pdf_form){paper, MARGIN_TOP, watermark, 0};
}

static void end_sheet(struct pdf_form *f)
{
	if (f->watermark)
		pdf_watermark(f->paper, f->watermark);
	pdf_end_sheet(f->paper);
	f->sheets++;
	f->y = MARGIN_TOP;
}

void pdf_form_title(struct pdf_form *f, const char *text)
{
	f->y += pdf_text(f->paper, MARGIN_LEFT, f->y,
			(struct pdf_style){
				.size = TITLE_SIZE, .width = TEXT_W, .bold = true, .centred = true},
			text) +
		18;
}

/* How much of the text one row takes, in bytes, and in how many lines at most. */
static size_t row_of(const char *text, unsigned *lines)
{
	unsigned in_line = 0;
	size_t n = 0;

	*lines = 1;
	while (text[n]) {
		int32_t c;
		int width = text_next(text + n, &c);
		if (c == '\n' || ++in_line > LINE_CHARACTERS) {
			if (*lines == ROW_LINES)
				return n;
			++*lines;
			in_line = c != '\n';
		}
		n += (size_t)(width > 0 ? width : 1);
	}
	return n;
}

static void row(struct pdf_form *f, const char *label, const char *value, unsigned lines, double least)
{
	double room = lines * LINE_HEIGHT + 2 * PADDING;

	if (f->y + (room > least ? room : least) > PDF_HEIGHT - MARGIN_BOTTOM)
		end_sheet(f);
	double height = pdf_text(f->paper, MARGIN_LEFT + LABEL_W + INDENT, f->y + PADDING,
				(struct pdf_style){.size = TEXT_SIZE, .width = TEXT_W - LABEL_W - 2 * INDENT},
				value) +
		2 * PADDING;
	if (height < least)
		height = least;
	pdf_text(f->paper, MARGIN_LEFT + INDENT, f->y + PADDING,
		(struct pdf_style){.size = TEXT_SIZE, .width = LABEL_W - 2 * INDENT, .bold = true}, label);
	pdf_frame(f->paper, MARGIN_LEFT, f->y, LABEL_W, height);
	pdf_frame(f->paper, MARGIN_LEFT + LABEL_W, f->y, TEXT_W - LABEL_W, height);
	f->y += height;
}

void pdf_form_row(struct pdf_form *f, const char *label, const char *value, double least)
{
	char part[ROW_LINES * 200];
	unsigned lines;

	do {
		size_t n = row_of(value, &lines);
		snprintf(part, sizeof part, "%.*s", (int)n, value);
		row(f, label, part, lines, least);
		value += n;
		label = "";
		least = 0;
	} while (*value);
}

void pdf_form_note(struct pdf_form *f, const char *text)
{
	f->y += 8;
	f->y += pdf_text(
		f->paper, MARGIN_LEFT, f->y, (struct pdf_style){.size = NOTE_SIZE, .width = TEXT_W}, text);
}

void pdf_form_end(struct pdf_form *f)
{
	end_sheet(f);
}
