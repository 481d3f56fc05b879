#include "shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang.h"
#include "way.h"

bool shown_is_number(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n && n <= SHOWN_DIGITS_MAX && !text[n];
}

enum err shown_keep(struct store *s, const struct shown_list *list, const uint8_t (*ids)[ID_SIZE], size_t n,
	struct problem *p)
{
	enum err e = store_begin(s, p);
	sqlite3_stmt *stmt =
		e ? NULL : store_prepare(s, "INSERT OR REPLACE INTO meta(name, value) VALUES(?, ?)", p);

	if (e)
		return e;
	e = stmt ? ERR_OK : store_error(s, p);
	if (stmt) {
		sqlite3_bind_text(stmt, 1, list->name, -1, SQLITE_STATIC);
		sqlite3_bind_blob(stmt, 2, n ? (const void *)ids : "", (int)(n * ID_SIZE), SQLITE_STATIC);
		e = store_run(s, stmt, p);
	}
	sqlite3_finalize(stmt);
	if (!e)
		return store_commit(s, p);
	store_rollback(s);
	return e;
}

static enum err not_there(
	const struct shown_list *list, const char *number, size_t n, bool known, struct problem *p)
{
	char hint[128];

	snprintf(hint, sizeof hint, list->found ? _("运行 %s 看序号，或写证件号码") : _("运行 %s 看序号"),
		way(list->act));
	if (!known)
		return problem_set(
			p, ERR_NOT_FOUND, NULL, hint, _("还没有列过名单，不知道序号 %s 是哪一个"), number);
	return problem_set(
		p, ERR_NOT_FOUND, NULL, hint, _("上次列出的名单有 %2$zu 行，没有序号 %1$s"), number, n);
}

enum err shown_find(struct store *s, const struct shown_list *list, const char *number, uint8_t id[ID_SIZE],
	struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "SELECT value FROM meta WHERE name = ?", p);
	size_t at = (size_t)atoi(number), n = 0;
	bool known = false;

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_text(stmt, 1, list->name, -1, SQLITE_STATIC);
	enum err e = store_next(s, stmt, &known, p);
	if (!e && known)
		n = (size_t)sqlite3_column_bytes(stmt, 0) / ID_SIZE;
	if (!e && (at < 1 || at > n))
		e = not_there(list, number, n, known, p);
	if (!e)
		memcpy(id, (const uint8_t *)sqlite3_column_blob(stmt, 0) + (at - 1) * ID_SIZE, ID_SIZE);
	sqlite3_finalize(stmt);
	return e;
}
