#include "draft.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "lang.h"
#include "text.h"

const struct draft_genre *draft_genre(const char *name)
{
	static const struct draft_genre genres[] = {{"决定", DRAFT_DOWN}, {"通报", DRAFT_DOWN},
		{"通知", DRAFT_DOWN | DRAFT_LEVEL}, {"意见", DRAFT_UP | DRAFT_DOWN | DRAFT_LEVEL},
		{"报告", DRAFT_UP}, {"请示", DRAFT_UP}, {"批复", DRAFT_DOWN}, {"函", DRAFT_LEVEL},
		{"通告", DRAFT_NONE}, {"纪要", DRAFT_NONE | DRAFT_DOWN}, {"决议", 0}, {"命令", 0},
		{"公报", 0}, {"公告", 0}, {"议案", 0}};

	for (size_t i = 0; i < sizeof genres / sizeof *genres; i++)
		if (strcmp(genres[i].name, name) == 0)
			return &genres[i];
	return NULL;
}

enum line_form { LINE_TEXT, LINE_LIST, LINE_QUESTIONS };

struct line_name {
	const char *name;
	size_t offset; /* in struct draft */
	enum line_form form;
	bool required;
};

static const struct line_name line_names[] = {{"标题", offsetof(struct draft, title), LINE_TEXT, true},
	{"文种", offsetof(struct draft, genre), LINE_TEXT, true},
	{"公开", offsetof(struct draft, publicity), LINE_TEXT, true},
	{"公开理由", offsetof(struct draft, publicity_reason), LINE_TEXT, false},
	{"紧急程度", offsetof(struct draft, urgency), LINE_TEXT, false},
	{"标识", offsetof(struct draft, mark), LINE_TEXT, false},
	{"密级", offsetof(struct draft, secrecy), LINE_TEXT, false},
	{"答复", offsetof(struct draft, reply_to), LINE_TEXT, false},
	{"越级理由", offsetof(struct draft, skip_reason), LINE_TEXT, false},
	{"联系人", offsetof(struct draft, contact), LINE_TEXT, false},
	{"联系电话", offsetof(struct draft, phone), LINE_TEXT, false},
	{"附注", offsetof(struct draft, note), LINE_TEXT, false},
	{"主送", offsetof(struct draft, to), LINE_LIST, false},
	{"抄送", offsetof(struct draft, cc), LINE_LIST, false},
	{"请示事项", offsetof(struct draft, matters), LINE_LIST, false},
	{"附件", offsetof(struct draft, attachments), LINE_LIST, false},
	{"出席", offsetof(struct draft, present), LINE_LIST, false},
	{"请假", offsetof(struct draft, excused), LINE_LIST, false},
	{"列席", offsetof(struct draft, observers), LINE_LIST, false}, {"反馈", 0, LINE_QUESTIONS, false}};

#define LINE_COUNT (sizeof line_names / sizeof *line_names)

/* A file while it is read. */
struct reader {
	struct draft *draft;
	struct arena *arena;
	struct problem *p;
	char *at; /* what is left, our own copy; NULL: nothing */
	long row;
	unsigned seen; /* bit i: line_names[i] was there */
};

static enum err problem_at_row(const struct reader *r, enum err e)
{
	if (r->p)
		r->p->row = r->row;
	return e;
}

static enum err no_room(const struct reader *r)
{
	return problem_set(r->p, r->arena->refused, NULL, NULL, NULL);
}

/* ---- characters ---- */

/* How many bytes the first of these marks takes that s begins with, 0 for none. */
static size_t mark_at(const char *s, const char *const marks[2])
{
	for (int i = 0; i < 2; i++)
		if (strncmp(s, marks[i], strlen(marks[i])) == 0)
			return strlen(marks[i]);
	return 0;
}

static const char *const colons[2] = {"：", ":"}, *const semicolons[2] = {"；", ";"},
			 *const bars[2] = {"|", "｜"}, *const ats[2] = {"@", "＠"},
			 *const commas[2] = {",", "，"};

/* Cuts s at the first mark and answers what stands behind it, NULL without one. */
static char *cut(char *s, const char *const marks[2])
{
	for (; *s; s++) {
		size_t n = mark_at(s, marks);
		if (n) {
			*s = 0;
			return s + n;
		}
	}
	return NULL;
}

/* Without the blanks at both ends, in place. */
static char *trim(char *s)
{
	char *end = s, *from = s;
	int32_t c;

	for (int step; (step = text_next(from, &c)) > 0; from += step) {
		if (!text_is_space(c))
			end = from + step;
		else if (end == s)
			s = end = from + step;
	}
	*end = 0;
	return s;
}

/* The next line without its end, which is LF, CR or both; NULL behind the last. */
static char *line_next(struct reader *r)
{
	char *line = r->at;

	if (!line || !*line)
		return NULL;
	r->row++;
	size_t n = strcspn(line, "\r\n");
	r->at = line[n] ? line + n + 1 + (line[n] == '\r' && line[n + 1] == '\n') : NULL;
	line[n] = 0;
	return line;
}

/* Tabs and what a word processor leaves for a break in a line are blanks; other characters that no text may
 * hold are refused, so that nobody signs what he cannot see. */
static enum err line_clean(const struct reader *r, char *line)
{
	for (char *s = line; *s; s++)
		if (*s == '\t' || *s == '\v' || *s == '\f')
			*s = ' ';
	int32_t c = text_forbidden(line, strlen(line));
	return c ? problem_at_row(r,
			   problem_set(r->p, ERR_INVALID, NULL, _("删去它，再运行同一条命令"),
				   _("这一行里有不能保存的字符 U+%04X"), (unsigned)c))
		 : ERR_OK;
}

/* ---- values ---- */

/* The parts of text between marks, without blanks and empty ones. */
static enum err list_read(const struct reader *r, struct draft_list *out, char *text, const char *name,
	const char *const marks[2])
{
	size_t n = 1;

	for (const char *s = text; *s; s++)
		n += mark_at(s, marks) > 0;
	out->items = arena_alloc(r->arena, n * sizeof *out->items);
	if (!out->items)
		return no_room(r);
	for (char *next; text; text = next) {
		next = cut(text, marks);
		text = trim(text);
		if (*text)
			out->items[out->n++] = text;
	}
	if (out->n > DRAFT_LIST_MAX)
		return problem_at_row(r,
			problem_set(r->p, ERR_TOO_LARGE, name,
				_("合并成“小学”“全县学校”这样的统称，或分成几份"),
				_("“%s”有 %zu 项，最多 %d 项"), name, out->n, DRAFT_LIST_MAX));
	return ERR_OK;
}

static enum err question_bad(const struct reader *r, const char *what)
{
	return problem_at_row(r,
		problem_set(r->p, ERR_INVALID, "反馈",
			_("写成“问题|number”“问题|choice|甲,乙”，类型有 "
			  "number、date、text、file、choice，后面可加"
			  "“@统计期”"),
			"%s", what));
}

static enum err choices_read(const struct reader *r, struct draft_question *q, char *text)
{
	enum err e = list_read(r, &q->choices, text, "反馈", commas);

	if (e)
		return e;
	if (!q->choices.n)
		return question_bad(r, _("选择题没有写可选的答案"));
	for (size_t i = 1; i < q->choices.n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(q->choices.items[i], q->choices.items[k]) == 0)
				return question_bad(r, _("选择题里有两个相同的答案"));
	return ERR_OK;
}

/* label|type[|choices][@period] */
static enum err question_read(const struct reader *r, struct draft_question *q, char *text)
{
	static const char *const types[] = {[DRAFT_NUMBER] = "number",
		[DRAFT_DATE] = "date",
		[DRAFT_TEXT] = "text",
		[DRAFT_FILE] = "file",
		[DRAFT_CHOICE] = "choice"};
	char *type = cut(text, bars);
	char *period = type ? cut(type, ats) : NULL, *choices = type ? cut(type, bars) : NULL;
	size_t i = 0;

	q->label = trim(text);
	q->period = period ? trim(period) : "";
	if (!type)
		return question_bad(r, _("反馈的问题后面没有写类型"));
	if (!*q->label)
		return question_bad(r, _("反馈里有一项没有写问题"));
	type = trim(type);
	while (i < sizeof types / sizeof *types && strcmp(types[i], type) != 0)
		i++;
	if (i == sizeof types / sizeof *types)
		return question_bad(r, _("反馈的类型不认识"));
	q->type = (enum draft_answer)i;
	if (q->type == DRAFT_CHOICE && !choices)
		return question_bad(r, _("选择题没有写可选的答案"));
	if (q->type == DRAFT_CHOICE)
		return choices_read(r, q, choices);
	return choices ? question_bad(r, _("只有选择题才写可选的答案")) : ERR_OK;
}

/* A line of its own for each question is the same as one line for all: the keys go on. */
static enum err questions_read(const struct reader *r, char *text)
{
	struct draft_list items = {0};
	struct draft *d = r->draft;
	enum err e = list_read(r, &items, text, "反馈", semicolons);

	if (!e && !d->questions &&
		!(d->questions = arena_alloc(r->arena, DRAFT_QUESTIONS_MAX * sizeof *d->questions)))
		return no_room(r);
	for (size_t i = 0; !e && i < items.n; i++) {
		if (d->question_count == DRAFT_QUESTIONS_MAX)
			return problem_at_row(r,
				problem_set(r->p, ERR_TOO_LARGE, "反馈", _("只问一定要问的"),
					_("反馈最多 %d 个问题"), DRAFT_QUESTIONS_MAX));
		struct draft_question *q = &d->questions[d->question_count];
		/* items are our own copy of the file */
		e = question_read(r, q, (char *)(uintptr_t)items.items[i]);
		d->question_count++;
		if (!e && !(q->key = arena_printf(r->arena, "q%zu", d->question_count)))
			return no_room(r);
	}
	return e;
}

static enum err value_read(const struct reader *r, const struct line_name *line, char *value)
{
	char *member = (char *)r->draft + line->offset;

	switch (line->form) {
	case LINE_LIST:
		return list_read(r, (struct draft_list *)(void *)member, value, line->name, semicolons);
	case LINE_QUESTIONS:
		return questions_read(r, value);
	default:
		*(const char **)(void *)member = trim(value);
		return ERR_OK;
	}
}

/* ---- lines ---- */

static enum err line_read(struct reader *r, char *line)
{
	char *value = cut(line, colons), *name = trim(line);
	size_t i = 0;

	if (!value)
		return problem_at_row(r,
			problem_set(r->p, ERR_INVALID, NULL, _("写成“名：值”；正文写在 --- 这一行之后"),
				_("这一行没有冒号，不知道是哪一项")));
	while (i < LINE_COUNT && strcmp(line_names[i].name, name) != 0)
		i++;
	if (i == LINE_COUNT)
		return problem_at_row(r,
			problem_set(r->p, ERR_INVALID, name,
				_("可写的有标题、文种、公开、公开理由、主送、抄送、紧急程度、标识、"
				  "答复、请示事项、"
				  "越级理由、联系人、联系电话、附注、附件、出席、请假、列席、反馈"),
				_("公文稿里没有“%s”这一项"), name));
	if (r->seen & 1u << i && line_names[i].form != LINE_QUESTIONS)
		return problem_at_row(r,
			problem_set(r->p, ERR_INVALID, name, _("只留一行；有几个的，写在一行里，用“；”隔开"),
				_("“%s”写了两次"), name));
	r->seen |= 1u << i;
	return value_read(r, &line_names[i], value);
}

/* Up to the line ---, which must be there. */
static enum err head_read(struct reader *r)
{
	enum err e = ERR_OK;

	for (char *line; !e && (line = line_next(r));) {
		e = line_clean(r, line);
		line = e ? line : trim(line);
		if (!e && strcmp(line, "---") == 0)
			return ERR_OK;
		if (!e && *line)
			e = line_read(r, line);
	}
	return e ? e
		 : problem_set(r->p, ERR_INVALID, NULL, _("各项写完另起一行写 ---，正文写在它后面"),
			   _("没有 --- 这一行，分不清哪里是正文"));
}

/* The rest: what is kept of it is never longer than it was. */
static enum err body_read(struct reader *r)
{
	struct draft *d = r->draft;
	char *body = arena_alloc(r->arena, (r->at ? strlen(r->at) : 0) + 2), *end = body;
	enum err e = ERR_OK;

	if (!body)
		return no_room(r);
	for (char *line; !e && (line = line_next(r));) {
		e = line_clean(r, line);
		line = trim(line);
		if (e || !*line)
			continue;
		end = stpcpy(end, line);
		*end++ = '\n';
		d->paragraph_count++;
	}
	if (e)
		return e;
	char *parts = arena_text(r->arena, body, (size_t)(end - body));
	d->paragraphs = arena_alloc(r->arena, (d->paragraph_count + 1) * sizeof *d->paragraphs);
	if (!parts || !d->paragraphs)
		return no_room(r);
	for (size_t i = 0; i < d->paragraph_count; i++) {
		d->paragraphs[i] = parts;
		parts += strcspn(parts, "\n");
		*parts++ = 0;
	}
	d->body = body;
	return ERR_OK;
}

/* ---- the whole ---- */

static enum err missing(const struct reader *r, const char *name)
{
	return problem_set(
		r->p, ERR_MISSING, name, _("补上再运行同一条命令；各项写成“名：值”"), _("缺少“%s”"), name);
}

/* One of the words, or nothing. */
static bool is_one_of(const char *value, const char *const words[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(value, words[i]) == 0)
			return true;
	return !*value;
}

/* A 标识 that speaks of a secret is left to R07, which keeps nothing of the file. */
static enum err words_check(const struct reader *r)
{
	static const char *const urgencies[] = {"平件", "加急", "特急"},
				 *const marks[] = {"内部", "工作秘密"};
	const struct draft *d = r->draft;

	if (!is_one_of(d->urgency, urgencies, 3))
		return problem_set(r->p, ERR_INVALID, "紧急程度", _("写平件、加急或特急"),
			_("没有“%s”这种紧急程度"), d->urgency);
	if (!is_one_of(d->mark, marks, 2) && !strstr(d->mark, "密") && !strstr(d->mark, "★"))
		return problem_set(r->p, ERR_INVALID, "标识", _("写内部或工作秘密，或不写"),
			_("没有“%s”这种标识"), d->mark);
	return ERR_OK;
}

/* Our own copy in the normal form NFC, in which all text is stored. A BOM is a blank before the first name. */
static enum err copy_make(struct reader *r, const char *bytes, size_t n)
{
	utf8proc_uint8_t *composed = NULL;
	size_t good = text_utf8_prefix(bytes, n);

	if (good < n) {
		r->row = 1;
		for (size_t i = 0; i < good; i++)
			r->row += bytes[i] == '\n';
		return problem_at_row(r,
			problem_set(r->p, ERR_INVALID, NULL, _("在记事本里用“文件 → 另存为”，编码选 UTF-8"),
				_("这一行不是 UTF-8 编码的文字")));
	}
	utf8proc_ssize_t m = utf8proc_map((const utf8proc_uint8_t *)bytes, (utf8proc_ssize_t)n, &composed,
		(utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
	if (m < 0)
		return problem_set(
			r->p, m == UTF8PROC_ERROR_NOMEM ? ERR_NOMEM : ERR_INVALID, NULL, NULL, NULL);
	r->at = arena_text(r->arena, composed, (size_t)m);
	free(composed);
	return r->at ? ERR_OK : no_room(r);
}

enum err draft_parse(struct draft *out, const char *bytes, size_t n, struct arena *arena, struct problem *p)
{
	struct reader r = {.draft = out, .arena = arena, .p = p};
	enum err e;

	*out = (struct draft){.body = ""};
	for (size_t i = 0; i < LINE_COUNT; i++)
		if (line_names[i].form == LINE_TEXT)
			*(const char **)(void *)((char *)out + line_names[i].offset) = "";
	if (n > DRAFT_BYTES_MAX)
		return problem_set(p, ERR_TOO_LARGE, NULL, _("表格和名单另作附件"), _("公文稿超过 %u KB"),
			DRAFT_BYTES_MAX >> 10);
	e = copy_make(&r, bytes, n);
	e = e ? e : head_read(&r);
	e = e ? e : body_read(&r);
	for (size_t i = 0; !e && i < LINE_COUNT; i++)
		if (line_names[i].required && !**(const char **)(void *)((char *)out + line_names[i].offset))
			e = missing(&r, line_names[i].name);
	if (!e && !out->paragraph_count)
		e = missing(&r, "正文");
	if (!e && strlen(out->title) > DRAFT_TITLE_MAX)
		e = problem_set(p, ERR_TOO_LARGE, "标题", _("把标题缩短"), _("标题超过 %d 个字"),
			DRAFT_TITLE_MAX / 3);
	return e ? e : words_check(&r);
}
