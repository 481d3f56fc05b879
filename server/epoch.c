#include "epoch.h"

#include "log.h"
#include "request.h"

/* The timeline is that of the log being written: the control file learns of a promotion only with its next
 * checkpoint, minutes later. The time makes the number new even when an earlier step to it was itself lost
 * with the old primary; so no standby need confirm this one, and a primary that still waits for its standby
 * can be read. */
static const struct db_stmt check_epoch = {
	"UPDATE county c"
	" SET system_identifier = i.system_identifier, timeline = i.timeline,"
	" epoch = greatest(c.epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)"
	" FROM (SELECT s.system_identifier::text,"
	" ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline"
	" FROM pg_control_system() s) i"
	" WHERE c.county = app_county()"
	" AND (c.system_identifier, c.timeline) IS DISTINCT FROM (i.system_identifier, i.timeline)"
	" RETURNING c.epoch"};

static void checked(struct db_task *task)
{
	if (!task->err && PQntuples(db_task_result(task, &check_epoch)))
		log_warn("this is another database than before: epoch=%lld",
			(long long)db_get_int(db_task_result(task, &check_epoch), 0, 0));
	db_task_end(task);
}

void epoch_check(struct db_task *task, void *server)
{
	const struct server *s = server;

	scope_begin(task, s->conf.county, SCOPE_JOB, "", "");
	db_task_command(task, "SET LOCAL synchronous_commit = local");
	db_task_query(task, &check_epoch, NULL);
	db_task_commit(task);
	db_task_run(task, checked);
}
