#include <stdlib.h>
#include <string.h>

#include "blobs.h"
#include "codes.h"
#include "date.h"
#include "face.h"
#include "jg.h"
#include "schools.h"
#include "slip.h"
#include "tables.h"
#include "transition.h"
#include "words.h"

const struct cli_option todo_options[] = {
	{"due", "N", "只列 N 天内到期的", "only what is due within N days"},
	{0},
};

#define TODO_MAX 400 /* slips are listed one by one */

struct todo {
	const char *what; /* stable word */
	char text[256], command[96];
	int64_t due; /* microseconds, 0 = no date */
	size_t count;
	size_t at; /* as they were added: slips by name */
};

struct todo_list {
	struct cli *c;
	struct todo list[TODO_MAX];
	size_t n;
};

/* The end of a day in China. */
static int64_t end_of_day(int32_t date)
{
	return date ? ((int64_t)date_days(date) + 1) * 86400000000 - 8 * 3600000000 : 0;
}

static struct todo *add(struct todo_list *l, const char *what, size_t count, int64_t due, const char *command)
{
	static struct todo beyond; /* more than anybody reads */
	struct todo *t = l->n < TODO_MAX ? &l->list[l->n++] : &beyond;

	*t = (struct todo){.what = what, .count = count, .due = due, .at = l->n};
	snprintf(t->command, sizeof t->command, "jg %s", command);
	return t;
}

static enum err add_outbox(struct todo_list *l, struct store *store, struct problem *p)
{
	struct outbox_counts counts;
	struct blob_counts files;
	enum err e = outbox_counts(store, &counts, p);

	if (!e)
		e = blob_counts(store, &files, p);
	if (e)
		return e;
	if (counts.of[OP_CONFLICT])
		snprintf(add(l, "conflicts", counts.of[OP_CONFLICT], 0, "conflicts list")->text, 256,
			tr("%zu 项修改与他人冲突，等您决定", "%zu conflicts wait for your decision"),
			counts.of[OP_CONFLICT]);
	size_t back = counts.of[OP_REFUSED] + counts.of[OP_BLOCKED] + counts.of[OP_DRAFT];
	if (back)
		snprintf(add(l, "refused", back, 0, "outbox list")->text, 256,
			tr("%zu 项没有被接受，需要改正或撤回", "%zu items were not accepted"), back);
	if (counts.unsent + files.waiting)
		snprintf(add(l, "sync", counts.unsent, 0, "sync")->text, 256,
			tr("%zu 项修改和 %zu 个文件还没有发出", "%zu changes and %zu files are not sent"),
			counts.unsent, files.waiting);
	return ERR_OK;
}

/* A school's work begins with its roster. */
static void add_roster(struct todo_list *l, struct view *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->items[i]->live && v->items[i]->record.kind->number == KIND_STUDENT)
			return;
	if (school_stages(v, v->store->profile->school) & STAGE_PRIMARY)
		snprintf(add(l, "roster", 1, 0, tr("import students 文件", "import students FILE"))->text,
			256, "%s", tr("还没有导入六年级名册", "the sixth grade is not imported yet"));
}

/* Classes of which nobody has declared: their teacher has not begun, or has not sent. To whom answers for all
 * classes. */
static void add_silent_classes(struct todo_list *l, const struct pupil_row *rows, size_t n, int64_t due)
{
	char silent[160] = "", name[64], other[64];
	size_t count = 0, classes = 0;

	for (size_t i = 0; i < n; i++) {
		bool first = rows[i].student != NULL, declared = false;
		if (first)
			words_class(&rows[i].student->record, name, sizeof name);
		for (size_t k = 0; first && k < n; k++) {
			const bool same =
				rows[k].student &&
				strcmp(words_class(&rows[k].student->record, other, sizeof other), name) == 0;
			first = !(same && k < i); /* its first pupil has told of it */
			declared |= same && rows[k].destination;
		}
		classes += first;
		if (!first || declared)
			continue;
		if (strlen(silent) + strlen(name) + 16 < sizeof silent)
			snprintf(silent + strlen(silent), sizeof silent - strlen(silent), "%s%s",
				count ? tr("、", ", ") : "", name);
		count++;
	}
	if (count && count < classes)
		snprintf(add(l, "silent_classes", count, due, "transition list --unset")->text, 256,
			tr("%s 全班还没有填报：请班主任填好后 jg sync",
				"nobody of %s has declared: their teachers fill it in and run jg sync"),
			silent);
}

static void add_table(struct todo_list *l, struct view *v, const struct cycle *cycle)
{
	bool september = strcmp(cycle->phase, "confirm") == 0, june = strcmp(cycle->phase, "prefill") == 0;
	size_t n = 0, unset = 0, gaps = 0;
	bool filed = false;

	if (!june && !september && strcmp(cycle->phase, "assist") != 0)
		return;
	if (!(school_stages(v, v->store->profile->school) & STAGE_PRIMARY))
		return; /* no sixth grade: there is nothing to declare */
	struct pupil_row *rows = transition_pupils(v, cycle->year, &n);
	size_t pupils = 0;
	for (size_t i = 0; i < n; i++) {
		if (!rows[i].student || !jg_class_allowed(l->c, &rows[i].student->record))
			continue;
		pupils++;
		unset += !rows[i].destination;
		gaps += rows[i].destination &&
			(transition_gaps(v, &rows[i], september) & ~(unsigned)GAP_GUARDIAN);
		filed |= rows[i].state == (september ? DECLARED_T2 : DECLARED_T1);
	}
	int64_t due = end_of_day(september ? cycle->confirm_due : cycle->prefill_due);
	if (profile_has_role(&l->c->profile, 1u << ROLE_REGISTRAR | 1u << ROLE_HEAD))
		add_silent_classes(l, rows, n, due);
	free(rows);
	if (unset)
		snprintf(add(l, "unset", unset, due, "transition list --unset")->text, 256,
			tr("%zu 名六年级学生还没有填报去向", "%zu sixth-graders have not declared"), unset);
	if (gaps)
		snprintf(add(l, "gaps", gaps, due, "transition list")->text, 256,
			tr("%zu 名学生的去向材料不齐", "%zu declarations are not complete"), gaps);
	bool may_file = profile_has_role(&l->c->profile, 1u << ROLE_REGISTRAR | 1u << ROLE_HEAD);
	if (pupils && !filed && may_file && (june || september))
		snprintf(add(l, "file", 1, due, "transition file")->text, 256, "%s",
			september ? tr("升学去向表待正式上报", "the table is to be reported formally")
				  : tr("升学去向表待备案", "the table is to be filed"));
}

static void add_verification(struct todo_list *l, struct view *v, const struct cycle *cycle)
{
	size_t n = 0, open = 0, differ = 0;
	bool submitted = false, reminded = false;

	if (strcmp(cycle->phase, "verify") != 0 ||
		!(school_stages(v, v->store->profile->school) & STAGE_JUNIOR))
		return;
	struct verify_row *rows = verify_rows(v, cycle->year, &n);
	for (size_t i = 0; i < n; i++) {
		open += !rows[i].answer && !rows[i].enrolment;
		differ += rows[i].answer && rows[i].enrolment &&
			  record_number(&rows[i].enrolment->record, F_ENROLMENT_PRESENT) &&
			  record_is(&rows[i].answer->record, F_VERIFY_ANSWER_ANSWER, "absent");
	}
	free(rows);
	for (size_t i = 0; i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		if (!v->items[i]->live)
			continue;
		submitted |= r->kind->number == KIND_FILING && record_is(r, F_FILING_STAGE, "V") &&
			     record_number(r, F_FILING_YEAR) == cycle->year;
		reminded |= r->kind->number == KIND_REMINDER && record_is(r, F_REMINDER_WHAT, "silent") &&
			    record_number(r, F_REMINDER_DUE) == end_of_day(cycle->verify_due);
	}
	if (open)
		snprintf(add(l, "verify", open, end_of_day(cycle->verify_due), "verify list")->text, 256,
			tr("%zu 名填报本校的学生待核验",
				"%zu pupils who declared this school are to be verified"),
			open);
	if (differ) /* an answer counts until it is answered anew: the bureau goes on looking for a pupil who
		       is there */
		snprintf(add(l, "differ", differ, end_of_day(cycle->verify_due), "verify list")->text, 256,
			tr("%zu 名学生名册上已报到，答复却是未报到：改答 present",
				"%zu pupils are on the roster but were answered absent: answer present"),
			differ);
	if (n && !submitted)
		snprintf(add(l, "submit", 1, end_of_day(cycle->verify_due), "verify submit")->text, 256,
			"%s%s", tr("核验结果待提交", "the verification is to be submitted"),
			reminded ? tr("（县局已提醒）", " (the bureau has reminded)") : "");
}

static const struct record *slip_of(const void *row)
{
	return &((const struct slip_row *)row)->slip->record;
}

static void add_slips(struct todo_list *l, struct view *v)
{
	size_t n = 0;
	struct slip_row *rows = slip_rows(v, profile_now_us(&l->c->profile), &n);

	if (!rows)
		return;
	words_sort(rows, n, sizeof *rows, slip_of, NULL);
	for (size_t i = 0; i < n; i++) {
		const struct record *s = &rows[i].slip->record;
		char no[48], command[80], pupil[256], tail[8];
		if (!rows[i].mine || strcmp(rows[i].state, "closed") == 0 ||
			record_has(&rows[i].mine->record, F_SLIP_ADDRESSEE_ANSWERED_AT))
			continue;
		record_text(s, F_SLIP_NO, no, sizeof no);
		bool received = record_has(&rows[i].mine->record, F_SLIP_ADDRESSEE_RECEIVED_AT);
		snprintf(command, sizeof command,
			received ? "slips answer %s --outcome …" : "slips receive %s", no);
		snprintf(add(l, "slip", 1, record_number(s, F_SLIP_RESOLVE_DUE), command)->text, 256,
			received ? tr("交办单 %s %s 末四位 %s，待回复%s%s",
					   "slip %s, %s, last four %s, is to be answered%s%s")
				 : tr("交办单 %s %s 末四位 %s，待签收%s%s",
					   "slip %s, %s, last four %s, is to be received%s%s"),
			no, jg_slip_pupil(v, s, pupil, sizeof pupil), words_tail(s, tail),
			rows[i].overdue ? tr("（逾期）", " (overdue)") : "",
			rows[i].reminder ? tr("（县局已提醒）", " (the bureau has reminded)") : "");
	}
	free(rows);
}

static int by_due(const void *a, const void *b)
{
	const struct todo *x = a, *y = b;

	/* What has no date is about work that is stuck on this computer: it comes first. */
	int order = (x->due > y->due) - (x->due < y->due);
	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static int print_todo(struct cli *c, struct todo_list *l)
{
	const char *headings[] = {tr("期限", "due"), tr("事项", "what"), tr("命令", "command")},
		   *days = cli_option(c, "due");
	int64_t until = days ? profile_now_us(&c->profile) + atoll(days) * 86400000000 : INT64_MAX;
	struct cli_table *table = cli_table_new(headings, 3);
	json_t *json = json_array();

	qsort(l->list, l->n, sizeof *l->list, by_due);
	for (size_t i = 0; i < l->n; i++) {
		const struct todo *t = &l->list[i];
		char due[FACE_SIZE], id[40];
		if (t->due > until)
			continue;
		face_term(due, t->due, profile_now_us(&c->profile));
		snprintf(id, sizeof id, "%s-%zu", t->what, i + 1);
		cli_table_row(table, (const char *[]){due, t->text, t->command});
		json_array_append_new(
			json, json_pack("{ss ss sI so ss ss}", "id", id, "what", t->what, "count",
				      (json_int_t)t->count, "due", cli_time_json(t->due), "text", t->text,
				      "command", t->command));
	}
	if (json_array_size(json))
		cli_table_print(c, table);
	else
		cli_table_free(table);
	if (!json_array_size(json))
		cli_say(c, "%s", tr("现在没有要办的事", "nothing is to be done now"));
	return cli_result(c, json, 0);
}

int cmd_todo(struct cli *c)
{
	static struct todo_list list;
	struct cycle cycle;
	int code = jg_cycle(c, &cycle);
	struct view *v = code ? NULL : jg_view(c, transition_kinds, &code);

	if (!v)
		return code;
	list.c = c;
	if (add_outbox(&list, v->store, &c->problem))
		return cli_fail(c);
	if (profile_has_role(&c->profile, 1u << ROLE_REGISTRAR))
		add_roster(&list, v);
	add_table(&list, v, &cycle);
	if (profile_has_role(&c->profile, 1u << ROLE_REGISTRAR | 1u << ROLE_HEAD)) {
		add_verification(&list, v, &cycle);
		add_slips(&list, v);
	}
	return print_todo(c, &list);
}
