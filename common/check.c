#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codes.h"
#include "date.h"
#include "field_label.h"
#include "lang.h"
#include "quantity.h"
#include "tables.h"
#include "text.h"
#include "validate.h"

#define VALUE_MAX SHORT_TEXT_MAX

typedef bool (*text_check)(const char *text);

static bool check_cert_no(const char *text)
{
	char normal[VALUE_MAX];

	return cert_no_normal(normal, sizeof normal, text) == ERR_OK && strcmp(normal, text) == 0;
}

static bool check_student_no(const char *text)
{
	return check_cert_no(text); /* an ill-formed 学籍号 is kept and matches nothing (domain.md §2.4) */
}

static bool check_school_code(const char *text)
{
	return school_code_check(text) == ID_OK;
}

static bool check_area(const char *text)
{
	return area_code_check(text, true) == ID_OK;
}

/* A catchment may end anywhere in the 12 digits from the county on: cli.md "12 digits, or a prefix". */
static bool check_area_prefix(const char *text)
{
	return area_code_is_prefix(text);
}

static bool check_class(const char *text)
{
	return text[0] != 0;
}

static const struct {
	const char *name;
	text_check check;
} text_checks[] = {
	{"cert_no", check_cert_no},
	{"student_no", check_student_no},
	{"school_code", check_school_code},
	{"area", check_area},
	{"area_prefix", check_area_prefix},
	{"class", check_class},
};

/* Codes of the list, each once, in its order, with commas between them. */
static bool multi_passes(const char *list_name, const char *text)
{
	const struct code_list *list = code_list_by_name(list_name);
	size_t next = 0;

	for (size_t n; *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		while (next < list->n &&
			(strlen(list->items[next].code) != n ||
				strncmp(list->items[next].code, text, n) != 0))
			next++;
		if (next++ >= list->n || (text[n] == ',' && !text[n + 1]))
			return false;
	}
	return true;
}

static bool text_passes(const struct field *f, const char *text)
{
	if (strncmp(f->check, "multi:", 6) == 0)
		return multi_passes(f->check + 6, text);
	if (strncmp(f->check, "codes:", 6) == 0)
		return code_item(code_list_by_name(f->check + 6), text) != NULL;
	for (size_t i = 0; i < sizeof text_checks / sizeof *text_checks; i++)
		if (strcmp(text_checks[i].name, f->check) == 0)
			return text_checks[i].check(text);
	return true;
}

/* 2100-01-01: what lies behind it is no time that anybody means */
#define TIME_LAST INT64_C(4102444800000000)

static bool time_passes(int64_t us)
{
	return us >= 0 && us <= TIME_LAST;
}

static bool quantity_passes(const char *check, int64_t v)
{
	if (strcmp(check, "minutes") == 0)
		return v >= 0 && v <= MINUTES_MAX;
	return (strncmp(check, "decimal:", 8) != 0 && strcmp(check, "fen") != 0) ||
		(v >= -DECIMAL_MAX && v <= DECIMAL_MAX);
}

/* range:FROM-TO, of numbers that are not negative; true for another check. */
static bool range_passes(const char *check, int64_t v)
{
	long long from, to;

	return sscanf(check, "range:%lld-%lld", &from, &to) != 2 || (v >= from && v <= to);
}

static bool value_passes(const struct record *r, size_t i)
{
	const struct field *f = &r->kind->fields[i];
	char text[VALUE_MAX];

	switch (f->type) {
	case FIELD_TEXT:
		return strcmp(f->check, "long") == 0 ||
			text_passes(f, record_text(r, (int)i, text, sizeof text));
	case FIELD_BYTES:
		return field_is_id(f) ? r->value[i].len == 16
				      : strcmp(f->check, "sha") != 0 || r->value[i].len == 32;
	case FIELD_INT32:
		if (strcmp(f->check, "year") == 0)
			return r->value[i].number >= YEAR_MIN && r->value[i].number <= YEAR_MAX;
		return strcmp(f->check, "date") == 0 ? date_is_real((int32_t)r->value[i].number)
						     : range_passes(f->check, r->value[i].number) &&
				quantity_passes(f->check, r->value[i].number);
	default:
		if (strncmp(f->check, "range:", 6) == 0)
			return range_passes(f->check, r->value[i].number);
		if (!quantity_passes(f->check, r->value[i].number))
			return false;
		return strcmp(f->check, "time") != 0 || time_passes(r->value[i].number);
	}
}

/* What a check permits, in words; "" for one that permits everything. Whoever is refused is told with it, and
 * proto/REFERENCE.md is made of it. */
const char *check_words(const char *check, char *out, size_t size)
{
	static const struct {
		const char *check, *text;
	} words[] = {{"year", N_("2000 到 2100 之间的年份")}, {"date", N_("写成 20260912 的日期")},
		{"time", N_("1970 到 2100 年之间的微秒数")}, {"school", N_("10 位学校标识码")},
		{"school_code", N_("10 位学校标识码")}, {"uuid", N_("列表里的编号（UUID）")},
		{"id", N_("16 字节")}, {"fen", N_("金额，例如 12.50")},
		{"minutes", N_("时长，例如 90分钟 或 1小时30分")}, {"sha", N_("32 字节")},
		{"sequence", N_("小于 2^63")}, {"cert_no", N_("半角、大写、没有空格的号码")},
		{"student_no", N_("半角、大写、没有空格的号码")},
		{"area", N_("12 位区划代码，或其前 2、4、6、9 位")},
		{"area_prefix", N_("12 位区划代码，或其前 6 到 11 位")}};

	*out = 0;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].check, check) == 0)
			snprintf(out, size, "%s", _(words[i].text));
	if (strncmp(check, "codes:", 6) == 0)
		code_list_words(code_list_by_name(check + 6), out, size);
	else if (strncmp(check, "multi:", 6) == 0)
		code_list_words(code_list_by_name(check + 6), out, size);
	else if (strncmp(check, "ref:", 4) == 0)
		snprintf(out, size, "%s", _("列表里的编号（UUID）"));
	else if (strncmp(check, "decimal:", 8) == 0)
		snprintf(out, size, _("最多 %s 位小数的数"), check + 8);
	else if (strncmp(check, "range:", 6) == 0)
		snprintf(out, size, _("%s 之间的数"), check + 6);
	else if (strncmp(check, "text:", 5) == 0)
		snprintf(out, size, _("最多 %s 字节"), check + 5);
	else if (strncmp(check, "max:", 4) == 0)
		snprintf(out, size, _("最多 %s"), check + 4);
	return out;
}

/* A resident ID that fails only its check digit may be kept by a person's decision, where a kind has a field
 * for that (keep_invalid); GB 11643-1999. */
static enum err check_resident_id(const struct record *r, int32_t today, struct problem *p)
{
	int no = kind_field_index(r->kind, "cert_no"), type = kind_field_index(r->kind, "cert_type"),
	    keep = kind_field_index(r->kind, "keep_invalid");
	char text[CERT_NO_MAX];

	if (no < 0 || type < 0 || keep < 0 || !record_has(r, no) || record_number(r, keep) ||
		!(record_is(r, type, "") || record_is(r, type, "1")))
		return ERR_OK;
	enum id_fault fault = resident_id_check(record_text(r, no, text, sizeof text), today, NULL);
	return fault == ID_OK
		? ERR_OK
		: problem_set(p, ERR_INVALID, r->kind->fields[no].name, NULL, "%s", id_fault_text(fault));
}

/* Lines are parted in a long text, and nowhere else. */
static int32_t forbidden_in(const struct field *f, const char *text, size_t n)
{
	const char *end;
	int32_t c = 0;

	if (strcmp(f->check, "long") != 0)
		return text_forbidden(text, n);
	for (; !c && (end = memchr(text, '\n', n)); n -= (size_t)(end + 1 - text), text = end + 1)
		c = text_forbidden(text, (size_t)(end - text));
	return c ? c : text_forbidden(text, n);
}

/* What could steer a terminal, turn the writing round or break a workbook is stored by nobody. */
static enum err check_characters(const struct record *r, size_t i, struct problem *p)
{
	const struct field *f = &r->kind->fields[i];
	int32_t c = forbidden_in(f, (const char *)r->value[i].data, r->value[i].len);

	if (text_is_blank((const char *)r->value[i].data, r->value[i].len))
		return problem_set(p, ERR_INVALID, f->name, _("请填写内容，或留空"), _("“%s”里只有空格"),
			lang_declared(f->label, f->label_en));
	if (!c && !text_is_nfc((const char *)r->value[i].data, r->value[i].len))
		return problem_set(p, ERR_INVALID, f->name, _("请重新输入这一项"),
			_("“%s”的文字不是规范形式（NFC）"), lang_declared(f->label, f->label_en));
	return c ? problem_set(p, ERR_INVALID, f->name, _("请删去它，重新输入这一项"),
			   _("“%s”里有不能保存的字符 U+%04X"), lang_declared(f->label, f->label_en),
			   (unsigned)c)
		 : ERR_OK;
}

enum err check_values(const struct record *r, struct problem *p)
{
	char hint[HINT_SIZE];

	for (size_t i = 0; i < r->kind->field_count; i++) {
		const struct field *f = &r->kind->fields[i];
		if (record_has(r, (int)i) && f->type == FIELD_TEXT && check_characters(r, i, p))
			return ERR_INVALID;
		if (record_has(r, (int)i) && f->check[0] && !value_passes(r, i))
			return problem_set(p, ERR_INVALID, f->name, check_words(f->check, hint, sizeof hint),
				_("“%s”的内容不符合要求"), lang_declared(f->label, f->label_en));
	}
	return ERR_OK;
}

enum err check_texts(const struct record *r, struct problem *p)
{
	for (size_t i = 0; i < r->kind->field_count; i++)
		if (record_has(r, (int)i) && r->kind->fields[i].type == FIELD_TEXT &&
			check_characters(r, i, p))
			return ERR_INVALID;
	return ERR_OK;
}

enum err check_record(const struct record *r, bool whole, int32_t today, struct problem *p)
{
	enum err e = record_check_shape(r, whole, p);

	if (!e)
		e = check_values(r, p);
	return e ? e : check_resident_id(r, today, p);
}

static bool number_passes(int64_t n, const char *check)
{
	if (strcmp(check, "year") == 0)
		return n >= YEAR_MIN && n <= YEAR_MAX;
	if (strcmp(check, "date") == 0)
		return n == (int32_t)n && date_is_real((int32_t)n) && n / 10000 >= YEAR_MIN &&
			n / 10000 <= YEAR_MAX;
	if (strcmp(check, "time") == 0)
		return time_passes(n);
	return n >= 0; /* sequence: an unsigned one of 2^63 and more is negative here */
}

static bool field_passes(const ProtobufCFieldDescriptor *f, const void *value, const char *check)
{
	const char *text = f->type == PROTOBUF_C_TYPE_STRING ? *(const char *const *)value : "";
	uint8_t id[16];

	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		if (!text[0])
			return true;
		if (strncmp(check, "codes:", 6) == 0)
			return code_item(code_list_by_name(check + 6), text) != NULL;
		if (strcmp(check, "uuid") == 0)
			return id_parse(id, text) == 0;
		if (strncmp(check, "text:", 5) == 0)
			return strlen(text) <= (size_t)atol(check + 5);
		return strcmp(check, "school") != 0 || school_code_check(text) == ID_OK;
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)value)->len == (strcmp(check, "id") == 0 ? 16u : 32u);
	case PROTOBUF_C_TYPE_UINT32:
		return *(const uint32_t *)value <= (uint32_t)atol(check + 4);
	case PROTOBUF_C_TYPE_INT32:
		return *(const int32_t *)value == 0 || number_passes(*(const int32_t *)value, check);
	default: /* a sequence is unsigned: one of 2^63 and more is negative here */
		return *(const int64_t *)value == 0 || number_passes(*(const int64_t *)value, check);
	}
}

enum err check_field(
	const ProtobufCFieldDescriptor *f, const void *value, const char *check, struct problem *p)
{
	char hint[HINT_SIZE];

	if (field_passes(f, value, check))
		return ERR_OK;
	check_words(check, hint, sizeof hint);
	return problem_set(p, ERR_INVALID, f->name, hint, _("“%s”的取值不在范围内"), field_label(f));
}
