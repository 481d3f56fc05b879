/* What the bureau sets up for its papers: who sits at which desk, which organs there are, how long a step
 * may take, who stands in for whom, which days are worked. What was set stays readable: nothing that a
 * paper lived by is rewritten. */
#include <string.h>

#include "access_log.h"
#include "codes.h"
#include "documents_calls.h"
#include "lang.h"
#include "tables.h"

static void set_reply(struct request *r, const char *what, const char *id, int64_t at, uint32_t changed)
{
	pb_set_reply out = PB_SET_REPLY_INIT;

	out.id = (char *)id;
	out.has_at = out.has_changed = 1;
	out.at = at;
	out.changed = changed;
	access_log_add(r->worker, &r->caller, r->method->name, "OK", changed, what, r->ref);
	request_reply(r, &out.base);
}

/* False: what is missing has been told. */
static bool has_both(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	if (*text_of(ask->name) && *text_of(ask->value))
		return true;
	request_fail(r, ERR_MISSING, *text_of(ask->name) ? "value" : "name", NULL);
	return false;
}

/* ---- Desks and the head: R01 when the person does not fit ---- */

static const struct db_stmt judge_user = {
	"SELECT u.user_id, coalesce(a.name, ''), a.user_id IS NOT NULL AND NOT a.disabled"
	" AND a.school = '', coalesce(a.roles, '{}')"
	" FROM unnest($1::text[]) AS u (user_id)"
	" LEFT JOIN user_account a ON a.county = app_county() AND a.user_id = u.user_id"};
static const struct db_stmt insert_desk = {"INSERT INTO document_desk (county, name, set_at, holder, deputy)"
					   " VALUES (app_county(), $1::text, jg_now(), $2::text, $3::text)"
					   " ON CONFLICT (county, name, set_at) DO NOTHING RETURNING set_at"};

static void desk_saved(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	const PGresult *t = request_result(r, &insert_desk);

	set_reply(r, ask->name, ask->name, PQntuples(t) ? db_get_int(t, 0, 0) : 0, 1);
}

static bool has_role(const PGresult *t, int row, int32_t role)
{
	int32_t roles[16];
	int n = db_get_ints(t, row, 3, roles, 16);

	for (int i = 0; i < n && i < 16; i++)
		if (roles[i] == role)
			return true;
	return false;
}

static void desk_judged(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	const PGresult *t = request_result(r, &judge_user);
	int32_t role = strcmp(ask->name, "head") == 0 ? ROLE_LEADER : ROLE_OFFICE;
	struct db_params p = {0};

	for (int i = 0; i < PQntuples(t); i++) {
		if (db_get_int(t, i, 2) && has_role(t, i, role))
			continue;
		const char *name = db_get_text(t, i, 1);
		request_refuse(r, ERR_RULE, "R01",
			*name ? arena_printf(&r->arena,
					role == ROLE_LEADER ? _("%s不是局领导") : _("%s不是办公室的人"), name)
			      : arena_printf(&r->arena, _("没有“%s”这个帐号"), db_get_text(t, i, 0)),
			_("jgadmin documents people 看有哪些人和职责"));
		return;
	}
	db_text(&p, ask->name);
	db_text(&p, ask->value);
	db_text(&p, text_of(ask->deputy));
	request_query(r, &insert_desk, &p);
	db_task_commit(&r->task);
	request_trip(r, desk_saved);
}

static void desk_query(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	struct pg_array users = {0};
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	pg_array_begin(&users, PG_TEXT);
	pg_array_text(&users, ask->value);
	if (*text_of(ask->deputy))
		pg_array_text(&users, ask->deputy);
	db_array(&p, &users);
	request_query(r, &judge_user, &p);
	pg_array_free(&users);
	request_trip(r, desk_judged);
}

void documents_set_desk(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	if (!has_both(r))
		return;
	if (document_code_index(&codes_desk, ask->name) < 0) {
		request_refuse(r, ERR_INVALID, "name",
			arena_printf(&r->arena, _("没有“%s”这个岗位"), ask->name),
			_("岗位有 receive 收文、issue 发文、archive 档案"));
		return;
	}
	if (strcmp(ask->value, text_of(ask->deputy)) == 0) {
		request_refuse(r, ERR_RULE, "R01", _("正岗和副岗是同一个人"), NULL);
		return;
	}
	request_begin(r, desk_query);
}

/* ---- Organs, series, settings: one statement ---- */

static const struct db_stmt upsert_organ = {
	"INSERT INTO document_organ (county, name, relation) VALUES (app_county(), $1::text, $2::text)"
	" ON CONFLICT (county, name) DO UPDATE SET relation = excluded.relation RETURNING jg_now()"};
static const struct db_stmt insert_series = {
	"WITH n AS (INSERT INTO document_series (county, series) VALUES (app_county(), $1::text)"
	" ON CONFLICT DO NOTHING RETURNING 1) SELECT jg_now(), (SELECT count(*)::int"
	" FROM n)"};
static const struct db_stmt insert_setting = {
	"INSERT INTO document_setting (county, name, valid_from, set_at, value, by_user)"
	" VALUES (app_county(), $1::text, coalesce($3::date, jg_today()), jg_now(), $2::text, $4::text)"
	" ON CONFLICT (county, name, valid_from, set_at) DO NOTHING RETURNING set_at"};

static void organ_query(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	struct db_params p = {0};

	db_text(&p, ask->name);
	db_text(&p, ask->value);
	request_query(r, &upsert_organ, &p);
}

static void organ_done(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	set_reply(r, ask->name, ask->name, db_get_int(request_result(r, &upsert_organ), 0, 0), 1);
}

void documents_set_organ(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	if (!has_both(r))
		return;
	if (document_code_index(&codes_organ_relation, ask->value) < 0)
		request_refuse(r, ERR_INVALID, "value",
			arena_printf(&r->arena, _("没有“%s”这种关系"), ask->value),
			_("关系有 superior 直接上级、higher 上级、peer 不相隶属、below 下级"));
	else
		request_call(r, organ_query, organ_done);
}

static void series_query(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	struct db_params p = {0};

	db_text(&p, ask->name);
	request_query(r, &insert_series, &p);
}

static void series_done(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	const PGresult *t = request_result(r, &insert_series);

	set_reply(r, ask->name, ask->name, db_get_int(t, 0, 0), (uint32_t)db_get_int(t, 0, 1));
}

void documents_add_series(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	static const char *const taken[] = {"收", "电", "督", "会"};

	if (!*text_of(ask->name)) {
		request_fail(r, ERR_MISSING, "name", NULL);
		return;
	}
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (strcmp(taken[i], ask->name) == 0) {
			request_refuse(
				r, ERR_INVALID, "name", _("收、电、督、会由系统编号，不能作代字"), NULL);
			return;
		}
	request_call(r, series_query, series_done);
}

static void setting_query(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	struct db_params p = {0};

	db_text(&p, ask->name);
	db_text(&p, ask->value);
	db_date(&p, ask->from);
	db_text(&p, r->caller.user);
	request_query(r, &insert_setting, &p);
}

static void setting_done(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	const PGresult *t = request_result(r, &insert_setting);

	set_reply(r, ask->name, ask->name, PQntuples(t) ? db_get_int(t, 0, 0) : 0, (uint32_t)PQntuples(t));
}

void documents_set_setting(struct request *r)
{
	const pb_document_set *ask = REQUEST(r, pb_document_set);
	const struct document_setting *d = document_settings;

	if (!has_both(r))
		return;
	while (d->name && strcmp(d->name, ask->name) != 0)
		d++;
	if (!d->name)
		request_refuse(r, ERR_INVALID, "name",
			arena_printf(&r->arena, _("没有“%s”这项设置"), ask->name),
			_("jgadmin documents settings list 列出设置"));
	else if (!document_setting_fits(ask->name, ask->value))
		request_refuse(r, ERR_INVALID, "value",
			arena_printf(&r->arena, _("“%s”不是%s的写法"), ask->value, _(d->text)),
			arena_printf(&r->arena, "jgadmin documents settings set %s %s", d->name, d->value));
	else
		request_call(r, setting_query, setting_done);
}

static const struct db_stmt select_setup = {
	"SELECT 'desk', k.name, k.holder, k.deputy, NULL::date"
	" FROM (SELECT DISTINCT ON (name) name, holder, deputy"
	" FROM document_desk WHERE county = app_county() ORDER BY name, set_at DESC) k"
	" UNION ALL SELECT 'organ', name, relation, '', NULL"
	" FROM document_organ WHERE county = app_county()"
	" UNION ALL SELECT 'officer', a.name, a.user_id, array_to_string(a.roles, ' '), NULL"
	" FROM user_account a WHERE a.county = app_county() AND a.school = '' AND NOT a.disabled"
	" AND NOT a.roles && '{21,22,23}'" /* administrators run the system and handle no papers */
	" UNION ALL SELECT 'series', series, '', '', NULL"
	" FROM document_series WHERE county = app_county()"
	" UNION ALL SELECT 'setting', s.name, s.value, '', s.valid_from"
	" FROM (SELECT DISTINCT ON (name) name, value, valid_from"
	" FROM document_setting WHERE county = app_county() AND valid_from <= jg_today()"
	" ORDER BY name, valid_from DESC, set_at DESC) s ORDER BY 1, 2"};

/* What a setting is for. */
static const char *setting_about(const char *name)
{
	for (const struct document_setting *k = document_settings; k->name; k++)
		if (strcmp(k->name, name) == 0)
			return lang_text(k->text);
	return "";
}

static void setup_query(struct request *r)
{
	request_query(r, &select_setup, NULL);
}

static void setup_done(struct request *r)
{
	const PGresult *t = request_result(r, &select_setup);
	size_t n = (size_t)PQntuples(t), defaults = 0;
	pb_setup_list out = PB_SETUP_LIST_INIT;

	while (document_settings[defaults].name)
		defaults++;
	pb_setup_row *rows = arena_alloc(&r->arena, sizeof *rows * (n + defaults + 1));
	out.row = arena_alloc(&r->arena, sizeof *out.row * (n + defaults + 1));
	for (int i = 0; rows && out.row && i < (int)n; i++) {
		pb_setup_row *x = out.row[out.n_row++] = &rows[i];
		*x = (pb_setup_row)PB_SETUP_ROW_INIT;
		x->what = (char *)document_text(r, db_get_text(t, i, 0));
		x->name = (char *)document_text(r, db_get_text(t, i, 1));
		x->value = (char *)document_text(r, db_get_text(t, i, 2));
		x->deputy = (char *)document_text(r, db_get_text(t, i, 3));
		x->about = (char *)(strcmp(x->what, "setting") ? "" : setting_about(x->name));
		x->has_from = !db_is_null(t, i, 4);
		x->from = (int32_t)db_get_int(t, i, 4);
	}
	for (size_t k = 0; rows && out.row && k < defaults; k++) {
		bool set = false;
		for (size_t i = 0; i < n; i++)
			set |= strcmp(rows[i].what, "setting") == 0 &&
				strcmp(rows[i].name, document_settings[k].name) == 0;
		if (set)
			continue;
		pb_setup_row *x = &rows[out.n_row];
		*x = (pb_setup_row)PB_SETUP_ROW_INIT;
		x->what = (char *)"setting";
		x->name = (char *)document_settings[k].name;
		x->value = (char *)document_settings[k].value;
		x->deputy = (char *)"";
		x->about = (char *)setting_about(x->name);
		out.row[out.n_row++] = x;
	}
	if (rows && out.row)
		request_reply(r, &out.base);
	else
		request_fail(r, ERR_NOMEM, NULL, NULL);
}

void documents_list_setup(struct request *r)
{
	request_call(r, setup_query, setup_done);
}

/* ---- Who stands in for whom (R26) ---- */

static const struct db_stmt judge_delegation = {
	"SELECT coalesce((SELECT array_agg(x ORDER BY x)"
	" FROM unnest(f.roles) x) = (SELECT array_agg(x ORDER BY x)"
	" FROM unnest(t.roles) x), false), $3::date < jg_today(), EXISTS (SELECT"
	" FROM delegation g"
	" WHERE g.county = app_county() AND g.ended_at IS NULL AND g.begin_on <= $4::date"
	" AND $3::date <= g.end_on AND g.from_user IN ($1::text, $2::text)), f.user_id IS NOT NULL"
	" AND NOT f.disabled AND f.school = '', t.user_id IS NOT NULL AND NOT t.disabled AND t.school = ''"
	" FROM (SELECT pg_advisory_xact_lock(app_county(), hashtext('delegation'))) l"
	" LEFT JOIN user_account f ON f.county = app_county() AND f.user_id = $1::text"
	" LEFT JOIN user_account t ON t.county = app_county() AND t.user_id = $2::text"};
static const struct db_stmt insert_delegation = {
	"INSERT INTO delegation (county, from_user, to_user, begin_on, end_on, acting, reason, added_at,"
	" added_by)"
	" VALUES (app_county(), $1::text, $2::text, $3::date, $4::date, $5::boolean, $6::text, jg_now(),"
	" $7::text)"
	" RETURNING id::text, added_at"};

static void delegation_saved(struct request *r)
{
	const pb_delegation_ask *wish = REQUEST(r, pb_delegation_ask);
	const PGresult *t = request_result(r, &insert_delegation);

	set_reply(r, wish->from, document_text(r, db_get_text(t, 0, 0)), db_get_int(t, 0, 1), 1);
}

static void delegation_judged(struct request *r)
{
	const pb_delegation_ask *wish = REQUEST(r, pb_delegation_ask);
	const PGresult *t = request_result(r, &judge_delegation);
	const char *why = NULL, *rule = "R26";
	struct db_params p = {0};

	if (!db_get_int(t, 0, 3) || !db_get_int(t, 0, 4)) {
		rule = "R01";
		why = _("没有这个帐号，或已停用，或不是县局的人");
	} else if (strcmp(wish->from, wish->to) == 0)
		why = _("不能授权给自己");
	else if (!db_get_int(t, 0, 0))
		why = _("只能授权给职责相同的人");
	else if (db_get_int(t, 0, 1))
		why = _("开始日期已经过去");
	else if (wish->end < wish->begin)
		why = _("结束日期在开始日期之前");
	else if (db_get_int(t, 0, 2))
		why = _("这几天两人中已有一人授权给别人代办");
	if (why) {
		request_refuse(r, ERR_RULE, rule, why, _("jgadmin documents delegate list 看代办"));
		return;
	}
	db_text(&p, wish->from);
	db_text(&p, wish->to);
	db_date(&p, wish->begin);
	db_date(&p, wish->end);
	db_bool(&p, wish->acting);
	db_text(&p, wish->reason);
	db_text(&p, r->caller.user);
	request_query(r, &insert_delegation, &p);
	db_task_commit(&r->task);
	request_trip(r, delegation_saved);
}

static void delegation_query(struct request *r)
{
	const pb_delegation_ask *wish = REQUEST(r, pb_delegation_ask);
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	db_text(&p, wish->from);
	db_text(&p, wish->to);
	db_date(&p, wish->begin);
	db_date(&p, wish->end);
	request_query(r, &judge_delegation, &p);
	request_trip(r, delegation_judged);
}

/* One's own, or by the office. False: refused. */
static bool may_delegate(struct request *r, const char *from)
{
	if (strcmp(from, r->caller.user) == 0 || request_has_role(r, ROLE_OFFICE))
		return true;
	request_refuse(r, ERR_PERMISSION, "from", _("只能授权别人代办自己的事；别人的由办公室办理"), NULL);
	return false;
}

void documents_delegate(struct request *r)
{
	const pb_delegation_ask *wish = REQUEST(r, pb_delegation_ask);
	const struct {
		const char *name;
		bool there;
	} needed[] = {{"from", *text_of(wish->from)}, {"to", *text_of(wish->to)}, {"begin", wish->begin},
		{"end", wish->end}, {"reason", *text_of(wish->reason)}};

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!needed[i].there) {
			request_fail(r, ERR_MISSING, needed[i].name, NULL);
			return;
		}
	if (may_delegate(r, wish->from))
		request_begin(r, delegation_query);
}

static const struct db_stmt end_delegation = {
	"WITH n AS (UPDATE delegation SET ended_at = jg_now()"
	" WHERE county = app_county() AND id = $1::int8 AND ended_at IS NULL"
	" AND ($3::boolean OR from_user = $2::text)"
	" RETURNING 1) SELECT (SELECT count(*)::int"
	" FROM n), EXISTS (SELECT"
	" FROM delegation WHERE county = app_county() AND id = $1::int8), EXISTS (SELECT"
	" FROM delegation"
	" WHERE county = app_county() AND id = $1::int8 AND ($3::boolean OR from_user = $2::text)), jg_now()"};

static void end_query(struct request *r)
{
	const pb_delegation_ask *wish = REQUEST(r, pb_delegation_ask);
	struct db_params p = {0};

	db_int8(&p, (int64_t)wish->id);
	db_text(&p, r->caller.user);
	db_bool(&p, request_has_role(r, ROLE_OFFICE));
	request_query(r, &end_delegation, &p);
}

static void end_done(struct request *r)
{
	const PGresult *t = request_result(r, &end_delegation);

	if (!db_get_int(t, 0, 1))
		request_refuse(r, ERR_NOT_FOUND, "id", NULL, _("jgadmin documents delegate list 看代办"));
	else if (!db_get_int(t, 0, 2))
		request_refuse(r, ERR_PERMISSION, "id", _("别人的代办由办公室结束"), NULL);
	else
		set_reply(r, "delegation", "", db_get_int(t, 0, 3), (uint32_t)db_get_int(t, 0, 0));
}

void documents_end_delegation(struct request *r)
{
	const pb_delegation_ask *wish = REQUEST(r, pb_delegation_ask);
	if (!wish->id)
		request_fail(r, ERR_MISSING, "id", NULL);
	else
		request_call(r, end_query, end_done);
}

static const struct db_stmt select_delegations = {
	"SELECT g.id, g.from_user, g.to_user, g.begin_on, g.end_on, g.acting, g.reason, g.added_at, g.ended_at,"
	" coalesce(f.name, ''), coalesce(t.name, '')"
	" FROM delegation g LEFT JOIN user_account f ON f.county = g.county AND f.user_id = g.from_user"
	" LEFT JOIN user_account t ON t.county = g.county AND t.user_id = g.to_user"
	" WHERE g.county = app_county() ORDER BY g.id DESC LIMIT 10000"};

static void delegations_query(struct request *r)
{
	request_query(r, &select_delegations, NULL);
}

static void delegations_done(struct request *r)
{
	const PGresult *t = request_result(r, &select_delegations);
	size_t n = (size_t)PQntuples(t);
	pb_delegation_row *rows = arena_alloc(&r->arena, sizeof *rows * (n + 1));
	pb_delegation_list out = PB_DELEGATION_LIST_INIT;

	out.delegation = arena_alloc(&r->arena, sizeof *out.delegation * (n + 1));
	for (int i = 0; rows && out.delegation && i < (int)n; i++) {
		pb_delegation_row *x = out.delegation[out.n_delegation++] = &rows[i];
		*x = (pb_delegation_row)PB_DELEGATION_ROW_INIT;
		x->has_id = x->has_begin = x->has_end = x->has_acting = x->has_added = x->has_ended = 1;
		x->id = (uint64_t)db_get_int(t, i, 0);
		x->from = (char *)document_text(r, db_get_text(t, i, 1));
		x->to = (char *)document_text(r, db_get_text(t, i, 2));
		x->begin = (int32_t)db_get_int(t, i, 3);
		x->end = (int32_t)db_get_int(t, i, 4);
		x->acting = db_get_int(t, i, 5) != 0;
		x->reason = (char *)document_text(r, db_get_text(t, i, 6));
		x->added = db_get_int(t, i, 7);
		x->ended = db_get_int(t, i, 8);
		x->from_name = (char *)document_text(r, db_get_text(t, i, 9));
		x->to_name = (char *)document_text(r, db_get_text(t, i, 10));
	}
	if (rows && out.delegation)
		request_reply(r, &out.base);
	else
		request_fail(r, ERR_NOMEM, NULL, NULL);
}

void documents_list_delegations(struct request *r)
{
	request_call(r, delegations_query, delegations_done);
}

/* ---- Working days ---- */

/* A day that says what it said before is no change. */
static const struct db_stmt insert_workdays = {
	"WITH n AS (INSERT INTO workday_change (county, day, set_at, working)"
	" SELECT app_county(), u.day, jg_now(), u.working"
	" FROM unnest($1::date[], $2::boolean[]) AS u (day, working) WHERE (SELECT w.working"
	" FROM workday_change w WHERE w.county = app_county() AND w.day = u.day ORDER BY w.set_at DESC"
	" LIMIT 1) IS DISTINCT"
	" FROM u.working ON CONFLICT DO NOTHING RETURNING 1) SELECT (SELECT count(*)::int"
	" FROM n), jg_now()"};

static void workdays_query(struct request *r)
{
	const pb_workday_import *import = REQUEST(r, pb_workday_import);
	struct pg_array days = {0}, working = {0};
	struct db_params p = {0};

	pg_array_begin(&days, PG_DATE);
	pg_array_begin(&working, PG_BOOL);
	for (size_t i = 0; i < import->n_row; i++) {
		pg_array_date(&days, import->row[i]->day);
		pg_array_bool(&working, import->row[i]->working);
	}
	db_array(&p, &days);
	db_array(&p, &working);
	request_query(r, &insert_workdays, &p);
	pg_array_free(&days);
	pg_array_free(&working);
}

static void workdays_done(struct request *r)
{
	const PGresult *t = request_result(r, &insert_workdays);

	set_reply(r, "calendar", "", db_get_int(t, 0, 1), (uint32_t)db_get_int(t, 0, 0));
}

void documents_import_workdays(struct request *r)
{
	const pb_workday_import *import = REQUEST(r, pb_workday_import);
	for (size_t i = 0; i < import->n_row; i++)
		if (!import->row[i]->day) {
			request_fail(r, ERR_MISSING, "day", NULL);
			return;
		}
	request_call(r, workdays_query, workdays_done);
}
