#include "schools.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "codes.h"
#include "lang.h"
#include "client_service.h"
#include "tables.h"
#include "text.h"
#include "way.h"

#define NAME_SIZE 256
#define NEAR_MAX 3

static bool is_school(const struct item *item)
{
	return item->live && item->record.kind->number == KIND_SCHOOL;
}

static const struct record *by_code(const struct view *v, const char *code)
{
	for (size_t i = 0; *code && i < v->n; i++)
		if (is_school(v->items[i]) && record_is(&v->items[i]->record, F_SCHOOL_CODE, code))
			return &v->items[i]->record;
	return NULL;
}

const char *school_name(const struct view *v, const char *code, char *out, size_t size)
{
	const struct record *r = by_code(v, code);

	*out = 0;
	return r ? record_text(r, F_SCHOOL_NAME, out, size) : out;
}

const char *school_face(const struct view *v, const char *code, char *out, size_t size)
{
	if (strcmp(code, "bureau") == 0)
		snprintf(out, size, "%s", _("县教育局"));
	else if (!*school_name(v, code, out, size))
		snprintf(out, size, "%s", code);
	return out;
}

static bool school_word(const struct view *v, const struct record *r, int field, char *out, size_t size)
{
	char code[64];

	if (strcmp(r->kind->fields[field].check, "school_code") != 0)
		return false;
	school_face(v, record_text(r, field, code, sizeof code), out, size);
	return true;
}

unsigned school_stages(const struct view *v, const char *code)
{
	const struct record *r = by_code(v, code);
	char type[8];
	unsigned stages = r ? school_type_stages(record_text(r, F_SCHOOL_TYPE, type, sizeof type)) : 0;

	return stages ? stages : ~0u;
}

static bool has_juniors(const struct record *school)
{
	char type[8];

	return (school_type_stages(record_text(school, F_SCHOOL_TYPE, type, sizeof type)) & STAGE_JUNIOR) !=
		0;
}

int school_likeness(const char *name, const char *code, const char *text)
{
	int32_t c;
	int n = 0;

	if (isdigit((unsigned char)*text)) {
		for (size_t i = 0; text[i] && code[i]; i++)
			n += text[i] == code[i];
		return n;
	}
	for (int step; (step = text_next(text, &c)) > 0; text += step) {
		char glyph[8];
		snprintf(glyph, sizeof glyph, "%.*s", step, text);
		n += strstr(name, glyph) != NULL;
	}
	return n;
}

static int likeness(const struct record *school, const char *text)
{
	char name[NAME_SIZE], code[16];

	return school_likeness(record_text(school, F_SCHOOL_NAME, name, sizeof name),
		record_text(school, F_SCHOOL_CODE, code, sizeof code), text);
}

/* 相近的有 测试县第一初级中学（3132…）、… */
static void near(const struct view *v, const char *text, char *out, size_t size)
{
	const struct record *best[NEAR_MAX] = {NULL};
	char name[NAME_SIZE], code[16], names[HINT_SIZE - 64] = "";

	*out = 0;
	for (size_t i = 0; i < v->n; i++) {
		if (!is_school(v->items[i]) || !has_juniors(&v->items[i]->record))
			continue;
		const struct record *r = &v->items[i]->record;
		for (size_t k = 0; k < NEAR_MAX; k++) {
			if (best[k] && likeness(best[k], text) >= likeness(r, text))
				continue;
			const struct record *moved = best[k];
			best[k] = r;
			r = moved;
			if (!r)
				break;
		}
	}
	for (size_t k = 0; k < NEAR_MAX && best[k]; k++) {
		record_text(best[k], F_SCHOOL_NAME, name, sizeof name);
		record_text(best[k], F_SCHOOL_CODE, code, sizeof code);
		if (strlen(names) + strlen(name) + strlen(code) + 40 < sizeof names &&
			strlen(names) + strlen(name) + strlen(code) + 64 < size)
			snprintf(names + strlen(names), sizeof names - strlen(names), _("%s%s（%s）"),
				k ? _("、") : "", name, code);
	}
	if (names[0])
		snprintf(out, size, _("相近的有 %s"), names);
}

static bool same_name(const struct record *school, const char *text)
{
	char name[NAME_SIZE], a[NAME_SIZE], b[NAME_SIZE];

	record_text(school, F_SCHOOL_NAME, name, sizeof name);
	return text_name_key(a, sizeof a, name) == ERR_OK && text_name_key(b, sizeof b, text) == ERR_OK &&
		strcmp(a, b) == 0;
}

/* Schools with juniors whose name is the text, or holds it. */
static const struct record *by_name(const struct view *v, const char *text, bool part, size_t *n)
{
	const struct record *found = NULL;
	char name[NAME_SIZE];

	*n = 0;
	for (size_t i = 0; i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		if (!is_school(v->items[i]) || !has_juniors(r))
			continue;
		if (part ? strstr(record_text(r, F_SCHOOL_NAME, name, sizeof name), text) != NULL
			 : same_name(r, text)) {
			found = r;
			++*n;
		}
	}
	return found;
}

const struct record *school_find_junior(const struct view *v, const char *text)
{
	const struct record *r = by_code(v, text);
	size_t n;

	if (r)
		return has_juniors(r) ? r : NULL;
	r = by_name(v, text, false, &n);
	if (!n && *text)
		r = by_name(v, text, true, &n);
	return n == 1 ? r : NULL;
}

/* Who goes elsewhere, later or nowhere gives no school of the county, and a code that the register does not
 * have says nothing by itself. */
static enum err judge_elsewhere(
	const struct view *v, char kind, const char *code, const char *name, bool placed, struct problem *p)
{
	const char *hint = _("县内升学改填县内的去向类别；去外地的填地区和校名（--place）");
	const struct record *r = by_code(v, code);
	char own[NAME_SIZE];
	size_t n = 0;

	if (!r && !*code && *name && !placed)
		by_name(v, name, false, &n);
	if (r || n)
		return problem_set(p, ERR_INVALID, r ? "dest_school" : "dest_school_name", hint,
			_("%s是县内学校，这个去向类别不填县内学校"),
			r ? record_text(r, F_SCHOOL_NAME, own, sizeof own) : name);
	if (*code && kind != 'B')
		return problem_set(
			p, ERR_INVALID, "dest_school", _("去掉学校标识码"), _("这个去向类别没有升入学校"));
	if (*code && !*name && !placed)
		return problem_set(
			p, ERR_INVALID, "dest_school", hint, _("县内没有学校标识码为 %s 的学校"), code);
	return ERR_OK;
}

/* Who is promoted inside a through-school stays in it. */
static enum err judge_promoted(const struct view *v, const struct record *to, struct problem *p)
{
	const struct record *own = by_code(v, v->store->profile->school);

	if (!to && own && !has_juniors(own))
		return problem_set(p, ERR_INVALID, "category",
			way_hint(_("%s 去向类别 列出去向类别"), way("list_codes")),
			_("本校没有初中部，不能一贯制直升"));
	if (to && own && to != own)
		return problem_set(p, ERR_INVALID, "category",
			way_hint(_("升入别的学校请填相应的去向类别：%s 去向类别"), way("list_codes")),
			_("一贯制直升是升入本校的初中部"));
	return ERR_OK;
}

/* The server's destination_judge (sql/functions), rule by rule. */
enum err school_judge(const struct view *v, const struct record *d, struct problem *p)
{
	char category[8], code[16], name[NAME_SIZE], own[NAME_SIZE], hint[HINT_SIZE];
	bool known = false;
	size_t n = 0;

	for (size_t i = 0; i < v->n && !known; i++)
		known = is_school(v->items[i]) && has_juniors(&v->items[i]->record);
	record_text(d, F_DESTINATION_CATEGORY, category, sizeof category);
	record_text(d, F_DESTINATION_DEST_SCHOOL, code, sizeof code);
	record_text(d, F_DESTINATION_DEST_SCHOOL_NAME, name, sizeof name);
	if (!known || !*category)
		return ERR_OK;
	if (category[0] != 'A')
		return judge_elsewhere(v, category[0], code, name, record_has(d, F_DESTINATION_PLACE), p);
	const struct record *r = by_code(v, code);
	const char *like = name;
	if (*code && !r)
		like = code;
	else if (!*name && r)
		like = record_text(r, F_SCHOOL_NAME, own, sizeof own);
	near(v, like, hint, sizeof hint);
	if (*code && !r)
		return problem_set(
			p, ERR_INVALID, "dest_school", hint, _("没有学校标识码为 %s 的学校"), code);
	if (r && !has_juniors(r))
		return problem_set(p, ERR_INVALID, "dest_school", hint,
			_("%s（%s）不招初中学生，不能作为升入学校"),
			record_text(r, F_SCHOOL_NAME, own, sizeof own), code);
	if (r && *name && !same_name(r, name))
		return problem_set(p, ERR_INVALID, "dest_school_name", _("留下标识码或校名中对的一个"),
			_("学校标识码 %s 是%s，与填写的“%s”不一致"), code,
			record_text(r, F_SCHOOL_NAME, own, sizeof own), name);
	/* A special school may be outside the register; an ordinary one is in it. */
	if (!*code && strchr("1234", category[1])) {
		r = *name ? by_name(v, name, false, &n) : NULL;
		if (*name && n != 1)
			return problem_set(p, ERR_INVALID, "dest_school_name", hint,
				n ? _("叫“%s”的初中不止一所，请填学校标识码") : _("没有叫“%s”的初中"), name);
	}
	return strcmp(category, "A4") == 0 ? judge_promoted(v, r, p) : ERR_OK;
}

const struct client_service client_county = {
	.name = "county",
	.kinds = (const uint32_t[]){KIND_SCHOOL, KIND_CATCHMENT, 0},
	.word = school_word,
};
