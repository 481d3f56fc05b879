#include "access_log.h"

#include <stdlib.h>

#include "log.h"
#include "text.h"

static const struct db_stmt insert_access = {
	"INSERT INTO access_log (county, at, user_id, device_id, school, method, result, rows, purpose,"
	" ref)"
	" VALUES (app_county(), jg_now(), $1::text, $2::uuid, $3::text, $4::text, $5::text, $6::int,"
	" $7::text, $8::text)"};

static void access_params(struct db_params *p, const struct caller *who, const char *method,
	const char *result, uint32_t rows, const char *purpose, const char *ref)
{
	db_text(p, who->user);
	if (who->has_device)
		db_bytes(p, who->device, sizeof who->device);
	else
		db_text(p, NULL);
	db_text(p, who->school);
	db_text(p, method);
	db_text(p, result);
	db_int4(p, (int32_t)rows);
	db_text(p, purpose);
	db_text(p, ref);
}

void access_log_query(struct request *r, const char *result)
{
	struct db_params p = {0};

	access_params(
		&p, &r->caller, r->method->name, result, r->rows, r->purpose ? r->purpose : "read", r->ref);
	request_query(r, &insert_access, &p);
}

const char *access_reason(struct request *r, const char *reason)
{
	char *text = arena_printf(&r->arena, "%.*s", PURPOSE_SIZE - 1, reason ? reason : "");

	if (!text)
		return "";
	text[text_utf8_prefix(text, strlen(text))] = 0;
	return text;
}

struct access_row {
	struct db_task task;
	struct worker *worker;
	struct caller who;
	const char *method, *result;
	uint32_t rows;
	char ref[24], purpose[PURPOSE_SIZE];
};

static void on_access_written(struct db_task *task)
{
	struct access_row *row = task->data;

	if (task->err)
		log_error("access log row lost: call=%s method=%s result=%s", row->ref, row->method,
			row->result);
	db_task_end(task);
	free(row);
}

static void on_access_connection(struct db_task *task)
{
	struct access_row *row = task->data;
	struct db_params p = {0};

	if (!task->conn) {
		on_access_written(task);
		return;
	}
	scope_begin(task, row->worker->server->conf.county, SCOPE_JOB, "", "");
	access_params(&p, &row->who, row->method, row->result, row->rows, row->purpose, row->ref);
	db_task_query(task, &insert_access, &p);
	db_task_commit(task);
	db_task_run(task, on_access_written);
}

void access_log_add(struct worker *w, const struct caller *caller, const char *method, const char *result,
	uint32_t rows, const char *purpose, const char *ref)
{
	struct access_row *row = calloc(1, sizeof *row);

	if (!row)
		return;
	row->worker = w;
	row->who = *caller;
	row->method = method;
	row->result = result;
	snprintf(row->purpose, sizeof row->purpose, "%s", purpose);
	row->rows = rows;
	snprintf(row->ref, sizeof row->ref, "%s", ref);
	if (db_task_start(w->pool, &row->task, on_access_connection, row, DEADLINE_MS))
		free(row);
}
