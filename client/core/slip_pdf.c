#include "slip_pdf.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "clock.h"
#include "codes.h"
#include "tables.h"
#include "transition.h"
#include "value.h"

/* A4 with the side margins of GB/T 9704, 28 mm and 26 mm; points. */
#define PAGE_W 595.28
#define PAGE_H 841.89
#define MARGIN_TOP 72.0 /* the form must fit one page: less than the 37 mm of a letter */
#define MARGIN_LEFT 79.4
#define TEXT_W (PAGE_W - MARGIN_LEFT - 73.7)
#define LABEL_W 92
#define TEXT_SIZE 11
#define PADDING 4
#define FONT "FangSong, STFangsong, Noto Serif CJK SC, serif"

struct page {
	cairo_t *cr;
	PangoLayout *layout;
	double y;
};

static int set_text(struct page *g, const char *text, double size, bool bold, double width)
{
	PangoFontDescription *font = pango_font_description_from_string(FONT);
	int height;

	pango_font_description_set_size(font, (int)(size * PANGO_SCALE));
	pango_font_description_set_weight(font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
	pango_layout_set_font_description(g->layout, font);
	pango_font_description_free(font);
	pango_layout_set_width(g->layout, (int)(width * PANGO_SCALE));
	pango_layout_set_wrap(g->layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_text(g->layout, text, -1);
	pango_layout_get_pixel_size(g->layout, NULL, &height);
	return height;
}

static void draw_at(struct page *g, double x, double y)
{
	cairo_move_to(g->cr, x, y);
	pango_cairo_show_layout(g->cr, g->layout);
}

static void title(struct page *g, const char *text)
{
	pango_layout_set_alignment(g->layout, PANGO_ALIGN_CENTER);
	int height = set_text(g, text, 20, true, TEXT_W);
	draw_at(g, MARGIN_LEFT, g->y);
	pango_layout_set_alignment(g->layout, PANGO_ALIGN_LEFT);
	g->y += height + 18;
}

/* A framed row: label left, value right, as high as the value needs. */
static void row_line(struct page *g, const char *label, const char *value, double least)
{
	double height = set_text(g, value, TEXT_SIZE, false, TEXT_W - LABEL_W - 12) + 2 * PADDING;

	if (height < least)
		height = least;
	draw_at(g, MARGIN_LEFT + LABEL_W + 6, g->y + PADDING);
	set_text(g, label, TEXT_SIZE, true, LABEL_W - 12);
	draw_at(g, MARGIN_LEFT + 6, g->y + PADDING);
	cairo_set_line_width(g->cr, 0.6);
	cairo_rectangle(g->cr, MARGIN_LEFT, g->y, LABEL_W, height);
	cairo_rectangle(g->cr, MARGIN_LEFT + LABEL_W, g->y, TEXT_W - LABEL_W, height);
	cairo_stroke(g->cr);
	g->y += height;
}

/* On paper a time needs neither its zone nor seconds. */
static const char *paper_text(const struct record *r, int field, char *out, size_t size)
{
	value_show(r, field, false, out, size);
	if (strcmp(r->kind->fields[field].check, "time") == 0 && strlen(out) > 16) {
		out[10] = ' ';
		out[16] = 0;
	}
	return out;
}

static void field_line(struct page *g, const struct record *r, int field)
{
	char text[2048];

	if (record_has(r, field))
		row_line(g, tr(r->kind->fields[field].label, r->kind->fields[field].label_en),
			paper_text(r, field, text, sizeof text), 0);
}

/* "M10 声称入学未报到；M51 拒绝入学" */
static void codes_text(const struct record *slip, char *out, size_t size)
{
	char codes[256], *rest = NULL;

	*out = 0;
	record_text(slip, F_SLIP_CODES, codes, sizeof codes);
	for (char *code = strtok_r(codes, ", ;", &rest); code; code = strtok_r(NULL, ", ;", &rest)) {
		const char *word = code_name(&codes_mismatch, code);
		snprintf(out + strlen(out), size - strlen(out), "%s%s %s", *out ? tr("；", "; ") : "", code,
			word ? word : "");
	}
}

static void half_line(struct page *g, const struct view *v, const struct item *half, const char *label)
{
	char name[256], code[16], text[1024], received[64], answered[64], outcome[64], note[512];

	if (!half)
		return;
	const struct record *r = &half->record;
	school_name(v, record_text(r, F_SLIP_ADDRESSEE_SCHOOL, code, sizeof code), name, sizeof name);
	paper_text(r, F_SLIP_ADDRESSEE_RECEIVED_AT, received, sizeof received);
	paper_text(r, F_SLIP_ADDRESSEE_ANSWERED_AT, answered, sizeof answered);
	value_show(r, F_SLIP_ADDRESSEE_OUTCOME, false, outcome, sizeof outcome);
	value_show(r, F_SLIP_ADDRESSEE_NOTE, false, note, sizeof note);
	snprintf(text, sizeof text,
		tr("%s（%s）\n签收 %s\n回复 %s %s %s", "%s (%s)\nreceived %s\nanswered %s %s %s"), name, code,
		*received ? received : "________________", *answered ? answered : "________________", outcome,
		note);
	row_line(g, label, text, 64);
}

static void rehearsal_mark(struct page *g)
{
	cairo_save(g->cr);
	cairo_translate(g->cr, PAGE_W / 2, PAGE_H / 2);
	cairo_rotate(g->cr, -M_PI / 6);
	cairo_set_source_rgba(g->cr, 0.8, 0, 0, 0.15);
	set_text(g, tr("演　练", "REHEARSAL"), 96, true, PAGE_W);
	pango_layout_set_alignment(g->layout, PANGO_ALIGN_CENTER);
	draw_at(g, -PAGE_W / 2, -60);
	pango_layout_set_alignment(g->layout, PANGO_ALIGN_LEFT);
	cairo_restore(g->cr);
}

static void draw(struct page *g, const struct view *v, const struct slip_row *row)
{
	static const int fields[] = {F_SLIP_NO, F_SLIP_NAME, F_SLIP_CERT_NO, F_SLIP_STUDENT_NO};
	static const int times[] = {F_SLIP_SEVERITY, F_SLIP_FOUND_AT, F_SLIP_ISSUE_DUE, F_SLIP_ISSUED_AT,
		F_SLIP_RESOLVE_DUE, F_SLIP_ROUND, F_SLIP_REVIEW_REASON};
	const struct profile *profile = v->store->profile;
	const struct record *slip = &row->slip->record;
	char codes[1024], text[512], now[TIME_TEXT_SIZE];
	bool source_is_mine = record_is(slip, F_SLIP_SOURCE, profile->school);

	snprintf(text, sizeof text, "%s\n%s", profile->county_name,
		tr("小升初未入学学生交办单", "work order: pupil not enrolled"));
	title(g, text);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		field_line(g, slip, fields[i]);
	codes_text(slip, codes, sizeof codes);
	row_line(g, tr("问题", "codes"), codes, 0);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		if (record_has(slip, times[i]))
			field_line(g, slip, times[i]);
	const struct item *source = source_is_mine ? row->mine : row->other,
			  *home = source_is_mine ? row->other : row->mine;
	half_line(g, v, source, tr("生源小学", "source school"));
	half_line(g, v, home, tr("责任初中", "home school"));
	row_line(g, tr("状态", "state"), code_name(&codes_slip_state, row->state), 0);
	row_line(g, tr("经办人签字", "signed"), "", 36);
	row_line(g, tr("负责人盖章", "head, seal"), "", 54);
	time_format(now, profile_now_us(profile));
	snprintf(text, sizeof text, tr("打印 %s　%s", "printed %s by %s"), now, profile->session.user);
	set_text(g, text, 9, false, TEXT_W);
	draw_at(g, MARGIN_LEFT, g->y + 8);
	if (profile->rehearsal)
		rehearsal_mark(g);
}

enum err slip_pdf_write(const struct view *v, const struct slip_row *row, const char *path, struct problem *p)
{
	char temporary[1024];

	snprintf(temporary, sizeof temporary, "%s.new", path);
	cairo_surface_t *surface = cairo_pdf_surface_create(temporary, PAGE_W, PAGE_H);
	struct page g = {.cr = cairo_create(surface), .y = MARGIN_TOP};
	g.layout = pango_cairo_create_layout(g.cr);
	draw(&g, v, row);
	cairo_show_page(g.cr);
	g_object_unref(g.layout);
	cairo_destroy(g.cr);
	errno = 0;
	cairo_surface_finish(surface);
	bool full = errno == ENOSPC || errno == EDQUOT,
	     done = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;
	cairo_surface_destroy(surface);
	if (done && rename(temporary, path) == 0)
		return ERR_OK;
	unlink(temporary);
	if (full)
		return problem_set(p, ERR_DISK_FULL, NULL, NULL,
			tr("磁盘已满，写不了 %s", "the disk is full, cannot write %s"), path);
	return problem_set(p, ERR_FILE_IO, NULL, NULL, tr("写不了 %s", "cannot write %s"), path);
}
