#include "find.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "pinyin.h"
#include "text.h"
#include "validate.h"

static struct item *find_owned(const struct view *v, uint32_t kind, const char *text, int32_t year, bool ours)
{
	const struct kind *k = kind_by_number(kind);
	int cert = kind_field_index(k, "cert_no"), student = kind_field_index(k, "student_no"),
	    years = kind_field_index(k, "year");
	struct item *best = NULL;
	uint8_t id[ID_SIZE];
	char no[64];

	if (id_parse(id, text) == 0) {
		struct item *item = view_find_id(v, id);
		return item && item->live && item->record.kind->number == kind &&
				view_is_ours(v, item) == ours
			? item
			: NULL;
	}
	if (cert < 0 || cert_no_normal(no, sizeof no, text) || !*no)
		return NULL;
	for (size_t i = 0; i < v->n; i++) {
		struct item *item = v->items[i];
		const struct record *r = &item->record;
		if (!item->live || r->kind != k || view_is_ours(v, item) != ours ||
			(year && years >= 0 && record_number(r, years) != year) ||
			(!record_is(r, cert, no) && (student < 0 || !record_is(r, student, no))))
			continue;
		if (!best || (years >= 0 && record_number(r, years) > record_number(&best->record, years)))
			best = item;
	}
	return best;
}

struct item *find_record(const struct view *v, uint32_t kind, const char *text, int32_t year)
{
	return find_owned(v, kind, text, year, true);
}

struct item *find_foreign(const struct view *v, uint32_t kind, const char *text, int32_t year)
{
	return find_owned(v, kind, text, year, false);
}

/* Initials ("zs") or the whole pinyin without blanks ("zhangsan"), from the beginning. */
static bool sounds_like(const char *name, const char *wanted)
{
	char text[PINYIN_SIZE], initials[PINYIN_SIZE];
	size_t n = 0;

	pinyin_initials(name, initials, sizeof initials);
	if (strncmp(initials, wanted, strlen(wanted)) == 0)
		return true;
	pinyin(name, text, sizeof text);
	for (size_t i = 0; text[i]; i++)
		if (text[i] != ' ')
			text[n++] = text[i];
	text[n] = 0;
	return strncmp(text, wanted, strlen(wanted)) == 0;
}

struct wanted {
	char key[256], lower[256], no[64];
	bool letters, digits;
};

static bool matches(const struct record *r, int field, const struct wanted *w)
{
	int cert = kind_field_index(r->kind, "cert_no"), student = kind_field_index(r->kind, "student_no");
	char name[128], key[256], no[64];

	record_text(r, field, name, sizeof name);
	if (!text_name_key(key, sizeof key, name) && strstr(key, w->key))
		return true;
	if (w->letters && sounds_like(name, w->lower))
		return true;
	for (int k = 0; w->digits && k < 2; k++) {
		int f = k ? student : cert;
		size_t n = f < 0 ? 0 : strlen(record_text(r, f, no, sizeof no)), m = strlen(w->no);
		if (n >= m && m >= 4 && strcmp(no + n - m, w->no) == 0)
			return true;
	}
	return false;
}

size_t find_pupils(const struct view *v, const char *text, struct item *found[FIND_MAX])
{
	struct wanted w = {.letters = true};
	size_t n = 0;

	if (text_name_key(w.key, sizeof w.key, text) || !w.key[0] || cert_no_normal(w.no, sizeof w.no, text))
		return 0;
	for (size_t i = 0; w.key[i]; i++) {
		w.letters = w.letters && isalpha((unsigned char)w.key[i]);
		w.lower[i] = (char)tolower((unsigned char)w.key[i]);
	}
	w.digits = strspn(w.no, "0123456789X") == strlen(w.no) || strchr("GJL", w.no[0]);
	for (size_t i = 0; i < v->n && n < FIND_MAX; i++) {
		struct item *item = v->items[i];
		int field = kind_field_index(item->record.kind, "name");
		if (item->live && field >= 0 && matches(&item->record, field, &w))
			found[n++] = item;
	}
	return n;
}
