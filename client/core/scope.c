#include "scope.h"

#include <stdio.h>
#include <string.h>

#include "tables.h"

static bool has_all_classes(const struct session *s)
{
	return s->roles & (1u << ROLE_REGISTRAR | 1u << ROLE_HEAD) || !(s->roles >> ROLE_CLASS_TEACHER & 1);
}

bool scope_allows(const struct session *s, const struct record *r)
{
	int class_no = kind_field_index(r->kind, "class_no"), grade = kind_field_index(r->kind, "grade");
	char class_text[32], grade_text[32], scope[CLASS_SCOPE_SIZE];

	if (class_no < 0 || has_all_classes(s))
		return true;
	class_scope_make(scope,
		grade < 0 ? r->kind->grade : record_text(r, grade, grade_text, sizeof grade_text),
		record_text(r, class_no, class_text, sizeof class_text));
	for (unsigned i = 0; scope[0] && i < s->class_count; i++)
		if (strcmp(s->classes[i], scope) == 0)
			return true;
	return false;
}

enum err scope_refuse(const struct session *s, struct problem *p)
{
	char all[200] = "", one[64];

	for (unsigned i = 0; i < s->class_count; i++) {
		class_scope_text(one, sizeof one, s->classes[i]);
		if (strlen(all) + strlen(one) + 4 < sizeof all)
			snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? "、" : "", one);
	}
	if (!all[0])
		return problem_set(p, ERR_PERMISSION, NULL,
			tr("请县局系统管理员指定：jgadmin users set 用户 --class 六1班",
				"the bureau's system administrator says which: jgadmin users set USER "
				"--class 六1班"),
			tr("您还没有负责的班级", "no class is yours yet"));
	return problem_set(p, ERR_PERMISSION, NULL,
		tr("其他班级请学籍管理员办理", "the registrar works on the others"),
		tr("不是您负责的班级：您负责 %s", "not one of your classes: yours are %s"), all);
}

/* The pupil of the own roster who has one of the two numbers; an ID number is a student number too (§1.3: G
 * and the ID). */
static const struct record *pupil_of(struct view *v, const struct record *destination)
{
	char cert[64], no[64];
	struct record key;

	record_init(&key, kind_by_number(KIND_STUDENT));
	record_text(destination, F_DESTINATION_CERT_NO, cert, sizeof cert);
	record_text(destination, F_DESTINATION_STUDENT_NO, no, sizeof no);
	if (!cert[0] && no[0] == 'G')
		memcpy(cert, no + 1, sizeof no - 1);
	if (!no[0] && strlen(cert) == 18)
		snprintf(no, sizeof no, "G%.18s", cert);
	record_set_text(&key, F_STUDENT_CERT_NO, cert[0] ? cert : NULL);
	record_set_text(&key, F_STUDENT_STUDENT_NO, no[0] ? no : NULL);
	const struct item *pupil = view_find_key(v, &key, true);
	return pupil ? &pupil->record : NULL;
}

enum err scope_judge_destination(
	struct view *v, const struct session *s, const struct record *destination, struct problem *p)
{
	if (has_all_classes(s))
		return ERR_OK;
	const struct record *pupil = pupil_of(v, destination);
	if (!pupil)
		return problem_set(p, ERR_PERMISSION, "cert_no",
			tr("更正证件号码或学籍号；名册里没有的学生请学籍管理员填报",
				"correct the number; the registrar enters who is not on the roster"),
			tr("本校名册里没有这个号码的学生，班主任只填报本班名册里的学生",
				"nobody on the school's roster has this number: a class teacher enters the "
				"pupils of his own class"));
	return scope_allows(s, pupil) ? ERR_OK : scope_refuse(s, p);
}

bool scope_carries(const struct session *s, const char *author)
{
	return s->roles >> ROLE_REGISTRAR & 1 || strcmp(s->user, author) == 0;
}
