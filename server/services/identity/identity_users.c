/* The list of accounts. */
#include "identity_calls.h"

static const struct db_stmt select_users = {
	"SELECT u.user_id, u.name, u.school, u.roles, u.classes, u.disabled,"
	" EXISTS (SELECT 1 FROM login_guard g"
	" WHERE g.county = u.county AND g.user_id = u.user_id AND g.locked_until > jg_now()),"
	" u.must_change, u.last_login, coalesce(q.what, ''), coalesce(q.asked_by, ''), coalesce(q.id, 0),"
	" coalesce(q.name, ''), coalesce(q.roles, '{}')"
	" FROM user_account u"
	" LEFT JOIN account_request q ON q.county = u.county AND q.user_id = u.user_id"
	" AND q.outcome IS NULL"
	" WHERE u.county = app_county()"
	" ORDER BY u.school, u.user_id"};
enum {
	LISTED_USER,
	LISTED_NAME,
	LISTED_SCHOOL,
	LISTED_ROLES,
	LISTED_CLASSES,
	LISTED_DISABLED,
	LISTED_LOCKED,
	LISTED_MUST_CHANGE,
	LISTED_LAST_LOGIN,
	LISTED_ASKED,
	LISTED_ASKED_BY,
	LISTED_REQUEST,
	LISTED_ASKED_NAME,
	LISTED_ASKED_ROLES
};

static void list_users_query(struct request *r)
{
	request_query(r, &select_users, NULL);
}

static char **copy_texts(struct request *r, const PGresult *res, int row, int column, size_t *count)
{
	const char *texts[CLASSES_MAX];
	size_t lengths[CLASSES_MAX];
	int n = db_get_texts(res, row, column, texts, lengths, CLASSES_MAX);
	char **out = arena_alloc(&r->arena, sizeof *out * CLASSES_MAX);

	*count = 0;
	for (int i = 0; out && i < n && i < CLASSES_MAX; i++)
		out[(*count)++] = arena_text(&r->arena, texts[i], lengths[i]);
	return out;
}

static void fill_user(struct request *r, pb_user *u, const PGresult *res, int row)
{
	int32_t roles[16];
	int n = db_get_ints(res, row, LISTED_ROLES, roles, 16);

	*u = (pb_user)PB_USER_INIT;
	u->user = (char *)db_get_text(res, row, LISTED_USER);
	u->name = (char *)db_get_text(res, row, LISTED_NAME);
	u->school = (char *)db_get_text(res, row, LISTED_SCHOOL);
	u->role = arena_alloc(&r->arena, sizeof *u->role * 16);
	for (int i = 0; u->role && i < n && i < 16; i++)
		u->role[u->n_role++] = (Jingguan__V1__Role)roles[i];
	u->klass = copy_texts(r, res, row, LISTED_CLASSES, &u->n_klass);
	u->has_disabled = u->has_locked = u->has_must_change = 1;
	u->disabled = (protobuf_c_boolean)db_get_int(res, row, LISTED_DISABLED);
	u->locked = (protobuf_c_boolean)db_get_int(res, row, LISTED_LOCKED);
	u->must_change = (protobuf_c_boolean)db_get_int(res, row, LISTED_MUST_CHANGE);
	u->has_last_login = !db_is_null(res, row, LISTED_LAST_LOGIN);
	u->last_login = db_get_int(res, row, LISTED_LAST_LOGIN);
	u->asked = (char *)db_get_text(res, row, LISTED_ASKED);
	u->asked_by = (char *)db_get_text(res, row, LISTED_ASKED_BY);
	u->has_request = u->asked[0] != 0;
	u->request = (uint64_t)db_get_int(res, row, LISTED_REQUEST);
	u->asked_name = (char *)db_get_text(res, row, LISTED_ASKED_NAME);
	n = db_get_ints(res, row, LISTED_ASKED_ROLES, roles, 16);
	u->asked_role = arena_alloc(&r->arena, sizeof *u->asked_role * 16);
	for (int i = 0; u->asked_role && i < n && i < 16; i++)
		u->asked_role[u->n_asked_role++] = (Jingguan__V1__Role)roles[i];
}

static void list_users_done(struct request *r)
{
	const PGresult *res = request_result(r, &select_users);
	int n = PQntuples(res);
	pb_user_list out = PB_USER_LIST_INIT;
	pb_user *users = arena_alloc(&r->arena, sizeof *users * (size_t)n);

	out.user = arena_alloc(&r->arena, sizeof *out.user * (size_t)n);
	if (n && (!users || !out.user)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	for (int i = 0; i < n; i++) {
		fill_user(r, &users[i], res, i);
		out.user[out.n_user++] = &users[i];
	}
	request_reply(r, &out.base);
}

void identity_users(struct request *r)
{
	request_call(r, list_users_query, list_users_done);
}
