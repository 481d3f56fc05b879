#include "sim_values.h"

#include <stdio.h>
#include <string.h>

#include "class_scope.h"
#include "codes.h"
#include "validate.h"

#define PUPILS 6 /* of a school: few, so that its computers meet */
#define GRADE "16"
#define YEAR 2026
#define DAY 20260901
#define MOMENT INT64_C(1780272000000000)

/* Below n, the first most often: what two people type of one pupil mostly agrees. */
static uint64_t usual(uint64_t n)
{
	return chance(850) ? 0 : draw(n);
}

/* ---- texts, by their check ---- */

/* GB 11643-1999: seventeen digits and the check character. Of this school's pupils, seldom of others. */
static void draw_pupil(char *to, const char *school)
{
	unsigned of = (unsigned)draw(SIM_SCHOOLS);

	for (unsigned i = 0; i < SIM_SCHOOLS && chance(950); i++)
		of = strcmp(school, sim_schools[i]) == 0 ? i : of;
	snprintf(to, 19, "329999201401%02u%03u", of + 1, (unsigned)draw(PUPILS));
	to[17] = resident_id_check_digit(to);
	to[18] = 0;
}

static void draw_cert_no(char *to, size_t size, const struct writer *w, const char *list)
{
	(void)size, (void)list;
	draw_pupil(to, w->school);
}

static void draw_student_no(char *to, size_t size, const struct writer *w, const char *list)
{
	(void)size, (void)list;
	to[0] = 'G';
	draw_pupil(to + 1, w->school);
}

static void draw_school_code(char *to, size_t size, const struct writer *w, const char *list)
{
	(void)w, (void)list;
	snprintf(to, size, "%s", sim_schools[chance(600) ? SIM_SCHOOLS - 1 : draw(SIM_SCHOOLS)]);
}

static void draw_area(char *to, size_t size, const struct writer *w, const char *list)
{
	(void)w, (void)list;
	snprintf(to, size, "%d00%u", SIM_COUNTY, 1 + (unsigned)usual(3));
}

static void draw_class(char *to, size_t size, const struct writer *w, const char *list)
{
	(void)w, (void)list;
	snprintf(to, size, "%u", 1 + (unsigned)draw(3));
}

static void draw_code(char *to, size_t size, const struct writer *w, const char *list)
{
	const struct code_list *codes = code_list_by_name(list);

	(void)w;
	snprintf(to, size, "%s", codes->items[usual(codes->n)].code);
}

static void draw_codes(char *to, size_t size, const struct writer *w, const char *list)
{
	const struct code_list *codes = code_list_by_name(list);
	size_t first = draw(codes->n), last = draw(codes->n);

	(void)w;
	snprintf(to, size, "%s%s%s", codes->items[first].code, last > first ? "," : "",
		last > first ? codes->items[last].code : "");
}

static void draw_long(char *to, size_t size, const struct writer *w, const char *list)
{
	(void)w, (void)list;
	snprintf(to, size, "第一行\n第%u行", 2 + (unsigned)usual(4));
}

static void draw_text(char *to, size_t size, const struct writer *w, const char *list)
{
	(void)w, (void)list;
	snprintf(to, size, "测%u", (unsigned)usual(5));
}

/* By the beginning of the check; what stands behind it is the list. */
static const struct {
	const char *check;
	void (*draw)(char *to, size_t size, const struct writer *w, const char *list);
} texts[] = {{"cert_no", draw_cert_no}, {"student_no", draw_student_no}, {"school_code", draw_school_code},
	{"area", draw_area}, {"class", draw_class}, {"codes:", draw_code}, {"multi:", draw_codes},
	{"long", draw_long}, {"", draw_text}};

static void draw_text_of(char *to, size_t size, const struct writer *w, const struct field *f)
{
	size_t i = 0;

	while (strncmp(f->check, texts[i].check, strlen(texts[i].check)) != 0)
		i++;
	texts[i].draw(to, size, w, f->check + strlen(texts[i].check));
	/* What the rules of a class teacher look at (options.proto). */
	if (strcmp(f->name, "grade") == 0 && chance(900))
		snprintf(to, size, GRADE);
}

/* ---- numbers ---- */

static int64_t draw_number(const struct field *f)
{
	long long from, to;

	if (f->type == FIELD_BOOL)
		return chance(600);
	if (sscanf(f->check, "range:%lld-%lld", &from, &to) == 2)
		return from + (int64_t)draw((uint64_t)(to - from > 2 ? 2 : to - from + 1));
	if (strcmp(f->check, "year") == 0)
		return YEAR + (int64_t)usual(2);
	if (strcmp(f->check, "date") == 0)
		return DAY + (int64_t)usual(9);
	if (strcmp(f->check, "time") == 0)
		return MOMENT + (int64_t)usual(9);
	return 1 + (int64_t)usual(9);
}

/* ---- a field ---- */

bool values_names(const struct kind *kind, int field, const struct kind *named)
{
	const struct field *f = &kind->fields[field];
	const char *table = strncmp(f->check, "ref:", 4) == 0 ? f->check + 4 : f->name;

	if (field == kind->of)
		return kind_hangs_on(kind, named->number);
	return !kind_by_table(table) || kind_by_table(table) == named;
}

static bool draw_bytes(
	const struct writer *w, struct record *r, int field, const struct field *f, struct words *words)
{
	uint8_t *room = (uint8_t *)words->text[field];
	const uint8_t *id = field_is_id(f) ? w->name_one(w->data, r->kind, field) : NULL;

	if (field_is_id(f) && !id)
		return false;
	memset(room, 0, HASH_SIZE);
	room[0] = (uint8_t)draw(4); /* a hash */
	if (id)
		memcpy(room, id, ID_SIZE);
	record_set_bytes(r, field, room, id ? ID_SIZE : HASH_SIZE);
	return true;
}

/* False: it would name a record, and there is none. */
static bool draw_field(const struct writer *w, struct record *r, int field, struct words *words)
{
	const struct field *f = &r->kind->fields[field];
	char *room = words->text[field];

	if (f->signs >= 0) /* no computer of the simulation has a certificate */
		record_clear(r, field);
	else if (f->type == FIELD_BYTES)
		return draw_bytes(w, r, field, f, words);
	else if (f->author && !w->user)
		record_clear(r, field);
	else if (f->author)
		record_set_text(r, field, w->user);
	else if (f->type == FIELD_TEXT) {
		draw_text_of(room, sizeof words->text[field], w, f);
		record_set_text(r, field, room);
	} else
		record_set_number(r, field, draw_number(f));
	return true;
}

/* ---- a record ---- */

static bool is_of_key(const struct kind *kind, int field)
{
	for (size_t i = 0; i < kind->key_count; i++)
		if (kind->key[i].field[0] == field || kind->key[i].field[1] == field)
			return true;
	return false;
}

bool values_draw(const struct writer *w, const struct kind *kind, struct record *r, struct words *words)
{
	record_init(r, kind);
	for (size_t i = 0; i < kind->key_count; i++)
		if (!draw_field(w, r, kind->key[i].field[chance(30)], words))
			return false;
	for (int i = 0; i < (int)kind->field_count; i++) {
		const struct field *f = &kind->fields[i];
		if (!record_has(r, i) && (f->required || (!is_of_key(kind, i) && chance(300))) &&
			!draw_field(w, r, i, words) && f->required)
			return false;
	}
	return true;
}

void values_redraw(
	const struct writer *w, struct record *r, uint32_t groups, unsigned key, struct words *words)
{
	const struct kind *kind = r->kind;
	const struct record before = *r;

	for (int i = 0; i < (int)kind->field_count; i++) {
		const struct field *f = &kind->fields[i];
		if (!(groups >> (f->group - 1) & 1) ||
			!(is_of_key(kind, i) ? chance(key) : draw(kind->field_count) < 3))
			continue;
		if (!f->required && chance(200))
			record_clear(r, i);
		else
			draw_field(w, r, i, words);
	}
	for (int i = 0; i < (int)kind->field_count; i++)
		if (kind->fields[i].author && !record_same_group(&before, r, kind->fields[i].group))
			draw_field(w, r, i, words); /* whoever changes it signs it */
}

/* ---- the teachers' classes ---- */

static struct {
	char scope[KIND_NUMBER_MAX + 1][CLASS_SCOPE_SIZE];
	const char *list[KIND_NUMBER_MAX + 1];
	uint32_t n;
} classes;

static void add_class(const char *grade)
{
	const char *scope = class_scope_make(classes.scope[classes.n], grade, "1");
	bool known = !grade[0];

	for (uint32_t i = 0; i < classes.n; i++)
		known |= strcmp(classes.list[i], scope) == 0;
	if (!known)
		classes.list[classes.n++] = scope;
}

const char *const *values_classes(uint32_t *n)
{
	if (!classes.n) {
		add_class(GRADE);
		for (size_t i = 0; i < kind_count; i++)
			add_class(kind_table[i].grade);
	}
	*n = classes.n;
	return classes.list;
}
