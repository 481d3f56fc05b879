/* A roster one of whose columns has shifted by a row: names beside the numbers of others. */
#include <stdlib.h>
#include <string.h>

#include "import_pupil.h"
#include "import_transition.h"
#include "lang.h"
#include "tables.h"
#include "text.h"
#include "validate.h"

/* A column has shifted when so many rows agree by half with a listed pupil. */
#define SHIFTED_PERCENT 30
#define SHIFTED_ROWS 10

/* A pupil that is listed: declared for this school, or on its roster. */
struct listed {
	char cert_no[CERT_NO_MAX + 1];
	char name[128];
	int32_t birth;
};

struct listing {
	struct listed *list;
	size_t n;
	struct listed **by_no, **by_name; /* sorted */
};

static int compare_no(const void *a, const void *b)
{
	return strcmp((*(struct listed *const *)a)->cert_no, (*(struct listed *const *)b)->cert_no);
}

static int compare_name(const void *a, const void *b)
{
	const struct listed *x = *(struct listed *const *)a, *y = *(struct listed *const *)b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->birth > y->birth) - (x->birth < y->birth);
}

static void listed_of(struct listed *out, const struct record *r, int32_t today)
{
	int birth = kind_field_index(r->kind, "birth");
	struct resident_id id = {0};
	char name[256];

	*out = (struct listed){.birth = birth < 0 ? 0 : (int32_t)record_number(r, birth)};
	record_text(r, kind_field_index(r->kind, "cert_no"), out->cert_no, sizeof out->cert_no);
	record_text(r, kind_field_index(r->kind, "name"), name, sizeof name);
	if (text_name_key(out->name, sizeof out->name, name))
		out->name[0] = 0;
	enum id_fault fault = resident_id_check(out->cert_no, today, &id);
	if (!out->birth && (fault == ID_OK || fault == ID_CHECK))
		out->birth = id.birth;
}

static enum err list_pupils(struct import *im, struct listing *l)
{
	struct view *v = im->view;

	l->list = calloc(v->n + 1, sizeof *l->list);
	l->by_no = calloc(v->n + 1, sizeof *l->by_no);
	l->by_name = calloc(v->n + 1, sizeof *l->by_name);
	if (!l->list || !l->by_no || !l->by_name)
		return ERR_NOMEM;
	for (size_t i = 0; i < v->n; i++) {
		const struct item *item = v->items[i];
		bool declared = item->record.kind->number == KIND_DESTINATION && !view_is_ours(v, item);
		bool roster = item->record.kind->number == KIND_ENROLMENT && view_is_ours(v, item);
		if (!item->live || (!declared && !roster) || record_number(&item->record, 0) != im->year)
			continue;
		listed_of(&l->list[l->n], &item->record, im->today);
		l->by_no[l->n] = l->by_name[l->n] = &l->list[l->n];
		l->n++;
	}
	qsort(l->by_no, l->n, sizeof *l->by_no, compare_no);
	qsort(l->by_name, l->n, sizeof *l->by_name, compare_name);
	return ERR_OK;
}

/* In number but not in name, or in name and birth but not in number. */
static bool agrees_by_half(const struct listing *l, const struct listed *row)
{
	struct listed **no =
		row->cert_no[0] ? bsearch(&row, l->by_no, l->n, sizeof *l->by_no, compare_no) : NULL;
	struct listed **name = row->name[0] && row->birth
		? bsearch(&row, l->by_name, l->n, sizeof *l->by_name, compare_name)
		: NULL;

	if (no)
		return strcmp((*no)->name, row->name) != 0;
	return name != NULL && row->cert_no[0] && (*name)->cert_no[0];
}

enum err import_check_shifted(struct import *im)
{
	struct listing l = {0};
	size_t half = 0;
	enum err e = im->options->force ? ERR_OK : import_check_mixed(im);

	if (!e && !im->options->force)
		e = list_pupils(im, &l);
	for (size_t i = 0; !e && l.n && i < im->n_rows; i++) {
		struct listed row;
		if (im->rows[i].bad)
			continue;
		listed_of(&row, &im->rows[i].record, im->today);
		half += agrees_by_half(&l, &row);
	}
	if (half >= SHIFTED_ROWS && half * 100 > im->n_rows * SHIFTED_PERCENT) {
		im->report->shifted = true;
		e = problem_set(im->p, ERR_CONFLICT, NULL,
			_("看姓名列与证件号码列是否错行，或只排序了一列；改好再导入。"
			  "逐人核对无误的，才加 --force"),
			_("有 %zu 行与名单只对上一半，像是某一列错了行"), half);
	}
	free(l.list);
	free(l.by_no);
	free(l.by_name);
	return e;
}
