/* People and computers; only administrators call it (identity.proto). Users stand here, computers in
 * identity_devices.c. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "access_log.h"
#include "codes.h"
#include "identity_calls.h"
#include "lang.h"
#include "password.h"

#define LOGIN_MAX 24 /* of the part made from the name */
#define ROLES_MAX 16 /* of an account; a request gives at most four */

struct identity_state {
	struct password_job job;
	char login[64], password[PASSWORD_MADE];
	struct pg_array roles, classes;
	char scope[CLASSES_MAX][CLASS_SCOPE_SIZE], *class_list[CLASSES_MAX];
	size_t class_count;
	const char *granter;                /* who has to grant what waits */
	bool waiting, tells_password, kept; /* kept: the caller made the password and has it */
};

static enum err make_state(struct request *r)
{
	r->data = arena_alloc(&r->arena, sizeof(struct identity_state));
	return r->data ? ERR_OK : ERR_NOMEM;
}

/* ---- users ----
 *
 * Of the bureau's accounts no administrator disposes alone: who resets a leader's password could read as him.
 * What 系统 asks for them waits in account_request until 安全 grants it and is told the password; the other
 * way round for what 安全 asks; 审计 stands in where one of them would grant his own. A school's accounts are
 * 系统's business, and a new account of the bureau is seen by 安全 (role_grant). */

static const struct db_stmt read_place = {
	"SELECT $1::text = '' OR s.code IS NOT NULL, coalesce(s.type, ''), jg_today(), coalesce(s.name, '')"
	" FROM (SELECT 1) one"
	" LEFT JOIN school s ON s.county = app_county() AND s.code = $1::text AND NOT s.deleted"};
enum { PLACE_KNOWN, PLACE_TYPE, PLACE_TODAY, PLACE_NAME };
/* An administrator's account is made disabled, and comes alive when it is granted. */
static const struct db_stmt insert_user = {
	"WITH n AS (SELECT"
	" coalesce(max(nullif(regexp_replace(user_id, '^.*?([0-9]*)$', '\\1'), '')::int), 0) AS n"
	" FROM user_account WHERE county = app_county() AND user_id ~ ('^' || $1::text || '[0-9]*$')),"
	" u AS (INSERT INTO user_account (county, user_id, name, school, roles, classes, password_hash,"
	" first_until, created_at, created_by, disabled)"
	" SELECT app_county(), $1::text || CASE"
	" WHEN EXISTS (SELECT 1 FROM user_account WHERE county = app_county() AND user_id = $1::text)"
	" THEN (n.n + 1)::text ELSE '' END, $2::text, $3::text, $4::int[], $5::text[], $6::text,"
	" jg_now() + interval '" FIRST_PASSWORD_UNUSED "', jg_now(), $7::text, $8::boolean"
	" FROM n"
	" RETURNING user_id),"
	" q AS (INSERT INTO account_request (county, user_id, what, name, roles, asked_by, asked_at)"
	" SELECT app_county(), user_id, 'add', $2::text, $4::int[], $7::text, jg_now()"
	" FROM u"
	" WHERE $8::boolean),"
	" g AS (INSERT INTO role_grant (county, at, user_id, roles, given_by)"
	" SELECT app_county(), jg_now(), user_id, $4::int[], $7::text FROM u WHERE NOT $8::boolean)"
	" SELECT user_id, people_of_role(22)"
	" FROM u"};

static bool is_administrator(const Jingguan__V1__Role *roles, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (roles[i] >= 21)
			return true;
	return false;
}

/* A school's people have school roles, the bureau's bureau roles; administrators have no other. */
static enum err judge_roles(const char *school, const Jingguan__V1__Role *roles, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((roles[i] < 10) != (school && school[0]) || (roles[i] > 20 && n > 1) ||
			!role_name((unsigned)roles[i])[0])
			return ERR_INVALID;
	return n ? ERR_OK : ERR_MISSING;
}

static size_t read_roles(int32_t out[ROLES_MAX], const Jingguan__V1__Role *roles, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (int32_t)roles[i];
	return n;
}

static void write_roles(struct identity_state *s, const int32_t *roles, size_t n)
{
	pg_array_begin(&s->roles, PG_INT4);
	for (size_t i = 0; i < n; i++)
		pg_array_int4(&s->roles, roles[i]);
}

static bool is_class_teacher(const int32_t *roles, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (roles[i] == ROLE_CLASS_TEACHER)
			return true;
	return false;
}

/* A class teacher without a class would see no pupil. False: the request has been refused. */
static bool has_class(struct request *r, const int32_t *roles, size_t n_roles, size_t n_classes)
{
	if (n_classes || !is_class_teacher(roles, n_roles))
		return true;
	request_refuse(r, ERR_MISSING, "class", _("班主任要写负责的班级"), _("加 --class 六1班"));
	return false;
}

/* Of the school of an account; empty at the bureau. */
struct account_place {
	const char *name, *type;
	int32_t today;
};

static const char *class_example(unsigned stages)
{
	if (stages & STAGE_PRIMARY)
		return _("写成 六1班、六（2）班");
	return stages & STAGE_JUNIOR ? _("写成 七1班、七（2）班") : _("写成 高一1班、高一（2）班");
}

/* Reads the classes as people write them; s->classes then holds what is stored. A class whose grade nobody
 * can tell is refused: it would be of no pupil. False: the request has been refused. */
static bool read_classes(struct request *r, char *const *klass, size_t n, const struct account_place *place)
{
	struct identity_state *s = r->data;
	unsigned stages = school_type_stages(place->type);

	pg_array_begin(&s->classes, PG_TEXT);
	s->class_count = 0;
	for (size_t i = 0; i < n && i < CLASSES_MAX; i++) {
		char *scope = s->scope[s->class_count++];
		if (class_scope_parse(scope, klass[i], stages, place->today)) {
			pg_array_free(&s->classes);
			request_refuse(r, ERR_INVALID, "class",
				arena_printf(&r->arena, _("%s没有“%s”这个班：看不出是哪个年级的哪个班"),
					*place->name ? place->name : _("县局"), klass[i]),
				class_example(stages));
			return false;
		}
		s->class_list[i] = scope;
		pg_array_text(&s->classes, scope);
	}
	return true;
}

static void fill_classes(struct request *r, pb_user_secret *out)
{
	struct identity_state *s = r->data;

	out->klass = s->class_list;
	out->n_klass = s->class_count;
}

static void add_done(struct request *r)
{
	const pb_user_add *q = REQUEST(r, pb_user_add);
	struct identity_state *s = r->data;
	pb_user_secret out = PB_USER_SECRET_INIT;

	out.user = arena_printf(&r->arena, "%s", db_get_text(request_result(r, &insert_user), 0, 0));
	fill_classes(r, &out);
	if (is_administrator(q->role, q->n_role)) {
		out.has_waiting = out.waiting = 1;
		out.granter =
			arena_printf(&r->arena, "%s", db_get_text(request_result(r, &insert_user), 0, 1));
	} else if (!s->kept) {
		out.password = s->password;
	}
	access_log_add(r->worker, &r->caller, r->method->name, "OK", 1, "admin", r->ref);
	request_reply(r, &out.base);
}

static void add_insert(struct request *r)
{
	const pb_user_add *q = REQUEST(r, pb_user_add);
	struct identity_state *s = r->data;
	const PGresult *place = request_result(r, &read_place);
	struct db_params p = {0};

	if (!db_get_int(place, 0, PLACE_KNOWN)) {
		request_refuse(r, ERR_NOT_FOUND, "school", _("没有这所学校，帐号没有建立"),
			_("用 jgadmin schools list 查学校标识码"));
		return;
	}
	const struct account_place at = {db_get_text(place, 0, PLACE_NAME), db_get_text(place, 0, PLACE_TYPE),
		(int32_t)db_get_int(place, 0, PLACE_TODAY)};
	int32_t roles[ROLES_MAX];
	size_t n = read_roles(roles, q->role, q->n_role);
	if (!has_class(r, roles, n, q->n_klass) || !read_classes(r, q->klass, q->n_klass, &at))
		return;
	write_roles(s, roles, n);
	db_text(&p, s->login);
	db_text(&p, q->name);
	db_text(&p, q->school ? q->school : "");
	db_array(&p, &s->roles);
	db_array(&p, &s->classes);
	db_text(&p, s->job.hash);
	db_text(&p, r->caller.user);
	db_bool(&p, is_administrator(q->role, q->n_role));
	request_query(r, &insert_user, &p);
	db_task_commit(&r->task);
	request_trip(r, add_done);
	pg_array_free(&s->roles);
	pg_array_free(&s->classes);
}

static void add_query(struct request *r)
{
	const pb_user_add *q = REQUEST(r, pb_user_add);
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	db_text(&p, q->school ? q->school : "");
	request_query(r, &read_place, &p);
	request_trip(r, add_insert);
}

static void on_hashed(struct password_job *job)
{
	if (job->hash[0])
		request_begin(job->request, add_query);
	else
		request_fail(job->request, ERR_NOMEM, NULL, NULL);
}

static void make_login(struct identity_state *s, const pb_user_add *q)
{
	size_t n = 0;

	for (const char *c = q->login ? q->login : ""; *c && n < LOGIN_MAX; c++)
		if (isalnum((unsigned char)*c))
			s->login[n++] = (char)tolower((unsigned char)*c);
	if (n == 0)
		strcpy(s->login, role_name((unsigned)q->role[0]));
	/* A digit at the end would be taken for the counter. */
	while (n && isdigit((unsigned char)s->login[n - 1]))
		s->login[--n] = 0;
	if (!s->login[0])
		strcpy(s->login, "user");
}

/* The first password: the caller's own, of a school's account, or one that is made here. False: the request
 * has been refused. */
static bool take_password(struct request *r, const pb_user_add *q)
{
	struct identity_state *s = r->data;
	const char *fault = q->password ? password_fault(q->password) : NULL;

	if (q->password && (!q->school || !q->school[0]))
		fault = _("县局帐号的初始密码由服务器生成");
	s->kept = q->password != NULL;
	password_generate(s->password);
	if (fault)
		request_refuse(r, ERR_INVALID, "password", fault, _("用 jgadmin users add 新建"));
	return !fault;
}

static void add_user(struct request *r)
{
	const pb_user_add *q = REQUEST(r, pb_user_add);
	enum err e = judge_roles(q->school, q->role, q->n_role);

	if (e || !q->name || !q->name[0] || make_state(r)) {
		request_refuse(r, e ? e : ERR_MISSING, e ? "role" : "name",
			e ? _("角色与单位不符：学校的人用学校角色，县局的人用县局角色，"
			      "系统、安全、审计管理员不兼任")
			  : _("没有姓名"),
			_("jgadmin help codes role 列出角色"));
		return;
	}
	struct identity_state *s = r->data;
	make_login(s, q);
	if (take_password(r, q) &&
		(e = password_make(&s->job, r, s->kept ? q->password : s->password, on_hashed)))
		request_fail(r, e, NULL, NULL);
}

/* ---- what is done to an account that exists ---- */

/* of: whom it is about, as it stands. */
static const struct db_stmt read_account = {
	"SELECT u.school, u.disabled, u.roles && '{11,12,13,14,15,21,22,23}', u.roles && '{21,22,23}',"
	" coalesce(s.type, ''), jg_today(), people_of_role(granting_role($2::text, u.user_id)), u.name,"
	" u.roles,"
	" EXISTS (SELECT 1 FROM account_request q"
	" WHERE q.county = u.county AND q.user_id = u.user_id AND q.outcome IS NULL AND q.what = 'add'),"
	" coalesce(s.name, ''), cardinality(u.classes)"
	" FROM user_account u"
	" LEFT JOIN school s ON s.county = u.county AND s.code = u.school AND NOT s.deleted"
	" WHERE u.county = app_county() AND u.user_id = $1::text"
	" FOR UPDATE OF u"};
enum {
	ACCOUNT_SCHOOL,
	ACCOUNT_DISABLED,
	ACCOUNT_OF_BUREAU,
	ACCOUNT_OF_ADMINISTRATOR,
	ACCOUNT_SCHOOL_TYPE,
	ACCOUNT_TODAY,
	ACCOUNT_GRANTERS,
	ACCOUNT_NAME,
	ACCOUNT_ROLES,
	ACCOUNT_NOT_GRANTED,
	ACCOUNT_SCHOOL_NAME,
	ACCOUNT_CLASSES
};
static const struct db_stmt replace_request = {
	"UPDATE account_request SET outcome = 'replaced', settled_by = $2::text, settled_at = jg_now()"
	" WHERE county = app_county() AND user_id = $1::text AND outcome IS NULL"};
static const struct db_stmt ask_grant = {
	"INSERT INTO account_request (county, user_id, what, name, roles, asked_by, asked_at)"
	" VALUES (app_county(), $1::text, $2::text, $3::text, $4::int[], $5::text, jg_now())"};
static const struct db_stmt reset_password = {
	"WITH s AS (UPDATE session SET ended_at = jg_now()"
	" WHERE county = app_county() AND user_id = $1::text AND ended_at IS NULL),"
	" g AS (UPDATE login_guard SET failed = 0, locked_until = NULL"
	" WHERE county = app_county() AND user_id = $1::text)"
	" UPDATE user_account"
	" SET password_hash = $2::text, must_change = true, first_until = jg_now() + interval"
	" '" FIRST_PASSWORD_UNUSED "' WHERE county = app_county() AND user_id = $1::text"};
static const struct db_stmt set_account = {
	"WITH s AS (UPDATE session SET ended_at = jg_now()"
	" WHERE county = app_county() AND user_id = $1::text AND ended_at IS NULL),"
	" g AS (INSERT INTO role_grant (county, at, user_id, roles, given_by)"
	" SELECT app_county(), jg_now(), $1::text, $3::int[], $5::text)"
	" UPDATE user_account"
	" SET name = $2::text, roles = $3::int[], classes = CASE WHEN $4::text[] = '{}' THEN classes"
	" ELSE $4::text[] END"
	" WHERE county = app_county() AND user_id = $1::text"};
static const struct db_stmt disable_account = {
	"WITH s AS (UPDATE session SET ended_at = jg_now()"
	" WHERE county = app_county() AND user_id = $1::text AND ended_at IS NULL)"
	" UPDATE user_account"
	" SET disabled = true"
	" WHERE county = app_county() AND user_id = $1::text"};

static const struct db_stmt enable_account = {
	"UPDATE user_account SET disabled = false WHERE county = app_county() AND user_id = $1::text"};

static const char *user_of(const struct request *r)
{
	const char *user = r->method->number == METHOD_IDENTITY_SET_USER ? REQUEST(r, pb_user_set)->user
		: r->method->number == METHOD_IDENTITY_GRANT_USER        ? REQUEST(r, pb_user_grant)->user
									 : REQUEST(r, pb_user_name)->user;

	return user ? user : "";
}

static void account_done(struct request *r)
{
	struct identity_state *s = r->data;
	pb_user_secret out = PB_USER_SECRET_INIT;

	out.user = (char *)(uintptr_t)user_of(r);
	fill_classes(r, &out);
	if (s->waiting) {
		out.has_waiting = out.waiting = 1;
		out.granter = (char *)(uintptr_t)s->granter;
	} else if (s->tells_password) {
		out.password = s->password;
	}
	access_log_add(
		r->worker, &r->caller, r->method->name, s->waiting ? "ASKED" : "OK", 1, "admin", r->ref);
	request_reply(r, &out.base);
}

/* The end of a change: it is written, or asked of another administrator. */
static void change(struct request *r, bool needs_grant, const char *what, const char *name,
	const struct db_stmt *stmt, struct db_params *p)
{
	struct identity_state *s = r->data;
	struct db_params q = {0}, old = {0};

	s->waiting = needs_grant;
	if (needs_grant) {
		db_text(&old, user_of(r));
		db_text(&old, r->caller.user);
		request_query(r, &replace_request, &old);
		db_text(&q, user_of(r));
		db_text(&q, what);
		db_text(&q, name);
		db_array(&q, &s->roles);
		db_text(&q, r->caller.user);
		request_query(r, &ask_grant, &q);
	} else {
		request_query(r, stmt, p);
	}
	db_task_commit(&r->task);
	request_trip(r, account_done);
	pg_array_free(&s->roles);
	pg_array_free(&s->classes);
}

/* The account as it was read; NULL: there is none, or it is the caller's own, and the request has been
 * refused. */
static const PGresult *account_found(struct request *r)
{
	const PGresult *a = request_result(r, &read_account);
	struct identity_state *s = r->data;

	if (PQntuples(a) == 0) {
		request_refuse(
			r, ERR_NOT_FOUND, "user", _("没有这个帐号"), _("用 jgadmin users list 查帐号"));
		return NULL;
	}
	if (strcmp(user_of(r), r->caller.user) == 0) {
		request_refuse(r, ERR_SAME_PERSON, "user", _("不能对自己的帐号这样做"),
			_("自己的密码用 jgadmin passwd 修改；其余请另一位管理员办理"));
		return NULL;
	}
	/* else it would be neither made nor refused: nothing could bring it to life */
	if (db_get_int(a, 0, ACCOUNT_NOT_GRANTED)) {
		request_refuse(r, ERR_NOT_NOW, "user", _("这个帐号还没有核准"),
			arena_printf(&r->arena,
				_("先由 %s 核准或不同意：jgadmin users grant %s（或加 --refuse）"),
				db_get_text(a, 0, ACCOUNT_GRANTERS), user_of(r)));
		return NULL;
	}
	s->granter = arena_printf(&r->arena, "%s", db_get_text(a, 0, ACCOUNT_GRANTERS));
	return a;
}

static void reset_write(struct request *r)
{
	struct identity_state *s = r->data;
	const PGresult *a = account_found(r);
	struct db_params p = {0};

	if (!a)
		return;
	if (db_get_int(a, 0, ACCOUNT_DISABLED)) {
		request_refuse(r, ERR_NOT_NOW, "user", _("这个帐号已停用，不能重置密码"),
			arena_printf(&r->arena, _("先恢复它：jgadmin users enable %s"), user_of(r)));
		return;
	}
	s->tells_password = true;
	pg_array_begin(&s->roles, PG_INT4);
	db_text(&p, user_of(r));
	db_text(&p, s->job.hash);
	change(r, db_get_int(a, 0, ACCOUNT_OF_BUREAU) != 0, "reset", db_get_text(a, 0, ACCOUNT_NAME),
		&reset_password, &p);
}

static void disable_write(struct request *r)
{
	struct identity_state *s = r->data;
	const PGresult *a = account_found(r);
	struct db_params p = {0};

	if (!a)
		return;
	pg_array_begin(&s->roles, PG_INT4);
	db_text(&p, user_of(r));
	change(r, db_get_int(a, 0, ACCOUNT_OF_ADMINISTRATOR) != 0, "disable", db_get_text(a, 0, ACCOUNT_NAME),
		&disable_account, &p);
}

/* A disabled account of the bureau reads as its person did: two bring it back, as two reset it. */
static void enable_write(struct request *r)
{
	struct identity_state *s = r->data;
	const PGresult *a = account_found(r);
	struct db_params p = {0};

	if (!a)
		return;
	if (!db_get_int(a, 0, ACCOUNT_DISABLED)) {
		request_refuse(r, ERR_EXISTS, "user", _("这个帐号没有停用"),
			_("被锁定的用 jgadmin users unlock，忘了密码用 jgadmin users reset"));
		return;
	}
	pg_array_begin(&s->roles, PG_INT4);
	db_text(&p, user_of(r));
	change(r, db_get_int(a, 0, ACCOUNT_OF_BUREAU) != 0, "enable", db_get_text(a, 0, ACCOUNT_NAME),
		&enable_account, &p);
}

static void set_write(struct request *r)
{
	const pb_user_set *q = REQUEST(r, pb_user_set);
	struct identity_state *s = r->data;
	const PGresult *a = account_found(r);
	struct db_params p = {0};
	int32_t roles[ROLES_MAX];

	if (!a)
		return;
	if (q->n_role && judge_roles(db_get_text(a, 0, ACCOUNT_SCHOOL), q->role, q->n_role)) {
		request_refuse(
			r, ERR_INVALID, "role", _("角色与单位不符"), _("jgadmin help codes role 列出角色"));
		return;
	}
	const struct account_place at = {db_get_text(a, 0, ACCOUNT_SCHOOL_NAME),
		db_get_text(a, 0, ACCOUNT_SCHOOL_TYPE), (int32_t)db_get_int(a, 0, ACCOUNT_TODAY)};
	size_t n = q->n_role ? read_roles(roles, q->role, q->n_role)
			     : (size_t)db_get_ints(a, 0, ACCOUNT_ROLES, roles, ROLES_MAX);
	n = n < ROLES_MAX ? n : ROLES_MAX;
	if (!has_class(r, roles, n, q->n_klass + (size_t)db_get_int(a, 0, ACCOUNT_CLASSES)) ||
		!read_classes(r, q->klass, q->n_klass, &at))
		return;
	write_roles(s, roles, n);
	const char *name = q->name && q->name[0] ? q->name : db_get_text(a, 0, ACCOUNT_NAME);
	db_text(&p, user_of(r));
	db_text(&p, name);
	db_array(&p, &s->roles);
	db_array(&p, &s->classes);
	db_text(&p, r->caller.user);
	change(r, db_get_int(a, 0, ACCOUNT_OF_BUREAU) != 0, "set", name, &set_account, &p);
}

static void account_read(struct request *r)
{
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	db_text(&p, user_of(r));
	db_text(&p, r->caller.user);
	request_query(r, &read_account, &p);
	switch (r->method->number) {
	case METHOD_IDENTITY_RESET_USER:
		request_trip(r, reset_write);
		break;
	case METHOD_IDENTITY_DISABLE_USER:
		request_trip(r, disable_write);
		break;
	case METHOD_IDENTITY_ENABLE_USER:
		request_trip(r, enable_write);
		break;
	default:
		request_trip(r, set_write);
	}
}

static void on_reset_hashed(struct password_job *job)
{
	if (job->hash[0])
		request_begin(job->request, account_read);
	else
		request_fail(job->request, ERR_NOMEM, NULL, NULL);
}

static void reset_user(struct request *r)
{
	enum err e = make_state(r);

	if (!e) {
		struct identity_state *s = r->data;
		password_generate(s->password);
		e = password_make(&s->job, r, s->password, on_reset_hashed);
	}
	if (e)
		request_fail(r, e, "user", NULL);
}

/* Disabling, bringing back and changing: nobody does it to himself. */
static void change_user(struct request *r)
{
	enum err e = make_state(r);

	if (e)
		request_fail(r, e, NULL, NULL);
	else
		request_begin(r, account_read);
}

/* ---- the second administrator ---- */

static const struct db_stmt read_request = {
	"SELECT q.what, q.asked_by, granting_role(q.asked_by, q.user_id),"
	" people_of_role(granting_role(q.asked_by, q.user_id)), q.id,"
	" coalesce(a.disabled OR NOT a.roles && '{21,22,23}', true)"
	" FROM account_request q"
	" LEFT JOIN user_account a ON a.county = q.county AND a.user_id = q.asked_by"
	" WHERE q.county = app_county() AND q.user_id = $1::text AND q.outcome IS NULL"
	" FOR UPDATE OF q"};
enum { ASKED_WHAT, ASKED_BY, ASKED_GRANTING_ROLE, ASKED_GRANTERS, ASKED_ID, ASKED_ASKER_GONE };
static const struct db_stmt grant_request = {
	"WITH q AS (UPDATE account_request"
	" SET outcome = CASE WHEN $4::boolean THEN 'refused' ELSE 'granted' END, settled_by = $3::text,"
	" settled_at = jg_now()"
	" WHERE county = app_county() AND user_id = $1::text AND outcome IS NULL RETURNING *),"
	" s AS (UPDATE session SET ended_at = jg_now()"
	" WHERE county = app_county() AND user_id = $1::text AND ended_at IS NULL AND NOT $4::boolean),"
	" g AS (INSERT INTO role_grant (county, at, user_id, roles, given_by)"
	" SELECT county, jg_now(), user_id, roles, asked_by || '+' || $3::text FROM q"
	" WHERE what IN ('add', 'set') AND NOT $4::boolean)"
	" UPDATE user_account u"
	" SET disabled = CASE q.what WHEN 'disable' THEN true WHEN 'add' THEN false WHEN 'enable'"
	" THEN false ELSE u.disabled END, password_hash = CASE WHEN q.what IN ('add', 'reset')"
	" THEN $2::text ELSE u.password_hash END, must_change = u.must_change"
	" OR q.what IN ('add', 'reset'), first_until = CASE WHEN q.what IN ('add', 'reset')"
	" THEN jg_now() + interval '" FIRST_PASSWORD_UNUSED
	"' ELSE u.first_until END, name = CASE q.what WHEN 'set' THEN q.name ELSE u.name END, roles ="
	" CASE q.what WHEN 'set' THEN q.roles ELSE u.roles END"
	" FROM q"
	" WHERE u.county = q.county AND u.user_id = q.user_id AND NOT $4::boolean"};

static void grant_write(struct request *r)
{
	const pb_user_grant *q = REQUEST(r, pb_user_grant);
	const PGresult *asked = request_result(r, &read_request);
	struct identity_state *s = r->data;
	struct db_params p = {0};

	if (PQntuples(asked) == 0) {
		request_refuse(r, ERR_NOT_FOUND, "user", _("这个帐号没有等待核准的事项"),
			_("用 jgadmin users list 查看"));
		return;
	}
	bool mine = strcmp(db_get_text(asked, 0, ASKED_BY), r->caller.user) == 0,
	     takes_back = mine && q->refuse;
	if (!takes_back &&
		(mine || strcmp(user_of(r), r->caller.user) == 0 ||
			!request_has_role(r, (unsigned)db_get_int(asked, 0, ASKED_GRANTING_ROLE)))) {
		request_refuse(r, ERR_SAME_PERSON, "user", _("这件事要由另一位管理员核准"),
			arena_printf(&r->arena, _("请 %s 运行 jgadmin users grant %s"),
				db_get_text(asked, 0, ASKED_GRANTERS), user_of(r)));
		return;
	}
	/* Only what was seen is granted: the asker may have put another request in its place meanwhile. */
	if (!q->refuse && (!q->has_request || q->request != (uint64_t)db_get_int(asked, 0, ASKED_ID))) {
		request_refuse(r, q->has_request ? ERR_STALE : ERR_MISSING, "request",
			_("等待核准的内容已经不是您看到的那一项"),
			arena_printf(&r->arena, _("再看一次：jgadmin users grant %s"), user_of(r)));
		return;
	}
	if (!q->refuse && db_get_int(asked, 0, ASKED_ASKER_GONE)) {
		request_refuse(r, ERR_NOT_NOW, "user", _("提出这件事的人已不是管理员，不能核准"),
			arena_printf(&r->arena,
				_("jgadmin users grant %s --refuse 去掉它，再由在任的管理员提出"),
				user_of(r)));
		return;
	}
	const char *what = db_get_text(asked, 0, ASKED_WHAT);
	s->tells_password = !q->refuse && (strcmp(what, "add") == 0 || strcmp(what, "reset") == 0);
	db_text(&p, user_of(r));
	db_text(&p, s->job.hash);
	db_text(&p, r->caller.user);
	db_bool(&p, q->refuse);
	change(r, false, NULL, NULL, &grant_request, &p);
}

static void grant_read(struct request *r)
{
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	db_text(&p, user_of(r));
	request_query(r, &read_request, &p);
	request_trip(r, grant_write);
}

static void on_grant_hashed(struct password_job *job)
{
	if (job->hash[0])
		request_begin(job->request, grant_read);
	else
		request_fail(job->request, ERR_NOMEM, NULL, NULL);
}

static void grant_user(struct request *r)
{
	enum err e = make_state(r);

	if (!e) {
		struct identity_state *s = r->data;
		password_generate(s->password);
		e = password_make(&s->job, r, s->password, on_grant_hashed);
	}
	if (e)
		request_fail(r, e, "user", NULL);
}

/* ---- unlocking ---- */

static const struct db_stmt unlock_account = {
	"WITH g AS (UPDATE login_guard SET failed = 0, locked_until = NULL"
	" WHERE county = app_county() AND user_id = $1::text AND user_id <> $2::text)"
	" SELECT user_id"
	" FROM user_account"
	" WHERE county = app_county() AND user_id = $1::text AND user_id <> $2::text"};

void identity_named_done(struct request *r)
{
	pb_empty out = PB_EMPTY_INIT;

	if (PQntuples(request_result(r, NULL)) == 0) {
		request_refuse(r, ERR_NOT_FOUND, "id", _("没有找到"),
			_("用 jgadmin users list 或 devices list 查看"));
		return;
	}
	access_log_add(r->worker, &r->caller, r->method->name, "OK", 1, "admin", r->ref);
	request_reply(r, &out.base);
}

static void unlock_query(struct request *r)
{
	struct db_params p = {0};

	db_text(&p, user_of(r));
	db_text(&p, r->caller.user);
	request_query(r, &unlock_account, &p);
}

static void unlock_user(struct request *r)
{
	request_call(r, unlock_query, identity_named_done);
}

static const struct handler handlers[] = {{METHOD_IDENTITY_ADD_USER, add_user},
	{METHOD_IDENTITY_LIST_USERS, identity_users}, {METHOD_IDENTITY_RESET_USER, reset_user},
	{METHOD_IDENTITY_DISABLE_USER, change_user}, {METHOD_IDENTITY_ENABLE_USER, change_user},
	{METHOD_IDENTITY_SET_USER, change_user}, {METHOD_IDENTITY_GRANT_USER, grant_user},
	{METHOD_IDENTITY_UNLOCK_USER, unlock_user}, {METHOD_IDENTITY_INVITE_DEVICE, identity_invite},
	{METHOD_IDENTITY_LIST_DEVICES, identity_devices}, {METHOD_IDENTITY_REVOKE_DEVICE, identity_revoke},
	{0, NULL}};

const struct service identity_service = {"identity", handlers, NULL};
