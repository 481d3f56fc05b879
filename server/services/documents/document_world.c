/* People, desks, delegations, settings and the calendar, as they stand when an event is judged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "documents_calls.h"
#include "lang.h"

static const struct db_stmt read_time = {"SELECT jg_now(), jg_today()"};
static const struct db_stmt read_accounts = {
	"SELECT user_id, name, disabled, roles"
	" FROM user_account WHERE county = app_county() AND school = ''"};
static const struct db_stmt read_desks = {"SELECT name, holder, deputy, set_at"
					  " FROM document_desk WHERE county = app_county() ORDER BY set_at"};
static const struct db_stmt read_away = {
	"SELECT from_user, to_user, begin_on, end_on, added_at, ended_at, acting"
	" FROM delegation WHERE county = app_county() ORDER BY id"};
static const struct db_stmt read_settings = {
	"SELECT name, value, valid_from, set_at"
	" FROM document_setting WHERE county = app_county() ORDER BY valid_from, set_at"};
static const struct db_stmt read_workdays = {
	"SELECT day, working, set_at"
	" FROM workday_change WHERE county = app_county() ORDER BY day, set_at"};

const struct document_setting document_settings[] = {
	{"days.check", "1/1/0", N_("初审的工作日：平件/加急/特急")},
	{"days.propose", "1/1/0", N_("拟办的工作日")},
	{"days.review", "1/1/0", N_("办结审核的工作日")},
	{"days.approve", "1/1/0", N_("审核的工作日")},
	{"days.recheck", "1/1/0", N_("复核的工作日")},
	{"days.number", "1/1/0", N_("编号的工作日")},
	{"days.press", "1/1/0", N_("送印的工作日")},
	{"days.proof", "1/1/0", N_("校对的工作日")},
	{"days.seal", "1/1/0", N_("用印的工作日")},
	{"days.issue", "1/1/0", N_("印发的工作日")},
	{"days.instruct", "2/1/0", N_("批示的工作日")},
	{"days.sign", "2/1/0", N_("签发的工作日")},
	{"days.countersign", "2/1/0", N_("会签的工作日")},
	{"days.handle", "5/3/1", N_("承办的工作日")},
	{"days.assist", "5/3/1", N_("协办的工作日")},
	{"days.joint", "5/3/1", N_("联合签发的工作日")},
	{"days.circulate", "3/2/1", N_("传阅的工作日")},
	{"days.whole", "10/5/2", N_("全程的工作日")},
	{"days.draft", "3/2/1", N_("修改文稿的工作日")},
	{"days.close", "30/30/30", N_("办结的工作日")},
	{"days.file", "30/30/30", N_("归档的工作日")},
	{"days.receipt", "1/1/0", N_("学校签收的工作日")},
	{"days.feedback", "5/3/1", N_("学校反馈的工作日（印发时另有期限的照期限）")},
	{"days.judge", "2/1/0", N_("看反馈的工作日")},
	{"cost.characters", "400", N_("减负：一分钟读多少字")},
	{"cost.choice", "1", N_("减负：答一个选择的分钟")},
	{"cost.number", "2", N_("减负：填一个数的分钟")},
	{"cost.date", "1", N_("减负：填一个日期的分钟")},
	{"cost.text", "5", N_("减负：写一段文字的分钟")},
	{"cost.file", "10", N_("减负：附一个文件的分钟")},
	{"days.order", "5/5/5", N_("重点交办的工作日")},
	{"days.reply", "2/1/0", N_("会议回执的工作日（预案另有截止日的照截止日）")},
	{"days.minutes", "3/3/3", N_("会议纪要的工作日")},
	{"back", "1", N_("退回的步骤最少再给的工作日")},
	{"remind_at", "09:00", N_("提醒的时刻")},
	{"escalate_after", "3", N_("超期第几个工作日报主要负责人")},
	{"yellow", "1", N_("到期前几个工作日亮黄灯")},
	{"yellow.order", "3", N_("重点交办到期前几个工作日亮黄灯")},
	{"late", "5", N_("会议开始后几分钟内签到算准时")},
	{"way", "60", N_("算会议成本时每人路上的分钟")},
	{"fonds", "J001", N_("全宗号")},
	{"unit.leader", "BGS", N_("领导起草或承办的归哪个机构")},
	{"unit.office", "BGS", N_("办公室起草或承办的归哪个机构")},
	{"unit.basic_edu", "JJK", N_("基教科起草或承办的归哪个机构")},
	{"unit.supervision", "DDS", N_("督导室起草或承办的归哪个机构")},
	{"unit.admissions", "ZKB", N_("招考办起草或承办的归哪个机构")},
	{"unit.none", "BGS", N_("没有承办人的归哪个机构")},
	{"retention.out.决定", "Y", N_("保管期限：永久 Y，三十年 D30，十年 D10")},
	{"retention.out.意见", "Y", N_("保管期限")},
	{"retention.out.请示", "Y", N_("保管期限")},
	{"retention.out.批复", "Y", N_("保管期限")},
	{"retention.out.报告", "Y", N_("保管期限")},
	{"retention.out.纪要", "Y", N_("保管期限")},
	{"retention.out.函", "D10", N_("保管期限")},
	{"retention.out", "D30", N_("其他发文的保管期限")},
	{"retention.in.请示", "Y", N_("保管期限")},
	{"retention.in.phone", "D10", N_("电话记录的保管期限")},
	{"retention.in.read", "D10", N_("阅件的保管期限")},
	{"retention.in", "D30", N_("其他收文的保管期限")},
	{0},
};

const char *document_text(struct request *r, const char *text)
{
	return text && *text ? arena_text(&r->arena, text, strlen(text)) : "";
}

static bool read_three_days(const char *text, uint8_t out[URGENCIES])
{
	unsigned a, b, c;
	char rest;

	if (sscanf(text, "%3u/%3u/%3u%c", &a, &b, &c, &rest) != 3 || a > 250 || b > 250 || c > 250)
		return false;
	out[URGENCY_PLAIN] = (uint8_t)a;
	out[URGENCY_URGENT] = (uint8_t)b;
	out[URGENCY_EXTRA] = (uint8_t)c;
	return true;
}

bool document_setting_fits(const char *name, const char *value)
{
	uint8_t days[URGENCIES];
	unsigned h, m;
	char rest;

	if (strncmp(name, "days.", 5) == 0)
		return read_three_days(value, days);
	if (strncmp(name, "retention.", 10) == 0)
		return strcmp(value, "Y") == 0 || strcmp(value, "D30") == 0 || strcmp(value, "D10") == 0;
	if (strcmp(name, "fonds") == 0 || strncmp(name, "unit.", 5) == 0) /* a part of a number */
		return *value && strlen(value) <= 16 &&
			strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(value);
	if (strcmp(name, "remind_at") == 0)
		return sscanf(value, "%2u:%2u%c", &h, &m, &rest) == 2 && h < 24 && m < 60;
	if (strcmp(name, "cost.characters") == 0)
		return sscanf(value, "%5u%c", &h, &rest) == 1 && h;
	return sscanf(value, "%3u%c", &h, &rest) == 1 && h <= 250;
}

const char *world_setting(const struct document_surroundings *x, const char *name, int64_t at)
{
	int32_t day = workday_of(at);
	const char *value = NULL;

	for (size_t i = 0; i < x->setting_count; i++)
		if (x->settings[i].set_at <= at && x->settings[i].valid_from <= day &&
			strcmp(x->settings[i].name, name) == 0)
			value = x->settings[i].value;
	for (const struct document_setting *d = document_settings; !value && d->name; d++)
		if (strcmp(d->name, name) == 0)
			value = d->value;
	return value;
}

void world_query(struct request *r)
{
	static const struct db_stmt *const all[] = {
		&read_time, &read_accounts, &read_desks, &read_away, &read_settings, &read_workdays};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		request_query(r, all[i], NULL);
}

static bool read_people(struct request *r, struct document_world *w)
{
	const PGresult *u = request_result(r, &read_accounts), *d = request_result(r, &read_desks),
		       *g = request_result(r, &read_away);
	struct document_account *accounts =
		arena_alloc(&r->arena, sizeof *accounts * ((size_t)PQntuples(u) + 1));
	struct document_desk *desks = arena_alloc(&r->arena, sizeof *desks * ((size_t)PQntuples(d) + 1));
	struct document_away *away = arena_alloc(&r->arena, sizeof *away * ((size_t)PQntuples(g) + 1));

	if (!accounts || !desks || !away)
		return false;
	w->accounts = accounts;
	w->desks = desks;
	w->away = away;
	for (int i = 0; i < PQntuples(u); i++) {
		int32_t roles[16];
		int n = db_get_ints(u, i, 3, roles, 16);
		struct document_account *a = &accounts[w->account_count++];
		*a = (struct document_account){document_text(r, db_get_text(u, i, 0)),
			document_text(r, db_get_text(u, i, 1)), 0, db_get_int(u, i, 2) != 0};
		for (int k = 0; k < n && k < 16; k++)
			a->roles |= 1u << roles[k];
	}
	for (int i = 0; i < PQntuples(d); i++)
		desks[w->desk_count++] =
			(struct document_desk){arena_printf(&r->arena, "@%s", db_get_text(d, i, 0)),
				document_text(r, db_get_text(d, i, 1)),
				document_text(r, db_get_text(d, i, 2)), db_get_int(d, i, 3)};
	for (int i = 0; i < PQntuples(g); i++)
		away[w->away_count++] = (struct document_away){document_text(r, db_get_text(g, i, 0)),
			document_text(r, db_get_text(g, i, 1)), (int32_t)db_get_int(g, i, 2),
			(int32_t)db_get_int(g, i, 3), db_get_int(g, i, 4), db_get_int(g, i, 5),
			db_get_int(g, i, 6) != 0};
	return true;
}

/* ---- The calendar as it stood ---- */

/* Which calendar stood at a moment: 0 before the first import, 1 behind it … */
static size_t version_at(const struct document_surroundings *x, int64_t at)
{
	size_t n = 0;

	while (n < x->import_count && x->imports[n] <= at)
		n++;
	return n;
}

const struct workday_calendar *world_calendar(struct request *r, struct document_surroundings *x, int64_t at)
{
	size_t version = version_at(x, at), n = 0;
	struct problem p;

	if (x->calendars[version])
		return x->calendars[version];
	struct workday_exception *list = arena_alloc(&r->arena, sizeof *list * (x->change_count + 1));
	for (size_t i = 0; list && i < x->change_count; i++) {
		if (x->changes[i].set_at > at)
			continue;
		if (n && list[n - 1].day == x->changes[i].day)
			n--;
		list[n++] = (struct workday_exception){x->changes[i].day, x->changes[i].working};
	}
	if (list)
		workday_calendar_make(&x->calendars[version], list, n, &r->arena, &p);
	return x->calendars[version];
}

static int by_time(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool read_changes(struct request *r, struct document_surroundings *x)
{
	const PGresult *c = request_result(r, &read_workdays), *s = request_result(r, &read_settings);
	size_t n = (size_t)PQntuples(c), m = (size_t)PQntuples(s);

	x->changes = arena_alloc(&r->arena, sizeof *x->changes * (n + 1));
	x->imports = arena_alloc(&r->arena, sizeof *x->imports * (n + 1));
	x->calendars = arena_alloc(&r->arena, sizeof *x->calendars * (n + 2));
	x->settings = arena_alloc(&r->arena, sizeof *x->settings * (m + 1));
	if (!x->changes || !x->imports || !x->calendars || !x->settings)
		return false;
	for (int i = 0; i < (int)n; i++) {
		x->changes[i] = (struct workday_change){
			(int32_t)db_get_int(c, i, 0), db_get_int(c, i, 2), db_get_int(c, i, 1) != 0};
		x->imports[i] = x->changes[i].set_at;
	}
	x->change_count = n;
	qsort(x->imports, n, sizeof *x->imports, by_time);
	for (size_t i = 0; i < n; i++)
		if (!i || x->imports[i] != x->imports[x->import_count - 1])
			x->imports[x->import_count++] = x->imports[i];
	for (int i = 0; i < (int)m; i++)
		x->settings[x->setting_count++] = (struct setting_row){document_text(r, db_get_text(s, i, 0)),
			document_text(r, db_get_text(s, i, 1)), (int32_t)db_get_int(s, i, 2),
			db_get_int(s, i, 3)};
	return true;
}

bool world_read(struct request *r, struct document_surroundings *x)
{
	const PGresult *t = request_result(r, &read_time);
	struct document_world *w = &x->world;

	*x = (struct document_surroundings){
		.world = {.now = db_get_int(t, 0, 0), .today = (int32_t)db_get_int(t, 0, 1)}};
	if (!read_people(r, w) || !read_changes(r, x) || !(w->calendar = world_calendar(r, x, w->now))) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return false;
	}
	for (int step = 0; step < DOCUMENT_STEPS; step++) {
		char name[32];
		snprintf(name, sizeof name, "days.%s", document_step_code((enum document_step)step));
		read_three_days(world_setting(x, name, w->now), w->days[step]);
	}
	w->come_back_days = (unsigned)atoi(world_setting(x, "back", w->now));
	return true;
}
