/* The slips with both addressees' answers, one a row. */
#include <stdio.h>
#include <stdlib.h>

#include "codes.h"
#include "export_transition.h"
#include "slip.h"
#include "tables.h"
#include "transition.h"
#include "words.h"

static const int slip_fields[] = {F_SLIP_NO, F_SLIP_NAME, F_SLIP_CERT_NO, F_SLIP_STUDENT_NO, F_SLIP_CODES,
	F_SLIP_SEVERITY, F_SLIP_ISSUED_AT, F_SLIP_RESOLVE_DUE, F_SLIP_ROUND};
static const int addressee_fields[] = {F_SLIP_ADDRESSEE_SCHOOL, F_SLIP_ADDRESSEE_RECEIVED_AT,
	F_SLIP_ADDRESSEE_ANSWERED_AT, F_SLIP_ADDRESSEE_OUTCOME, F_SLIP_ADDRESSEE_NOTE};

/* r: NULL where there is no such record. */
static void add_some(struct export *x, const struct record *r, const int *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *text = export_cell(x);
		if (r)
			words_field(x->view, r, fields[i], false, text, EXPORT_CELL_SIZE);
	}
}

static void add_labels(struct export *x, uint32_t kind, const int *fields, size_t n, const char *prefix)
{
	for (size_t i = 0; i < n; i++)
		snprintf(export_cell(x), EXPORT_CELL_SIZE, "%s%s", prefix,
			kind_by_number(kind)->fields[fields[i]].label);
}

static enum err write_slips(struct export *x)
{
	size_t n = 0, n_slip = sizeof slip_fields / sizeof *slip_fields,
	       n_addressee = sizeof addressee_fields / sizeof *addressee_fields;
	struct slip_row *list = slip_rows(x->view, profile_now_us(x->view->store->profile), &n);
	enum err e;

	add_labels(x, KIND_SLIP, slip_fields, n_slip, "");
	snprintf(export_cell(x), EXPORT_CELL_SIZE, "状态");
	add_labels(x, KIND_SLIP_ADDRESSEE, addressee_fields, n_addressee, "本校");
	add_labels(x, KIND_SLIP_ADDRESSEE, addressee_fields, n_addressee, "对方");
	e = list ? export_row(x, SHEET_HEADER) : problem_set(x->p, ERR_NOMEM, NULL, NULL, NULL);
	for (size_t i = 0; !e && i < n; i++) {
		add_some(x, &list[i].slip->record, slip_fields, n_slip);
		snprintf(export_cell(x), EXPORT_CELL_SIZE, "%s", code_name(&codes_slip_state, list[i].state));
		add_some(x, list[i].mine ? &list[i].mine->record : NULL, addressee_fields, n_addressee);
		add_some(x, list[i].other ? &list[i].other->record : NULL, addressee_fields, n_addressee);
		e = export_row(x, SHEET_PLAIN);
	}
	free(list);
	return e;
}

const struct export_rules export_slips = {"slips", "交办单", transition_kinds, write_slips};
