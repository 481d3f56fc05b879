#include "slip_pdf.h"

#include <stdio.h>
#include <string.h>

#include "codes.h"
#include "face.h"
#include "lang.h"
#include "pdf_form.h"
#include "tables.h"
#include "transition.h"
#include "words.h"

static void field_line(struct pdf_form *g, const struct view *v, const struct record *r, int field)
{
	char text[2048];

	if (record_has(r, field))
		pdf_form_row(g, lang_declared(r->kind->fields[field].label, r->kind->fields[field].label_en),
			words_field(v, r, field, false, text, sizeof text), 0);
}

static void addressee_line(
	struct pdf_form *g, const struct view *v, const struct item *addressee, const char *label)
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
	pdf_form_row(g, label, text, 64);
}

static void draw(struct pdf_form *g, const struct view *v, const struct slip_row *row)
{
	static const int fields[] = {F_SLIP_NO, F_SLIP_NAME, F_SLIP_CERT_NO, F_SLIP_STUDENT_NO};
	static const int times[] = {F_SLIP_SEVERITY, F_SLIP_FOUND_AT, F_SLIP_ISSUE_DUE, F_SLIP_ISSUED_AT,
		F_SLIP_RESOLVE_DUE, F_SLIP_ROUND, F_SLIP_REVIEW_REASON};
	const struct profile *profile = v->store->profile;
	const struct record *slip = &row->slip->record;
	char codes[1024], text[512], now[FACE_SIZE];
	bool source_is_mine = record_is(slip, F_SLIP_SOURCE, profile->school);

	snprintf(text, sizeof text, "%s\n%s", profile->county_name, _("小升初未入学学生交办单"));
	pdf_form_title(g, text);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		field_line(g, v, slip, fields[i]);
	pdf_form_row(g, _("问题"), transition_mismatch_words(slip, F_SLIP_CODES, codes, sizeof codes), 0);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		if (record_has(slip, times[i]))
			field_line(g, v, slip, times[i]);
	const struct item *source = source_is_mine ? row->mine : row->other,
			  *home = source_is_mine ? row->other : row->mine;
	addressee_line(g, v, source, _("生源小学"));
	addressee_line(g, v, home, _("责任初中"));
	pdf_form_row(g, _("状态"), code_name(&codes_slip_state, row->state), 0);
	pdf_form_row(g, _("经办人签字"), "", 36);
	pdf_form_row(g, _("负责人盖章"), "", 54);
	face_time(now, profile_now_us(profile), 0); /* a sheet of paper is read in another year too */
	snprintf(text, sizeof text, _("打印 %s　%s"), now,
		profile->session.name[0] ? profile->session.name : profile->session.user);
	pdf_form_note(g, text);
}

enum err slip_pdf_write(const struct view *v, const struct slip_row *row, const char *path, struct problem *p)
{
	struct pdf_page *paper;
	struct pdf_form form;
	enum err e = pdf_open(&paper, path, p);

	if (e)
		return e;
	pdf_form_begin(&form, paper, v->store->profile->rehearsal ? _("演　练") : NULL);
	draw(&form, v, row);
	pdf_form_end(&form);
	return pdf_close(paper, p);
}
