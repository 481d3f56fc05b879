#include "setting.h"

#include <string.h>

#include "text.h"

/* What is narrower than this part of its em keeps its own width, and so do letters of Latin, however wide. */
#define FULL_LEAST 0.75
#define FULL_FROM 0x2000

struct set_mark {
	struct set_mark *next;
	unsigned page;
	double x, y, size, narrow;
	int32_t code;
	uint8_t font, ink;
};

struct set_rule {
	struct set_rule *next;
	unsigned page;
	double left, right, y, thickness;
	enum pdf_ink ink;
};

static void *room(struct setting *s, size_t n)
{
	void *p = s->failed ? NULL : arena_alloc(&s->arena, n);

	if (!p)
		s->failed = true;
	return p;
}

struct set_text set_text(struct setting *s, const char *text, enum pdf_font font, double size)
{
	struct set_text out = {room(s, (text_length(text) + 1) * sizeof *out.units), 0, size};
	struct pdf_type type = {.font = font, .size = size};
	int32_t code;
	int used;

	if (!out.units)
		return out;
	while ((used = text_next(text, &code)) > 0) {
		double width = pdf_glyph_width(s->paper, type, code) / PDF_MM;
		out.units[out.n++] = (struct line_unit){.code = code,
			.font = (uint8_t)font,
			.full = code >= FULL_FROM && width >= FULL_LEAST * SET_EM(size),
			.width = width};
		text += used;
	}
	return out;
}

struct set_text set_join(struct setting *s, struct set_text a, struct set_text b)
{
	struct set_text out = {room(s, (a.n + b.n + 1) * sizeof *out.units), 0, a.size};

	if (!out.units || !a.units || !b.units)
		return out;
	memcpy(out.units, a.units, a.n * sizeof *a.units);
	memcpy(out.units + a.n, b.units, b.n * sizeof *b.units);
	out.n = a.n + b.n;
	return out;
}

double set_width(struct set_text text, double pitch)
{
	return line_width(text.units, text.n, pitch, SET_EM(text.size));
}

static void put(struct setting *s, struct set_mark mark)
{
	struct set_mark *kept = mark.code == ' ' || mark.code == 0x3000 ? NULL : room(s, sizeof *kept);

	if (!kept)
		return;
	*kept = mark;
	if (s->last_mark)
		s->last_mark->next = kept;
	else
		s->marks = kept;
	s->last_mark = kept;
}

void set_at(struct setting *s, unsigned page, double x, double y, struct set_text text, double pitch,
	enum pdf_ink ink)
{
	for (size_t i = 0; i < text.n; i++) {
		const struct line_unit *u = &text.units[i];
		put(s,
			(struct set_mark){.page = page,
				.x = x,
				.y = y,
				.size = text.size,
				.narrow = 1,
				.code = u->code,
				.font = u->font,
				.ink = (uint8_t)ink});
		x += line_step(u, pitch);
	}
}

void set_narrow(struct setting *s, unsigned page, double x, double y, struct set_text text, double narrow,
	enum pdf_ink ink)
{
	for (size_t i = 0; i < text.n; i++) {
		const struct line_unit *u = &text.units[i];
		put(s,
			(struct set_mark){.page = page,
				.x = x,
				.y = y,
				.size = text.size,
				.narrow = narrow,
				.code = u->code,
				.font = u->font,
				.ink = (uint8_t)ink});
		x += line_step(u, SET_EM(text.size)) * narrow;
	}
}

void set_to(struct setting *s, unsigned page, double right, double y, struct set_text text, double pitch)
{
	set_at(s, page, right - set_width(text, pitch), y, text, pitch, PDF_BLACK);
}

void set_centred(
	struct setting *s, unsigned page, double middle, double y, struct set_text text, double pitch)
{
	set_at(s, page, middle - set_width(text, pitch) / 2, y, text, pitch, PDF_BLACK);
}

void set_rule(struct setting *s, unsigned page, double left, double right, double y, double thickness,
	enum pdf_ink ink)
{
	struct set_rule *rule = room(s, sizeof *rule);

	if (!rule)
		return;
	*rule = (struct set_rule){s->rules, page, left, right, y, thickness, ink};
	s->rules = rule;
}

static void draw_page(struct setting *s, const struct set_mark **at, unsigned page)
{
	/* Pages are set one after another, but for their numbers and the colophon, which come last. */
	for (const struct set_mark *m = *at; m; m = m->next)
		if (m->page == page)
			pdf_glyph(s->paper, m->x * PDF_MM, m->y * PDF_MM,
				(struct pdf_type){(enum pdf_font)m->font, m->size, m->narrow},
				(enum pdf_ink)m->ink, m->code);
	for (const struct set_rule *r = s->rules; r; r = r->next)
		if (r->page == page)
			pdf_rule(s->paper, r->left * PDF_MM, r->right * PDF_MM, r->y * PDF_MM,
				r->thickness * PDF_MM, r->ink);
	while (*at && (*at)->page <= page)
		*at = (*at)->next;
}

void set_draw(struct setting *s, unsigned pages, const char *across)
{
	const struct set_mark *at = s->marks;

	for (unsigned page = 1; page <= pages; page++) {
		if (across)
			pdf_watermark(s->paper, across);
		draw_page(s, &at, page);
		pdf_end_sheet(s->paper);
	}
}
