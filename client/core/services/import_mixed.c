/* A table whose names stand beside the numbers of others, found by the pupils whom this school knows: row by
 * row the known ones would be held back, and the unknown ones stored, each under another child's name. */
#include <string.h>

#include "import_pupil.h"
#include "lang.h"
#include "tables.h"
#include "text.h"
#include "transition.h"
#include "words.h"

#define MIXED_ROWS 3 /* fewer that differ are corrections */
#define MIXED_TOLD 5 /* of them, one by one */

static bool same_key(const struct record *a, const struct record *b)
{
	char name[256], x[256], y[256];

	return text_name_key(x, sizeof x,
		       record_text(a, kind_field_index(a->kind, "name"), name, sizeof name)) == ERR_OK &&
		text_name_key(y, sizeof y,
			record_text(b, kind_field_index(b->kind, "name"), name, sizeof name)) == ERR_OK &&
		strcmp(x, y) == 0;
}

/* Whom the row's numbers mean here; NULL: nobody that is known. */
static const struct record *known(struct import *im, const struct record *r)
{
	const struct record *pupil =
		im->kind->number == KIND_DESTINATION ? destination_pupil(im->view, r) : NULL;
	const struct item *item = pupil ? NULL : view_find_key(im->view, r, true);

	if (pupil)
		return pupil;
	if (item)
		return &item->record;
	return NULL;
}

static void tell_row(struct import *im, const struct import_row *row, const struct record *pupil)
{
	struct problem p = {0};
	char who[160];

	problem_set(
		&p, ERR_CONFLICT, NULL, NULL, _("这个号码在本校是%s"), words_pupil(pupil, who, sizeof who));
	import_warn(im, row, import_field(im, kind_field_index(im->kind, "name")), "NAME_DIFF", &p);
}

enum err import_check_mixed(struct import *im)
{
	size_t compared = 0, differ = 0;

	for (size_t i = 0; !im->options->force && i < im->n_rows; i++) {
		const struct import_row *row = &im->rows[i];
		const struct record *pupil = row->bad || row->unfilled ? NULL : known(im, &row->record);
		compared += pupil != NULL;
		differ += pupil && !same_key(&row->record, pupil);
	}
	if (differ < MIXED_ROWS || differ * 2 <= compared)
		return ERR_OK;
	for (size_t i = 0, told = 0; i < im->n_rows && told < MIXED_TOLD; i++) {
		const struct import_row *row = &im->rows[i];
		const struct record *pupil = row->bad || row->unfilled ? NULL : known(im, &row->record);
		if (pupil && !same_key(&row->record, pupil)) {
			tell_row(im, row, pupil);
			told++;
		}
	}
	im->report->shifted = true;
	return problem_set(im->p, ERR_CONFLICT, NULL,
		_("看姓名列与证件号码列是否错行，或只排序了一列；改好再导入。逐人核对无误的，才加 --force"),
		_("本校认识的 %zu 名学生里有 %zu 名的姓名与号码对不上，像是错行；整张表都没有导入"), compared,
		differ);
}
