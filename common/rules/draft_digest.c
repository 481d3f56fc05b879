#include "draft_digest.h"

#include <stdio.h>
#include <string.h>

#include "normal_form.h"
#include "text.h"

void draft_hex(char out[DRAFT_HEX_SIZE], const uint8_t hash[HASH_SIZE])
{
	for (size_t i = 0; i < HASH_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

/* SHA-256 without a label. */
static void sha256(uint8_t out[HASH_SIZE], const void *bytes, size_t n)
{
	hash_parts(out, "", &(struct part){bytes, n}, 1);
}

/* Where the lines are written: counted first, then into `out`. */
struct lines {
	char *out;
	size_t n;
};

static void put(struct lines *l, const char *text)
{
	size_t n = strlen(text);

	if (l->out)
		memcpy(l->out + l->n, text, n);
	l->n += n;
}

static void put_names(struct lines *l, const struct draft_list *names)
{
	for (size_t i = 0; i < names->n; i++) {
		put(l, i ? ";" : "");
		put(l, names->items[i]);
	}
}

static void lines_put(struct lines *l, const struct draft *d, const struct draft_file_hash *files, size_t n)
{
	uint8_t body[HASH_SIZE];
	char hex[DRAFT_HEX_SIZE];
	size_t length = strlen(d->body);

	sha256(body, d->body, length && d->body[length - 1] == '\n' ? length - 1 : length);
	draft_hex(hex, body);
	put(l, "jg document version\ntitle=");
	put(l, d->title);
	put(l, "\ngenre=");
	put(l, d->genre);
	put(l, "\nto=");
	put_names(l, &d->to);
	put(l, "\ncc=");
	put_names(l, &d->cc);
	put(l, "\ntext=");
	put(l, hex);
	put(l, "\n");
	for (size_t i = 0; i < n; i++) {
		draft_hex(hex, files[i].sha256);
		put(l, "file=");
		put(l, hex);
		put(l, " ");
		put(l, files[i].name);
		put(l, "\n");
	}
}

enum err draft_digest_lines(const char **out, const struct draft *d, const struct draft_file_hash *files,
	size_t n, struct arena *arena)
{
	struct lines l = {0};

	*out = "";
	for (size_t i = 0; i < n; i++)
		if (text_forbidden(files[i].name, strlen(files[i].name)))
			return ERR_INVALID;
	lines_put(&l, d, files, n);
	l.out = arena_alloc(arena, l.n + 1);
	if (!l.out)
		return arena->refused;
	l.n = 0;
	lines_put(&l, d, files, n);
	*out = l.out;
	return ERR_OK;
}

enum err draft_digest(uint8_t out[HASH_SIZE], const struct draft *d, const struct draft_file_hash *files,
	size_t n, struct arena *arena)
{
	const char *lines;
	enum err e = draft_digest_lines(&lines, d, files, n, arena);

	memset(out, 0, HASH_SIZE);
	if (!e)
		sha256(out, lines, strlen(lines));
	return e;
}

#define FORM_ONLY (NORMAL_NO_MARKS | NORMAL_NUMBERS)

/* `*same` is cleared when the texts differ in more than form. */
static enum err text_compare(bool *same, const char *a, const char *b, struct arena *arena)
{
	const char *x, *y;

	if (!*same || strcmp(a, b) == 0)
		return ERR_OK;
	enum err e = normal_form(&x, a, strlen(a), FORM_ONLY, arena);
	e = e ? e : normal_form(&y, b, strlen(b), FORM_ONLY, arena);
	if (!e)
		*same = strcmp(x, y) == 0;
	return e;
}

static enum err names_compare(
	bool *same, const struct draft_list *a, const struct draft_list *b, struct arena *arena)
{
	enum err e = ERR_OK;

	*same = *same && a->n == b->n;
	for (size_t i = 0; !e && *same && i < a->n; i++)
		e = text_compare(same, a->items[i], b->items[i], arena);
	return e;
}

/* What schools are asked: nobody is bound to another question than he has seen. */
static enum err questions_compare(
	bool *same, const struct draft *a, const struct draft *b, struct arena *arena)
{
	enum err e = ERR_OK;

	*same = *same && a->question_count == b->question_count;
	for (size_t i = 0; !e && *same && i < a->question_count; i++) {
		const struct draft_question *x = &a->questions[i], *y = &b->questions[i];
		*same = x->type == y->type;
		e = text_compare(same, x->label, y->label, arena);
		e = e ? e : text_compare(same, x->period, y->period, arena);
		e = e ? e : names_compare(same, &x->choices, &y->choices, arena);
	}
	return e;
}

enum err draft_same_substance(
	bool *same, const struct draft_version *a, const struct draft_version *b, struct arena *arena)
{
	enum err e;

	*same = a->file_count == b->file_count;
	for (size_t i = 0; *same && i < a->file_count; i++)
		*same = memcmp(a->files[i].sha256, b->files[i].sha256, HASH_SIZE) == 0;
	*same = *same && strcmp(a->draft->mark, b->draft->mark) == 0 &&
		strcmp(a->draft->publicity, b->draft->publicity) == 0;
	e = text_compare(same, a->draft->title, b->draft->title, arena);
	e = e ? e : text_compare(same, a->draft->body, b->draft->body, arena);
	e = e ? e : names_compare(same, &a->draft->to, &b->draft->to, arena);
	e = e ? e : names_compare(same, &a->draft->cc, &b->draft->cc, arena);
	e = e ? e : questions_compare(same, a->draft, b->draft, arena);
	*same = !e && *same;
	return e;
}

enum err draft_question_key(const char **out, const char *label, const char *period, struct arena *arena)
{
	const char *x = "", *y = "";
	unsigned forms = NORMAL_LOWER | NORMAL_NO_MARKS;

	*out = "";
	enum err e = normal_form(&x, label, strlen(label), forms, arena);
	e = e ? e : normal_form(&y, period, strlen(period), forms, arena);
	char *key = e ? NULL : arena_printf(arena, "%s\n%s", x, y);
	if (key)
		*out = key;
	if (e)
		return e;
	if (key)
		return ERR_OK;
	return arena->refused;
}

const struct draft_minutes draft_minutes_default = {.base = 1,
	.characters = 400,
	.answer = {[DRAFT_NUMBER] = 2,
		[DRAFT_DATE] = 1,
		[DRAFT_TEXT] = 5,
		[DRAFT_FILE] = 10,
		[DRAFT_CHOICE] = 1}};

int64_t draft_cost(const struct draft *d, const struct draft_minutes *minutes)
{
	int64_t characters = 0, cost = minutes->base;

	for (size_t i = 0; i < d->paragraph_count; i++)
		characters += (int64_t)text_length(d->paragraphs[i]);
	if (minutes->characters > 0)
		cost += (characters + minutes->characters - 1) / minutes->characters;
	for (size_t i = 0; i < d->question_count; i++)
		cost += minutes->answer[d->questions[i].type];
	return cost;
}
