/* The county's registers: schools and catchments, imported by the bureau. Written through effects like every
 * record, so that each school receives them in the county's stream. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "access_log.h"
#include "check.h"
#include "clock.h"
#include "codes.h"
#include "hash.h"
#include "lang.h"
#include "log.h"
#include "record_edit.h"
#include "service.h"

#define REPORT_MAX 5000
#define NO_ROW UINT32_MAX /* a warning about the whole, not about a line of the file */

struct import {
	const struct kind *kind;
	pb_import_report report;
	pb_row_problem *problems, *warnings;
	struct record_edits edits;
	struct stored *rows; /* as they stand */
	char **keys;
	size_t row_count;
	struct pg_array streams;
};

static const struct db_stmt read_today = {"SELECT jg_today()"};
static const struct db_stmt school_codes = {"SELECT code, type, coalesce(area, ''), name"
					    " FROM school"
					    " WHERE county = app_county() AND NOT deleted"};
enum { SCHOOL_CODE, SCHOOL_TYPE, SCHOOL_AREA, SCHOOL_NAME };
static const struct db_stmt make_streams = {"INSERT INTO stream (county, stream_id)"
					    " SELECT app_county(), s"
					    " FROM unnest($1::bigint[]) s"
					    " ON CONFLICT DO NOTHING"};

static pb_row_problem *add_problem(
	struct import *m, bool warning, uint32_t row, const struct problem *p, struct request *r)
{
	size_t *n = warning ? &m->report.n_warning : &m->report.n_rejected;
	pb_row_problem *list = warning ? m->warnings : m->problems;

	if (*n == REPORT_MAX)
		return NULL;
	pb_row_problem *out = &list[*n];
	*out = (pb_row_problem)PB_ROW_PROBLEM_INIT;
	out->has_row = 1;
	out->row = row;
	out->field = arena_printf(&r->arena, "%s", p->field);
	out->code = (char *)err_info((int)p->code)->name;
	out->message = arena_printf(&r->arena, "%s", p->message);
	if (p->hint[0])
		out->hint = arena_printf(&r->arena, "%s", p->hint);
	(warning ? m->report.warning : m->report.rejected)[(*n)++] = out;
	return out;
}

static const struct stored *row_by_key(const struct import *m, const char *key)
{
	for (size_t i = 0; i < m->row_count; i++)
		if (strcmp(m->keys[i], key) == 0)
			return &m->rows[i];
	return NULL;
}

/* Whether an earlier line of the same file had this key. */
static const struct stored *edited_by_key(const struct import *m, const char *key, struct arena *arena)
{
	for (size_t i = 0; i < m->edits.part.count; i++) {
		char *other = record_key(&record_edited(&m->edits, i)->state.record, arena);
		if (other && strcmp(other, key) == 0)
			return record_edited(&m->edits, i);
	}
	return NULL;
}

/* What the file does not say, a column that it does not have, stays as it is. */
static void keep_untold(struct record *body, const struct record *now)
{
	for (size_t i = 0; i < now->kind->field_count; i++)
		if (!record_has(body, (int)i) && record_has(now, (int)i)) {
			body->value[i] = now->value[i];
			body->set |= UINT64_C(1) << i;
		}
}

static void put_record(
	struct request *r, struct import *m, uint32_t line, const struct record *body, const char *key)
{
	const struct stored *now = row_by_key(m, key), *earlier = edited_by_key(m, key, &r->arena);
	struct problem p;

	if (earlier) {
		bool same = record_same_group(&earlier->state.record, body, 1);
		if (same) {
			m->report.unchanged++;
			return;
		}
		problem_set(&p, ERR_DUPLICATE, m->kind->fields[m->kind->key[0].field[0]].name, NULL,
			_("文件中同一条记录出现两次且内容不同"));
		add_problem(m, false, line, &p, r);
		return;
	}
	struct record want = *body;
	if (now)
		keep_untold(&want, &now->state.record);
	struct stored *row = record_edit(&m->edits, m->kind, now);
	record_take_groups(&row->state.record, &want, UINT32_MAX);
	if (!record_edit_end(&m->edits)) {
		m->report.unchanged++;
		return;
	}
	if (now)
		m->report.updated++;
	else
		m->report.inserted++;
}

/* A catchment is of a school that there is, and that teaches the stage: of another no child would ever come
 * home to it. */
static enum err check_catchment(const PGresult *schools, const struct record *c, struct problem *p)
{
	bool junior = record_is(c, F_CATCHMENT_STAGE, "junior");
	char code[SCHOOL_TEXT];

	record_text(c, F_CATCHMENT_SCHOOL, code, sizeof code);
	for (int i = 0; i < PQntuples(schools); i++)
		if (strcmp(db_get_text(schools, i, SCHOOL_CODE), code) == 0)
			return school_type_stages(db_get_text(schools, i, SCHOOL_TYPE)) &
					(junior ? STAGE_JUNIOR : STAGE_PRIMARY)
				? ERR_OK
				: problem_set(p, ERR_INVALID, "stage", NULL,
					  junior ? _("%s没有初中部") : _("%s没有小学部"),
					  db_get_text(schools, i, SCHOOL_NAME));
	return problem_set(p, ERR_NOT_FOUND, "school", _("新学校先用 jgadmin schools import 导入"),
		_("没有标识码为 %s 的学校"), code);
}

/* What says which school it is: under its code another name or another type is a slip of the row as often as
 * a change. */
static enum err check_renaming(struct request *r, const struct import *m, const struct record *body,
	const char *key, struct problem *p)
{
	const struct stored *now = row_by_key(m, key);
	const struct record *old = now ? &now->state.record : NULL;
	char code[SCHOOL_TEXT], was[256], is[256];

	if (!old || REQUEST(r, pb_register_import)->force)
		return ERR_OK;
	record_text(body, F_SCHOOL_CODE, code, sizeof code);
	if (!record_same_field(old, body, F_SCHOOL_NAME))
		return problem_set(p, ERR_CONFLICT, "name", _("确要改名加 --force"),
			_("%s 现在叫“%s”，文件里是“%s”"), code,
			record_text(old, F_SCHOOL_NAME, was, sizeof was),
			record_text(body, F_SCHOOL_NAME, is, sizeof is));
	if (!record_same_field(old, body, F_SCHOOL_TYPE))
		return problem_set(p, ERR_CONFLICT, "type", _("确要更改加 --force"),
			_("%s 现在是%s，文件里是%s"), record_text(old, F_SCHOOL_NAME, was, sizeof was),
			code_name(&codes_school_type, record_text(old, F_SCHOOL_TYPE, code, sizeof code)),
			code_name(&codes_school_type, record_text(body, F_SCHOOL_TYPE, is, sizeof is)));
	return ERR_OK;
}

/* false: out of memory. */
static bool plan_line(
	struct request *r, struct import *m, uint32_t line, const ProtobufCBinaryData *bytes, int32_t today)
{
	struct record body;
	struct problem p = {0};
	enum err e = record_decode(&body, m->kind, bytes->data, bytes->len, &r->arena, &p);

	if (!e)
		e = check_record(&body, true, today, &p);
	char *key = e ? NULL : record_key(&body, &r->arena);
	if (!e && !key)
		return false;
	if (!e)
		e = m->kind->number == KIND_SCHOOL
			? check_renaming(r, m, &body, key, &p)
			: check_catchment(request_result(r, &school_codes), &body, &p);
	if (e)
		add_problem(m, false, line, &p, r);
	else
		put_record(r, m, line, &body, key);
	return e != ERR_NOMEM;
}

/* false: out of memory; a row that is not known would be taken for a new one. */
static bool read_rows(struct request *r, struct import *m)
{
	const PGresult *now = record_db_all_rows(&r->task, m->kind);
	int n = PQntuples(now);

	m->rows = arena_alloc(&r->arena, sizeof *m->rows * (size_t)(n + 1));
	m->keys = arena_alloc(&r->arena, sizeof *m->keys * (size_t)(n + 1));
	for (int i = 0; m->rows && m->keys && i < n; i++) {
		record_db_read(now, i, m->kind, &m->rows[i]);
		m->keys[i] = record_key(&m->rows[i].state.record, &r->arena);
		if (!m->keys[i])
			return false;
		m->row_count++;
	}
	return m->rows && m->keys;
}

static void warn_school(struct request *r, struct import *m, uint32_t line, const struct record *s)
{
	char code[SCHOOL_TEXT], type[8];
	struct problem p;

	record_text(s, F_SCHOOL_CODE, code, sizeof code);
	record_text(s, F_SCHOOL_TYPE, type, sizeof type);
	if (strncmp(code, type, 2) != 0) {
		problem_set(&p, ERR_INVALID, "code", NULL, _("学校标识码 %s 的前两位与办学类型 %s 不一致"),
			code, type);
		add_problem(m, true, line, &p, r);
	}
}

static void warn_catchment(struct request *r, struct import *m, uint32_t line, const struct record *c)
{
	char school[SCHOOL_TEXT], area[16], other[16];
	struct problem p;

	record_text(c, F_CATCHMENT_SCHOOL, school, sizeof school);
	record_text(c, F_CATCHMENT_AREA, area, sizeof area);
	for (size_t i = 0; i < m->edits.part.count; i++) {
		const struct stored *edited = record_edited(&m->edits, i);
		const struct record *o = &edited->state.record;
		if (!edited->state.deleted && record_same_field(o, c, F_CATCHMENT_STAGE) &&
			record_same_field(o, c, F_CATCHMENT_AREA) &&
			!record_same_field(o, c, F_CATCHMENT_SCHOOL)) {
			record_text(o, F_CATCHMENT_SCHOOL, other, sizeof other);
			problem_set(&p, ERR_DUPLICATE, "area", NULL, _("区划 %s 同时划给 %s 和 %s"), area,
				other, school);
			add_problem(m, true, line, &p, r);
			break;
		}
	}
}

static bool covers(const struct stored *row, const char *area)
{
	const struct record *c = &row->state.record;
	char prefix[16];

	if (row->state.deleted)
		return false;
	record_text(c, F_CATCHMENT_AREA, prefix, sizeof prefix);
	return record_is(c, F_CATCHMENT_STAGE, "junior") && strncmp(area, prefix, strlen(prefix)) == 0;
}

/* 盲区: a primary school whose area no junior catchment covers has children without a junior school of their
 * own. */
static void warn_gaps(struct request *r, struct import *m)
{
	const PGresult *schools = request_result(r, &school_codes);
	struct problem p;

	for (int i = 0; i < PQntuples(schools); i++) {
		const char *area = db_get_text(schools, i, SCHOOL_AREA);
		bool covered = !area[0] ||
			!(school_type_stages(db_get_text(schools, i, SCHOOL_TYPE)) & STAGE_PRIMARY);
		for (size_t k = 0; !covered && k < m->row_count; k++)
			covered = covers(&m->rows[k], area);
		for (size_t k = 0; !covered && k < m->edits.part.count; k++)
			covered = covers(record_edited(&m->edits, k), area);
		if (covered)
			continue;
		problem_set(&p, ERR_MISSING, "area", NULL, _("%s 所在区划 %s 没有对应的初中施教区"),
			db_get_text(schools, i, SCHOOL_NAME), area);
		add_problem(m, true, NO_ROW, &p, r);
	}
}

static void add_warnings(struct request *r, struct import *m)
{
	const pb_register_import *q = REQUEST(r, pb_register_import);
	struct record body;
	struct problem p;

	for (size_t i = 0; i < q->n_record; i++) {
		if (record_decode(&body, m->kind, q->record[i].data, q->record[i].len, &r->arena, &p))
			continue;
		if (m->kind->number == KIND_SCHOOL)
			warn_school(r, m, (uint32_t)i, &body);
		else
			warn_catchment(r, m, (uint32_t)i, &body);
	}
	if (m->kind->number == KIND_CATCHMENT)
		warn_gaps(r, m);
}

static void import_done(struct request *r)
{
	struct import *m = r->data;

	access_log_add(r->worker, &r->caller, r->method->name, "OK", (uint32_t)m->edits.part.count,
		"register", r->ref);
	request_reply(r, &m->report.base);
}

/* A new school gets its stream with its row: a push into a stream that does not exist would fail. */
static void send_streams(struct request *r, struct import *m)
{
	struct db_params p = {0};
	char code[SCHOOL_TEXT];

	pg_array_begin(&m->streams, PG_INT8);
	for (size_t i = 0; i < m->edits.part.count; i++)
		if (m->kind->number == KIND_SCHOOL) {
			record_text(
				&record_edited(&m->edits, i)->state.record, F_SCHOOL_CODE, code, sizeof code);
			pg_array_int8(&m->streams, strtoll(code, NULL, 10));
		}
	db_array(&p, &m->streams);
	request_query(r, &make_streams, &p);
	pg_array_free(&m->streams);
}

static void import_plan(struct request *r)
{
	const pb_register_import *q = REQUEST(r, pb_register_import);
	struct import *m = r->data;
	int32_t today = (int32_t)db_get_int(request_result(r, &read_today), 0, 0);

	bool enough = read_rows(r, m);
	for (size_t i = 0; enough && i < q->n_record; i++)
		enough = plan_line(r, m, (uint32_t)i, &q->record[i], today);
	if (!enough) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	add_warnings(r, m);
	if (q->dry_run || m->edits.part.count == 0) {
		request_reply(r, &m->report.base);
		return;
	}
	send_streams(r, m);
	record_edits_commit(&m->edits, r, import_done);
}

static void import_query(struct request *r)
{
	struct import *m = r->data;

	request_scope(r, SCOPE_BUREAU, "");
	request_query(r, &read_today, NULL);
	record_db_all(&r->task, m->kind);
	request_query(r, &school_codes, NULL);
	request_trip(r, import_plan);
}

/* Room for n lines; NULL: none, and the request has failed. */
static struct import *make_import(struct request *r, size_t n, uint32_t kind)
{
	struct import *m = arena_alloc(&r->arena, sizeof *m);

	if (!m || !record_edits_begin(&m->edits, r, n) ||
		!(m->problems = arena_alloc(&r->arena, sizeof *m->problems * (n + 1))) ||
		!(m->warnings = arena_alloc(&r->arena, sizeof *m->warnings * REPORT_MAX))) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return NULL;
	}
	m->report = (pb_import_report)PB_IMPORT_REPORT_INIT;
	m->report.has_inserted = m->report.has_updated = m->report.has_unchanged = 1;
	m->report.rejected = arena_alloc(&r->arena, sizeof(void *) * REPORT_MAX);
	m->report.warning = arena_alloc(&r->arena, sizeof(void *) * REPORT_MAX);
	if (!m->report.rejected || !m->report.warning) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return NULL;
	}
	m->kind = kind_by_number(kind);
	r->data = m;
	return m;
}

static void import(struct request *r)
{
	if (make_import(r, REQUEST(r, pb_register_import)->n_record,
		    r->method->number == METHOD_COUNTY_IMPORT_SCHOOLS ? KIND_SCHOOL : KIND_CATCHMENT))
		request_begin(r, import_query);
}

/* ---- a catchment corrected or removed ---- */

static struct stored *row_by_id(struct import *m, const ProtobufCBinaryData *id)
{
	for (size_t i = 0; id->len == ID_SIZE && i < m->row_count; i++)
		if (memcmp(m->rows[i].id, id->data, ID_SIZE) == 0)
			return &m->rows[i];
	return NULL;
}

/* Another live row that is the same catchment. */
static bool key_is_taken(
	struct request *r, struct import *m, const struct stored *row, const struct record *body)
{
	char *key = record_key(body, &r->arena);

	for (size_t i = 0; key && i < m->row_count; i++) {
		const char *other = &m->rows[i] == row || m->rows[i].state.deleted
			? NULL
			: record_key(&m->rows[i].state.record, &r->arena);
		if (other && strcmp(other, key) == 0)
			return true;
	}
	return !key;
}

static bool is_changed(const struct import *m, const struct stored *row)
{
	for (size_t i = 0; i < m->edits.part.count; i++)
		if (memcmp(record_edited(&m->edits, i)->id, row->id, ID_SIZE) == 0)
			return true;
	return false;
}

/* One row as it shall be; what is judged next sees it so. False: the request has been refused. All or none:
 * half of a correction would leave an area with two schools, or with none. */
static bool change_row(struct request *r, struct import *m, const pb_catchment_change *q, int32_t today)
{
	struct stored *row = row_by_id(m, &q->id);
	struct merge_op op = {.del = !q->has_record, .groups = (1u << m->kind->group_count) - 1};
	struct problem p = {0};
	enum err e = !row || row->state.deleted
		? problem_set(&p, ERR_NOT_FOUND, "id", NULL, _("没有这一条施教区，可能已被删除"))
		: ERR_OK;

	if (!e && is_changed(m, row))
		e = problem_set(&p, ERR_DUPLICATE, "id", NULL, _("同一条写了两次"));
	if (!e && q->has_record)
		e = record_decode(&op.body, m->kind, q->record.data, q->record.len, &r->arena, &p);
	if (!e && q->has_record)
		e = check_record(&op.body, true, today, &p);
	if (!e && q->has_record)
		e = check_catchment(request_result(r, &school_codes), &op.body, &p);
	if (!e && q->has_record && key_is_taken(r, m, row, &op.body))
		e = problem_set(&p, ERR_DUPLICATE, "area", NULL, _("已经有这一条施教区"));
	if (e) {
		request_refuse(r, e, p.field, arena_printf(&r->arena, "%s", p.message),
			_("jgadmin catchments list 列出现有的"));
		return false;
	}
	if (op.del) {
		record_edit_delete(&m->edits, row);
	} else {
		record_take_groups(&record_edit(&m->edits, m->kind, row)->state.record, &op.body, UINT32_MAX);
		if (!record_edit_end(&m->edits)) {
			m->report.unchanged++;
			return true;
		}
	}
	*row = *record_edited(&m->edits, m->edits.part.count - 1);
	m->report.removed += op.del;
	m->report.updated += !op.del;
	return true;
}

static void change_plan(struct request *r)
{
	const pb_catchment_changes *q = REQUEST(r, pb_catchment_changes);
	struct import *m = r->data;
	struct record body;
	struct problem p;

	if (!read_rows(r, m)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	for (size_t i = 0; i < q->n_change; i++)
		if (!change_row(
			    r, m, q->change[i], (int32_t)db_get_int(request_result(r, &read_today), 0, 0)))
			return;
	for (size_t i = 0; i < q->n_change; i++)
		if (q->change[i]->has_record &&
			!record_decode(&body, m->kind, q->change[i]->record.data, q->change[i]->record.len,
				&r->arena, &p))
			warn_catchment(r, m, (uint32_t)i, &body);
	warn_gaps(r, m);
	if (q->dry_run || m->edits.part.count == 0) {
		request_reply(r, &m->report.base);
		return;
	}
	record_edits_commit(&m->edits, r, import_done);
}

static void change_query(struct request *r)
{
	struct import *m = r->data;

	request_scope(r, SCOPE_BUREAU, "");
	request_query(r, &read_today, NULL);
	record_db_all(&r->task, m->kind);
	request_query(r, &school_codes, NULL);
	request_trip(r, change_plan);
}

static void change_catchments(struct request *r)
{
	struct import *m = make_import(r, REQUEST(r, pb_catchment_changes)->n_change, KIND_CATCHMENT);

	if (!m)
		return;
	m->report.has_removed = 1;
	request_begin(r, change_query);
}

static const struct db_stmt select_catchments = {
	"SELECT c.rec_id, c.school, coalesce(s.name, ''), c.stage, c.area"
	" FROM catchment c"
	" LEFT JOIN school s ON s.county = c.county AND s.code = c.school AND NOT s.deleted"
	" WHERE c.county = app_county() AND NOT c.deleted"
	" ORDER BY c.school, c.stage DESC, c.area"};
enum { CATCHMENT_ID, CATCHMENT_SCHOOL, CATCHMENT_SCHOOL_NAME, CATCHMENT_STAGE, CATCHMENT_AREA };

static void catchments_query(struct request *r)
{
	request_query(r, &select_catchments, NULL);
}

static void catchments_done(struct request *r)
{
	const PGresult *c = request_result(r, &select_catchments);
	int n = PQntuples(c);
	size_t len;
	pb_catchment_list out = PB_CATCHMENT_LIST_INIT;
	pb_catchment_row *rows = arena_alloc(&r->arena, sizeof *rows * (size_t)(n + 1));

	out.catchment = arena_alloc(&r->arena, sizeof *out.catchment * (size_t)(n + 1));
	for (int i = 0; rows && out.catchment && i < n; i++) {
		pb_catchment_row *row = &rows[i];
		*row = (pb_catchment_row)PB_CATCHMENT_ROW_INIT;
		row->has_id = 1;
		row->id.data = (uint8_t *)(uintptr_t)db_get_bytes(c, i, CATCHMENT_ID, &len);
		row->id.len = ID_SIZE;
		row->school = (char *)(uintptr_t)db_get_text(c, i, CATCHMENT_SCHOOL);
		row->school_name = (char *)(uintptr_t)db_get_text(c, i, CATCHMENT_SCHOOL_NAME);
		row->stage = (char *)(uintptr_t)db_get_text(c, i, CATCHMENT_STAGE);
		row->area = (char *)(uintptr_t)db_get_text(c, i, CATCHMENT_AREA);
		out.catchment[out.n_catchment++] = row;
	}
	request_reply(r, &out.base);
}

static void list_catchments(struct request *r)
{
	request_call(r, catchments_query, catchments_done);
}

static const struct db_stmt select_schools = {"SELECT rec_id, code, name, type, founder, coalesce(area, '')"
					      " FROM school"
					      " WHERE county = app_county() AND NOT deleted"
					      " ORDER BY code"};
enum { LISTED_ID, LISTED_CODE, LISTED_NAME, LISTED_TYPE, LISTED_FOUNDER, LISTED_DISTRICT };

static void list_query(struct request *r)
{
	request_query(r, &select_schools, NULL);
}

static void list_done(struct request *r)
{
	static char *const stage_names[] = {"幼儿园", "小学", "初中", "高中", "中职"};
	const PGresult *s = request_result(r, &select_schools);
	int n = PQntuples(s);
	size_t len;
	pb_school_list out = PB_SCHOOL_LIST_INIT;
	pb_school_row *rows = arena_alloc(&r->arena, sizeof *rows * (size_t)(n + 1));

	out.school = arena_alloc(&r->arena, sizeof *out.school * (size_t)(n + 1));
	for (int i = 0; rows && out.school && i < n; i++) {
		pb_school_row *row = &rows[i];
		*row = (pb_school_row)PB_SCHOOL_ROW_INIT;
		row->has_id = 1;
		row->id.data = arena_copy(&r->arena, db_get_bytes(s, i, LISTED_ID, &len), 16);
		row->id.len = row->id.data ? 16 : 0;
		row->code = (char *)db_get_text(s, i, LISTED_CODE);
		row->name = (char *)db_get_text(s, i, LISTED_NAME);
		row->type = (char *)db_get_text(s, i, LISTED_TYPE);
		row->founder = (char *)db_get_text(s, i, LISTED_FOUNDER);
		row->district = (char *)db_get_text(s, i, LISTED_DISTRICT);
		row->stage = arena_alloc(&r->arena, sizeof *row->stage * 5);
		unsigned mask = school_type_stages(row->type);
		for (unsigned k = 0; row->stage && k < 5; k++)
			if (mask >> k & 1)
				row->stage[row->n_stage++] = stage_names[k];
		out.school[out.n_school++] = row;
	}
	request_reply(r, &out.base);
}

static void list_schools(struct request *r)
{
	request_call(r, list_query, list_done);
}

static const struct handler handlers[] = {{METHOD_COUNTY_IMPORT_SCHOOLS, import},
	{METHOD_COUNTY_IMPORT_CATCHMENTS, import}, {METHOD_COUNTY_LIST_SCHOOLS, list_schools},
	{METHOD_COUNTY_LIST_CATCHMENTS, list_catchments},
	{METHOD_COUNTY_CHANGE_CATCHMENTS, change_catchments}, {0, NULL}};

const struct service county_service = {"county", handlers, NULL};
