/* Logging in and out. Owns the rules of passwords and sessions as they are at a call; the storage is
 * SQL. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "access_log.h"
#include "clock.h"
#include "face.h"
#include "hash.h"
#include "lang.h"
#include "log.h"
#include "password.h"
#include "push_plan.h"
#include "service.h"

/* ---- Login ---- */

/* Five wrong ones in a quarter of an hour lock the account on this computer for a quarter of an hour, and not
 * for longer: a try during the lock is refused and not counted. A try is counted before its password is
 * looked at, or tries sent side by side would all be looked at; the right one forgets them. */
static const struct db_stmt count_try = {
	"INSERT INTO login_guard AS g (county, device_id, user_id, failed, last_at)"
	" VALUES (app_county(), $2::uuid, login_key($1::text), 1, jg_now())"
	" ON CONFLICT (county, user_id, device_id) DO UPDATE SET last_at = jg_now(), failed = CASE"
	" WHEN g.last_at <= jg_now() - interval '15 minutes' THEN 1 ELSE g.failed + 1 END,"
	" locked_until = CASE WHEN g.last_at > jg_now() - interval '15 minutes' AND g.failed + 1 >= 5"
	" THEN jg_now() + interval '15 minutes' END"
	" WHERE coalesce(g.locked_until, '-infinity') <= jg_now()"
	" RETURNING 1"};
/* Of a password that nobody looked at. A lock goes with it only if this try made it. */
static const struct db_stmt forget_try = {
	"UPDATE login_guard"
	" SET failed = greatest(failed - 1, 0), locked_until = nullif(locked_until, $3::timestamptz)"
	" WHERE county = app_county() AND user_id = login_key($1::text) AND device_id = $2::uuid"};
static const struct db_stmt read_lock = {
	"SELECT locked_until, people_of_role(22), jg_now() FROM login_guard"
	" WHERE county = app_county() AND user_id = login_key($1::text) AND device_id = $2::uuid"};
enum { LOCK_UNTIL, LOCK_HELPERS, LOCK_NOW };
/* The right password forgets the wrong ones, unless others have locked the account meanwhile. */
#define FORGET_TRIES                                                                                         \
	"UPDATE login_guard SET failed = 0, locked_until = NULL WHERE county = app_county()"                 \
	" AND user_id = $1::text"                                                                            \
	" AND device_id = $2::uuid AND (locked_until IS NULL OR locked_until = $3::timestamptz) RETURNING 1"
static const struct db_stmt login_user = {
	"SELECT u.password_hash, u.name, u.roles, u.classes, u.must_change, u.disabled, u.school,"
	" u.must_change AND u.first_until < jg_now(), u.user_id"
	" FROM (SELECT 1) one LEFT JOIN user_account u ON u.county = app_county() AND u.user_id = $1::text"};
enum {
	USER_PASSWORD_HASH,
	USER_NAME,
	USER_ROLES,
	USER_CLASSES,
	USER_MUST_CHANGE,
	USER_DISABLED,
	USER_SCHOOL,
	USER_EXPIRED,
	USER_ID
};
static const struct db_stmt login_session = {
	"WITH g AS (" FORGET_TRIES "),"
	" s AS (INSERT INTO session (county, session_id, token_sha, user_id, device_id, created_at, used_at)"
	" SELECT app_county(), $4::uuid, $5::bytea, $1::text, $2::uuid, jg_now(), jg_now()"
	" FROM g),"
	" d AS (INSERT INTO device_user (county, device_id, user_id, last_login)"
	" SELECT app_county(), $2::uuid, $1::text, jg_now() FROM g"
	" ON CONFLICT (county, device_id, user_id) DO UPDATE SET last_login = jg_now())"
	" UPDATE user_account"
	" SET last_login = jg_now(), first_until = CASE WHEN must_change"
	" THEN least(first_until, jg_now() + interval '" FIRST_PASSWORD_USED "') END"
	" FROM g"
	" WHERE county = app_county() AND user_id = $1::text"
	" RETURNING jg_now() + interval '7 days'"};

struct login_state {
	struct password_job job;
	bool known, expired;
	const char *user; /* whose tries are counted */
	bool counted;     /* the try is, or nobody knows */
	bool amended;     /* it was tried to give it back */
	bool unknown;     /* whether what the right password allows was written */
	bool looked_at;   /* the password was: an attempt after a fault of the database goes on from there */
	int64_t locked_until, now; /* 0: it is not locked */
	const char *helpers;       /* the security administrators, by name */
	enum err put_off;          /* why the password was not looked at */
	uint8_t session[16], token[32];
	pb_login_reply reply;
	Jingguan__V1__Role roles[16];
	char *classes[CLASSES_MAX];
};

/* The person as the database has him: the same columns for LOGIN and RESUME. */
static void read_person(struct request *r, struct login_state *s, const PGresult *u, int column)
{
	const char *texts[CLASSES_MAX];
	size_t lengths[CLASSES_MAX];
	int32_t roles[16];
	pb_login_reply *reply = &s->reply;

	*reply = (pb_login_reply)PB_LOGIN_REPLY_INIT;
	reply->user = r->caller.user;
	reply->name = r->caller.name;
	snprintf(r->caller.name, sizeof r->caller.name, "%s", db_get_text(u, 0, column));
	r->caller.roles = 0;
	int n = db_get_ints(u, 0, column + 1, roles, 16);
	reply->role = s->roles;
	for (int i = 0; i < n && i < 16; i++) {
		r->caller.roles |= 1u << roles[i];
		s->roles[reply->n_role++] = (Jingguan__V1__Role)roles[i];
	}
	n = db_get_texts(u, 0, column + 2, texts, lengths, CLASSES_MAX);
	reply->klass = s->classes;
	r->caller.class_count = 0;
	for (int i = 0; i < n && i < CLASSES_MAX; i++) {
		char *copy = r->caller.classes[r->caller.class_count++];
		snprintf(copy, sizeof r->caller.classes[0], "%.*s", (int)lengths[i], texts[i]);
		s->classes[reply->n_klass++] = copy;
	}
	r->caller.must_change = db_get_int(u, 0, column + 3);
	reply->has_must_change = 1;
	reply->must_change = r->caller.must_change;
}

static void open_session(struct request *r, int64_t until)
{
	struct login_state *s = r->data;

	r->caller.has_session = true;
	memcpy(r->caller.session, s->session, sizeof s->session);
	s->reply.has_until = 1;
	s->reply.until = until;
	if (r->conn)
		r->conn->caller = r->caller;
	request_reply(r, &s->reply.base);
}

static char *lock_hint(struct request *r)
{
	struct login_state *s = r->data;
	const char *contact = r->worker->server->conf.contact;
	char until[FACE_SIZE];

	face_time(until, s->locked_until, s->now);
	return arena_printf(&r->arena,
		contact[0] ? _("过了 %s 再试；急用请县局安全管理员%s解锁（jgadmin users unlock %s），电话 %s")
			   : _("过了 %s 再试；急用请县局安全管理员%s解锁（jgadmin users unlock %s）%s"),
		until, s->helpers, r->caller.user, contact);
}

static void refuse_locked(struct request *r)
{
	struct login_state *s = r->data;
	char until[FACE_SIZE];

	face_time(until, s->locked_until, s->now);
	access_log_add(r->worker, &r->caller, r->method->name, "LOCKED", 0, "login", r->ref);
	request_fail_hint(r, ERR_LOCKED, NULL,
		arena_printf(&r->arena, _("连续输错密码，帐号在这台电脑上锁定到 %s"), until), lock_hint(r));
}

/* What every statement about the lock begins with. */
static struct db_params lock_params(struct request *r)
{
	struct login_state *s = r->data;
	struct db_params p = {0};

	db_text(&p, s->user);
	db_bytes(&p, r->caller.device, ID_SIZE);
	return p;
}

static void query_lock(struct request *r)
{
	struct db_params p = lock_params(r);

	request_query(r, &read_lock, &p);
}

static void take_lock(struct request *r)
{
	struct login_state *s = r->data;
	const PGresult *lock = request_result(r, &read_lock);

	s->locked_until = db_is_null(lock, 0, LOCK_UNTIL) ? 0 : db_get_int(lock, 0, LOCK_UNTIL);
	s->helpers = arena_printf(&r->arena, "%s", db_get_text(lock, 0, LOCK_HELPERS));
	s->now = db_get_int(lock, 0, LOCK_NOW);
}

/* The first statements of a trip that counts a try; of an account that does not exist it is the same. */
static void query_try(struct request *r)
{
	struct db_params p = lock_params(r);

	request_scope(r, SCOPE_JOB, "");
	request_query(r, &count_try, &p);
	query_lock(r);
}

static bool try_is_counted(struct request *r)
{
	struct login_state *s = r->data;

	take_lock(r);
	s->counted = PQntuples(request_result(r, &count_try)) > 0;
	return s->counted;
}

/* Of a trip that writes what the right password allows: nothing, when others locked it meanwhile. */
static bool is_locked_meanwhile(struct request *r, const struct db_stmt *write)
{
	if (PQntuples(request_result(r, write)) > 0)
		return false;
	take_lock(r);
	return true;
}

static void forget(struct request *r);

/* The database has failed a try that it has counted, or perhaps: nobody has judged it, or it was right. */
static bool give_back(struct request *r)
{
	struct login_state *s = r->data;

	s->counted |= r->task.unknown;
	if (!s->counted || s->amended)
		return false;
	s->amended = true;
	s->unknown = r->task.unknown && s->looked_at;
	s->put_off = r->task.err;
	request_begin(r, forget);
	return true;
}

static void begin_try(struct request *r, const char *user, request_fn count, request_fn settle)
{
	struct login_state *s = r->data;

	if (!s)
		s = r->data = arena_alloc(&r->arena, sizeof *s);
	if (!s) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	s->user = user;
	r->amends = give_back;
	if (s->looked_at)
		settle(r);
	else
		request_begin(r, count);
}

static void try_forgotten(struct request *r)
{
	struct login_state *s = r->data;

	if (s->job.reused && !s->put_off)
		request_fail(r, ERR_WEAK_PASSWORD, "new_password", "%s", _("新密码与最近用过的密码相同"));
	else if (s->unknown)
		request_fail_unknown(r);
	else
		request_fail(r, s->put_off, NULL, NULL);
}

static void forget(struct request *r)
{
	struct login_state *s = r->data;
	struct db_params p = lock_params(r);

	request_scope(r, SCOPE_JOB, "");
	db_time(&p, s->locked_until);
	request_query(r, &forget_try, &p);
	db_task_commit(&r->task);
	request_trip(r, try_forgotten);
}

/* The answer to a try whose password is on its way to be looked at, or is not, because there are too many. */
static void await_password(struct request *r, enum err e)
{
	struct login_state *s = r->data;

	request_release(r);
	s->put_off = e;
	if (e)
		request_begin(r, forget);
}

static void on_session_made(struct request *r)
{
	struct login_state *s = r->data;

	if (is_locked_meanwhile(r, &login_session)) {
		refuse_locked(r);
		return;
	}
	s->reply.has_session = s->reply.has_token = 1;
	s->reply.session.data = s->session;
	s->reply.session.len = sizeof s->session;
	s->reply.token.data = s->token;
	s->reply.token.len = sizeof s->token;
	access_log_add(r->worker, &r->caller, r->method->name, "OK", 0, "login", r->ref);
	open_session(r, db_get_int(request_result(r, &login_session), 0, 0));
}

/* A wrong password; the one that locks the account says so. */
static void refuse_password(struct request *r, const char *field, const char *message)
{
	struct login_state *s = r->data;
	char until[FACE_SIZE];

	access_log_add(r->worker, &r->caller, r->method->name, "BAD_LOGIN", 0, "login", r->ref);
	if (s->locked_until)
		request_fail_hint(r, ERR_BAD_LOGIN, field,
			arena_printf(&r->arena, _("%s；已连续输错 5 次，帐号在这台电脑上锁定到 %s"), message,
				face_time(until, s->locked_until, s->now)),
			lock_hint(r));
	else
		request_fail_hint(r, ERR_BAD_LOGIN, field, message,
			_("看一下大小写和输入法再试；连续输错 5 次会锁定 15 分钟"));
}

/* The try was counted before: there is nothing to write. */
static void refuse_login(struct request *r)
{
	struct login_state *s = r->data;

	if (!s->expired) {
		refuse_password(r, NULL, _("用户名或密码不对"));
		return;
	}
	access_log_add(r->worker, &r->caller, r->method->name, "BAD_LOGIN", 0, "login", r->ref);
	request_fail_hint(r, ERR_BAD_LOGIN, NULL,
		_("初始密码已失效：发出后 72 小时没有登录，或登录后 24 小时没有修改"),
		_("请县局系统管理员重置：jgadmin users reset 用户"));
}

static void login_write(struct request *r)
{
	struct login_state *s = r->data;
	struct db_params p = lock_params(r);
	uint8_t sha[32];

	id_make(s->session, clock_now_us());
	randombytes_buf(s->token, sizeof s->token);
	crypto_hash_sha256(sha, s->token, sizeof s->token);
	request_scope(r, SCOPE_JOB, "");
	db_time(&p, s->locked_until);
	db_bytes(&p, s->session, sizeof s->session);
	db_bytes(&p, sha, sizeof sha);
	request_query(r, &login_session, &p);
	query_lock(r);
	db_task_commit(&r->task);
	request_trip(r, on_session_made);
}

/* A try that nobody judged is given back. */
static bool is_unjudged(struct request *r)
{
	struct login_state *s = r->data;

	s->put_off = s->job.fault;
	if (s->job.fault)
		request_begin(r, forget);
	return s->job.fault != ERR_OK;
}

static void login_settle(struct request *r)
{
	struct login_state *s = r->data;

	if (is_unjudged(r))
		return;
	if (s->known && s->job.good && !s->expired)
		request_begin(r, login_write);
	else
		refuse_login(r);
}

static void on_password_checked(struct password_job *job)
{
	struct request *r = job->request;
	struct login_state *s = r->data;

	s->looked_at = true;
	login_settle(r);
}

static void on_user_read(struct request *r)
{
	const pb_login_request *q = REQUEST(r, pb_login_request);
	const PGresult *u = request_result(r, &login_user);
	struct login_state *s = r->data;

	s->known = !db_is_null(u, 0, USER_PASSWORD_HASH) && !db_get_int(u, 0, USER_DISABLED) &&
		strcmp(db_get_text(u, 0, USER_SCHOOL), r->caller.school) == 0;
	/* Of an account that does not exist, what was typed goes nowhere: it may be a child's number. */
	if (db_is_null(u, 0, USER_ID))
		strcpy(r->caller.user, "?");
	if (!try_is_counted(r)) {
		refuse_locked(r);
		return;
	}
	s->expired = s->known && db_get_int(u, 0, USER_EXPIRED);
	if (s->known)
		read_person(r, s, u, USER_NAME);
	/* An unknown account costs the same work as a known one. */
	await_password(r,
		password_check(&s->job, r,
			s->known ? db_get_text(u, 0, USER_PASSWORD_HASH) : password_of_nobody(), q->password,
			on_password_checked));
}

static void login_query(struct request *r)
{
	struct db_params p = {0};

	query_try(r);
	db_text(&p, REQUEST(r, pb_login_request)->user);
	request_query(r, &login_user, &p);
	db_task_commit(&r->task);
	request_trip(r, on_user_read);
}

static void login(struct request *r)
{
	const pb_login_request *q = REQUEST(r, pb_login_request);

	if (!q->user || !q->user[0] || strlen(q->user) >= sizeof r->caller.user || !q->password ||
		strlen(q->password) > PASSWORD_MAX) {
		strcpy(r->caller.user, "?");
		request_fail(r, ERR_BAD_LOGIN, NULL, NULL);
		return;
	}
	snprintf(r->caller.user, sizeof r->caller.user, "%s", q->user);
	begin_try(r, q->user, login_query, login_settle);
}

/* ---- Resume ---- */

static const struct db_stmt resume_session = {
	"SELECT s.token_sha, u.name, u.roles, u.classes, u.must_change, u.user_id,"
	" s.created_at + interval '7 days'"
	" FROM session s"
	" JOIN user_account u ON u.county = s.county AND u.user_id = s.user_id"
	" WHERE s.county = app_county() AND s.session_id = $1::uuid AND s.device_id = $2::uuid"
	" AND s.ended_at IS NULL AND NOT u.disabled AND s.used_at > jg_now() - interval '12 hours'"
	" AND s.created_at > jg_now() - interval '7 days'"};
static const struct db_stmt resume_touch = {"UPDATE session"
					    " SET used_at = jg_now()"
					    " WHERE county = app_county() AND session_id = $1::uuid"
					    " AND used_at < jg_now() - interval '5 minutes'"};

/* ERR_UNAUTHENTICATED when it is not; anything else: not known. */
static enum err check_proof(struct request *r, const uint8_t token_sha[32], const ProtobufCBinaryData *proof)
{
	static const char label[] = "jingguan session";
	uint8_t exporter[32], right[32];
	crypto_auth_hmacsha256_state state;

	if (!r->conn || proof->len != 32)
		return ERR_UNAUTHENTICATED;
	if (tls_exporter(&r->conn->stream.tls, exporter))
		return ERR_NOMEM;
	crypto_auth_hmacsha256_init(&state, token_sha, 32);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)label, sizeof label - 1);
	crypto_auth_hmacsha256_update(&state, exporter, sizeof exporter);
	crypto_auth_hmacsha256_final(&state, right);
	return sodium_memcmp(right, proof->data, 32) == 0 ? ERR_OK : ERR_UNAUTHENTICATED;
}

static void resume_done(struct request *r)
{
	const pb_resume_request *q = REQUEST(r, pb_resume_request);
	const PGresult *u = request_result(r, &resume_session);
	struct login_state *s = arena_alloc(&r->arena, sizeof *s);
	size_t n;

	if (!s) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	enum err e =
		PQntuples(u) ? check_proof(r, db_get_bytes(u, 0, 0, &n), &q->proof) : ERR_UNAUTHENTICATED;
	if (e == ERR_UNAUTHENTICATED)
		request_fail_hint(r, e, NULL, _("登录已失效"), NULL);
	else if (e)
		request_fail(r, e, NULL, NULL);
	if (e)
		return;
	r->data = s;
	snprintf(r->caller.user, sizeof r->caller.user, "%s", db_get_text(u, 0, 5));
	memcpy(s->session, q->session.data, sizeof s->session);
	read_person(r, s, u, 1);
	open_session(r, db_get_int(u, 0, 6));
}

static void resume_query(struct request *r)
{
	const pb_resume_request *q = REQUEST(r, pb_resume_request);
	struct db_params p = {0}, t = {0};

	request_scope(r, SCOPE_JOB, "");
	db_bytes(&p, q->session.data, ID_SIZE);
	db_bytes(&p, r->caller.device, ID_SIZE);
	request_query(r, &resume_session, &p);
	db_bytes(&t, q->session.data, ID_SIZE);
	request_query(r, &resume_touch, &t);
	db_task_commit(&r->task);
	request_trip(r, resume_done);
}

static void resume(struct request *r)
{
	if (REQUEST(r, pb_resume_request)->session.len != ID_SIZE) {
		request_fail(r, ERR_UNAUTHENTICATED, "session", NULL);
		return;
	}
	request_begin(r, resume_query);
}

/* ---- Logout and Passwd ---- */

static const struct db_stmt logout_session = {"UPDATE session"
					      " SET ended_at = jg_now()"
					      " WHERE county = app_county() AND session_id = $1::uuid"
					      " AND ended_at IS NULL"};

static void logout_query(struct request *r)
{
	struct db_params p = {0};

	db_bytes(&p, r->caller.session, ID_SIZE);
	request_query(r, &logout_session, &p);
}

static void logout_done(struct request *r)
{
	pb_empty reply = PB_EMPTY_INIT;

	if (r->conn) {
		r->conn->caller.has_session = false;
		r->conn->caller.roles = 0;
	}
	request_reply(r, &reply.base);
}

static void logout(struct request *r)
{
	request_call(r, logout_query, logout_done);
}

static const struct db_stmt passwd_read = {
	"SELECT u.password_hash,"
	" (SELECT array_agg(h.password_hash)"
	" FROM (SELECT p.password_hash FROM password_history p"
	" WHERE p.county = u.county AND p.user_id = u.user_id ORDER BY p.at DESC LIMIT 5) h)"
	" FROM user_account u"
	" WHERE u.county = app_county() AND u.user_id = $1::text"};
/* Other sessions end with the old password; this one goes on. */
static const struct db_stmt passwd_write = {
	"WITH g AS (" FORGET_TRIES "),"
	" h AS (INSERT INTO password_history (county, user_id, at,"
	" password_hash)"
	" SELECT county, user_id, jg_now(), password_hash FROM user_account, g"
	" WHERE county = app_county() AND user_id = $1::text),"
	" s AS (UPDATE session SET ended_at = jg_now() FROM g"
	" WHERE county = app_county() AND user_id = $1::text"
	" AND session_id <> $5::uuid AND ended_at IS NULL)"
	" UPDATE user_account"
	" SET password_hash = $4::text, must_change = false,"
	" first_until = NULL"
	" FROM g"
	" WHERE county = app_county() AND user_id = $1::text"
	" RETURNING 1"};

static void passwd_stored(struct request *r)
{
	pb_empty reply = PB_EMPTY_INIT;

	if (is_locked_meanwhile(r, &passwd_write)) {
		refuse_locked(r);
		return;
	}
	if (r->conn)
		r->conn->caller.must_change = false;
	access_log_add(r->worker, &r->caller, r->method->name, "OK", 0, "login", r->ref);
	request_reply(r, &reply.base);
}

static void passwd_store(struct request *r)
{
	struct login_state *s = r->data;
	struct db_params p = lock_params(r);

	request_scope(r, SCOPE_JOB, "");
	db_time(&p, s->locked_until);
	db_text(&p, s->job.hash);
	db_bytes(&p, r->caller.session, ID_SIZE);
	request_query(r, &passwd_write, &p);
	query_lock(r);
	db_task_commit(&r->task);
	request_trip(r, passwd_stored);
}

/* Whoever sits at an open session and guesses the old password is counted as he would be at the log-in. */
static void passwd_settle(struct request *r)
{
	struct login_state *s = r->data;

	if (is_unjudged(r))
		return;
	if (!s->job.good)
		refuse_password(r, "password", _("原密码不对"));
	else
		request_begin(r, s->job.reused ? forget : passwd_store);
}

static void on_password_made(struct password_job *job)
{
	struct request *r = job->request;
	struct login_state *s = r->data;

	s->looked_at = true;
	passwd_settle(r);
}

static void passwd_have(struct request *r)
{
	const pb_passwd_request *q = REQUEST(r, pb_passwd_request);
	struct login_state *s = r->data;
	const char *old[PASSWORD_HISTORY];
	size_t lengths[PASSWORD_HISTORY];
	const PGresult *u = request_result(r, &passwd_read);

	if (PQntuples(u) == 0) {
		request_fail(r, ERR_NOT_FOUND, NULL, NULL);
		return;
	}
	if (!try_is_counted(r)) {
		refuse_locked(r);
		return;
	}
	int n = db_get_texts(u, 0, 1, old, lengths, PASSWORD_HISTORY);
	await_password(r,
		password_change(&s->job, r, db_get_text(u, 0, 0), old, lengths, n, q->password,
			q->new_password, on_password_made));
}

static void passwd_query(struct request *r)
{
	struct db_params p = {0};

	query_try(r);
	db_text(&p, r->caller.user);
	request_query(r, &passwd_read, &p);
	db_task_commit(&r->task);
	request_trip(r, passwd_have);
}

static void passwd(struct request *r)
{
	const pb_passwd_request *q = REQUEST(r, pb_passwd_request);
	const char *fault = q->new_password ? password_fault(q->new_password) : _("没有新密码");

	if (fault) {
		request_fail(r, ERR_WEAK_PASSWORD, "new_password", "%s", fault);
		return;
	}
	if (!q->password || strlen(q->password) > PASSWORD_MAX) {
		request_fail(r, ERR_INVALID, "password", NULL);
		return;
	}
	begin_try(r, r->caller.user, passwd_query, passwd_settle);
}

static const struct handler handlers[] = {{METHOD_SESSION_LOGIN, login}, {METHOD_SESSION_RESUME, resume},
	{METHOD_SESSION_LOGOUT, logout}, {METHOD_SESSION_PASSWD, passwd}, {0, NULL}};

const struct service session_service = {"session", handlers, NULL};
