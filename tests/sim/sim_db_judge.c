/* What a push asks before it decides, as lineage_db.c makes it of the declarations: what hangs on what, of
 * whose class it is; and what the guards say. Their rules are SQL of the services (tests/service,
 * tests/e2e): here a guard refuses by chance, and shares as their signature lets it. */
#include "sim_db.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "validate.h"

static bool is_deleted(const struct record_row *x)
{
	return x->header[5].data[0];
}

static bool is_of_school(const struct record_row *x, struct cell school)
{
	return cell_is(school, x->header[1].data, (size_t)x->header[1].len);
}

static bool same_cell(struct cell a, struct cell b)
{
	return a.len > 0 && b.len >= 0 && cell_is(a, b.data, (size_t)b.len);
}

/* The next row of a kind for this statement, deleted or not; begin with db.first. */
static const struct record_row *next_row(const struct call *call, struct db_row **at)
{
	while (*at) {
		const struct record_row *x = row_read(*at, call->b->txn, snapshot(call));
		*at = (*at)->next;
		if (x)
			return x;
	}
	return NULL;
}

static bool is_parent(const struct kind *kind)
{
	for (size_t i = 0; i < kind_count; i++)
		if (kind_hangs_on(&kind_table[i], kind->number))
			return true;
	return false;
}

/* The column that names what a record hangs on; len -1: its kind has none. */
static struct cell parent_of(const struct record_row *x)
{
	return x->kind->of >= 0 ? x->column[x->kind->of] : (struct cell){NULL, -1};
}

/* ---- what it hangs on ---- */

/* Its owner's, and those whose half of it is there. */
static bool is_open(struct call *call, const struct record_row *on, struct cell school)
{
	const struct record_row *x;

	for (size_t k = 0; k < kind_count; k++) {
		const struct kind *kind = &kind_table[k];
		struct db_row *at = db.first[T_RECORD + kind->number];
		if (kind->addressee < 0 || !kind_hangs_on(kind, on->kind->number))
			continue;
		while ((x = next_row(call, &at)) != NULL)
			if (!is_deleted(x) && cell_is(parent_of(x), on->id, ID_SIZE) &&
				same_cell(x->column[kind->addressee], school))
				return true;
	}
	return is_of_school(on, school);
}

enum verdict read_targets(struct call *call)
{
	struct elements e[3];
	struct cell c[3];
	int n = 0;

	PGresult *r = ROWS(call, PG_INT4, PG_INT4, PG_BOOL);
	columns_of(call->param, e, 3);
	while (take_row(e, c, 3))
		for (size_t k = 0; k < kind_count; k++) {
			const struct kind *kind = &kind_table[k];
			const struct record_row *x = is_parent(kind)
				? read_key(call, T_RECORD + kind->number, c[2].data, ID_SIZE)
				: NULL;
			if (!x)
				continue;
			put_cell(r, n, 0, c[0]);
			put_int4(r, n, 1, kind->number);
			put_bool(r, n++, 2, is_open(call, x, c[1]));
		}
	return DONE;
}

enum verdict read_children(struct call *call)
{
	struct elements ords = elements_of(&call->param[0]), ids = elements_of(&call->param[1]);
	const struct record_row *x;
	struct cell ord, id;
	int n = 0;

	PGresult *r = ROWS(call, PG_INT4, PG_UUID);
	while (take(&ords, &ord) && take(&ids, &id))
		for (size_t k = 0; k < kind_count; k++)
			for (struct db_row *at = db.first[T_RECORD + kind_table[k].number];
				(x = next_row(call, &at)) != NULL;) {
				if (is_deleted(x) || !same_cell(parent_of(x), id))
					continue;
				put_cell(r, n, 0, ord);
				put_bytes(r, n++, 1, x->id, ID_SIZE);
			}
	return DONE;
}

/* ---- of whose class it is ---- */

#define UP_MAX 32

struct lineage {
	struct call *call;
	PGresult *r;
	int n; /* rows */
	struct cell ord, school;
	struct cell up[UP_MAX]; /* what it hangs on or hung on, and what those hang on */
	size_t up_count;
};

/* The numbers of a pupil, and of which stage he is: 0 = not told. */
struct numbers {
	struct cell cert, sno;
	char stage;
};

static struct cell column_named(const struct record_row *x, const char *name)
{
	int i = kind_field_index(x->kind, name);

	return i < 0 ? (struct cell){NULL, -1} : x->column[i];
}

static struct cell grade_of(const struct record_row *x)
{
	const char *grade = x->kind->grade;

	return grade[0] ? (struct cell){(const uint8_t *)grade, (int)strlen(grade)}
			: column_named(x, "grade");
}

static void put_scope(struct lineage *l, const struct record_row *x, bool named)
{
	struct cell class_no = column_named(x, "class_no");

	if (x->kind->grade[0] && class_no.len <= 0)
		return;
	put_cell(l->r, l->n, 0, l->ord);
	put_cell(l->r, l->n, 1, grade_of(x));
	put_cell(l->r, l->n, 2, class_no);
	put_bool(l->r, l->n++, 3, named);
}

static bool is_pupil_no(struct cell c)
{
	char text[64];

	text_of(c, text, sizeof text);
	return student_no_check(text) == ID_OK;
}

/* "G" and a certificate number. */
static bool is_made_of(struct cell sno, struct cell cert)
{
	return cert.len > 0 && sno.len == cert.len + 1 && sno.data[0] == 'G' &&
		memcmp(sno.data + 1, cert.data, (size_t)cert.len) == 0;
}

/* The school's own pupils of a number. */
static void put_named(struct lineage *l, struct numbers of, bool named)
{
	const struct record_row *x;

	for (size_t k = 0; k < kind_count; k++)
		for (struct db_row *at = kind_table[k].is_register ? db.first[T_RECORD + kind_table[k].number]
								   : NULL;
			(x = next_row(l->call, &at)) != NULL;) {
			struct cell cert = column_named(x, "cert_no"), sno = column_named(x, "student_no"),
				    grade = grade_of(x);
			if (is_deleted(x) || !is_of_school(x, l->school) ||
				(of.stage && (grade.len <= 0 || grade.data[0] != of.stage)))
				continue;
			if (same_cell(cert, of.cert))
				put_scope(l, x, named);
			if (same_cell(sno, of.sno) || is_made_of(of.sno, cert))
				put_scope(l, x, named && is_pupil_no(of.sno));
			if (is_made_of(sno, of.cert))
				put_scope(l, x, named && is_pupil_no(sno));
		}
}

/* Has the numbers of a pupil whose class stands elsewhere. */
static bool names_pupil(const struct kind *kind)
{
	return kind_field_index(kind, "cert_no") >= 0 && kind_field_index(kind, "student_no") >= 0 &&
		kind_field_index(kind, "grade") < 0;
}

static struct numbers numbers_of(const struct record_row *x)
{
	return (struct numbers){column_named(x, "cert_no"), column_named(x, "student_no"), x->kind->grade[0]};
}

static void climb(struct lineage *l, struct cell id)
{
	for (size_t k = 0; id.len == ID_SIZE && k < kind_count; k++) {
		const struct record_row *x = kind_table[k].of >= 0
			? read_key(l->call, T_RECORD + kind_table[k].number, id.data, ID_SIZE)
			: NULL;
		if (x && parent_of(x).len == ID_SIZE && l->up_count < UP_MAX)
			l->up[l->up_count++] = parent_of(x);
	}
}

static void put_ancestors(struct lineage *l)
{
	for (size_t i = 0; i < l->up_count; i++)
		for (size_t k = 0; k < kind_count; k++) {
			const struct kind *kind = &kind_table[k];
			const struct record_row *x = is_parent(kind)
				? read_key(l->call, T_RECORD + kind->number, l->up[i].data, ID_SIZE)
				: NULL;
			if (!x)
				continue;
			if (names_pupil(kind))
				put_named(l, numbers_of(x), false);
			if (kind_field_index(kind, "class_no") >= 0 &&
				(kind->grade[0] || kind_field_index(kind, "grade") >= 0))
				put_scope(l, x, false);
		}
}

enum verdict read_scopes(struct call *call)
{
	struct elements e[7];
	struct cell kind, id, parent, cert, sno;
	struct lineage l = {.call = call};

	l.r = ROWS(call, PG_INT4, PG_TEXT, PG_TEXT, PG_BOOL);
	columns_of(call->param, e, 7);
	while (take(&e[0], &l.ord) && take(&e[1], &l.school) && take(&e[2], &kind) && take(&e[3], &id) &&
		take(&e[4], &parent) && take(&e[5], &cert) && take(&e[6], &sno)) {
		l.up_count = 0;
		if (parent.len == ID_SIZE)
			l.up[l.up_count++] = parent;
		climb(&l, id);
		for (size_t i = 0; i < l.up_count; i++)
			climb(&l, l.up[i]);
		put_ancestors(&l);
		for (size_t k = 0; k < kind_count; k++) {
			const struct kind *of = &kind_table[k];
			const struct record_row *x = read_key(call, T_RECORD + of->number, id.data, ID_SIZE);
			if (!names_pupil(of))
				continue;
			if (number(kind) == of->number)
				put_named(&l, (struct numbers){cert, sno, of->grade[0]}, true);
			if (x)
				put_named(&l, numbers_of(x), cert.len < 0 && sno.len < 0);
		}
	}
	return DONE;
}

/* ---- what the guards say ---- */

static void put_refusal(
	PGresult *r, int row, struct cell ord, const char *code, const char *field, const char *message)
{
	put_cell(r, row, 0, ord);
	put_cell(r, row, 1, (struct cell){NULL, -1});
	put_text(r, row, 2, code);
	put_text(r, row, 3, field);
	put_text(r, row, 4, message);
}

/* With the school that a field of the body says, where it says one: with another one than the author's. */
static bool put_shared(
	PGresult *r, int row, struct cell ord, struct cell school, const struct kind *kind, json_t *body)
{
	json_t *said = NULL;
	const char *code;

	for (size_t i = 0; kind->shared && !said && i < kind->field_count; i++)
		if (strcmp(kind->fields[i].check, "school_code") == 0)
			said = json_object_get(body, kind->fields[i].name);
	if (!said)
		return false;
	code = json_string_value(said);
	put_cell(r, row, 0, ord);
	put_text(r, row, 1, code && !cell_is(school, code, strlen(code)) ? code : "");
	for (int i = 2; i < 5; i++)
		put_cell(r, row, i, (struct cell){NULL, -1});
	return true;
}

enum verdict guard(struct call *call)
{
	struct elements ords = elements_of(&call->param[0]), schools = elements_of(&call->param[1]),
			bodies = elements_of(&call->param[3]);
	struct cell ord, school, body;
	int n = 0;

	PGresult *r = ROWS(call, PG_INT4, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT);
	while (take(&ords, &ord) && take(&schools, &school) && take(&bodies, &body)) {
		json_t *json = body.len > 1
			? json_loadb((const char *)body.data + 1, (size_t)body.len - 1, 0, NULL)
			: NULL;
		demand(json || body.len < 0, "I13", "a guard is given what is no JSON: %.*s", body.len - 1,
			(const char *)body.data + 1);
		if (json && chance(40))
			put_refusal(r, n++, ord, "INCOMPLETE", "", "材料不齐");
		else if (json)
			n += put_shared(r, n, ord, school, call->kind, json);
		json_decref(json);
	}
	return DONE;
}

/* By chance again: a record that stands may take no more. What is taken off it is not refused: it would hang
 * there for ever. */
enum verdict judge(struct call *call)
{
	struct elements e[5];
	struct cell ord, school, id, parent, deleted;
	int n = 0;

	PGresult *r = ROWS(call, PG_INT4, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT);
	columns_of(call->param, e, 5);
	while (take(&e[0], &ord) && take(&e[1], &school) && take(&e[2], &id) && take(&e[3], &parent) &&
		take(&e[4], &deleted))
		for (size_t k = 0; k < kind_count && parent.len == ID_SIZE; k++)
			if (kind_table[k].children_guard[0] &&
				read_key(call, T_RECORD + kind_table[k].number, parent.data, ID_SIZE) &&
				chance(70))
				put_refusal(r, n++, ord, "PHASE", "", "现在不能登记");
	return DONE;
}

/* What it locks is the service's. */
enum verdict hold(struct call *call)
{
	put_text(ROWS(call, PG_TEXT), 0, 0, "");
	return DONE;
}

/* ---- what follows from an operation that was applied ---- */

/* As a formal report does, which is a push of its own, it freezes what its school has: of every kind here.
 * What follows from other kinds is their service's. */
static enum verdict freeze(struct call *call, struct cell school, struct cell id)
{
	struct db_snapshot *s = keep(sizeof *s);
	const struct record_row *x;
	size_t room = 0;

	memcpy(s->report, id.data, ID_SIZE);
	for (size_t k = 0; k < kind_count; k++)
		for (struct db_row *at = db.first[T_RECORD + kind_table[k].number];
			(x = next_row(call, &at)) != NULL;)
			room++;
	s->rows = keep(sizeof *s->rows * (room + 1));
	s->n = 0;
	for (size_t k = 0; k < kind_count; k++)
		for (struct db_row *at = db.first[T_RECORD + kind_table[k].number];
			(x = next_row(call, &at)) != NULL;) {
			if (is_deleted(x) || !is_of_school(x, school))
				continue;
			memcpy(s->rows[s->n].id, x->id, ID_SIZE);
			s->rows[s->n++].ver = number(x->header[3]);
		}
	return read_key(call, T_SNAPSHOT, s->report, ID_SIZE)
		? DONE
		: insert_row(call, T_SNAPSHOT, s->report, ID_SIZE, s);
}

enum verdict applied(struct call *call)
{
	struct elements schools = elements_of(&call->param[0]), ids = elements_of(&call->param[1]);
	enum verdict v = DONE;
	struct cell school, id;

	PGresult *r = ROWS(call, PG_TEXT);
	put_text(r, 0, 0, "");
	while (v == DONE && take(&schools, &school) && take(&ids, &id))
		v = call->kind->alone ? freeze(call, school, id) : DONE;
	return v;
}
