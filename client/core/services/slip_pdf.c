#include "slip_pdf.h"

#include <stdio.h>
#include <string.h>

#include "codes.h"
#include "face.h"
#include "lang.h"
#include "pdf_page.h"
#include "tables.h"
#include "transition.h"
#include "words.h"

/* The side margins of GB/T 9704: 28 mm and 26 mm. */
#define MARGIN_TOP 72.0 /* the form must fit one page: less than the 37 mm of a letter */
#define MARGIN_LEFT (28 * PDF_MM)
#define TEXT_W (PDF_WIDTH - MARGIN_LEFT - 26 * PDF_MM)
#define LABEL_W 92.0
#define PADDING 4
#define INDENT 6
#define TITLE_SIZE 26 /* 一号 */
#define TEXT_SIZE 14  /* 四号 */
#define NOTE_SIZE 12  /* 小四 */

struct page {
	struct pdf_page *paper;
	double y;
};

static void title(struct page *g, const char *text)
{
	g->y += pdf_text(g->paper, MARGIN_LEFT, g->y,
			(struct pdf_style){
				.size = TITLE_SIZE, .width = TEXT_W, .bold = true, .centred = true},
			text) +
		18;
}

/* A framed row: label left, value right, as high as the value needs. */
static void row_line(struct page *g, const char *label, const char *value, double least)
{
	double height = pdf_text(g->paper, MARGIN_LEFT + LABEL_W + INDENT, g->y + PADDING,
				(struct pdf_style){.size = TEXT_SIZE, .width = TEXT_W - LABEL_W - 2 * INDENT},
				value) +
			2 * PADDING;

	if (height < least)
		height = least;
	pdf_text(g->paper, MARGIN_LEFT + INDENT, g->y + PADDING,
		(struct pdf_style){.size = TEXT_SIZE, .width = LABEL_W - 2 * INDENT, .bold = true}, label);
	pdf_frame(g->paper, MARGIN_LEFT, g->y, LABEL_W, height);
	pdf_frame(g->paper, MARGIN_LEFT + LABEL_W, g->y, TEXT_W - LABEL_W, height);
	g->y += height;
}

static void field_line(struct page *g, const struct view *v, const struct record *r, int field)
{
	char text[2048];

	if (record_has(r, field))
		row_line(g, lang_declared(r->kind->fields[field].label, r->kind->fields[field].label_en),
			words_field(v, r, field, false, text, sizeof text), 0);
}

static void addressee_line(
	struct page *g, const struct view *v, const struct item *addressee, const char *label)
{
	char name[256], text[1024], received[64], answered[64], outcome[64], note[512];

	if (!addressee)
		return;
	const struct record *r = &addressee->record;
	words_field(v, r, F_SLIP_ADDRESSEE_SCHOOL, false, name, sizeof name);
	words_field(v, r, F_SLIP_ADDRESSEE_RECEIVED_AT, false, received, sizeof received);
	words_field(v, r, F_SLIP_ADDRESSEE_ANSWERED_AT, false, answered, sizeof answered);
	words_field(v, r, F_SLIP_ADDRESSEE_OUTCOME, false, outcome, sizeof outcome);
	words_field(v, r, F_SLIP_ADDRESSEE_NOTE, false, note, sizeof note);
	snprintf(text, sizeof text, _("%s\n签收 %s\n回复 %s %s %s"), name,
		*received ? received : "________________", *answered ? answered : "________________", outcome,
		note);
	row_line(g, label, text, 64);
}

static void draw(struct page *g, const struct view *v, const struct slip_row *row)
{
	static const int fields[] = {F_SLIP_NO, F_SLIP_NAME, F_SLIP_CERT_NO, F_SLIP_STUDENT_NO};
	static const int times[] = {F_SLIP_SEVERITY, F_SLIP_FOUND_AT, F_SLIP_ISSUE_DUE, F_SLIP_ISSUED_AT,
		F_SLIP_RESOLVE_DUE, F_SLIP_ROUND, F_SLIP_REVIEW_REASON};
	const struct profile *profile = v->store->profile;
	const struct record *slip = &row->slip->record;
	char codes[1024], text[512], now[FACE_SIZE];
	bool source_is_mine = record_is(slip, F_SLIP_SOURCE, profile->school);

	snprintf(text, sizeof text, "%s\n%s", profile->county_name, _("小升初未入学学生交办单"));
	title(g, text);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		field_line(g, v, slip, fields[i]);
	row_line(g, _("问题"), transition_mismatch_words(slip, F_SLIP_CODES, codes, sizeof codes), 0);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		if (record_has(slip, times[i]))
			field_line(g, v, slip, times[i]);
	const struct item *source = source_is_mine ? row->mine : row->other,
			  *home = source_is_mine ? row->other : row->mine;
	addressee_line(g, v, source, _("生源小学"));
	addressee_line(g, v, home, _("责任初中"));
	row_line(g, _("状态"), code_name(&codes_slip_state, row->state), 0);
	row_line(g, _("经办人签字"), "", 36);
	row_line(g, _("负责人盖章"), "", 54);
	face_time(now, profile_now_us(profile), 0); /* a sheet of paper is read in another year too */
	snprintf(text, sizeof text, _("打印 %s　%s"), now,
		profile->session.name[0] ? profile->session.name : profile->session.user);
	pdf_text(g->paper, MARGIN_LEFT, g->y + 8, (struct pdf_style){.size = NOTE_SIZE, .width = TEXT_W},
		text);
	if (profile->rehearsal)
		pdf_watermark(g->paper, _("演　练"));
}

enum err slip_pdf_write(const struct view *v, const struct slip_row *row, const char *path, struct problem *p)
{
	struct page g = {.y = MARGIN_TOP};
	enum err e = pdf_open(&g.paper, path, p);

	if (e)
		return e;
	draw(&g, v, row);
	pdf_end_sheet(g.paper);
	return pdf_close(g.paper, p);
}
