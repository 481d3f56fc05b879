/* School accounts in bulk: from people's tables, or the class teachers of a school on the command line.
 *
 * The first passwords are made here and kept in the file of -o before the server hears of any: a line that
 * breaks, an answer that is lost, a computer that is switched off take none along. Each account is one call,
 * whole or not at all; who has one already is left as he is, so the same table can be sent again until all of
 * it is done. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin.h"
#include "book.h"
#include "class_scope.h"
#include "codes.h"
#include "cycle.h"
#include "first_password.h"
#include "lang.h"
#include "login.h"
#include "pinyin.h"
#include "sheet.h"
#include "sheet_write.h"
#include "table.h"
#include "tables.h"
#include "text.h"

#define PEOPLE_MAX 5000
#define ROLES_MAX 4 /* UserAdd declares as many */
#define CELL_SIZE 512
#define SEPARATORS "、，,;；/"

enum column { NAME, SCHOOL, CODE, ROLE, KLASS, LOGIN, COLUMNS };

static const char *const
	school_names[] = {"学校名称", "单位", NULL},
	*const code_names[] = {"学校（机构）标识码", "学校代码", NULL},
	*const role_names[] = {"职务", "岗位", NULL}, *const class_names[] = {"负责班级", "所带班级", NULL},
	*const login_names[] = {"账号", "登录名", NULL}, *const name_names[] = {"教师姓名", NULL};
static const struct table_column columns[COLUMNS] = {[NAME] = {"姓名", name_names, true, NULL},
	[SCHOOL] = {"学校", school_names, false, "学校 / 学校标识码"},
	[CODE] = {"学校标识码", code_names, false, "学校 / 学校标识码"},
	[ROLE] = {"角色", role_names, true, NULL},
	[KLASS] = {"班级", class_names, false, NULL},
	[LOGIN] = {"帐号", login_names, false, NULL}};

/* A row as it was read. */
struct line {
	long row;
	const char *cell[COLUMNS];
};

enum import_state {
	TO_ADD,
	ADDED,
	UNSURE /* the line broke before the answer */,
	KNOWN /* has it already */
};

struct person {
	const struct line *line;
	const pb_school_row *school;
	Jingguan__V1__Role role[ROLES_MAX];
	char *klass[PROFILE_CLASSES_MAX];
	size_t n_role, n_klass;
	char password[PASSWORD_MADE], user[64];
	enum import_state state;
};

struct import {
	struct cli *c;
	struct arena arena;
	struct link *link;
	const pb_school_list *schools;
	const pb_user_list *users;
	struct line *line;
	size_t lines;
	struct person *person;
	size_t people, to_add, unchanged;
	int32_t today;
	bool unlisted; /* the file of -o has the first passwords and not the log-ins */
	json_t *rejected;
};

static void reject(struct import *m, const struct line *line, enum column column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void reject(struct import *m, const struct line *line, enum column column, const char *format, ...)
{
	char message[400];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	message[text_utf8_prefix(message, strlen(message))] = 0;
	json_array_append_new(m->rejected,
		json_pack("{s:i,s:s,s:s}", "row", (int)line->row, "field", columns[column].name, "message",
			message));
}

/* ---- reading ---- */

static enum err read_table(struct import *m, struct table *t)
{
	struct table_row row;
	char text[CELL_SIZE];

	while (table_next(t, &row)) {
		if (m->lines == PEOPLE_MAX)
			return problem_set(&m->c->problem, ERR_FILE_LIMIT, NULL, _("分成几个文件"),
				_("一次最多 %d 人"), PEOPLE_MAX);
		struct line *line = &m->line[m->lines++];
		line->row = row.number;
		for (int i = 0; i < COLUMNS; i++) {
			const char *cell = table_text(t, &row, (size_t)i);
			enum err e = i == NAME || i == SCHOOL ? text_clean_name(text, sizeof text, cell)
							      : text_clean(text, sizeof text, cell);
			line->cell[i] = arena_printf(&m->arena, "%s", e ? "" : text);
			if (!line->cell[i])
				return problem_set(&m->c->problem, ERR_NOMEM, NULL, NULL, NULL);
		}
	}
	return ERR_OK;
}

static enum err read_file(struct import *m, const char *path)
{
	struct sheet *sheet = NULL;
	struct book book = {0};
	const struct book_wants wants = {.table = {columns, COLUMNS, NULL, NULL, 0}};
	enum err e = sheet_read_file(path, cli_option(m->c, "sheet"), &sheet, &m->c->problem);

	if (!e)
		e = book_open(&book, sheet, &wants, &m->c->problem);
	for (size_t i = 0; !e && i < book.n; i++) {
		e = read_table(m, book.tables[i].table);
		for (size_t k = 0; k < table_ignored_count(book.tables[i].table); k++)
			cli_warn(m->c, _("没有读“%s”这一列"),
				table_ignored_at(book.tables[i].table, k).heading);
	}
	for (size_t k = 0; !e && k < book.n_left; k++)
		cli_warn(m->c, _("没有读工作表“%s”：%s"), book.left[k].page->name, book.left[k].why);
	book_close(&book);
	if (sheet)
		sheet_free(sheet);
	return e;
}

/* 六1班=张三: one class, one teacher. */
static enum err read_operands(struct import *m)
{
	for (int i = 0; i < m->c->operands; i++) {
		const char *text = cli_operand(m->c, i), *equals = strchr(text, '=');
		char name[CELL_SIZE];
		struct line *line = &m->line[m->lines++];
		*line = (struct line){i + 1, {"", "", cli_option(m->c, "school"), "class_teacher", "", ""}};
		if (!equals || equals == text || text_clean_name(name, sizeof name, equals + 1) || !name[0])
			return problem_set(&m->c->problem, ERR_USAGE, NULL, _("写成 六1班=张三"),
				_("“%s”不是 班级=姓名"), text);
		line->cell[KLASS] = arena_printf(&m->arena, "%.*s", (int)(equals - text), text);
		line->cell[NAME] = arena_printf(&m->arena, "%s", name);
		if (!line->cell[KLASS] || !line->cell[NAME])
			return problem_set(&m->c->problem, ERR_NOMEM, NULL, NULL, NULL);
	}
	return ERR_OK;
}

/* ---- judging ---- */

static const pb_school_row *school_of(struct import *m, const struct line *line)
{
	const char *code = line->cell[CODE], *name = line->cell[SCHOOL];
	char near[300] = "", own[CELL_SIZE];
	const pb_school_row *found = NULL;

	for (size_t i = 0; i < m->schools->n_school; i++) {
		const pb_school_row *s = m->schools->school[i];
		if (code[0] ? strcmp(s->code, code) == 0
			    : !text_clean_name(own, sizeof own, s->name) && name[0] && strcmp(own, name) == 0)
			found = s;
		else if (name[0] && strstr(s->name, name) && strlen(near) + strlen(s->name) + 8 < sizeof near)
			snprintf(near + strlen(near), sizeof near - strlen(near), "%s%s",
				near[0] ? _("、") : "", s->name);
	}
	if (!found && code[0])
		reject(m, line, CODE, _("没有标识码为 %s 的学校"), code);
	else if (!found && near[0])
		reject(m, line, SCHOOL, _("没有叫“%s”的学校；相近的：%s"), name, near);
	else if (!found)
		reject(m, line, SCHOOL, _("没有叫“%s”的学校：jgadmin schools list 列出全部"), name);
	else if (code[0] && name[0] && !strstr(found->name, name)) {
		reject(m, line, CODE, _("标识码 %s 是 %s，不是“%s”"), code, found->name, name);
		found = NULL;
	}
	return found;
}

/* The words of "六1班、六2班", one after another; NULL behind the last. */
static char *next_word(struct import *m, const char **at)
{
	const char *from = *at;

	for (;;) {
		int32_t c;
		int n = text_next(*at, &c);
		char one[8];
		snprintf(one, sizeof one, "%.*s", n > 0 ? n : 0, *at);
		bool ends = n <= 0 || strstr(SEPARATORS, one);
		if (ends && *at > from) {
			char *word = arena_printf(&m->arena, "%.*s", (int)(*at - from), from);
			if (n > 0)
				*at += n;
			return word && !text_clean(word, strlen(word) + 1, word) && word[0]
				? word
				: next_word(m, at);
		}
		if (n <= 0)
			return NULL;
		*at += n;
		if (ends)
			from = *at;
	}
}

static bool has_role(const struct person *p, unsigned role)
{
	for (size_t i = 0; i < p->n_role; i++)
		if ((unsigned)p->role[i] == role)
			return true;
	return false;
}

static bool take_roles(struct import *m, struct person *p)
{
	const char *at = p->line->cell[ROLE], *word;

	while ((word = next_word(m, &at))) {
		const char *code = code_find(&codes_role, word);
		unsigned role = 0;
		if (role_by_name(word))
			role = role_by_name(word);
		else if (code)
			role = (unsigned)atoi(code);
		if (!role || role > 10 || p->n_role == ROLES_MAX) {
			reject(m, p->line, ROLE,
				_("“%s”不是学校的角色：学籍管理员、班主任、校长、文书、安全专干、心理教师"),
				word);
			return false;
		}
		if (!has_role(p, role))
			p->role[p->n_role++] = (Jingguan__V1__Role)role;
	}
	return p->n_role != 0;
}

static bool take_classes(struct import *m, struct person *p)
{
	const char *at = p->line->cell[KLASS];
	char scope[CLASS_SCOPE_SIZE], *word;

	if (!has_role(p, ROLE_CLASS_TEACHER))
		return true; /* whose class it is matters only there */
	while ((word = next_word(m, &at)) && p->n_klass < PROFILE_CLASSES_MAX) {
		if (class_scope_parse(scope, word, school_type_stages(p->school->type), m->today)) {
			reject(m, p->line, KLASS, _("看不出“%s”是哪个年级的哪个班：写成 六1班、七（2）班"),
				word);
			return false;
		}
		if (!(p->klass[p->n_klass++] = arena_printf(&m->arena, "%s", scope)))
			return false;
	}
	if (!p->n_klass)
		reject(m, p->line, KLASS, "%s", _("班主任要写负责的班级"));
	return p->n_klass != 0;
}

static bool same_texts(char *const *a, size_t n_a, char *const *b, size_t n_b)
{
	size_t same = 0;

	for (size_t i = 0; i < n_a; i++)
		for (size_t k = 0; k < n_b; k++)
			same += strcmp(a[i], b[k]) == 0;
	return n_a == n_b && same == n_a;
}

/* The server makes a log-in of the letters that were wanted and a number: zhangwei, zhangwei2. Nothing wanted
 * fits any. */
static bool is_made_from(const char *user, const char *wanted)
{
	bool any = false;

	for (; *wanted; wanted++) {
		char letter = *wanted >= 'A' && *wanted <= 'Z' ? (char)(*wanted - 'A' + 'a') : *wanted;
		if (letter < 'a' || letter > 'z')
			continue;
		any = true;
		if (*user++ != letter)
			return false;
	}
	return !any || !user[strspn(user, "0123456789")];
}

/* Whether he has this account already; another class is a change, which somebody asks for by name. */
static bool is_known(struct import *m, const struct person *p)
{
	for (size_t i = 0; i < m->users->n_user; i++) {
		const pb_user *u = m->users->user[i];
		size_t same = 0;
		if (!is_made_from(u->user, p->line->cell[LOGIN]))
			continue; /* a namesake: the row wants another account */
		if (u->disabled || strcmp(u->school, p->school->code) != 0 ||
			strcmp(u->name, p->line->cell[NAME]) != 0 || u->n_role != p->n_role)
			continue;
		for (size_t k = 0; k < u->n_role; k++)
			same += has_role(p, (unsigned)u->role[k]);
		if (same != p->n_role)
			continue;
		if (p->n_klass && !same_texts(p->klass, p->n_klass, u->klass, u->n_klass))
			reject(m, p->line, KLASS,
				_("已有帐号 %s，负责的班级不同；要改：jgadmin users set %s --class %s"),
				u->user, u->user, p->line->cell[KLASS]);
		else
			m->unchanged++;
		return true;
	}
	return false;
}

/* Two of one name at one school are two people only when the table says so. */
static bool is_twice(struct import *m, const struct person *p)
{
	for (size_t i = 0; i < m->people; i++) {
		const struct person *o = &m->person[i];
		if (o->school != p->school || strcmp(o->line->cell[NAME], p->line->cell[NAME]) != 0)
			continue;
		const char *a = o->line->cell[LOGIN], *b = p->line->cell[LOGIN];
		if (a[0] && b[0] && strcmp(a, b) != 0)
			continue;
		reject(m, p->line, NAME,
			_("与第 %ld 行同校同名：一人几个角色或班级写在一行，用顿号隔开；是两个人就分别写帐号"),
			o->line->row);
		return true;
	}
	return false;
}

static void judge(struct import *m, const struct line *line)
{
	struct person *p = &m->person[m->people];

	*p = (struct person){.line = line};
	if (text_forbidden(line->cell[NAME], strlen(line->cell[NAME])) || text_name_odd(line->cell[NAME])) {
		reject(m, line, NAME, _("“%s”不像姓名"), line->cell[NAME]);
		return;
	}
	if (line->cell[LOGIN][0] &&
		!strpbrk(line->cell[LOGIN], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
		reject(m, line, LOGIN, "%s", _("帐号用字母"));
		return;
	}
	p->school = school_of(m, line);
	if (!p->school || !take_roles(m, p) || !take_classes(m, p) || is_twice(m, p))
		return;
	m->people++;
	if (is_known(m, p)) {
		p->state = KNOWN;
		return;
	}
	password_generate(p->password);
	m->to_add++;
}

/* ---- the file of passwords ---- */

static const char *role_words(const struct person *p, char *out, size_t size)
{
	char number[8];

	*out = 0;
	for (size_t i = 0; i < p->n_role; i++) {
		snprintf(number, sizeof number, "%u", (unsigned)p->role[i]);
		snprintf(out + strlen(out), size - strlen(out), "%s%s", i ? _("、") : "",
			code_name(&codes_role, number));
	}
	return out;
}

static const char *class_words(const struct person *p, char *out, size_t size)
{
	char one[64];

	*out = 0;
	for (size_t i = 0; i < p->n_klass; i++) {
		class_scope_text(one, sizeof one, p->klass[i]);
		if (strlen(out) + strlen(one) + 4 < size)
			snprintf(out + strlen(out), size - strlen(out), "%s%s", i ? _("、") : "", one);
	}
	return out;
}

/* All of them before the first call, those that came to be after the last; readable by its owner alone. */
static enum err write_passwords(struct import *m, const char *path, bool all)
{
	static const char *const heads[] = {
		"学校标识码", "学校", "姓名", "角色", "班级", "帐号", "初始密码", "说明"};
	struct sheet_writer *w;
	char roles[160], classes[400];
	mode_t mask = umask(077);
	enum err e = sheet_writer_open(&w, path, _("初始密码"), &m->c->problem);

	if (!e) {
		e = sheet_writer_row(w, heads, 8, SHEET_HEADER, &m->c->problem);
		for (size_t i = 0; !e && i < m->people; i++) {
			const struct person *p = &m->person[i];
			if (p->state == KNOWN || (!all && p->state == TO_ADD))
				continue;
			const char *const cells[] = {p->school->code, p->school->name, p->line->cell[NAME],
				role_words(p, roles, sizeof roles), class_words(p, classes, sizeof classes),
				p->user, p->password,
				p->state == ADDED ? _("72 小时内首次登录，登录后 24 小时内修改")
						  : _("是否建成还不知道，用 jgadmin users list 查")};
			e = sheet_writer_row(w, cells, 8, SHEET_PLAIN, &m->c->problem);
		}
		if (e)
			sheet_writer_discard(w);
		else
			e = sheet_writer_close(w, &m->c->problem);
	}
	umask(mask);
	return e;
}

/* ---- making ---- */

static enum err add(struct import *m, struct person *p)
{
	pb_user_add q = PB_USER_ADD_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	char login[PINYIN_SIZE];

	pinyin(p->line->cell[NAME], login, sizeof login);
	q.school = p->school->code;
	q.name = (char *)(uintptr_t)p->line->cell[NAME];
	q.login = p->line->cell[LOGIN][0] ? (char *)(uintptr_t)p->line->cell[LOGIN] : login;
	q.role = p->role;
	q.n_role = p->n_role;
	q.klass = p->klass;
	q.n_klass = p->n_klass;
	q.password = p->password;
	unsigned unknown = m->c->profile.fate.unknown;
	arena_init(&arena, 1u << 20);
	enum err e = link_ask(m->link, METHOD_IDENTITY_ADD_USER, &q.base, &arena, &reply, &m->c->problem);
	if (!e) {
		snprintf(p->user, sizeof p->user, "%s", ((const pb_user_secret *)reply)->user);
		p->state = ADDED;
	} else if (m->c->profile.fate.unknown != unknown) {
		p->state = UNSURE;
	}
	arena_free(&arena);
	return e;
}

/* A refusal is of one row; anything else ends it, and what was made stands. */
static enum err add_all(struct import *m)
{
	enum err e = ERR_OK;
	size_t done = 0;

	for (size_t i = 0; !e && i < m->people; i++) {
		if (m->person[i].state == KNOWN)
			continue;
		cli_progress(m->c, _("建帐号"), done++, m->to_add);
		e = add(m, &m->person[i]);
		if (e == ERR_INVALID || e == ERR_NOT_FOUND || e == ERR_MISSING) {
			const struct problem *p = &m->c->problem;
			bool school = strcmp(p->field, "school") == 0, class = strcmp(p->field, "class") == 0;
			int column = school ? CODE : NAME;
			reject(m, m->person[i].line, class ? KLASS : column, "%s", p->message);
			e = ERR_OK;
		}
	}
	cli_progress_end(m->c);
	return e;
}

static enum err ask(struct import *m, uint16_t method, const ProtobufCMessage **reply)
{
	pb_empty q = PB_EMPTY_INIT;

	return link_ask(m->link, method, &q.base, &m->arena, reply, &m->c->problem);
}

static enum err judge_all(struct import *m)
{
	const ProtobufCMessage *schools, *users;
	enum err e = login_link(&m->link, &m->c->profile, NULL, &m->c->problem);

	if (!e)
		e = ask(m, METHOD_COUNTY_LIST_SCHOOLS, &schools);
	if (!e)
		e = ask(m, METHOD_IDENTITY_LIST_USERS, &users);
	if (e)
		return e;
	m->schools = (const pb_school_list *)schools;
	m->users = (const pb_user_list *)users;
	m->today = profile_today(&m->c->profile);
	for (size_t i = 0; i < m->lines; i++)
		judge(m, &m->line[i]);
	return m->arena.refused ? problem_set(&m->c->problem, ERR_NOMEM, NULL, NULL, NULL) : ERR_OK;
}

/* ---- saying ---- */

/* Whose account a person has to be told of: also one of which it is not known, for its password is kept
 * nowhere else. */
static bool is_told(const struct person *p, bool dry)
{
	return dry ? p->state == TO_ADD : p->state == ADDED || p->state == UNSURE;
}

static json_t *added_json(const struct import *m, bool dry)
{
	json_t *out = json_array();

	for (size_t i = 0; i < m->people; i++) {
		const struct person *p = &m->person[i];
		if (is_told(p, dry))
			json_array_append_new(out,
				json_pack("{s:i,s:o,s:o,s:s,s:s}", "row", (int)p->line->row, "user",
					admin_text(p->user), "password",
					dry ? json_null() : json_string(p->password), "school",
					p->school->code, "name", p->line->cell[NAME]));
	}
	return out;
}

static void say_people(const struct import *m, bool dry)
{
	const char *const heads[] = {_("学校"), _("姓名"), _("角色"), _("班级"), _("帐号"), _("初始密码")};
	struct cli_table *t = cli_table_new(heads, dry ? 4 : 6);
	char roles[160], classes[400];

	for (size_t i = 0; i < m->people; i++) {
		const struct person *p = &m->person[i];
		if (is_told(p, dry))
			cli_table_row(t,
				(const char *const[]){p->school->name, p->line->cell[NAME],
					role_words(p, roles, sizeof roles),
					class_words(p, classes, sizeof classes), p->user, p->password});
	}
	cli_table_print(m->c, t);
}

static int tell(struct import *m, enum err e, bool dry)
{
	const char *path = m->unlisted ? NULL : cli_option(m->c, "o");
	json_t *added = added_json(m, dry), *row;
	size_t i, made = 0;

	for (i = 0; i < m->people; i++)
		made += m->person[i].state == (dry ? TO_ADD : ADDED);

	if (json_array_size(added) && (dry || !path))
		say_people(m, dry);
	if (e && !m->unlisted)
		cli_warn(m->c, "%s",
			_("停在中途。再运行一次会接着建其余的，已建的不会重复（-o 换一个文件名）"));
	cli_say(m->c,
		cli_flag(m->c, "dry-run") ? _("将新建 %zu，已有 %zu，退回 %zu")
					  : _("新建 %zu，已有 %zu，退回 %zu"),
		made, m->unchanged, json_array_size(m->rejected));
	json_array_foreach(m->rejected, i, row)
		cli_say(m->c, _("  第 %d 行 %s：%s"), (int)json_integer_value(json_object_get(row, "row")),
			json_string_value(json_object_get(row, "field")),
			json_string_value(json_object_get(row, "message")));
	if (!dry && json_array_size(added))
		cli_say(m->c,
			path ? _("帐号和初始密码在 %s（只有您能读）。当面交给本人后删除；"
				 "72 小时内首次登录，登录后 24 小时内修改")
			     : _("初始密码只显示这一次%s；72 小时内首次登录，登录后 24 小时内修改"),
			path ? path : "");
	json_t *out = json_pack("{s:o,s:I,s:O}", "added", added, "unchanged", (json_int_t)m->unchanged,
		"rejected", m->rejected);
	int code = json_array_size(m->rejected) ? err_info(ERR_CONFLICT)->exit_code : 0;
	if (!e)
		return cli_result(m->c, out, code);
	json_object_set_new(out, "error", cli_error_json(m->c));
	cli_result(m->c, out, 0);
	return cli_fail(m->c);
}

static bool target_is_free(struct import *m, const char *input, int *code)
{
	const char *path = cli_option(m->c, "o");
	struct stat st;

	if (!path)
		return true;
	if (sheet_target_check(path, input, &m->c->problem)) {
		*code = cli_fail(m->c);
		return false;
	}
	if (stat(path, &st) || st.st_size == 0)
		return true;
	/* It may be the only place where the passwords of the last run stand. */
	*code = cli_fail_with(
		m->c, ERR_USAGE, _("换一个文件名：-o 初始密码2.xlsx"), _("%s 已经有了，不会覆盖"), path);
	return false;
}

static enum err prepare(struct import *m, const char *input)
{
	m->line = arena_alloc(&m->arena, sizeof *m->line * PEOPLE_MAX);
	m->person = arena_alloc(&m->arena, sizeof *m->person * (PEOPLE_MAX + 1));
	if (!m->line || !m->person)
		return problem_set(&m->c->problem, ERR_NOMEM, NULL, NULL, NULL);
	enum err e = input ? read_file(m, input) : read_operands(m);

	return e ? e : judge_all(m);
}

static int make(struct import *m)
{
	const char *path = cli_option(m->c, "o");

	if (path && write_passwords(m, path, true))
		return cli_fail(m->c);
	enum err e = add_all(m);
	struct problem first = m->c->problem;
	m->unlisted = path && write_passwords(m, path, false);
	if (m->unlisted && !e) {
		e = m->c->problem.code;
		snprintf(m->c->problem.safe, sizeof m->c->problem.safe,
			_("帐号都建好了；%s 里有初始密码，没有帐号"), path);
		snprintf(m->c->problem.hint, sizeof m->c->problem.hint, "%s",
			_("帐号见屏幕上的表，请抄下；以后也可以查：jgadmin users list"));
	} else {
		m->c->problem = first;
	}
	return tell(m, e, false);
}

static int import(struct cli *c, const char *input)
{
	struct import m = {.c = c, .rejected = json_array()};
	int code;

	arena_init(&m.arena, 128u << 20);
	if (target_is_free(&m, input, &code)) {
		if (prepare(&m, input))
			code = cli_fail(c);
		else if (cli_flag(c, "dry-run") || !m.to_add)
			code = tell(&m, ERR_OK, true);
		else
			code = make(&m);
	}
	if (m.link)
		link_close(m.link);
	json_decref(m.rejected);
	arena_free(&m.arena);
	return code;
}

int cmd_users_import(struct cli *c)
{
	return import(c, cli_operand(c, 0));
}

int cmd_users_teachers(struct cli *c)
{
	if (!cli_option(c, "school"))
		return cli_fail_with(c, ERR_USAGE,
			_("例如 jgadmin users teachers --school 演练县第1小学 六1班=张三 六2班=李四"),
			_("要写是哪所学校：--school 学校"));
	return import(c, NULL);
}
