#include "maintain.h"

#include <libpq-fe.h>

#include "embedded.h"
#include "lang.h"
#include "migrate.h"
#include "place.h"
#include "roles.h"

enum err maintain_schema_ready(const struct conf *conf, struct problem *p)
{
	PGconn *owner;
	char hint[700];
	enum err e = migrate_connect(conf->database_owner, &owner, p);

	if (e)
		return e;
	int pending = migrate_pending(owner);
	PQfinish(owner);
	if (pending < 0)
		return problem_set(p, ERR_CHAIN, "schema",
			_("换回建库时的程序版本（jgd --version），或从备份恢复（jgd restore）"),
			_("数据库结构与本程序不符"));
	snprintf(hint, sizeof hint, "jgd migrate --data %s", place_quoted((char[600]){0}, 600, conf->dir));
	if (pending)
		return problem_set(p, ERR_UPGRADE, "schema", hint, _("数据库结构有 %d 步待升级"), pending);
	return ERR_OK;
}

enum err maintain_migrate(const struct conf *conf, struct report *r, struct problem *p)
{
	PGconn *owner = NULL;
	int applied = 0;
	enum err e = conf->embedded ? embedded_start(conf, NULL, p) : ERR_OK;

	if (!e && !(e = migrate_connect(conf->database_owner, &owner, p)))
		e = migrate_run(owner, &applied, p);
	if (!e)
		e = roles_mend(owner, conf, p);
	PQfinish(owner);
	if (conf->embedded)
		embedded_stop(conf);
	if (e) {
		snprintf(p->safe, sizeof p->safe, _("本次完成了 %d 步，出错的一步没有留下改动"), applied);
		return e;
	}
	report_set(r, "applied", json_integer(applied));
	report_say(r, _("数据库结构已是最新（本次执行 %d 步）"), applied);
	return ERR_OK;
}
