/* The people at the schools' computers: what they type, what they decide, what they take back. */
#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "decide.h"
#include "outbox.h"
#include "sim.h"
#include "sim_count.h"
#include "tables.h"
#include "transition.h"
#include "view.h"

#define PUPILS 14 /* of a school: few, so that its computers meet */
#define YEAR 2026

static const uint32_t kinds[] = {
	KIND_STUDENT, KIND_GUARDIAN, KIND_DESTINATION, KIND_EVIDENCE, KIND_FILING, 0};
static struct problem typing; /* why it failed */

/* ---- what they type ---- */

/* GB 11643-1999: seventeen digits and the check character. */
static void cert_no(char out[19], unsigned school, unsigned pupil)
{
	static const int weight[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
	int sum = 0;

	snprintf(out, 19, "329999201401%02u%03u", school + 1, pupil);
	for (int i = 0; i < 17; i++)
		sum += (out[i] - '0') * weight[i];
	out[17] = "10X98765432"[sum % 11];
	out[18] = 0;
}

static struct item *any_item(struct view *v, uint32_t kind)
{
	struct item *found = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (v->items[i]->live && v->items[i]->record.kind->number == kind &&
			view_is_ours(v, v->items[i]) && draw(++n) == 0)
			found = v->items[i];
	return found;
}

struct words {
	char no[19], name[32], class_no[8], address[32];
};

static enum err put_student(struct client *c, struct view *v, struct item **item)
{
	struct words w;
	struct record want;

	cert_no(w.no, c->school, (unsigned)draw(PUPILS));
	record_init(&want, kind_by_number(KIND_STUDENT));
	record_set_text(&want, F_STUDENT_CERT_TYPE, "1");
	record_set_text(&want, F_STUDENT_CERT_NO, w.no);
	*item = view_find_key(v, &want, true);
	bool fresh = !*item;
	if (*item)
		want = (*item)->record;
	if (fresh || chance(150)) {
		snprintf(w.name, sizeof w.name, "测试%.4s%s", w.no + 14, chance(800) ? "" : "改");
		record_set_text(&want, F_STUDENT_NAME, w.name);
	}
	if (fresh || chance(500)) {
		snprintf(w.class_no, sizeof w.class_no, "%u", 1 + (unsigned)draw(3));
		record_set_text(&want, F_STUDENT_GRADE, "16");
		record_set_text(&want, F_STUDENT_CLASS_NO, w.class_no);
	}
	if (chance(400)) {
		snprintf(w.address, sizeof w.address, "测试路%u号", (unsigned)draw(5));
		record_set_text(&want, F_STUDENT_LIVE_ADDRESS, w.address);
	}
	return outbox_put(v, item, &want, UINT32_MAX, 0, &typing);
}

static enum err put_guardian(struct view *v, struct item **item)
{
	struct item *pupil = any_item(v, KIND_STUDENT);
	struct record want;
	char name[32], phone[16];

	if (!pupil)
		return ERR_OK;
	record_init(&want, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&want, F_GUARDIAN_STUDENT, pupil->id, ID_SIZE);
	record_set_number(&want, F_GUARDIAN_ORDINAL, (int64_t)draw_between(1, 2));
	*item = view_find_key(v, &want, true);
	if (*item)
		want = (*item)->record;
	snprintf(name, sizeof name, "家长%u", (unsigned)draw(9));
	snprintf(phone, sizeof phone, "1390000%04u", (unsigned)draw(10000));
	record_set_text(&want, F_GUARDIAN_NAME, name);
	record_set_text(&want, F_GUARDIAN_PHONE, phone);
	return outbox_put(v, item, &want, UINT32_MAX, 0, &typing);
}

/* A pupil who declares the junior school enters its stream, and leaves it when the family decides otherwise.
 */
static enum err put_destination(struct client *c, struct view *v, struct item **item)
{
	struct record want;
	char no[19], name[32], note[32];

	cert_no(no, c->school, (unsigned)draw(PUPILS));
	record_init(&want, kind_by_number(KIND_DESTINATION));
	record_set_number(&want, F_DESTINATION_YEAR, YEAR);
	record_set_text(&want, F_DESTINATION_CERT_TYPE, "1");
	record_set_text(&want, F_DESTINATION_CERT_NO, no);
	*item = view_find_key(v, &want, true);
	if (*item)
		want = (*item)->record;
	snprintf(name, sizeof name, "测试%.4s", no + 14);
	record_set_text(&want, F_DESTINATION_NAME, name);
	if (!*item || chance(600)) {
		bool here = chance(600);
		record_set_text(&want, F_DESTINATION_CATEGORY, here ? "A1" : "B1");
		if (here)
			record_set_text(&want, F_DESTINATION_DEST_SCHOOL, sim_schools[SIM_SCHOOLS - 1]);
		else
			record_clear(&want, F_DESTINATION_DEST_SCHOOL);
	}
	if (chance(300)) {
		snprintf(note, sizeof note, "备注%u", (unsigned)draw(9));
		record_set_text(&want, F_DESTINATION_LIVE_ADDRESS, note);
	}
	return outbox_put(v, item, &want, UINT32_MAX, 0, &typing);
}

/* The record of a file; the file itself goes its own way. */
static enum err put_evidence(struct view *v, struct item **item)
{
	struct item *row = any_item(v, KIND_DESTINATION);
	uint8_t sha[HASH_SIZE] = {(uint8_t)draw(4)};
	struct record want;

	if (!row)
		return ERR_OK;
	record_init(&want, kind_by_number(KIND_EVIDENCE));
	record_set_bytes(&want, F_EVIDENCE_TARGET, row->id, ID_SIZE);
	record_set_bytes(&want, F_EVIDENCE_SHA, sha, HASH_SIZE);
	record_set_number(&want, F_EVIDENCE_SIZE, 1000);
	record_set_text(&want, F_EVIDENCE_NAME, "证明.pdf");
	*item = view_find_key(v, &want, true);
	return *item ? ERR_OK : outbox_put(v, item, &want, UINT32_MAX, 0, &typing);
}

static enum err file_report(struct view *v)
{
	bool incomplete = chance(500);
	int64_t n;

	return transition_file(
		v, YEAR, "T1", incomplete, incomplete ? "有学生尚未登记去向" : "", &n, &typing);
}

static enum err type_one(struct client *c, struct view *v, struct item **item)
{
	unsigned what = (unsigned)draw(100);

	*item = NULL;
	if (chance(30))
		return file_report(v);
	if (what < 45)
		return put_student(c, v, item);
	if (what < 55)
		return put_guardian(v, item);
	if (what < 60)
		return put_evidence(v, item);
	if (what < 85)
		return put_destination(c, v, item);
	*item = any_item(v, what < 92 ? KIND_STUDENT : what < 96 ? KIND_GUARDIAN : KIND_DESTINATION);
	enum err e = *item ? outbox_delete_children(v, (*item)->id, &typing) : ERR_OK;
	return e || !*item ? e : outbox_delete(v, *item, 0, &typing);
}

/* I6: what was saved is what is shown. */
static void check_shown(struct client *c, const struct item *typed)
{
	const uint32_t kind[] = {typed->record.kind->number, 0};
	struct view *v;
	const struct item *seen;

	if (!looks())
		return;
	if (view_load(&v, c->store, kind, NULL))
		return; /* its disk refuses */
	seen = view_find_id(v, typed->id);
	demand(seen && seen->live == typed->live, "I6", "an own write is not shown");
	for (unsigned g = 1; typed->live && g <= typed->record.kind->group_count; g++)
		demand(record_same_group(&seen->record, &typed->record, g), "I6",
			"an own write is not shown as it was typed");
	view_free(v);
}

/* Stores what a person did, or takes it back; the fault that was armed for it is over. */
static enum err save_or_not(struct client *c, enum err e)
{
	if (!e)
		e = store_commit(c->store, &typing);
	else
		store_rollback(c->store);
	c->short_of_memory = memory_disarm();
	check_at_rest(c);
	return e;
}

void people_type(struct client *c)
{
	unsigned n = chance(100) ? (unsigned)draw_between(2, 20) : 1; /* a file, or a line */
	typing = (struct problem){0};
	struct item *item = NULL, *last = NULL;
	struct view *v;
	enum err e;

	memory_arm(CLIENT_SHORT, 12);
	if (view_load(&v, c->store, kinds, NULL)) {
		memory_disarm();
		return;
	}
	e = store_begin(c->store, &typing);
	for (unsigned i = 0; !e && i < n; i++) {
		e = type_one(c, v, &item);
		last = item ? item : last;
	}
	e = save_or_not(c, e);
	demand(!e || disk_hurt(c->no) || c->short_of_memory, "C1",
		"typing failed on a disk that is well: %s %s", err_info((int)e)->name, typing.message);
	if (!e) {
		sim_trace("typed", c->no, c->store->made);
		world.ops_left -= world.ops_left < n ? world.ops_left : n;
		check_typed(c);
		if (last)
			check_shown(c, last);
	}
	view_free(v);
}

/* ---- what they decide ---- */

#define OPEN_MAX 16

struct open_rows {
	int64_t n[OPEN_MAX];
	unsigned count;
};

static enum err note_row(void *data, const struct op_row *row)
{
	struct open_rows *rows = data;

	if (rows->count < OPEN_MAX)
		rows->n[rows->count++] = row->n;
	return ERR_OK;
}

/* *shown: what the decision put, to be looked for. */
static enum err decide_conflict(
	struct view *v, int64_t n, struct arena *arena, const char **word, struct item **shown)
{
	struct conflict x;
	enum err e = conflict_read(v, n, arena, &x, &typing);

	if (e)
		return e;
	*shown = conflict_theirs(v, &x.row);
	if (*shown && chance(500)) {
		*word = x.row.has_duplicate ? "decided mine, a duplicate" : "decided mine";
		return conflict_take_mine(v, &x, &typing);
	}
	*word = x.row.has_duplicate ? "decided theirs, a duplicate" : "decided theirs";
	return conflict_take_theirs(v, &x, &typing);
}

static enum err decide_row(struct client *c, struct view *v, int64_t n, struct arena *arena,
	const char **word, struct item **shown)
{
	struct op_row row;
	enum err e = outbox_read(c->store, n, arena, &row, &typing);

	*shown = NULL;
	if (e || !decide_needed(&row)) /* decided with another */
		return e;
	if (row.state == OP_CONFLICT)
		return decide_conflict(v, n, arena, word, shown);
	if (chance(500)) {
		*word = "put aside";
		return decide_aside(c->store, kinds, &row, &typing);
	}
	*word = "queued again";
	return decide_again(v, &row, &row.body, row.groups, &typing);
}

/* What can be said against a decision that was made well: theirs is gone, what is left of the record is not
 * whole, or what it rests on is to be decided first. */
static bool may_be_refused(enum err e)
{
	return e == ERR_NOT_FOUND || e == ERR_MISSING || e == ERR_NOT_NOW;
}

static void decide_one(struct client *c, int64_t n)
{
	struct arena arena;
	struct view *v;
	struct item *shown = NULL;
	const char *word = "";

	typing = (struct problem){0};
	arena_init(&arena, 1u << 20);
	memory_arm(CLIENT_SHORT, 12);
	enum err e = view_load(&v, c->store, kinds, &typing);
	if (!e)
		e = store_begin(c->store, &typing);
	if (!e)
		e = decide_row(c, v, n, &arena, &word, &shown);
	e = save_or_not(c, e);
	demand(!e || may_be_refused(e) || disk_hurt(c->no) || c->short_of_memory, "I9",
		"nothing can be decided about item %lld: %s %s", (long long)n, err_info((int)e)->name,
		typing.message);
	if (!e) {
		sim_met(word);
		sim_trace(word, c->no, (uint64_t)n);
		check_typed(c);
		if (shown)
			check_shown(c, shown);
	}
	view_free(v);
	arena_free(&arena);
}

/* Somebody looks at what waits for a person, and decides some of it; or takes back what was typed. */
void people_decide(struct client *c)
{
	struct undo_report report;
	struct open_rows rows = {.count = 0};

	if (chance(500)) {
		if (c->store->next_row > 1 &&
			batch_revert(c->store, (int64_t)draw_between(1, (uint64_t)c->store->next_row - 1),
				&report, NULL) == ERR_OK) {
			sim_met("undone");
			check_typed(c);
		}
		return;
	}
	if (outbox_each(c->store, 1u << OP_CONFLICT | 1u << OP_DRAFT | 1u << OP_REFUSED | 1u << OP_BLOCKED, 0,
		    note_row, &rows, NULL))
		return; /* its disk refuses */
	for (unsigned i = 0; i < rows.count; i++)
		if (chance(500))
			decide_one(c, rows.n[i]);
}
