/* The verification list that export.h prints, read back: a name, the last four digits and the school say who
 * is meant, the answer what the junior school found. The full number stands on no paper that goes from hand
 * to hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "cycle.h"
#include "import_pupil.h"
#include "import_transition.h"
#include "lang.h"
#include "schools.h"
#include "tables.h"
#include "text.h"
#include "transition.h"
#include "words.h"
#include "way.h"

enum verify_column {
	V_NAME,
	V_TAIL,
	V_SCHOOL,
	V_CLASS,
	V_ANSWER,
	V_NOTE,
	V_NUMBER,
	V_CATEGORY,
	V_ROSTER,
	V_COLUMNS
};

static const char *const tail_names[] = {"末四位", "证件末四位", "后四位", "证件号码后四位", NULL};
static const char *const source_names[] = {"生源小学", "毕业小学", "毕业学校", NULL};
static const char *const answer_names[] = {"答复", "核验", "是否在校", "是否报到", NULL};
static const char *const note_names[] = {"备注", NULL};

/* The last three are for the reader of the paper. */
static const struct table_column columns[V_COLUMNS] = {[V_NAME] = {"姓名", NULL, true, NULL},
	[V_TAIL] = {"证件号码末四位", tail_names, true, NULL},
	[V_SCHOOL] = {"生源学校", source_names, false, NULL},
	[V_CLASS] = {"班级", NULL, false, NULL},
	[V_ANSWER] = {"核验结果", answer_names, true, NULL},
	[V_NOTE] = {"说明", note_names, false, NULL},
	[V_NUMBER] = {"序号", NULL, false, NULL},
	[V_CATEGORY] = {"去向类别", NULL, false, NULL},
	[V_ROSTER] = {"名册", NULL, false, NULL}};

/* Who declared this school. */
struct declared_here {
	struct verify_row *rows;
	size_t n;
};

static void set_columns(struct import *im)
{
	memcpy(im->columns, columns, sizeof columns);
	for (im->n_columns = 0; im->n_columns < V_COLUMNS; im->n_columns++)
		im->meaning[im->n_columns] = (struct import_column){F_VERIFY_ANSWER_ANSWER, false};
}

/* Answers belong to the cycle, and to its phase of verification. */
static enum err begin(struct import *im)
{
	struct cycle cycle;
	struct declared_here *here = calloc(1, sizeof *here);
	enum err e = cycle_read(im->store, im->today, &cycle, im->p);

	im->data = here;
	if (e || !here)
		return e ? e : problem_set(im->p, ERR_NOMEM, NULL, NULL, NULL);
	im->year = im->report->year = cycle.year;
	if (strcmp(cycle.phase, "closed") == 0)
		return problem_set(im->p, ERR_PHASE, NULL,
			_("要更正请联系县教育局：局领导可说明原因后重新打开这一年"),
			_("%d 年的升学工作已经办结"), cycle.year);
	if (cycle.known && strcmp(cycle.phase, "verify") != 0)
		return problem_set(im->p, ERR_PHASE, NULL,
			way_hint(_("若县里刚进入核验阶段，先运行 %s"), way("sync")),
			_("现在是%s阶段，还不能核验"), code_name(&codes_phase, cycle.phase));
	here->rows = transition_verify_rows(im->view, im->year, &here->n);
	return here->rows ? ERR_OK : problem_set(im->p, ERR_NOMEM, NULL, NULL, NULL);
}

static void end(struct import *im)
{
	struct declared_here *here = im->data;

	if (here)
		free(here->rows);
	free(here);
}

struct sought {
	char key[256], tail[16], school[256], class_no[CLASS_NO_MAX + 1];
};

static const char *cell(const struct import *im, const struct import_row *row, enum verify_column column,
	char *out, size_t size)
{
	if (text_clean(out, size, table_text(im->table, &row->at, column)))
		*out = 0;
	return out;
}

static void read_sought(const struct import *im, const struct import_row *row, struct sought *s)
{
	char text[256], no[64];

	*s = (struct sought){0};
	if (text_name_key(s->key, sizeof s->key, cell(im, row, V_NAME, text, sizeof text)))
		s->key[0] = 0;
	cell(im, row, V_TAIL, text, sizeof text);
	if (text_half_width(no, sizeof no, text) || text_strip_space(no, sizeof no, no))
		no[0] = 0;
	size_t n = strlen(no);
	/* 12 was 0012 before a spreadsheet took it for a number */
	if (n && n < 4 && no[strspn(no, "0123456789")] == 0)
		snprintf(s->tail, sizeof s->tail, "%04d", atoi(no));
	else
		snprintf(s->tail, sizeof s->tail, "%.4s", n > 4 ? no + n - 4 : no);
	for (char *at = s->tail; *at; at++)
		*at = *at == 'x' ? 'X' : *at;
	cell(im, row, V_SCHOOL, s->school, sizeof s->school);
	class_no_parse(s->class_no, sizeof s->class_no, cell(im, row, V_CLASS, text, sizeof text));
}

enum agreement { AGREES_NAME = 1, AGREES_TAIL, AGREES_SCHOOL, AGREES_CLASS };

/* How far a declared pupil is the one that a row names; 0: another name. */
static int agreement(const struct view *v, const struct verify_row *row, const struct sought *s)
{
	const struct record *d = &row->destination->record;
	char name[256], key[256], tail[8], school[256];

	record_text(d, F_DESTINATION_NAME, name, sizeof name);
	if (text_name_key(key, sizeof key, name) || strcmp(key, s->key) != 0)
		return 0;
	if (strcmp(words_tail(d, tail), s->tail) != 0)
		return AGREES_NAME;
	school_face(v, row->destination->owner, school, sizeof school);
	if (s->school[0] && strcmp(school, s->school) != 0 && strcmp(row->destination->owner, s->school) != 0)
		return AGREES_TAIL;
	return s->class_no[0] && record_is(d, F_DESTINATION_CLASS_NO, s->class_no) ? AGREES_CLASS
										   : AGREES_SCHOOL;
}

/* The only pupil that agrees most; NULL after rejecting the row. */
static const struct verify_row *find_declared(struct import *im, struct import_row *row)
{
	const struct declared_here *here = im->data;
	const struct verify_row *found = NULL;
	struct problem p = {0};
	struct sought s;
	int best = 0;
	size_t n = 0;

	read_sought(im, row, &s);
	for (size_t i = 0; *s.key && i < here->n; i++) {
		int agrees = agreement(im->view, &here->rows[i], &s);
		if (agrees > best)
			n = 0;
		if (agrees && agrees >= best) {
			found = &here->rows[i];
			best = agrees;
			n++;
		}
	}
	if (n == 1 && best >= AGREES_TAIL)
		return found;
	char name[128];
	cell(im, row, V_NAME, name, sizeof name);
	if (n > 1 && best >= AGREES_TAIL)
		problem_set(&p, ERR_CONFLICT, NULL,
			way_hint(_("请用 %s 的序号答复：%s 序号 present"), way("list_verify"),
				way("answer_verify")),
			_("有 %zu 名“%s”末四位相同"), n, name);
	else
		problem_set(&p, ERR_NOT_FOUND, NULL,
			way_hint(_("对照 %s 核对姓名和末四位"), way("list_verify")),
			n ? _("填报本校的“%s”末四位不是 %s") : _("填报本校的学生里没有“%s”（末四位 %s）"),
			name, s.tail);
	import_reject(im, row, columns[best ? V_TAIL : V_NAME].name, NULL, &p);
	return NULL;
}

/* 在校 or 未报到 or 查无此人; a tick is also understood. */
static const char *read_answer(const char *text)
{
	const char *answer = code_find(&codes_answer, text),
		   *yes = answer ? NULL : code_find(&codes_yes_no, text);

	if (answer)
		return answer;
	if (yes)
		return (*yes == '1' ? "present" : "absent");
	return NULL;
}

static void read_answer_row(struct import *im, struct import_row *row)
{
	char text[256], note[512], all[128];
	struct problem p = {0};

	record_init(&row->record, im->kind);
	cell(im, row, V_ANSWER, text, sizeof text);
	row->unfilled = !*text;
	im->report->unfilled += row->unfilled;
	if (row->unfilled)
		return;
	const char *answer = read_answer(text);
	if (!answer) {
		problem_set(&p, ERR_INVALID, NULL, code_list_words(&codes_answer, all, sizeof all),
			_("没有“%s”这种核验结果"), text);
		import_reject(im, row, columns[V_ANSWER].name, NULL, &p);
		return;
	}
	const struct verify_row *found = find_declared(im, row);
	if (!found)
		return;
	cell(im, row, V_NOTE, note, sizeof note);
	record_set_number(&row->record, F_VERIFY_ANSWER_YEAR, im->year);
	record_set_bytes(&row->record, F_VERIFY_ANSWER_DESTINATION, found->destination->id, ID_SIZE);
	record_set_text(&row->record, F_VERIFY_ANSWER_ANSWER, answer);
	record_set_text(&row->record, F_VERIFY_ANSWER_NOTE,
		*note ? arena_text(&im->arena, note, strlen(note)) : NULL);
}

static bool same_answer(const struct record *a, const struct record *b)
{
	return record_same_field(a, b, F_VERIFY_ANSWER_ANSWER) &&
		record_same_field(a, b, F_VERIFY_ANSWER_NOTE);
}

static enum err store_answer(struct import *im, struct import_row *row)
{
	struct item *item = view_find_key(im->view, &row->record, true);
	struct problem p = {0};
	bool fresh = !item, same = item && same_answer(&item->record, &row->record);

	if (item && item->mark && !same) {
		problem_set(&p, ERR_DUPLICATE, NULL, _("请只留一行正确的"),
			_("与第 %ld 行是同一名学生，答复不同"), item->mark);
		import_reject(im, row, columns[V_NAME].name, NULL, &p);
		return ERR_OK;
	}
	enum err e = outbox_put(im->view, &item, &row->record, UINT32_MAX, im->batch, im->p);
	if (e)
		return e;
	if (!item->mark)
		item->mark = row->at.number;
	im->report->inserted += fresh;
	im->report->updated += !fresh && !same;
	im->report->unchanged += same;
	return ERR_OK;
}

const struct import_rules import_verify = {
	.name = "verify",
	.text = N_("导入核验名单"),
	.waiting = N_("还有 %zu 名学生没有填核验结果"),
	.about = &import_pupils,
	.kind = KIND_VERIFY_ANSWER,
	.views = (const uint32_t[]){KIND_VERIFY_ANSWER, KIND_DESTINATION, KIND_ENROLMENT, KIND_SCHOOL, 0},
	.begin = begin,
	.columns = set_columns,
	.read = read_answer_row,
	.store = store_answer,
	.end = end,
};
