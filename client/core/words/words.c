#include "words.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "face.h"
#include "lang.h"
#include "pinyin.h"
#include "client_service.h"
#include "text.h"
#include "value.h"

static const char *text_of(const struct record *r, const char *name, char *out, size_t size)
{
	int i = kind_field_index(r->kind, name);

	*out = 0;
	return i < 0 ? out : record_text(r, i, out, size);
}

/* ---- Pupils ---- */

const char *words_class(const struct record *r, char *out, size_t size)
{
	static const char year[] = "年级";
	char class_no[64], code[16], grade[32];

	text_of(r, "class_no", class_no, sizeof class_no);
	text_of(r, "grade", code, sizeof code);
	const char *word = code_name(&codes_grade, *code ? code : r->kind->grade);
	snprintf(grade, sizeof grade, "%s", word ? word : "");
	size_t n = strlen(grade);
	if (n > strlen(year) && strcmp(grade + n - strlen(year), year) == 0 && *class_no)
		grade[n - strlen(year)] = 0;
	if (*class_no && class_no[strspn(class_no, "0123456789")])
		snprintf(out, size, "%s", class_no);
	else if (*class_no)
		snprintf(out, size, _("%s%s班"), grade, class_no);
	else
		snprintf(out, size, "%s", grade);
	return out;
}

const char *words_tail(const struct record *r, char out[8])
{
	char no[64];

	if (!*text_of(r, "cert_no", no, sizeof no))
		text_of(r, "student_no", no, sizeof no);
	size_t n = strlen(no);
	snprintf(out, 8, "%.4s", n > 4 ? no + n - 4 : no);
	return out;
}

const char *words_pupil(const struct record *r, char *out, size_t size)
{
	char name[128], class_no[64];

	text_of(r, "name", name, sizeof name);
	if (kind_field_index(r->kind, "class_no") < 0 || !*words_class(r, class_no, sizeof class_no))
		snprintf(out, size, "%s", name);
	else
		snprintf(out, size, _("%s（%s）"), name, class_no);
	return out;
}

const struct record *words_whose(const struct view *v, const struct record *r)
{
	for (int step = 0; r && step < PARENTS_MAX; step++) {
		if (kind_field_index(r->kind, "cert_no") >= 0)
			return r;
		const struct item *parent = view_parent(v, r);
		r = parent ? &parent->record : NULL;
	}
	return NULL;
}

/* ---- Fields ---- */

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static const char *words_time(const struct view *v, const struct field *f, int64_t us, char *out, size_t size)
{
	char face[FACE_SIZE];
	int64_t now = profile_now_us(v->store->profile);

	snprintf(out, size, "%s",
		ends_in(f->name, "due") ? face_term(face, us, now) : face_time(face, us, now));
	return out;
}

const char *words_field(
	const struct view *v, const struct record *r, int i, bool masked, char *out, size_t size)
{
	const struct field *f = &r->kind->fields[i];
	char face[FACE_SIZE];

	*out = 0;
	if (!record_has(r, i))
		return f->type == FIELD_BOOL ? value_show(r, i, masked, out, size) : out;
	if (f->type == FIELD_BYTES) { /* an id says nothing, nor does a check sum */
		const struct item *item =
			r->value[i].len == ID_SIZE ? view_find_id(v, r->value[i].data) : NULL;
		const struct record *pupil = item ? words_whose(v, &item->record) : NULL;
		return pupil ? words_pupil(pupil, out, size) : out;
	}
	if (strcmp(f->check, "time") == 0)
		return words_time(v, f, record_number(r, i), out, size);
	if (strcmp(f->check, "date") == 0 && ends_in(f->name, "date"))
		snprintf(out, size, "%s", face_date(face, (int32_t)record_number(r, i)));
	else if (!service_word(v, r, i, out, size))
		value_show(r, i, masked, out, size);
	return out;
}

const char *words_key(const struct view *v, const struct record *r, char *out, size_t size)
{
	char part[128];
	size_t n = 0;

	*out = 0;
	for (size_t k = 0; k < r->kind->key_count; k++) {
		int i = r->kind->key[k].field[0];
		if (!record_has(r, i))
			i = r->kind->key[k].field[1];
		if (*words_field(v, r, i, false, part, sizeof part) && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n ? " " : "", part);
	}
	return out;
}

const char *words_named(const struct view *v, const struct record *r, char *out, size_t size)
{
	int name = kind_field_index(r->kind, "name");

	return name >= 0 && record_has(r, name) ? record_text(r, name, out, size)
						: words_key(v, r, out, size);
}

/* ---- Order ---- */

struct sort_key {
	int64_t urgency;
	long grade, class_no;
	char *text; /* the sound of the name, the name, the number */
	size_t at;
};

static int compare_keys(const void *a, const void *b)
{
	const struct sort_key *x = a, *y = b;
	int order = (x->urgency > y->urgency) - (x->urgency < y->urgency);

	order = order ? order : (x->grade > y->grade) - (x->grade < y->grade);
	order = order ? order : (x->class_no > y->class_no) - (x->class_no < y->class_no);
	order = order ? order : strcmp(x->text, y->text);
	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static bool make_key(struct sort_key *key, const struct record *r)
{
	char sound[PINYIN_SIZE], name[256], no[64], code[64], class_no[64];

	text_of(r, "name", name, sizeof name);
	pinyin(name, sound, sizeof sound);
	if (!*text_of(r, "cert_no", no, sizeof no))
		text_of(r, "student_no", no, sizeof no);
	text_of(r, "class_no", class_no, sizeof class_no);
	key->grade = atol(text_of(r, "grade", code, sizeof code));
	key->class_no = class_no[0] >= '0' && class_no[0] <= '9' ? atol(class_no) : LONG_MAX;
	if (asprintf(&key->text, "%s\x1f%s\x1f%s", sound, name, no) < 0)
		key->text = NULL;
	return key->text != NULL;
}

void words_sort(void *rows, size_t n, size_t size, const struct record *(*of)(const void *row),
	int64_t (*urgency)(const void *row))
{
	struct sort_key *keys = calloc(n + 1, sizeof *keys);
	char *copy = n ? malloc(n * size) : NULL, *from = rows;
	bool whole = keys && copy;

	for (size_t i = 0; whole && i < n; i++) {
		keys[i].at = i;
		keys[i].urgency = urgency ? urgency(from + i * size) : 0;
		whole = make_key(&keys[i], of(from + i * size));
	}
	if (whole) {
		qsort(keys, n, sizeof *keys, compare_keys);
		memcpy(copy, rows, n * size);
		for (size_t i = 0; i < n; i++)
			memcpy(from + i * size, copy + keys[i].at * size, size);
	}
	for (size_t i = 0; keys && i < n; i++)
		free(keys[i].text);
	free(keys);
	free(copy);
}
