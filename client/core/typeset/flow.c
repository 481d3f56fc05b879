#include "flow.h"

#include <string.h>

#define COMPANY 2       /* lines of text that come along with a tail to its page */
#define PITCH_MOST 6.02 /* mm: a line of 26 characters still reaches both sides */

static const struct line_grid grid = {AREA_C, PITCH_MOST, BODY_EM};

static void add(struct setting *s, struct flow *f, struct flow_line line)
{
	if (f->n == f->room) {
		size_t more = f->room ? 2 * f->room : 64;
		struct flow_line *lines = s->failed ? NULL : arena_alloc(&s->arena, more * sizeof *lines);
		if (!lines) {
			s->failed = true;
			return;
		}
		if (f->n)
			memcpy(lines, f->lines, f->n * sizeof *lines);
		f->lines = lines;
		f->room = more;
	}
	f->lines[f->n++] = line;
	f->tail = f->n;
}

void flow_line(struct setting *s, struct flow *f, struct set_text text, double x, double pitch, double down)
{
	add(s, f, (struct flow_line){.text = text, .x = x, .pitch = pitch, .down = down});
}

void flow_beside(struct setting *s, struct flow *f, size_t line, struct set_text text, double x)
{
	struct flow_line *l = &f->lines[line];

	if (s->failed || l->beside_count == BESIDE_MAX)
		return;
	l->beside[l->beside_count].text = text;
	l->beside[l->beside_count++].x = x;
}

void flow_paragraph(
	struct setting *s, struct flow *f, struct set_text text, double first, double rest, double down)
{
	for (size_t at = 0; at < text.n && !s->failed;) {
		double x = at ? rest : first, room = AREA_RIGHT - x;
		struct set_text line = {
			text.units + at, line_end(text.units + at, text.n - at, room, &grid), text.size};
		bool last = at + line.n == text.n;
		add(s, f,
			(struct flow_line){.text = line,
				.x = x,
				.pitch = last ? AREA_C : line_pitch(line.units, line.n, room, &grid),
				.down = at ? 1 : down});
		at += line.n;
	}
}

static void place_from(struct flow *f, size_t i, unsigned page, double y)
{
	for (size_t first = i;; i++) {
		f->lines[i].page = page;
		f->lines[i].y = y;
		if (i + 1 == f->n)
			return;
		y += f->lines[i + 1].down * AREA_P;
		if (y <= LAST_BASE_LINE)
			continue;
		if (f->lines[i].heads && i > first && i > f->first && f->lines[i - 1].page == page)
			i--; /* the heading comes along */
		page++;
		y = AREA_ROW(1);
		first = i + 1;
	}
}

/* The tail goes to the next page when it does not fit, and takes lines along; one stays for the page they
 * leave. */
static bool keep_tail(struct flow *f)
{
	size_t company = 0;

	if (f->tail == f->n)
		return true;
	if (!f->tail)
		return false;
	unsigned last = f->lines[f->tail - 1].page;
	if (f->lines[f->n - 1].page == last)
		return true;
	while (company < COMPANY && f->tail - company >= 2 && f->lines[f->tail - company - 2].page == last)
		company++;
	place_from(f, f->tail - company, last + 1, AREA_ROW(1));
	return company > 0;
}

bool flow_place(struct flow *f, unsigned page, double y)
{
	if (!f->n)
		return true;
	place_from(f, 0, page, y);
	bool kept = keep_tail(f);
	return kept && y <= LAST_BASE_LINE && (f->first >= f->n || f->lines[f->first].page == page);
}

void flow_set(struct setting *s, const struct flow *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct flow_line *line = &f->lines[i];
		for (size_t k = 0; k < line->beside_count; k++)
			set_at(s, line->page, line->beside[k].x, line->y, line->beside[k].text, AREA_C,
				PDF_BLACK);
		set_at(s, line->page, line->x, line->y, line->text, line->pitch, PDF_BLACK);
	}
}
