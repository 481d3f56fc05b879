/* Rows of people's files into the store: what is new, what changes, and what may not change without a
 * person's word. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "check.h"
#include "clock.h"
#include "decide.h"
#include "face.h"
#include "file_name.h"
#include "import_row.h"
#include "lang.h"
#include "text.h"
#include "words.h"

#define PROGRESS_ROWS 500

static bool is_identity(const struct import *im, const struct field *f)
{
	return im->rules->about && import_listed(im->rules->about->identity, f->name);
}

/* The record as it will be: what the file has columns for replaces what was there, a default does not; what
 * says who it is about is never emptied. */
static void merge_row(const struct import *im, struct record *want, const struct item *item,
	const struct record *row, uint32_t given)
{
	if (!item) {
		*want = *row;
		return;
	}
	*want = item->record;
	for (size_t i = 0; i < row->kind->field_count; i++) {
		bool told = given >> i & 1;
		if (record_has(row, (int)i) && (told || !record_has(want, (int)i))) {
			want->value[i] = row->value[i];
			want->set |= UINT64_C(1) << i;
		} else if (told && !record_has(row, (int)i) && !is_identity(im, &row->kind->fields[i])) {
			record_clear(want, (int)i);
		}
	}
}

static void reject_repeat(struct import *im, struct import_row *row, const struct item *item)
{
	struct problem p = {0};

	problem_set(&p, ERR_DUPLICATE, NULL, _("请只留一行正确的"),
		_(im->rules->about ? im->rules->about->same_row : N_("与第 %ld 行是同一条记录，内容不同")),
		item->mark);
	import_reject(im, row, import_field(im, import_key(im)), "DUPLICATE", &p);
}

/* The first child of that kind, as the row gives it; false when it gives none. */
static bool beside_want(struct import *im, const struct import_row *row, const struct item *parent,
	struct item **item, struct record *want)
{
	if (!im->beside || !record_groups(&row->beside))
		return false;
	*item = view_first_child(im->view, parent, im->beside);
	merge_row(im, want, *item, &row->beside, row->beside_given);
	view_set_first(want, parent->id);
	return true;
}

/* Sets *changed when something was written. */
static enum err store_beside(
	struct import *im, struct import_row *row, const struct item *parent, bool *changed)
{
	struct record want;
	struct item *item;

	if (!beside_want(im, row, parent, &item, &want))
		return ERR_OK;
	*changed = outbox_changed_groups(item, &want) != 0;
	return outbox_put(im->view, &item, &want, UINT32_MAX, im->batch, im->p);
}

/* ---- What a row may not change by itself ---- */

static bool same_name(const struct record *a, const struct record *b, int field)
{
	char x[256], y[256], key_x[256], key_y[256];

	record_text(a, field, x, sizeof x);
	record_text(b, field, y, sizeof y);
	return text_name_key(key_x, sizeof key_x, x) == ERR_OK &&
		text_name_key(key_y, sizeof key_y, y) == ERR_OK && strcmp(key_x, key_y) == 0;
}

/* Adds “班级 3→4” to the list. */
static void add_change(const struct view *v, char *list, size_t size, const struct record *old,
	const struct record *new, int i)
{
	char from[128], to[128];
	size_t n = strlen(list);

	snprintf(list + n, size - n, "%s%s %s→%s", n ? _("；") : "", value_column(&old->kind->fields[i]),
		*words_field(v, old, i, false, from, sizeof from) ? from : _("空"),
		*words_field(v, new, i, false, to, sizeof to) ? to : _("空"));
}

/* Every value that says who the record is about and was known otherwise; the fields as bits. */
static uint32_t identity_changes(
	const struct import *im, const struct record *old, const struct record *want, char *list, size_t size)
{
	uint32_t changed = 0;

	for (size_t i = 0; i < old->kind->field_count; i++) {
		const struct field *f = &old->kind->fields[i];
		if (!is_identity(im, f) || !record_has(old, (int)i) || record_same_field(old, want, i) ||
			(strcmp(f->name, "name") == 0 && same_name(old, want, (int)i)))
			continue;
		changed |= 1u << i;
		add_change(im->view, list, size, old, want, (int)i);
	}
	return changed;
}

/* What the operations on a record say of the values that a row brings back. */
struct history {
	const struct record *old, *want;
	uint32_t taken_back; /* fields */
	int64_t at;          /* of the last correction */
};

/* A correction: this operation replaced just the value that the file holds. A yes that was a yes before some
 * no is no sign of an old file: rosters are imported again every day while pupils arrive. */
static enum err look_back(void *data, const struct op_row *op)
{
	struct history *h = data;

	for (size_t i = 0; op->prev.kind && i < h->old->kind->field_count; i++) {
		const struct field *f = &h->old->kind->fields[i];
		if (f->type == FIELD_BOOL || record_same_field(h->old, h->want, i) ||
			!(op->groups >> (f->group - 1) & 1) || !record_has(&op->prev, (int)i) ||
			!record_same_field(&op->prev, h->want, i) || record_same_field(&op->body, h->want, i))
			continue;
		h->taken_back |= 1u << i;
		h->at = op->at;
	}
	return ERR_OK;
}

/* The list of all changes of this kind stands in the warnings; what is held back is rejected too. */
static void note(struct import *im, struct import_row *row, const char *code, const struct problem *p)
{
	int number = import_key(im);

	import_warn(im, row, import_field(im, number), code, p);
	if (!im->options->force)
		import_reject(im, row, import_field(im, number), code, p);
}

/* What the row would take back of later corrections of a record: added to the list; the fields as bits. */
static enum err taken_back(
	struct import *im, const struct item *item, const struct record *want, struct history *h)
{
	*h = (struct history){.old = &item->record, .want = want};
	return outbox_changed_groups(item, want) ? outbox_changes_of(im->store, item->id, look_back, h, im->p)
						 : ERR_OK;
}

static void add_taken_back(
	const struct view *v, char *list, size_t size, const struct history *h, uint32_t but)
{
	for (size_t i = 0; h->old && i < h->old->kind->field_count; i++)
		if (h->taken_back & ~but & 1u << i)
			add_change(v, list, size, h->old, h->want, (int)i);
}

static void tell_taken_back(
	struct import *im, struct import_row *row, const char *name, const char *list, int64_t when)
{
	struct problem p = {0};
	char at[FACE_SIZE];

	face_day(at, when, clock_now_us());
	problem_set(&p, ERR_STALE, NULL,
		im->options->force ? NULL : _("本机的改动是后来的；确实要改回再加 --force"),
		_("%s：%s，会把 %s 的更正改回去"), name, list, at);
	im->report->taken_back++;
	note(im, row, "TAKES_BACK", &p);
}

static void tell_identity(struct import *im, struct import_row *row, const char *name, const char *list)
{
	struct problem p = {0};

	problem_set(&p, ERR_CONFLICT, NULL, im->options->force ? NULL : _("核对无误再加 --force 导入"),
		_("%s：%s"), name, list);
	im->report->identity++;
	note(im, row, "IDENTITY", &p);
}

/* Tells what the row would x, or take back of later corrections, in the child beside
 * it too; without `force` such a row is held back. */
static enum err judge_changes(
	struct import *im, struct import_row *row, const struct item *item, const struct record *want)
{
	struct history own, beside = {0};
	struct record beside_is;
	struct item *first = NULL;
	char list[200] = "", name[64];
	uint32_t changed = identity_changes(im, &item->record, want, list, sizeof list);
	enum err e = taken_back(im, item, want, &own);

	if (!e && beside_want(im, row, item, &first, &beside_is) && first)
		e = taken_back(im, first, &beside_is, &beside);
	if (e)
		return e;
	words_named(im->view, &item->record, name, sizeof name);
	if (own.taken_back || beside.taken_back) {
		add_taken_back(im->view, list, sizeof list, &own, changed);
		add_taken_back(im->view, list, sizeof list, &beside, 0);
		tell_taken_back(im, row, name, list, own.at > beside.at ? own.at : beside.at);
	} else if (changed) {
		tell_identity(im, row, name, list);
		im->report->promoted += im->rules->about->moves_up(&item->record, want, changed);
	}
	return ERR_OK;
}

static enum err store_row(struct import *im, struct import_row *row)
{
	struct item *item = view_find_key(im->view, &row->record, true);
	struct record want;
	struct problem p = {0};
	bool beside = false, fresh = !item;

	merge_row(im, &want, item, &row->record, row->given);
	if (im->rules->complete)
		im->rules->complete(im, row, item, &want);
	uint32_t groups = outbox_changed_groups(item, &want);
	if (groups && item && item->mark) {
		reject_repeat(im, row, item);
		return ERR_OK;
	}
	if (check_record(&want, true, im->today, &p)) {
		int field = kind_field_index(im->kind, p.field);
		import_reject(im, row, field < 0 ? p.field : import_field(im, field), NULL, &p);
		return ERR_OK;
	}
	if (im->rules->judge)
		im->rules->judge(im, row, &want);
	enum err e = item && !row->bad ? judge_changes(im, row, item, &want) : ERR_OK;
	if (e || row->bad)
		return e;
	e = outbox_put(im->view, &item, &want, UINT32_MAX, im->batch, im->p);
	if (!e)
		e = store_beside(im, row, item, &beside);
	if (!e && im->rules->stored)
		e = im->rules->stored(im, row, item);
	if (e)
		return e;
	if (!item->mark)
		item->mark = row->at.number;
	if (fresh)
		im->report->inserted++;
	else if (groups || beside)
		im->report->updated++;
	else
		im->report->unchanged++;
	return ERR_OK;
}

enum err import_store_rows(struct import *im)
{
	const struct import_options *o = im->options;
	struct import_report *r = im->report;
	char path[FILE_NAME_TEXT_MAX];
	enum err e = store_begin(im->store, im->p);

	if (e)
		return e;
	file_path_text(path, sizeof path, o->path);
	e = batch_begin(im->store, im->rules->name, path, &im->batch, im->p);
	for (size_t i = 0; !e && i < im->n_rows; i++) {
		if (!im->rows[i].bad && !im->rows[i].unfilled)
			e = (im->rules->store ? im->rules->store : store_row)(im, &im->rows[i]);
		if (o->progress && i % PROGRESS_ROWS == 0)
			o->progress(o->progress_data, i, im->n_rows);
	}
	struct batch_counts counts = {r->inserted, r->updated, r->unchanged, r->rejected.n};
	if (!e)
		e = batch_end(im->store, im->batch, &counts, im->p);
	if (!e)
		e = import_kept(im);
	if (!e)
		e = decide_retyped(im->view, im->p);
	if (!e && o->all_or_nothing && r->rejected.n)
		e = problem_set(im->p, ERR_FILE_FORMAT, NULL, _("改好这些行再导入，或去掉 --all-or-nothing"),
			_("有 %zu 行不合格，一行也没有保存"), r->rejected.n);
	if (e || o->dry_run) {
		store_rollback(im->store);
		return e;
	}
	e = store_commit(im->store, im->p);
	if (!e)
		r->id = im->batch;
	return e;
}
