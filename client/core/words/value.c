#include "value.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "check.h"
#include "clock.h"
#include "codes.h"
#include "lang.h"
#include "quantity.h"
#include "sheet.h"
#include "text.h"
#include "validate.h"

#define TEXT_MAX SHORT_TEXT_MAX

const char *value_column(const struct field *f)
{
	return f->columns[0] ? f->columns[0] : f->label;
}

static enum value_verdict bad(const struct field *f, struct problem *p, const char **code, const char *word,
	const char *hint, const char *message, const char *text)
{
	*code = word;
	problem_set(p, ERR_INVALID, value_column(f), hint, message, text);
	return VALUE_BAD;
}

static enum value_verdict keep(
	struct record *r, int i, const char *text, struct arena *arena, const char **code, struct problem *p)
{
	const struct field *f = &r->kind->fields[i];
	size_t n = strlen(text);

	if (n > f->max_bytes) {
		char head[48];
		text_printable(head, sizeof head, text);
		return bad(f, p, code, "TOO_LARGE", _("请缩短"), _("内容太长：%s…"), head);
	}
	record_set_text(r, i,
		arena_text(arena, text, n)); /* no value without memory, and then arena->refused says so */
	return VALUE_OK;
}

/* items of a list that several may be chosen of; gen_tables.py refuses a longer one */
#define MULTI_MAX 128

struct word_at {
	const char *text;
};

/* The next word of a list that people write; false behind the last. */
static bool next_word(struct word_at *at, char *out, size_t size)
{
	static const char *const marks[] = {"、", "，", ",", "；", ";", "/", "\n"};
	size_t n = 0;

	while (*at->text && n + 5 < size) {
		size_t mark = 0;
		for (size_t k = 0; k < sizeof marks / sizeof *marks && !mark; k++)
			if (strncmp(at->text, marks[k], strlen(marks[k])) == 0)
				mark = strlen(marks[k]);
		at->text += mark;
		if (mark && n)
			break;
		if (!mark)
			out[n++] = *at->text++;
	}
	out[n] = 0;
	return n > 0;
}

static enum value_verdict parse_code(
	struct record *r, int i, const char *text, const char **code, struct problem *p)
{
	const struct field *f = &r->kind->fields[i];
	const struct code_list *list = code_list_by_name(f->check + 6);
	const char *found = list ? code_find(list, text) : NULL;
	char hint[HINT_SIZE];

	if (found) {
		record_set_text(r, i, found);
		return VALUE_OK;
	}
	check_words(f->check, hint, sizeof hint);
	return bad(f, p, code, "INVALID", hint, _("没有“%s”这一项"), text);
}

/* Words of a list with 、 ， , ; or / between them; kept as codes, each once, in the order of the list. */
static enum value_verdict parse_multi(
	struct record *r, int i, const char *text, struct arena *arena, const char **code, struct problem *p)
{
	const struct field *f = &r->kind->fields[i];
	const struct code_list *list = code_list_by_name(f->check + 6);
	bool chosen[MULTI_MAX] = {false};
	char word[TEXT_MAX], codes[TEXT_MAX] = "", hint[HINT_SIZE];
	struct word_at at = {.text = text};

	while (next_word(&at, word, sizeof word)) {
		const char *found = code_find(list, word);
		if (!found)
			return bad(f, p, code, "INVALID", check_words(f->check, hint, sizeof hint),
				_("没有“%s”这一项"), word);
		chosen[code_item(list, found) - list->items] = true;
	}
	for (size_t k = 0; k < list->n; k++)
		if (chosen[k])
			snprintf(codes + strlen(codes), sizeof codes - strlen(codes), "%s%s",
				*codes ? "," : "", list->items[k].code);
	return keep(r, i, codes, arena, code, p);
}

/* 329999-20150302-005X: hyphens are dropped where a resident number is left. */
static void hyphens_drop(char *no)
{
	char bare[RESIDENT_ID_LENGTH + 1];
	size_t n = 0;

	for (const char *p = no; *p; p++) {
		if (*p == '-')
			continue;
		if (n == RESIDENT_ID_LENGTH)
			return;
		bare[n++] = *p;
	}
	bare[n] = 0;
	if (n == RESIDENT_ID_LENGTH && strspn(bare, "0123456789") >= RESIDENT_ID_LENGTH - 1)
		memcpy(no, bare, n + 1);
}

static enum value_verdict parse_cert(struct record *r, int i, const char *text,
	const struct value_context *ctx, struct arena *arena, const char **code, struct problem *p)
{
	const struct field *f = &r->kind->fields[i];
	char no[TEXT_MAX];

	if (cert_no_normal(no, sizeof no, text))
		return bad(f, p, code, "INVALID", NULL, _("号码无法识别：%s"), text);
	hyphens_drop(no);
	if (cert_no_damaged(no, ctx->damaged))
		return bad(f, p, code, "ID_DAMAGED",
			_("先把这一列设为“文本”格式，再从原始系统重新导出或粘贴；补回末几位不可靠"),
			_("%s 被电子表格改成了数值，末几位已丢失"), no);
	return keep(r, i, no, arena, code, p);
}

static enum value_verdict parse_student_no(struct record *r, int i, const char *text,
	const struct value_context *ctx, struct arena *arena, const char **code, struct problem *p)
{
	enum value_verdict verdict = parse_cert(r, i, text, ctx, arena, code, p);
	char no[64];

	if (verdict != VALUE_OK || student_no_check(record_text(r, i, no, sizeof no)) == ID_OK)
		return verdict;
	*code = "INVALID";
	problem_set(p, ERR_INVALID, value_column(&r->kind->fields[i]), _("学籍号为 G、J 或 L 加 18 位"),
		_("学籍号 %s 不合规则，已保留但不用于比对"), no);
	return VALUE_WARN;
}

static enum value_verdict parse_class(struct record *r, int i, const char *text,
	const struct value_context *ctx, struct arena *arena, const char **code, struct problem *p)
{
	const struct field *f = &r->kind->fields[i];
	char number[CLASS_NO_MAX + 1];

	if (class_no_parse(number, sizeof number, text) == ERR_OK)
		return keep(r, i, number, arena, code, p);
	if (ctx->strict || strlen(text) > f->max_bytes)
		return bad(
			f, p, code, "INVALID", _("写成 3、3班 或 六（3）班"), _("班级“%s”里没有班号"), text);
	*code = "INVALID";
	keep(r, i, text, arena, code, p);
	problem_set(p, ERR_INVALID, value_column(f), _("写成 3、3班 或 六（3）班"),
		_("班级“%s”里没有班号，照原样保留"), text);
	return VALUE_WARN;
}

static enum value_verdict parse_digits(
	struct record *r, int i, const char *text, struct arena *arena, const char **code, struct problem *p)
{
	const struct field *f = &r->kind->fields[i];
	char no[TEXT_MAX];

	if (text_half_width(no, sizeof no, text) || text_strip_space(no, sizeof no, no))
		return bad(f, p, code, "INVALID", NULL, _("无法识别：%s"), text);
	if (strcmp(f->check, "school_code") == 0 && school_code_check(no) != ID_OK)
		return bad(f, p, code, "INVALID", _("学校标识码是 10 位数字"), _("%s 不是学校标识码"), no);
	if (strcmp(f->check, "area") == 0 && area_code_check(no, true) != ID_OK)
		return bad(f, p, code, "INVALID", _("区划代码是 12 位数字，或其前 2、4、6、9 位"),
			_("%s 不是区划代码"), no);
	if (strcmp(f->check, "area_prefix") == 0 && !area_code_is_prefix(no))
		return bad(f, p, code, "INVALID", _("填 12 位区划代码，或其前 6 到 11 位"),
			_("%s 不是区划代码"), no);
	return keep(r, i, no, arena, code, p);
}

static enum value_verdict parse_text(struct record *r, int i, const char *text,
	const struct value_context *ctx, struct arena *arena, const char **code, struct problem *p)
{
	const char *check = r->kind->fields[i].check;

	if (strncmp(check, "codes:", 6) == 0)
		return parse_code(r, i, text, code, p);
	if (strncmp(check, "multi:", 6) == 0)
		return parse_multi(r, i, text, arena, code, p);
	if (strcmp(check, "cert_no") == 0)
		return parse_cert(r, i, text, ctx, arena, code, p);
	if (strcmp(check, "student_no") == 0)
		return parse_student_no(r, i, text, ctx, arena, code, p);
	if (strcmp(check, "class") == 0)
		return parse_class(r, i, text, ctx, arena, code, p);
	if (strcmp(check, "school_code") == 0 || strncmp(check, "area", 4) == 0)
		return parse_digits(r, i, text, arena, code, p);
	return keep(r, i, text, arena, code, p);
}

/* The national system's words for 是否留守儿童. */
static const struct code_item left_behind[] = {{"0", "非留守儿童", "no", "不是留守儿童 非留守"},
	{"1", "单亲留守儿童", "one parent away", "单亲留守 单亲"},
	{"2", "双亲留守儿童", "both parents away", "双亲留守 双亲 留守儿童 留守"}};
static const struct code_list left_behind_words = {
	"是否留守儿童", NULL, left_behind, sizeof left_behind / sizeof *left_behind};

/* 家长确认 often holds a signature instead of a 是: that is a warning, not a loss of the row. */
static enum value_verdict parse_bool(
	struct record *r, int i, const char *text, const char **code, struct problem *p)
{
	static const char *const confirmed[] = {"已确认", "确认", "已签字", "已签", "签字", "同意"};
	const struct field *f = &r->kind->fields[i];
	const char *found = code_find(&codes_yes_no, text);

	if (!found && strcmp(f->name, "left_behind") == 0 && (found = code_find(&left_behind_words, text)))
		found = *found == '0' ? "0" : "1";
	for (size_t k = 0; !found && strcmp(f->name, "guardian_confirmed") == 0 &&
		k < sizeof confirmed / sizeof *confirmed;
		k++)
		if (strcmp(text, confirmed[k]) == 0)
			found = "1";
	if (found) {
		record_set_number(r, i, *found == '1');
		return VALUE_OK;
	}
	bad(f, p, code, "INVALID", _("填 是 或 否"), _("“%s”不是 是 或 否"), text);
	return strcmp(f->name, "guardian_confirmed") == 0 ? VALUE_WARN : VALUE_BAD;
}

/* The digits behind the point that a field keeps; -1: it is no decimal. */
static int scale_of(const struct field *f)
{
	if (strcmp(f->check, "fen") == 0)
		return FEN_SCALE;
	return strncmp(f->check, "decimal:", 8) == 0 ? f->check[8] - '0' : -1;
}

/* False: the field is no quantity. */
static bool parse_quantity(struct record *r, int i, const char *text, enum err *e)
{
	const struct field *f = &r->kind->fields[i];
	int64_t v = 0;
	int32_t minutes = 0;

	if (scale_of(f) >= 0)
		*e = decimal_parse(&v, text, (unsigned)scale_of(f));
	else if (strcmp(f->check, "minutes") == 0)
		*e = minutes_parse(&minutes, text);
	else
		return false;
	if (!*e)
		record_set_number(r, i, v + minutes);
	return true;
}

static enum value_verdict parse_number(struct record *r, int i, const char *text,
	const struct value_context *ctx, const char **code, struct problem *p)
{
	const struct field *f = &r->kind->fields[i];
	long long number;
	char hint[HINT_SIZE];
	enum err e = ERR_OK;
	int32_t date;
	int used = 0;

	if (parse_quantity(r, i, text, &e))
		return e ? bad(f, p, code, "INVALID", check_words(f->check, hint, sizeof hint),
				   _("“%s”读不出来"), text)
			 : VALUE_OK;
	if (strcmp(f->check, "date") == 0) {
		if (date_parse(text, ctx->epoch, &date))
			return bad(f, p, code, "INVALID", _("写成 2014-03-15"), _("“%s”不是日期"), text);
		record_set_number(r, i, date);
		return VALUE_OK;
	}
	if (sscanf(text, "%lld%n", &number, &used) != 1 || text[used] ||
		(f->type == FIELD_INT32 && number != (int32_t)number))
		return bad(f, p, code, "INVALID", NULL, _("“%s”不是数字"), text);
	record_set_number(r, i, number);
	return VALUE_OK;
}

static bool is_name(const struct field *f)
{
	size_t n = strlen(f->name), m = strlen("_name");

	return strcmp(f->name, "name") == 0 || (n > m && strcmp(f->name + n - m, "_name") == 0);
}

/* Lines are kept, each clean; blank ones at the end are not. */
static enum value_verdict parse_long(
	struct record *r, int i, const char *text, struct arena *arena, const char **code, struct problem *p)
{
	size_t n = 0, room = 3 * strlen(text) + TEXT_MAX; /* a normal form is at most three times as long */
	char *out = arena_alloc(arena, room);

	for (const char *at = text; out && *at;) {
		size_t line = strcspn(at, "\r\n");
		char *copy = arena_text(arena, at, line);
		if (!copy || text_clean(out + n, room - n, copy))
			return bad(&r->kind->fields[i], p, code, "TOO_LARGE", NULL, "%s",
				_("内容太长或不是 UTF-8"));
		n += strlen(out + n);
		at += line;
		at += *at == '\r' && at[1] == '\n' ? 2 : *at ? 1 : 0;
		if (*at)
			out[n++] = '\n';
	}
	while (out && n && out[n - 1] == '\n')
		n--;
	if (out)
		out[n] = 0;
	if (!out || !n) {
		record_clear(r, i);
		return VALUE_OK;
	}
	return keep(r, i, out, arena, code, p);
}

enum value_verdict value_parse(struct record *r, int i, const char *text, const struct value_context *ctx,
	struct arena *arena, const char **code, struct problem *p)
{
	const struct field *f = &r->kind->fields[i];
	char clean[TEXT_MAX];

	if (strcmp(f->check, "long") == 0)
		return parse_long(r, i, text, arena, code, p);
	enum err e = is_name(f) ? text_clean_name(clean, sizeof clean, text)
				: text_clean(clean, sizeof clean, text);
	if (e)
		return bad(f, p, code, "TOO_LARGE", NULL, "%s", _("内容太长或不是 UTF-8"));
	if (!*clean) {
		record_clear(r, i);
		return VALUE_OK;
	}
	switch (f->type) {
	case FIELD_TEXT:
		return parse_text(r, i, clean, ctx, arena, code, p);
	case FIELD_BOOL:
		return parse_bool(r, i, clean, code, p);
	case FIELD_INT32:
	case FIELD_INT64:
		return parse_number(r, i, clean, ctx, code, p);
	default:
		return bad(f, p, code, "INVALID", NULL, _("不能这样填写：%s"), clean);
	}
}

/* ---- Showing ---- */

static void mask(const struct field *f, char *text, size_t size)
{
	char plain[512];

	snprintf(plain, sizeof plain, "%s", text);
	if (strstr(f->name, "phone"))
		text_mask_phone(text, size, plain);
	else if (strstr(f->name, "_no"))
		text_mask_id(text, size, plain);
	else
		text_mask_name(text, size, plain);
}

static void show_multi(const struct field *f, char *out, size_t size)
{
	const struct code_list *list = code_list_by_name(f->check + 6);
	char codes[TEXT_MAX], word[64];
	struct word_at at = {.text = codes};

	snprintf(codes, sizeof codes, "%s", out);
	*out = 0;
	while (next_word(&at, word, sizeof word)) {
		const char *name = code_name(list, word);
		snprintf(out + strlen(out), size - strlen(out), "%s%s", *out ? _("、") : "",
			name ? name : word);
	}
}

const char *value_show(const struct record *r, int i, bool masked, char *out, size_t size)
{
	const struct field *f = &r->kind->fields[i];
	int64_t number = record_number(r, i);
	char quantity[QUANTITY_TEXT];

	*out = 0;
	if (f->type == FIELD_BOOL)
		snprintf(out, size, "%s", number ? _("是") : _("否"));
	if (!record_has(r, i) || f->type == FIELD_BOOL)
		return out;
	if (f->type == FIELD_TEXT) {
		record_text(r, i, out, size);
		const char *word = strncmp(f->check, "codes:", 6) == 0
			? code_name(code_list_by_name(f->check + 6), out)
			: NULL;
		if (word)
			snprintf(out, size, "%s", word);
		if (strncmp(f->check, "multi:", 6) == 0)
			show_multi(f, out, size);
	} else if (f->type == FIELD_BYTES) {
		if (r->value[i].len == 16 && size > 36)
			id_format(out, r->value[i].data);
		else if (size > r->value[i].len * 2)
			sodium_bin2hex(out, size, r->value[i].data, r->value[i].len);
	} else if (strcmp(f->check, "date") == 0) {
		snprintf(out, size, "%04d-%02d-%02d", (int)(number / 10000), (int)(number / 100 % 100),
			(int)(number % 100));
	} else if (strcmp(f->check, "time") == 0 && size >= TIME_TEXT_SIZE) {
		time_format(out, number);
	} else if (scale_of(f) >= 0) {
		snprintf(out, size, "%s", decimal_format(quantity, number, (unsigned)scale_of(f)));
	} else if (strcmp(f->check, "minutes") == 0) {
		snprintf(out, size, "%s", minutes_format(quantity, (int32_t)number));
	} else {
		snprintf(out, size, "%lld", (long long)number);
	}
	if (masked && f->masked && *out)
		mask(f, out, size);
	return out;
}

json_t *value_json(const struct record *r, int i)
{
	const struct field *f = &r->kind->fields[i];
	char text[TEXT_MAX];

	if (f->type == FIELD_BOOL)
		return json_boolean(record_number(r, i) != 0);
	if (!record_has(r, i))
		return json_null();
	if (f->type == FIELD_TEXT)
		return json_stringn((const char *)r->value[i].data, r->value[i].len);
	if (f->type == FIELD_BYTES || strcmp(f->check, "date") == 0 || strcmp(f->check, "time") == 0 ||
		scale_of(f) >= 0)
		return json_string(value_show(r, i, false, text, sizeof text));
	return json_integer(record_number(r, i));
}

json_t *value_record_json(const struct record *r, const uint8_t id[16])
{
	json_t *json = json_object();
	char text[37];

	id_format(text, id);
	json_object_set_new(json, "id", json_string(text));
	for (size_t i = 0; i < r->kind->field_count; i++)
		json_object_set_new(json, r->kind->fields[i].name, value_json(r, (int)i));
	return json;
}

json_t *value_student_json(const struct record *r, const uint8_t id[16])
{
	static const char *const names[] = {"cert_no", "name", "student_no"};
	json_t *json = json_object();
	char text[256];

	id_format(text, id);
	json_object_set_new(json, "id", json_string(text));
	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		int i = kind_field_index(r->kind, names[k]);
		json_object_set_new(
			json, names[k], json_string(i < 0 ? "" : record_text(r, i, text, sizeof text)));
	}
	return json;
}
