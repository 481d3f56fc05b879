#include "gbt9704.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "flow.h"
#include "lang.h"
#include "pdf_page.h"
#include "text.h"
#include "title_break.h"
#include "word_ends.h"

/* The measures of GB/T 9704-2012, as base lines: mm. Where it says "empty rows" they are rows of AREA_P. */
#define HEAD_TOP 72.0         /* 7.2.4: the head's upper edge is 35 mm below the type area's */
#define HEAD_TOP_LETTER 30.0  /* 10.1 */
#define HEAD_ABOVE 0.85       /* of its size: how high a character of it stands */
#define HEAD_SIZE_MOST 62.0   /* pt */
#define HEAD_SIZE_LETTER 46.0 /* a letter's head is quieter */
#define HEAD_SIZE_LEAST 30.0
#define HEAD_WIDTH 150.0
#define NUMBER_DOWN (2 * AREA_P + 7.5) /* 7.2.5: two rows below the head */
#define RED_RULE_DOWN 4.0              /* 7.2.7: below the number */
#define RED_RULE_THICK 0.7
#define TITLE_DOWN (2 * AREA_P + 8.1) /* 7.3.1: two rows below the red rule */
#define TITLE_SIZE 22.0               /* 二号 */
#define TEXT_DOWN (2 * AREA_P - 0.6)  /* 7.3.2: one row below the title */
#define LETTER_LEFT 20.0              /* 10.1: double rules of 170 mm */
#define LETTER_RIGHT 190.0
#define LETTER_RULE_DOWN 4.0
#define LETTER_FOOT 277.0 /* 20 mm above the paper's end */
#define LETTER_THICK 0.9
#define LETTER_THIN 0.3
#define LETTER_APART 0.45       /* of each from their middle */
#define LETTER_NUMBER_DOWN 4.94 /* 7/8 of a 三号 character */
#define LETTER_TITLE_DOWN 29.2  /* from the number's base line */
#define SMALL_SIZE 14.0         /* 四号, of the colophon and the page number */
#define SMALL_EM SET_EM(SMALL_SIZE)
#define COLOPHON_ROW 9.0  /* 7.4.1: its rules are 0.35 mm, between them 0.25 mm */
#define COLOPHON_BASE 6.4 /* of a row's base line, from its upper edge */
#define COLOPHON_THICK 0.35
#define COLOPHON_THIN 0.25
#define COLOPHON_APART 2.0 /* from the text above it */
#define COLOPHON_ROWS_MAX 24
#define NUMBER_BASE 270.7 /* 7.5: the page number is 7 mm below the type area */
#define NUMBER_APART 1.0  /* between its dashes and digits */
#define INDENT (2 * AREA_C)
#define TEXT_QUOTA (192u << 20)

struct making {
	const struct gbt9704 *doc;
	struct setting set;
	struct flow flow;
	double number_y, title_y; /* base lines of page 1 */
	double last_y;            /* and of the last line of all */
	unsigned last_page;
	bool too_many; /* organs that get copies, for one page */
	bool below;    /* the addressees stand in the colophon: they would leave no room for the text */
};

static const char *text_or(const char *text)
{
	return text ? text : "";
}

static struct set_text body_text(struct making *m, const char *text, enum pdf_font font)
{
	return set_text(&m->set, text, font, BODY_SIZE);
}

static const char *day_text(struct making *m, int32_t day, const char *behind)
{
	char *text = arena_printf(
		&m->set.arena, "%d年%d月%d日%s", day / 10000, day / 100 % 100, day % 100, behind);

	m->set.failed |= !text;
	return text_or(text);
}

static const char *join(struct making *m, const struct draft_list *list, const char *between)
{
	size_t size = 1;

	for (size_t i = 0; i < list->n; i++)
		size += strlen(list->items[i]) + strlen(between);
	char *text = m->set.failed ? NULL : arena_alloc(&m->set.arena, size), *end = text;
	m->set.failed |= !text;
	for (size_t i = 0; text && i < list->n; i++)
		end += sprintf(end, "%s%s", i ? between : "", list->items[i]);
	return text_or(text);
}

static bool is_letter(const struct making *m)
{
	return m->doc->layout == GBT_LETTER;
}

/* The head, as large as its width allows; its lower edge. */
static double set_head(struct making *m)
{
	double top = is_letter(m) ? HEAD_TOP_LETTER : HEAD_TOP,
	       size = is_letter(m) ? HEAD_SIZE_LETTER : HEAD_SIZE_MOST, narrow = 1;
	const char *behind = "文件";
	if (m->doc->layout == GBT_MINUTES)
		behind = "会议纪要";
	else if (is_letter(m))
		behind = "";
	const char *words = arena_printf(&m->set.arena, "%s%s", text_or(m->doc->organ), behind);

	m->set.failed |= !words;
	struct set_text text = set_text(&m->set, text_or(words), PDF_XIAOBIAOSONG, 1);
	double wide = set_width(text, SET_EM(1));
	if (wide * size > HEAD_WIDTH)
		size = HEAD_WIDTH / wide;
	if (size < HEAD_SIZE_LEAST) {
		narrow = size / HEAD_SIZE_LEAST;
		size = HEAD_SIZE_LEAST;
	}
	text = set_text(&m->set, text_or(words), PDF_XIAOBIAOSONG, size);
	set_narrow(&m->set, 1, AREA_MIDDLE - wide * size * narrow / 2, top + HEAD_ABOVE * SET_EM(size), text,
		narrow, PDF_RED);
	return top + (HEAD_ABOVE + EM_BELOW) * SET_EM(size);
}

/* Copy number and urgency: rows 1 and 2 as present; in a letter beside the number, which stands there. */
static void set_corner(struct making *m, double first)
{
	const char *urgency = text_or(m->doc->draft->urgency);
	double y = first;

	if (*text_or(m->doc->copy_number)) {
		set_at(&m->set, 1, AREA_LEFT, y, body_text(m, m->doc->copy_number, PDF_FANGSONG), BODY_EM,
			PDF_BLACK);
		y += AREA_P;
	}
	if (strcmp(urgency, "特急") == 0 || strcmp(urgency, "加急") == 0)
		set_at(&m->set, 1, AREA_LEFT, y, body_text(m, urgency, PDF_HEI), BODY_EM, PDF_BLACK);
}

static void set_double_rule(struct making *m, double y, bool thick_above)
{
	double thick = thick_above ? y - LETTER_APART : y + LETTER_APART,
	       thin = thick_above ? y + LETTER_APART : y - LETTER_APART;

	set_rule(&m->set, 1, LETTER_LEFT, LETTER_RIGHT, thick, LETTER_THICK, PDF_RED);
	set_rule(&m->set, 1, LETTER_LEFT, LETTER_RIGHT, thin, LETTER_THIN, PDF_RED);
}

static void set_number(struct making *m)
{
	struct set_text number = body_text(m, text_or(m->doc->number), PDF_FANGSONG);

	if (is_letter(m)) {
		set_to(&m->set, 1, AREA_RIGHT, m->number_y, number, BODY_EM);
	} else if (m->doc->layout == GBT_UP) {
		struct set_text signer = set_join(&m->set, body_text(m, "签发人：", PDF_FANGSONG),
			body_text(m, text_or(m->doc->signer), PDF_KAI));
		set_at(&m->set, 1, AREA_LEFT + AREA_C, m->number_y, number, BODY_EM, PDF_BLACK);
		set_to(&m->set, 1, AREA_RIGHT - AREA_C, m->number_y, signer, BODY_EM);
	} else {
		set_centred(&m->set, 1, AREA_MIDDLE, m->number_y, number, BODY_EM);
	}
}

/* All above the title; m->title_y is where that begins. */
static void set_top(struct making *m)
{
	double bottom = set_head(m);

	if (is_letter(m)) {
		double rule = bottom + LETTER_RULE_DOWN;
		set_double_rule(m, rule, true);
		set_double_rule(m, LETTER_FOOT, false);
		m->number_y = rule + LETTER_NUMBER_DOWN + EM_ABOVE * BODY_EM;
		m->title_y = m->number_y + LETTER_TITLE_DOWN;
		set_corner(m, m->number_y);
	} else {
		m->number_y = bottom + NUMBER_DOWN;
		double rule = m->number_y + EM_BELOW * BODY_EM + RED_RULE_DOWN;
		set_rule(&m->set, 1, AREA_LEFT, AREA_RIGHT, rule, RED_RULE_THICK, PDF_RED);
		m->title_y = rule + TITLE_DOWN;
		set_corner(m, AREA_ROW(1));
	}
	set_number(m);
}

/* The lines of a title from a base line on; that of the last one. */
static double set_title(struct making *m, unsigned page, double y, const char *title)
{
	bool inside[WORD_ENDS_MAX + 1];
	struct title_words words = {
		m->doc->names, m->doc->name_count, m->doc->words, m->doc->word_count, inside};
	size_t ends[TITLE_LINES_MAX], n, from = 0;

	word_ends(title, inside);
	n = title_break(title, &words, ends);
	m->set.failed |= !n;
	for (size_t i = 0; i < n; i++) {
		const char *line = arena_text(&m->set.arena, title + from, ends[i] - from);
		m->set.failed |= !line;
		set_centred(&m->set, page, AREA_MIDDLE, y + (double)i * AREA_P,
			set_text(&m->set, text_or(line), PDF_XIAOBIAOSONG, TITLE_SIZE), SET_EM(TITLE_SIZE));
		from = ends[i];
	}
	return y + (n ? (double)(n - 1) * AREA_P : 0);
}

static size_t digits_of(const char *text, const char *digits)
{
	size_t n = 0;
	int32_t code, digit;

	for (int used; (used = text_next(text + n, &code)) > 0; n += (size_t)used) {
		bool is_one = false;
		for (const char *d = digits; *d && !is_one; d += text_next(d, &digit))
			is_one = text_next(d, &digit) > 0 && digit == code;
		if (!is_one)
			break;
	}
	return n;
}

/* The font of a paragraph's heading: levels 一、 and （一） have one of their own, up to the first full
 * stop. */
static enum pdf_font heading(const char *text, size_t *length)
{
	static const char numbers[] = "一二三四五六七八九十百";
	bool bracket = strncmp(text, "（", strlen("（")) == 0;
	const char *behind = text + (bracket ? strlen("（") : 0), *close = bracket ? "）" : "、";
	size_t n = digits_of(behind, numbers);

	*length = 0;
	if (!n || strncmp(behind + n, close, strlen(close)) != 0)
		return PDF_FANGSONG;
	const char *stop = strstr(text, "。");
	*length = stop ? (size_t)(stop - text) + strlen("。") : strlen(text);
	return bracket ? PDF_KAI : PDF_HEI;
}

static void flow_body(struct making *m, struct flow *f, const char *text)
{
	size_t length;
	enum pdf_font font = heading(text, &length);
	const char *head = arena_text(&m->set.arena, text, length);

	m->set.failed |= !head;
	flow_paragraph(&m->set, f,
		set_join(&m->set, body_text(m, text_or(head), font),
			body_text(m, text + length, PDF_FANGSONG)),
		AREA_LEFT + INDENT, AREA_LEFT, 1);
	if (length && !text[length] && f->n && !m->set.failed)
		f->lines[f->n - 1].heads = true;
}

static size_t attachment_count(const struct gbt9704 *doc)
{
	return doc->draft->attachments.n ? doc->draft->attachments.n : doc->attachment_count;
}

/* The title of a text attachment; *body: what stands under it. */
static const char *annex_title(struct making *m, const struct gbt_attachment *a, const char **body)
{
	*body = text_or(a->body);
	if (*text_or(a->title))
		return a->title;
	size_t n = strcspn(*body, "\n");
	const char *title = arena_text(&m->set.arena, *body, n);
	m->set.failed |= !title;
	*body += n + ((*body)[n] != '\0');
	return text_or(title);
}

/* 附件名称后不加标点符号. */
static struct set_text without_end_mark(struct set_text text)
{
	while (text.n > 1 && wcschr(L"。，；、：,;.", (wchar_t)text.units[text.n - 1].code))
		text.n--;
	return text;
}

/* 7.3.4: the list under the text, numbers under each other when there are several. */
static void flow_attachments(struct making *m)
{
	const struct gbt9704 *doc = m->doc;
	size_t n = attachment_count(doc);
	struct set_text label = body_text(m, "附件：", PDF_FANGSONG);
	double numbers = AREA_LEFT + INDENT + set_width(label, AREA_C) + (AREA_C - BODY_EM), names = numbers;
	char number[32];

	for (size_t i = 0; n > 1 && i < n; i++) {
		snprintf(number, sizeof number, "%zu. ", i + 1);
		struct set_text text = body_text(m, number, PDF_FANGSONG);
		double width = 0;
		for (size_t k = 0; k < text.n; k++)
			width += text.units[k].width;
		names = fmax(names, numbers + width);
	}
	for (size_t i = 0; i < n; i++) {
		const char *body,
			*name = doc->draft->attachments.n ? doc->draft->attachments.items[i]
							  : annex_title(m, &doc->attachments[i], &body);
		size_t first = m->flow.n;
		flow_paragraph(&m->set, &m->flow, without_end_mark(body_text(m, name, PDF_FANGSONG)), names,
			names, i ? 1 : 2);
		if (first == m->flow.n || m->set.failed)
			continue;
		snprintf(number, sizeof number, "%zu.", i + 1);
		if (n > 1)
			flow_beside(&m->set, &m->flow, first, body_text(m, number, PDF_FANGSONG), numbers);
		if (!i)
			flow_beside(&m->set, &m->flow, first, label, AREA_LEFT + INDENT);
	}
}

/* 7.3.5: name and date, with room for a seal that covers both, or without. */
static void flow_signature(struct making *m)
{
	struct set_text name = body_text(m, text_or(m->doc->organ), PDF_FANGSONG),
			date = body_text(
				m, m->doc->dated ? day_text(m, m->doc->dated, "") : "", PDF_FANGSONG);
	double pitch = AREA_C, name_width = set_width(name, pitch), date_width = set_width(date, AREA_C),
	       name_x, date_x;
	double edge = AREA_RIGHT - INDENT; /* two characters are left free */
	double most = edge - AREA_LEFT;    /* a name that is longer stands closer */

	if (name_width > most && name.n > 1) {
		pitch -= (name_width - most) / (double)(name.n - 1);
		name_width = most;
	}
	if (!m->doc->plain) {
		date_x = AREA_RIGHT - 4 * AREA_C - date_width;
		name_x = date_x + date_width / 2 - name_width / 2;
		double beyond = fmax(name_x + name_width - edge, 0);
		name_x -= beyond;
		date_x -= beyond;
	} else if (date_width > name_width) {
		date_x = edge - date_width;
		name_x = date_x - INDENT;
	} else {
		name_x = edge - name_width;
		date_x = name_x + INDENT;
	}
	flow_line(&m->set, &m->flow, name, fmax(name_x, AREA_LEFT), pitch, m->doc->plain ? 2 : 3);
	flow_line(&m->set, &m->flow, date, date_x, AREA_C, 1);
}

/* 7.3.6: in brackets under the date; a 请示 names who can be asked. */
static void flow_note(struct making *m)
{
	const struct draft *d = m->doc->draft;
	const char *note = text_or(d->note), *contact = text_or(d->contact), *phone = text_or(d->phone);
	size_t n = strlen(note), bracket = strlen("（");
	bool has =
		n > 2 * bracket && strncmp(note, "（", bracket) == 0 && strcmp(note + n - bracket, "）") == 0;

	if (!*note && !*contact && !*phone)
		return;
	const char *own = has ? note + bracket : note, *person = "", *calls = "", *before = *note ? "；" : "";
	int own_size = (int)(has ? n - 2 * bracket : n);
	if (*contact)
		person = arena_printf(&m->set.arena, "%s联系人：%s", before, contact);
	if (*phone)
		calls = arena_printf(&m->set.arena, "%s联系电话：%s", *contact ? "，" : before, phone);
	const char *text = !person || !calls
		? NULL
		: arena_printf(&m->set.arena, "（%.*s%s%s）", own_size, own, person, calls);
	m->set.failed |= !text;
	flow_paragraph(&m->set, &m->flow, body_text(m, text_or(text), PDF_FANGSONG), AREA_LEFT + INDENT,
		AREA_LEFT, 1);
}

/* 10.3: who was there, in a 纪要; names hang behind the word. */
static void flow_people(struct making *m)
{
	const struct draft *d = m->doc->draft;
	const struct {
		const char *word;
		const struct draft_list *names;
	} rows[] = {{"出席：", &d->present}, {"请假：", &d->excused}, {"列席：", &d->observers}};
	double names = AREA_LEFT + INDENT + 3 * AREA_C, down = 2;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t first = m->flow.n;
		if (!rows[i].names->n)
			continue;
		flow_paragraph(&m->set, &m->flow, body_text(m, join(m, rows[i].names, "、"), PDF_FANGSONG),
			names, names, down);
		if (first < m->flow.n)
			flow_beside(&m->set, &m->flow, first, body_text(m, rows[i].word, PDF_HEI),
				AREA_LEFT + INDENT);
		down = 1;
	}
}

/* The text from page 1 to the note; false when nothing of it would stand there, or the signature alone on a
 * page.
 * */
static bool set_main(struct making *m)
{
	const struct draft *d = m->doc->draft;

	m->flow = (struct flow){0};
	if (d->to.n && !m->below)
		flow_paragraph(&m->set, &m->flow,
			set_join(&m->set, body_text(m, join(m, &d->to, "，"), PDF_FANGSONG),
				body_text(m, "：", PDF_FANGSONG)),
			AREA_LEFT, AREA_LEFT, 1);
	size_t body = m->flow.n;
	for (size_t i = 0; i < d->paragraph_count; i++)
		flow_body(m, &m->flow, d->paragraphs[i]);
	flow_attachments(m);
	size_t tail = m->flow.n;
	if (m->doc->layout == GBT_MINUTES)
		flow_people(m);
	else
		flow_signature(m);
	flow_note(m);
	m->flow.tail = m->doc->layout == GBT_MINUTES ? m->flow.n : tail;
	m->flow.first = body;
	return m->set.failed || flow_place(&m->flow, 1, m->title_y + TEXT_DOWN);
}

/* 7.3.7: an attachment that is text, from a new page on. */
static void set_attachment(struct making *m, size_t i)
{
	const struct gbt_attachment *a = &m->doc->attachments[i];
	const char *body, *title = annex_title(m, a, &body);
	unsigned number = a->number ? a->number : (unsigned)i + 1;
	char word[32];
	struct flow f = {0};

	m->last_page++;
	snprintf(word, sizeof word, attachment_count(m->doc) > 1 ? "附件%u" : "附件", number);
	set_at(&m->set, m->last_page, AREA_LEFT, AREA_ROW(1), body_text(m, word, PDF_HEI), BODY_EM,
		PDF_BLACK);
	m->last_y = set_title(m, m->last_page, AREA_TOP + TITLE_DOWN, title);
	for (const char *line = body; *line;) {
		const char *end = line + strcspn(line, "\n");
		const char *text = arena_text(&m->set.arena, line, (size_t)(end - line));
		m->set.failed |= !text;
		if (text && *text)
			flow_body(m, &f, text);
		line = *end ? end + 1 : end;
	}
	if (!f.n || m->set.failed)
		return;
	flow_place(&f, m->last_page, m->last_y + TEXT_DOWN);
	flow_set(&m->set, &f);
	m->last_page = f.lines[f.n - 1].page;
	m->last_y = f.lines[f.n - 1].y;
}

/* Lines of the colophon, in the small type, hanging behind their first word. */
struct colophon {
	struct set_text lines[COLOPHON_ROWS_MAX];
	double x[COLOPHON_ROWS_MAX];
	struct set_text word[COLOPHON_ROWS_MAX];
	size_t n;
	bool too_many; /* for a page */
};

static struct set_text small_text(struct making *m, const char *text)
{
	return set_text(&m->set, text, PDF_FANGSONG, SMALL_SIZE);
}

static void colophon_list(
	struct making *m, struct colophon *c, const char *word, const struct draft_list *list)
{
	static const struct line_grid grid = {SMALL_EM, SMALL_EM * 1.08, SMALL_EM};
	struct set_text label = small_text(m, word);
	double x = AREA_LEFT + SMALL_EM + set_width(label, SMALL_EM), room = AREA_RIGHT - SMALL_EM - x;

	if (!list->n)
		return;
	struct set_text all = set_join(&m->set, small_text(m, join(m, list, "，")), small_text(m, "。"));
	for (size_t at = 0; at < all.n; c->n++) {
		if (c->n == COLOPHON_ROWS_MAX) {
			c->too_many = true;
			return;
		}
		size_t n = line_end(all.units + at, all.n - at, room, &grid);
		c->lines[c->n] = (struct set_text){all.units + at, n, SMALL_SIZE};
		c->x[c->n] = x;
		if (!at)
			c->word[c->n] = label;
		at += n;
	}
}

static struct colophon colophon(struct making *m)
{
	struct colophon c = {.n = 0};

	if (m->below)
		colophon_list(m, &c, "主送：", &m->doc->draft->to);
	colophon_list(m, &c, "抄送：", &m->doc->draft->cc);
	return c;
}

/* 7.4: at the foot of an even page: who gets copies, who printed it and when. A letter has the first alone and
 * no rules (10.1). */
static void set_colophon(struct making *m, unsigned page, const struct colophon *c, double top)
{
	const struct gbt9704 *doc = m->doc;
	double y = top, left = AREA_LEFT + SMALL_EM, right = AREA_RIGHT - SMALL_EM;

	for (size_t i = 0; i < c->n; i++, y += COLOPHON_ROW) {
		if (c->word[i].n)
			set_at(&m->set, page, left, y + COLOPHON_BASE, c->word[i], SMALL_EM, PDF_BLACK);
		set_at(&m->set, page, c->x[i], y + COLOPHON_BASE, c->lines[i], SMALL_EM, PDF_BLACK);
	}
	if (is_letter(m))
		return;
	set_rule(&m->set, page, AREA_LEFT, AREA_RIGHT, top, COLOPHON_THICK, PDF_BLACK);
	if (c->n)
		set_rule(&m->set, page, AREA_LEFT, AREA_RIGHT, y, COLOPHON_THIN, PDF_BLACK);
	set_at(&m->set, page, left, y + COLOPHON_BASE, small_text(m, text_or(doc->printer)), SMALL_EM,
		PDF_BLACK);
	if (doc->printed)
		set_to(&m->set, page, right, y + COLOPHON_BASE,
			small_text(m, day_text(m, doc->printed, "印发")), SMALL_EM);
	set_rule(&m->set, page, AREA_LEFT, AREA_RIGHT, AREA_BOTTOM, COLOPHON_THICK, PDF_BLACK);
}

/* 7.5: outside of the type area, on the side that is not bound. */
static void set_page_number(struct making *m, unsigned page)
{
	char digits[16];
	struct set_text dash = set_text(&m->set, "—", PDF_SONG, SMALL_SIZE);

	snprintf(digits, sizeof digits, "%u", page);
	struct set_text number = set_text(&m->set, digits, PDF_SONG, SMALL_SIZE);
	double dash_width = set_width(dash, SMALL_EM), number_width = set_width(number, SMALL_EM);
	double width = 2 * (dash_width + NUMBER_APART) + number_width;
	double x = page % 2 ? AREA_RIGHT - SMALL_EM - width : AREA_LEFT + SMALL_EM;
	set_at(&m->set, page, x, NUMBER_BASE, dash, SMALL_EM, PDF_BLACK);
	set_at(&m->set, page, x + dash_width + NUMBER_APART, NUMBER_BASE, number, SMALL_EM, PDF_BLACK);
	set_at(&m->set, page, x + width - dash_width, NUMBER_BASE, dash, SMALL_EM, PDF_BLACK);
}

/* Both sides of every sheet: the colophon on the next even page when it does not fit under an even one's text.
 * Returns how many pages there are. */
static unsigned set_foot(struct making *m)
{
	struct colophon c = colophon(m);
	unsigned text_pages = m->last_page, pages = text_pages + text_pages % 2, numbered;

	m->too_many = c.too_many;
	double rows = (double)c.n + !is_letter(m), top = AREA_BOTTOM - rows * COLOPHON_ROW;
	if (is_letter(m)) /* its last line stands on the area's lower edge */
		top = AREA_BOTTOM - EM_BELOW * SMALL_EM - COLOPHON_BASE - (rows - 1) * COLOPHON_ROW;
	numbered = pages;
	if (rows > 0 && text_pages % 2 == 0 && m->last_y + EM_BELOW * BODY_EM + COLOPHON_APART > top) {
		numbered = text_pages;
		pages = text_pages + 2;
	}
	if (rows > 0)
		set_colophon(m, pages, &c, top);
	else
		numbered = text_pages; /* the back of a letter's last sheet */
	for (unsigned page = is_letter(m) ? 2 : 1; page <= numbered; page++)
		set_page_number(m, page);
	return pages;
}

static void set_document(struct making *m)
{
	set_top(m);
	m->title_y = set_title(m, 1, m->title_y, m->doc->draft->title);
	if (!set_main(m)) {
		m->below = true; /* 7.3.2: so that page 1 shows text */
		m->below = m->doc->draft->to.n && !colophon(m).too_many;
		set_main(m);
	}
	flow_set(&m->set, &m->flow);
	m->last_page = 1;
	m->last_y = m->title_y;
	if (m->flow.n && !m->set.failed) {
		m->last_page = m->flow.lines[m->flow.n - 1].page;
		m->last_y = m->flow.lines[m->flow.n - 1].y;
	}
	for (size_t i = 0; i < m->doc->attachment_count && !m->set.failed; i++)
		set_attachment(m, i);
}

/* Characters of a text's first line. */
static size_t first_line_length(const char *text)
{
	size_t n = 0;
	int32_t code;

	for (int used; (used = text_next(text, &code)) > 0 && code != '\n'; text += used)
		n++;
	return n;
}

static enum err check_titles(const struct gbt9704 *doc, struct problem *p)
{
	bool fits = first_line_length(doc->draft->title) <= TITLE_MAX;

	for (size_t i = 0; i < doc->attachment_count; i++) {
		const struct gbt_attachment *a = &doc->attachments[i];
		fits &= first_line_length(*text_or(a->title) ? a->title : text_or(a->body)) <= TITLE_MAX;
	}
	return fits ? ERR_OK
		    : problem_set(p, ERR_TOO_LARGE, NULL, NULL, _("标题超过 %d 字，排不下"), TITLE_MAX);
}

/* The file is of the day of its document, so that printing it again makes the same. */
static void set_about(struct making *m)
{
	int32_t day = m->doc->printed ? m->doc->printed : m->doc->dated;
	char when[40];

	snprintf(when, sizeof when, "%04d-%02d-%02dT00:00:00+08:00", day / 10000, day / 100 % 100, day % 100);
	pdf_about(m->set.paper, m->doc->draft->title, day ? when : NULL);
}

enum err gbt9704_print(const char *path, const struct gbt9704 *doc, unsigned *pages, struct problem *p)
{
	struct making m = {.doc = doc};
	enum err e = check_titles(doc, p);

	if (!e)
		e = pdf_open(&m.set.paper, path, p);
	if (e)
		return e;
	arena_init(&m.set.arena, TEXT_QUOTA);
	set_document(&m);
	unsigned n = m.set.failed ? 0 : set_foot(&m);
	if (m.set.failed || m.too_many) {
		e = m.too_many || m.set.arena.refused == ERR_TOO_LARGE ? ERR_TOO_LARGE : ERR_NOMEM;
		pdf_discard(m.set.paper);
		arena_free(&m.set.arena);
		return problem_set(p, e, NULL, NULL, m.too_many ? _("抄送机关太多，版记一页排不下") : NULL);
	}
	set_about(&m);
	set_draw(&m.set, n, doc->practice ? "演　练" : NULL);
	arena_free(&m.set.arena);
	if (pages)
		*pages = n;
	return pdf_close(m.set.paper, p);
}
