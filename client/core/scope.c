#include "scope.h"

#include <stdio.h>
#include <string.h>

#include "lang.h"
#include "tables.h"
#include "words.h"

bool scope_is_whole(const struct session *s)
{
	return s->roles & (1u << ROLE_REGISTRAR | 1u << ROLE_HEAD) ||
		!(s->roles & (1u << ROLE_CLASS_TEACHER | 1u << ROLE_CLERK));
}

bool scope_allows(const struct session *s, const struct record *r)
{
	int class_no = kind_field_index(r->kind, "class_no"), grade = kind_field_index(r->kind, "grade");
	char class_text[32], grade_text[32], scope[CLASS_SCOPE_SIZE];

	if (class_no < 0 || scope_is_whole(s))
		return true;
	class_scope_make(scope,
		grade < 0 ? r->kind->grade : record_text(r, grade, grade_text, sizeof grade_text),
		record_text(r, class_no, class_text, sizeof class_text));
	for (unsigned i = 0; scope[0] && i < s->class_count; i++)
		if (strcmp(s->classes[i], scope) == 0)
			return true;
	return false;
}

bool scope_covers(const struct view *v, const struct record *r, const char *author)
{
	const struct session *s = &v->store->profile->session;

	if (scope_is_whole(s) || strcmp(author, s->user) == 0)
		return true;
	const struct record *whose = words_whose(v, r);
	return whose && kind_field_index(whose->kind, "class_no") >= 0 && scope_allows(s, whose);
}

enum err scope_refuse(const struct session *s, struct problem *p)
{
	char all[200] = "", one[64];

	for (unsigned i = 0; i < s->class_count; i++) {
		class_scope_text(one, sizeof one, s->classes[i]);
		if (strlen(all) + strlen(one) + 4 < sizeof all)
			snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? _("、") : "", one);
	}
	if (!all[0])
		return problem_set(p, ERR_PERMISSION, NULL,
			_("请县局系统管理员指定：jgadmin users set 用户 --class 六1班"),
			_("您还没有负责的班级"));
	return problem_set(p, ERR_PERMISSION, NULL, _("其他班级请学籍管理员办理"),
		_("不是您负责的班级：您负责 %s"), all);
}

enum err scope_writes(const struct session *s, const struct kind *kind, struct problem *p)
{
	if (!kind->writers || kind->writers & s->roles)
		return ERR_OK;
	return problem_set(p, ERR_PERMISSION, NULL, _("请学籍管理员办理"), _("%s不由 %s 办理"),
		lang_declared(kind->label, kind->label_en), s->user);
}

bool scope_carries(const struct session *s, const char *author)
{
	return s->roles >> ROLE_REGISTRAR & 1 || strcmp(s->user, author) == 0;
}
