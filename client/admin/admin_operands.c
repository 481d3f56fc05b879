/* What was typed becomes what the server knows, before a command looks at it: part of a school's name its
 * code, a person's name the log-in, a row of the last list the record's id, a paper's number the form that
 * it has. What an operand or an option takes is the word that help shows for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "document_number.h"
#include "lang.h"
#include "schools.h"
#include "tables.h"

/* a bare number up to here is a row of the last list; certificate numbers are longer */
#define SHOWN_DIGITS_MAX 7

/* ---- Schools ---- */

#define NEAR_MAX 3

/* Those that hold the text, else the nearest ones, best first: how many there are. */
static size_t near_schools(
	const pb_school_list *list, const char *text, bool holding, const pb_school_row *best[NEAR_MAX])
{
	size_t found = 0;

	for (size_t i = 0; i < list->n_school; i++) {
		const pb_school_row *s = list->school[i];
		size_t k = found < NEAR_MAX ? found : NEAR_MAX;
		if (holding ? !strstr(s->name, text) : !school_likeness(s->name, s->code, text))
			continue;
		found++;
		while (k > 0 &&
			school_likeness(best[k - 1]->name, best[k - 1]->code, text) <
				school_likeness(s->name, s->code, text)) {
			if (k < NEAR_MAX)
				best[k] = best[k - 1];
			k--;
		}
		if (k < NEAR_MAX)
			best[k] = s;
	}
	return found;
}

/* The code of the only school that the text names; NULL with c->problem, which ones it may have been. */
static const char *named_school(struct cli *c, const pb_school_list *list, const char *text, char code[16])
{
	const pb_school_row *best[NEAR_MAX] = {NULL};
	char names[HINT_SIZE - 64] = "", hint[HINT_SIZE] = "";

	for (size_t i = 0; i < list->n_school; i++)
		if (strcmp(list->school[i]->name, text) == 0) {
			snprintf(code, 16, "%s", list->school[i]->code);
			return code;
		}
	size_t holding = near_schools(list, text, true, best);
	if (holding == 1) {
		snprintf(code, 16, "%s", best[0]->code);
		return code;
	}
	if (!holding)
		near_schools(list, text, false, best);
	for (size_t k = 0; k < NEAR_MAX && best[k]; k++)
		if (strlen(names) + strlen(best[k]->name) + 48 < sizeof names)
			snprintf(names + strlen(names), sizeof names - strlen(names), _("%s%s（%s）"),
				k ? _("、") : "", best[k]->name, best[k]->code);
	if (names[0])
		snprintf(hint, sizeof hint, _("是不是 %s"), names);
	problem_set(&c->problem, ERR_NOT_FOUND, "school", hint[0] ? hint : _("jgadmin schools list 列出学校"),
		holding ? _("名称里有“%s”的学校不止一所") : _("没有叫“%s”的学校"), text);
	return NULL;
}

static bool is_code(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/* *text, part of a school's name, becomes its code. */
static enum err find_school(struct cli *c, const char **text)
{
	static char code[CLI_OPTIONS_MAX][16];
	static size_t next;
	pb_empty q = PB_EMPTY_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;

	if (is_code(*text))
		return ERR_OK; /* the server knows whether there is one */
	enum err e = admin_ask(c, METHOD_COUNTY_LIST_SCHOOLS, &q.base, &arena, &reply);
	const char *found = e
		? NULL
		: named_school(c, (const pb_school_list *)reply, *text, code[next++ % CLI_OPTIONS_MAX]);
	arena_free(&arena);
	if (found)
		*text = found;
	if (e)
		return e;
	if (found)
		return ERR_OK;
	return ERR_NOT_FOUND;
}

/* ---- People ---- */

/* The log-in behind the one officer of that name; the text itself where there is none, which the server then
 * refuses by its own words. */
static enum err named_officer(struct cli *c, const pb_setup_list *list, const char **text)
{
	static char login[CLI_OPTIONS_MAX][64];
	static size_t next;
	char all[HINT_SIZE] = "";
	const char *found = NULL;
	size_t same = 0;

	for (size_t i = 0; i < list->n_row; i++) {
		const pb_setup_row *p = list->row[i];
		if (strcmp(p->what, "officer") != 0 || strcmp(p->name, *text) != 0)
			continue;
		found = p->value;
		if (same++ < 4)
			snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", *all ? _("、") : "",
				p->value);
	}
	if (same > 1)
		return problem_set(
			&c->problem, ERR_NOT_FOUND, "user", all, _("叫“%s”的人不止一位，请写帐号"), *text);
	if (found) {
		char *out = login[next++ % CLI_OPTIONS_MAX];
		snprintf(out, sizeof login[0], "%s", found);
		*text = out;
	}
	return ERR_OK;
}

/* A log-in is ASCII; what is not is somebody's name. */
static enum err find_officer(struct cli *c, const char **text)
{
	pb_empty q = PB_EMPTY_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	enum err e = ERR_OK;

	for (const char *p = *text; *p; p++)
		if (*p & 0x80) {
			if (!admin_ask(c, METHOD_DOCUMENTS_LIST_SETUP, &q.base, &arena, &reply))
				e = named_officer(c, (const pb_setup_list *)reply, text);
			arena_free(&arena);
			break;
		}
	return e;
}

/* A name that no officer has is a school's. */
static enum err find_addressee(struct cli *c, const char **text)
{
	const char *typed = *text;
	enum err e = find_officer(c, text);
	bool name = false;

	for (const char *p = *text; *p; p++)
		name |= (*p & 0x80) != 0;
	return e || *text != typed || !name ? e : find_school(c, text);
}

/* ---- Rows of the last list ---- */

static void shown_path(const struct cli *c, char *out, size_t size)
{
	snprintf(out, size, "%s/shown.json", c->profile.dir);
}

void admin_shown_keep(const struct cli *c, const char *list, json_t *ids)
{
	char path[512];

	shown_path(c, path, sizeof path);
	json_t *all = c->json ? NULL : json_load_file(path, 0, NULL);
	if (!c->json) {
		if (!all)
			all = json_object();
		json_object_set(all, list, ids);
		if (json_dump_file(all, path, JSON_COMPACT))
			cli_warn(c, _("序号没有记住（%s 写不了），下一条命令请写证件号码"), path);
	}
	json_decref(all);
	json_decref(ids);
}

static enum err find_shown(struct cli *c, const char *list, const char *command, const char **operand)
{
	static char found[4][80]; /* one command names two records at most; a pair is two ids */
	static unsigned next;
	char path[512], hint[128];
	const char *id, *text = *operand;

	if (strlen(text) > SHOWN_DIGITS_MAX || !*text || text[strspn(text, "0123456789.")])
		return ERR_OK;
	shown_path(c, path, sizeof path);
	json_t *all = json_load_file(path, 0, NULL);
	id = json_string_value(json_object_get(json_object_get(all, list), text));
	if (id) {
		char *out = found[next++ % 4];
		snprintf(out, sizeof found[0], "%s", id);
		*operand = out;
	}
	json_decref(all);
	if (id)
		return ERR_OK;
	bool pupils = strcmp(list, "mismatches") == 0 || strcmp(list, "proofs") == 0;
	snprintf(hint, sizeof hint,
		pupils ? _("运行 jgadmin %s 看序号，或写证件号码")
		       : _("运行 jgadmin %s 重新列一次，写那里的序号"),
		command);
	return problem_set(&c->problem, ERR_NOT_FOUND, NULL, hint, _("上次列出的名单里没有序号 %s"), text);
}

bool admin_shown_find(struct cli *c, const char *list, const char *command, const char **operand)
{
	if (!find_shown(c, list, command, operand))
		return true;
	cli_fail(c);
	return false;
}

/* ---- All of them ---- */

static const struct taker {
	const char *word; /* what help shows for the operand or the option */
	enum err (*find)(struct cli *c, const char **text);
	const char *list, *command; /* a paper's number, or the row of a list */
} takers[] = {
	{"SCHOOL", find_school, NULL, NULL},
	{"USER", find_officer, NULL, NULL},
	{"USER|SCHOOL", find_addressee, NULL, NULL},
	{"DOC", NULL, "documents", "documents list"},
	{"ORDER", NULL, "orders", "documents orders list"},
	{"MEETING", NULL, "meetings", "meetings list"},
};

static enum err take(struct cli *c, const char *word, size_t n, const char **text)
{
	static char number[DOCUMENT_NUMBER_SIZE];

	for (size_t i = 0; i < sizeof takers / sizeof *takers; i++) {
		const struct taker *t = &takers[i];
		if (strncmp(t->word, word, n) != 0 || t->word[n])
			continue;
		if (t->find)
			return t->find(c, text);
		*text = document_number_typed(number, *text);
		return find_shown(c, t->list, t->command, text);
	}
	return ERR_OK;
}

static enum err take_operands(struct cli *c)
{
	const char *word = c->command->operands;
	enum err e = ERR_OK;

	for (int i = 0; !e && i < c->operands && *word; i++) {
		word += strspn(word, " [");
		size_t n = strcspn(word, " ]…");
		e = take(c, word, n, &c->operand[i]);
		word += strcspn(word, " ");
	}
	return e;
}

static enum err take_options(struct cli *c)
{
	enum err e = ERR_OK;

	for (int i = 0; !e && i < c->options; i++)
		for (const struct cli_option *o = c->command->options; !e && o && o->name; o++)
			if (o->value && strcmp(o->name, c->option[i].name) == 0)
				e = take(c, o->value, strlen(o->value), &c->option[i].value);
	return e;
}

int admin_prepare(struct cli *c)
{
	if (!(c->command->needs & CLI_LOGGED_IN))
		return 0;
	enum err e = take_operands(c);
	if (!e)
		e = take_options(c);
	return e ? cli_fail(c) : 0;
}
