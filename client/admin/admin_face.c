/* Codes, schools and times as people read them: names instead of numbers. JSON keeps the codes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "clock.h"
#include "codes.h"
#include "date.h"
#include "face.h"
#include "lang.h"
#include "schools.h"
#include "tables.h"

/* ---- schools ---- */

void admin_schools(struct cli *c)
{
	pb_empty q = PB_EMPTY_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	struct problem before = c->problem;

	if (c->json || c->data)
		return;
	if (!admin_ask(c, METHOD_COUNTY_LIST_SCHOOLS, &q.base, &arena, &reply)) {
		const pb_school_list *list = (const pb_school_list *)reply;
		json_t *names = json_object();
		for (size_t i = 0; i < list->n_school; i++)
			json_object_set_new(names, list->school[i]->code, json_string(list->school[i]->name));
		c->data = names;
	}
	c->problem = before; /* without names the codes are shown: the list itself is what was asked for */
	arena_free(&arena);
}

const char *admin_choose_first(const struct cli *c)
{
	static const struct {
		unsigned role;
		const char *command;
	} rows[] = {{ROLE_SYSADMIN, "users list"}, {ROLE_SECADMIN, "users list"},
		{ROLE_AUDITOR, "audit verify"}, {ROLE_BASIC_EDU, "schools list"}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (profile_has_role(&c->profile, 1u << rows[i].role))
			return rows[i].command;
	return _("transition summary --year 年度");
}

void admin_finish(struct cli *c)
{
	json_decref(c->data);
	c->data = NULL;
}

const char *admin_school(const struct cli *c, const char *code)
{
	if (!code || !*code)
		return "";
	if (strcmp(code, "bureau") == 0)
		return _("县局");
	const char *name = json_string_value(json_object_get(c->data, code));
	return name ? name : code;
}

const char *admin_school_list(const struct cli *c, char *const *codes, size_t n, char *out, size_t size)
{
	size_t used = 0;

	out[0] = 0;
	for (size_t i = 0; i < n && used < size; i++)
		used += (size_t)snprintf(
			out + used, size - used, "%s%s", i ? _("、") : "", admin_school(c, codes[i]));
	return out;
}

/* ---- codes ---- */

const char *admin_word(const struct code_list *list, const char *code)
{
	const char *word = code && *code ? code_name(list, code) : "";

	return word ? word : code;
}

const char *admin_words(const struct code_list *list, char *const *codes, size_t n, char *out, size_t size)
{
	size_t used = 0;

	out[0] = 0;
	for (size_t i = 0; i < n && used < size; i++)
		used += (size_t)snprintf(
			out + used, size - used, "%s%s", i ? _("；") : "", admin_word(list, codes[i]));
	return out;
}

const char *admin_state(const char *state)
{
	return state && strcmp(state, "OUTSIDE") == 0 ? _("名单外") : admin_word(&codes_pupil_state, state);
}

const char *admin_field(uint32_t kind, const char *name)
{
	const struct kind *k = kind_by_number(kind);
	int i = kind_field_index(k, name);

	return i < 0 ? name : lang_declared(k->fields[i].label, k->fields[i].label_en);
}

const char *admin_value(
	const struct cli *c, uint32_t kind, const char *name, const char *text, char *out, size_t size)
{
	const struct kind *k = kind_by_number(kind);
	int i = kind_field_index(k, name);
	const char *check = i < 0 ? "" : k->fields[i].check;
	const struct code_list *list = strncmp(check, "codes:", 6) == 0 ? code_list_by_name(check + 6) : NULL;
	int32_t date;
	char face[FACE_SIZE];

	if (!text)
		text = "";
	if (list)
		text = admin_word(list, text);
	else if (strcmp(check, "school_code") == 0)
		text = admin_school(c, text);
	else if (strcmp(check, "date") == 0 && *text && !date_parse(text, DATE_EPOCH_1900, &date))
		text = face_date(face, date);
	else if (i >= 0 && k->fields[i].type == FIELD_BOOL && *text)
		text = strcmp(text, "true") == 0 || strcmp(text, "1") == 0 ? _("是") : _("否");
	snprintf(out, size, "%s", text);
	return out;
}

/* ---- what the trace calls things ---- */

const char *admin_method(const char *name)
{
	for (size_t i = 0; i < method_count; i++)
		if (strcmp(method_table[i].name, name) == 0)
			return lang_declared(method_table[i].label, name);
	return name;
}

/* Results that are no errors (err.def has those). */
static const struct {
	const char *name, *text;
} results[] = {{"FORCED", N_("强制办理")}, {"ASKED", N_("已提出，等另一位管理员同意")},
	{"DRY_RUN", N_("试看，没有改动")}, {"READMITTED", N_("恢复后重新登记")}};

const char *admin_method_called(const char *text)
{
	for (size_t i = 0; text && i < sizeof results / sizeof *results; i++)
		if (strcmp(_(results[i].text), text) == 0)
			return results[i].name;
	for (size_t i = 0; text && i < method_count; i++)
		if (strcmp(method_table[i].label, text) == 0)
			return method_table[i].name;
	const struct err_info *info = text ? err_info_by_sentence(text) : NULL;
	return info ? info->name : text;
}

const char *admin_result(const char *name)
{
	for (size_t i = 0; i < sizeof results / sizeof *results; i++)
		if (strcmp(name, results[i].name) == 0)
			return _(results[i].text);
	const struct err_info *info = err_info_by_name(name);
	return info ? _(info->sentence) : name;
}

const char *admin_purpose(const char *purpose, char *out, size_t size)
{
	static const struct {
		const char *name, *text;
	} rows[] = {{"login", ""}, {"enrol", ""}, {"refused", N_("被拒绝")}, {"read", ""}, {"audit", ""},
		{"admin", ""}, {"transition", ""}};
	/* What one thing was read: a file by its hash, of which the beginning will do for people; a slip. */
	if (strncmp(purpose, "file ", 5) == 0 || strncmp(purpose, "slip ", 5) == 0) {
		snprintf(out, size, "%s %.12s", *purpose == 'f' ? _("材料") : _("交办单"), purpose + 5);
		return out;
	}
	size_t n = strcspn(purpose, ":");
	char phase[16];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].name, purpose) == 0)
			return _(rows[i].text);
	snprintf(phase, sizeof phase, "%.*s", (int)(n < sizeof phase ? n : 0), purpose);
	const char *word = *phase ? code_name(&codes_phase, phase) : NULL;
	if (!word)
		return purpose;
	snprintf(out, size, "%s%s%s", word, purpose[n] ? _("：") : "",
		purpose[n] ? purpose + n + 1 + (purpose[n + 1] == ' ') : "");
	return out;
}

/* ---- times ---- */

const char *admin_time(int64_t us, char out[FACE_SIZE])
{
	return face_time(out, us, clock_now_us());
}

const char *admin_term(int64_t us, char out[FACE_SIZE])
{
	return face_term(out, us, clock_now_us());
}
