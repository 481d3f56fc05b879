/* What imports of pupils ask for beyond the declaration of their records: numbers that say who one is, names
 * whose characters were lost, and a computer that knows its pupils. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_pupil.h"
#include "lang.h"
#include "tables.h"
#include "text.h"
#include "validate.h"
#include "way.h"

/* A lost rare character makes another name of it, which no other list has (M14 later). */
static void judge_name(struct import *im, const struct import_row *row, const struct record *r)
{
	int field = kind_field_index(r->kind, "name");
	char name[256], shown[8] = "";
	struct problem p = {0};
	int32_t odd = field < 0 ? 0 : text_name_odd(record_text(r, field, name, sizeof name));

	if (!odd)
		return;
	const char *at = name;
	int32_t c;
	for (int step; (step = text_next(at, &c)) > 0 && c != odd; at += step)
		;
	snprintf(shown, sizeof shown, "%.*s", text_next(at, &c), at);
	problem_set(&p, ERR_INVALID, NULL, _("可能是丢失的生僻字或多余的字符，请对照户口簿改正"),
		_("%s“%s”里有“%s”（U+%04X）"), value_column(&r->kind->fields[field]), name, shown,
		(unsigned)odd);
	import_warn(im, row, value_column(&r->kind->fields[field]), "NAME_ODD", &p);
}

/* Ill-formed numbers are refused everywhere; a wrong check digit only where a record can say that it was kept
 * on purpose. */
static void judge_id(struct import *im, struct import_row *row, int cert_type, int cert_no)
{
	static const char *const words[] = {[ID_EMPTY] = "MISSING",
		[ID_DAMAGED] = "ID_DAMAGED",
		[ID_LENGTH] = "ID_LENGTH",
		[ID_CHARACTER] = "ID_CHARACTER",
		[ID_DATE] = "ID_DATE",
		[ID_CHECK] = "ID_CHECK"};
	struct record *r = &row->record;
	struct resident_id found = {0};
	struct problem p = {0};
	char no[CERT_NO_MAX + 1];

	if (!record_has(r, cert_no))
		return;
	if (!record_has(r, cert_type))
		record_set_text(r, cert_type, "1");
	if (!record_is(r, cert_type, "1"))
		return;
	enum id_fault fault = resident_id_check(record_text(r, cert_no, no, sizeof no), im->today, &found);
	if (fault == ID_OK)
		return;
	problem_set(
		&p, ERR_INVALID, NULL, _("请对照户口簿或身份证核对"), _("%s：%s"), no, id_fault_text(fault));
	int keep = kind_field_index(im->kind, "keep_invalid");
	if (fault != ID_CHECK || (keep >= 0 && !im->options->keep_invalid)) {
		import_reject(im, row, import_field(im, cert_no), words[fault], &p);
		return;
	}
	if (keep >= 0) {
		record_set_number(r, keep, 1);
		row->given |= 1u << keep;
	}
	import_warn(im, row, import_field(im, cert_no), words[fault], &p);
}

/* A birth date or gender that contradicts the number is kept: reconciliation lists it (M04, M05). */
static void compare_id(struct import *im, const struct import_row *row, int cert_type, int cert_no)
{
	const struct record *r = &row->record;
	int birth = kind_field_index(r->kind, "birth"), gender = kind_field_index(r->kind, "gender");
	struct resident_id id = {0};
	struct problem p = {0};
	char no[CERT_NO_MAX + 1], text[8];

	if (!record_is(r, cert_type, "1") ||
		resident_id_check(record_text(r, cert_no, no, sizeof no), im->today, &id) != ID_OK)
		return;
	if (birth >= 0 && record_has(r, birth) && record_number(r, birth) != id.birth) {
		problem_set(&p, ERR_INVALID, NULL, NULL, _("与证件号码里的出生日期 %d 不一致"), id.birth);
		import_warn(im, row, import_field(im, birth), "ID_DIFF", &p);
	}
	snprintf(text, sizeof text, "%d", id.gender);
	if (gender >= 0 && record_has(r, gender) &&
		(record_is(r, gender, "1") || record_is(r, gender, "2")) && !record_is(r, gender, text)) {
		problem_set(&p, ERR_INVALID, NULL, NULL, _("与证件号码里的性别不一致"));
		import_warn(im, row, import_field(im, gender), "ID_DIFF", &p);
	}
}

/* Of the numbers and names in a row; an empty cell says nothing of the type of a certificate. */
static void judge(struct import *im, struct import_row *row)
{
	int cert_type = kind_field_index(im->kind, "cert_type"),
	    cert_no = kind_field_index(im->kind, "cert_no");

	if (!record_has(&row->record, cert_type))
		row->given &= ~(1u << cert_type);
	judge_id(im, row, cert_type, cert_no);
	if (row->bad)
		return;
	compare_id(im, row, cert_type, cert_no);
	judge_name(im, row, &row->record);
	if (im->beside)
		judge_name(im, row, &row->beside);
}

/* A class teacher's computer that never heard from the bureau has none of the pupils that the registrar
 * imported: it would make them anew, the bureau would refuse them as doubles, and their guardians with them.
 * A registrar may be the first to import. */
static enum err knows_its_pupils(struct store *s, struct problem *p)
{
	struct stream_state streams[STORE_STREAMS_MAX];
	size_t n = 0;
	enum err e = profile_has_role(s->profile, 1u << ROLE_REGISTRAR) ? ERR_OK
									: store_streams(s, streams, &n, p);

	if (e || profile_has_role(s->profile, 1u << ROLE_REGISTRAR))
		return e;
	for (size_t i = 0; i < n; i++)
		if (streams[i].cursor)
			return ERR_OK;
	return problem_set(p, ERR_NOT_NOW, NULL,
		way_hint(_("先运行 %s 收下学籍管理员导入的学生，再导入"), way("sync")),
		_("这台电脑还没有同步过，不知道本班已有哪些学生"));
}

/* One grade up and nothing else but the class: the new school year. */
static bool is_promotion(const struct record *old, const struct record *want, uint32_t changed)
{
	int grade = kind_field_index(old->kind, "grade"), class_no = kind_field_index(old->kind, "class_no");
	char from[GRADE_CODE_MAX + 1], to[GRADE_CODE_MAX + 1];

	if (grade < 0 || !(changed >> grade & 1) || changed & ~(1u << grade | 1u << class_no))
		return false;
	int up = atoi(record_text(want, grade, to, sizeof to)) -
		atoi(record_text(old, grade, from, sizeof from));
	return up == 1 || (strcmp(from, "16") == 0 && strcmp(to, "21") == 0) ||
		(strcmp(from, "23") == 0 && strcmp(to, "31") == 0);
}

/* Over the pupil's own columns a merged heading says nothing, over the family's it makes 姓名 a guardian's. */
static const struct table_group groups[] = {{"学生", ""}, {"学生信息", ""}, {"学生基本信息", ""},
	{"学生基本情况", ""}, {"学生情况", ""}, {"学生个人信息", ""}, {"基本信息", ""}, {"基本情况", ""},
	{"个人信息", ""}, {"个人基本信息", ""}, {"学籍信息", ""}, {"监护人", "监护人"},
	{"监护人信息", "监护人"}, {"监护人情况", "监护人"}, {"监护人1", "监护人"}, {"第一监护人", "监护人"},
	{"家长", "监护人"}, {"家长信息", "监护人"}, {"家长情况", "监护人"}, {"家长1", "监护人"},
	{"父母", "监护人"}, {"父母信息", "监护人"}, {"父亲", "监护人"}, {"父亲信息", "监护人"},
	{"家庭", "监护人"}, {"家庭信息", "监护人"}, {"家庭情况", "监护人"}, {"家庭成员", "监护人"},
	{"家庭成员信息", "监护人"}, {"家庭成员1", "监护人"}, {"成员1", "监护人"}, {0}};

const struct import_subject import_pupils = {
	.same_row = N_("与第 %ld 行是同一名学生，内容不同"),
	.skipped = N_("跳过 %zu 行（合计、签字、重复的表头等，不是学生）"),
	.changes = N_("%zu 行会改动已有学生的姓名、年级、班级等，其中 %zu 行只是升一个年级；"
		      "核对无误后加 --force 再导入一次"),
	.groups = groups,
	/* A row that gives one of these otherwise is a shifted column or another child as often as a
	   correction. */
	.identity = (const char *const[]){"name", "birth", "gender", "grade", "class_no", "cert_no",
		"student_no", NULL},
	.moves_up = is_promotion,
	.may = knows_its_pupils,
	.judge = judge,
};
