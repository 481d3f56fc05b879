/* The auditor's and the operator's commands. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "date.h"
#include "lang.h"
#include "tables.h"

static int cmd_audit_verify(struct cli *c)
{
	pb_empty q = PB_EMPTY_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;

	if (admin_ask(c, METHOD_AUDIT_VERIFY, &q.base, &arena, &reply)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_audit_verify_reply *v = (const pb_audit_verify_reply *)reply;
	bool ok = v->ok;
	json_t *out = json_pack("{s:I,s:b,s:o}", "entries", (json_int_t)v->entries, "ok", ok, "first_bad",
		admin_text(v->first_bad));
	cli_say(c, ok ? _("留痕 %llu 条，链条完整") : _("留痕 %llu 条，链条断裂：%s"),
		(unsigned long long)v->entries, v->first_bad ? v->first_bad : "");
	arena_free(&arena);
	return cli_result(c, out, ok ? 0 : 1);
}

static int cmd_audit_search(struct cli *c)
{
	const char *const headings[] = {
		_("时间"), _("帐号"), _("学校"), _("方法"), _("结果"), _("条数"), _("目的")};
	pb_audit_search q = PB_AUDIT_SEARCH_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	const char *limit = cli_option(c, "limit");

	q.user = (char *)(uintptr_t)cli_option(c, "user");
	q.school = (char *)(uintptr_t)cli_option(c, "school");
	q.what = (char *)(uintptr_t)admin_method_called(cli_option(c, "what"));
	q.has_limit = limit != NULL;
	q.limit = limit ? (uint32_t)strtoul(limit, NULL, 10) : 0;
	if (admin_ask(c, METHOD_AUDIT_SEARCH, &q.base, &arena, &reply)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	admin_schools(c);
	const pb_audit_rows *rows = (const pb_audit_rows *)reply;
	json_t *out = json_array();
	struct cli_table *t = cli_table_new(headings, 7);
	for (size_t i = 0; i < rows->n_row; i++) {
		const pb_audit_row *a = rows->row[i];
		char at[FACE_SIZE], n[16], why[512];
		snprintf(n, sizeof n, "%u", a->count);
		cli_table_row(t,
			(const char *const[]){admin_time(a->at, at), a->user, admin_school(c, a->school),
				admin_method(a->method), admin_result(a->result), n,
				admin_purpose(a->purpose, why, sizeof why)});
		json_array_append_new(out,
			json_pack("{s:s,s:o,s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "id", a->id, "at",
				cli_time_json(a->at), "user", a->user, "device", a->device, "school",
				a->school, "method", a->method, "result", a->result, "rows", (int)a->count,
				"purpose", a->purpose));
	}
	cli_table_print(c, t);
	arena_free(&arena);
	return cli_result(c, out, 0);
}

static json_t *status_json(const pb_server_status *s)
{
	json_t *methods = json_array();

	for (size_t i = 0; i < s->n_method; i++) {
		const pb_method_stat *m = s->method[i];
		json_array_append_new(methods,
			json_pack("{s:s,s:I,s:I,s:I,s:I}", "method", m->method, "calls", (json_int_t)m->calls,
				"errors", (json_int_t)m->errors, "p50_us", (json_int_t)m->p50_us, "p99_us",
				(json_int_t)m->p99_us));
	}
	return json_pack("{s:s,s:I,s:i,s:{s:i,s:i},s:I,s:o,s:b,s:s,s:o}", "version", s->version, "uptime_s",
		(json_int_t)s->uptime_s, "connections", (int)s->connections, "pool", "busy",
		(int)s->pool_busy, "size", (int)s->pool_size, "lag_us", (json_int_t)s->loop_lag_us, "calls",
		methods, "rehearsal", s->rehearsal, "schema", s->schema, "now", cli_time_json(s->now));
}

static int cmd_server_status(struct cli *c)
{
	const char *const headings[] = {_("方法"), _("次数"), _("出错"), _("中位(微秒)"), _("99%(微秒)")};
	pb_empty q = PB_EMPTY_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;

	if (admin_ask(c, METHOD_SERVER_STATUS, &q.base, &arena, &reply)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_server_status *s = (const pb_server_status *)reply;
	char now[FACE_SIZE];
	cli_say(c, _("版本 %s  运行 %lld 秒  连接 %u  数据库 %u/%u  结构 %s  时间 %s%s"), s->version,
		(long long)s->uptime_s, s->connections, s->pool_busy, s->pool_size, s->schema,
		admin_time(s->now, now), s->rehearsal ? _("  演练") : "");
	struct cli_table *t = cli_table_new(headings, 5);
	for (size_t i = 0; i < s->n_method; i++) {
		const pb_method_stat *m = s->method[i];
		char n[4][24];
		snprintf(n[0], 24, "%llu", (unsigned long long)m->calls);
		snprintf(n[1], 24, "%llu", (unsigned long long)m->errors);
		snprintf(n[2], 24, "%llu", (unsigned long long)m->p50_us);
		snprintf(n[3], 24, "%llu", (unsigned long long)m->p99_us);
		cli_table_row(t, (const char *const[]){admin_method(m->method), n[0], n[1], n[2], n[3]});
	}
	cli_table_print(c, t);
	json_t *out = status_json(s);
	arena_free(&arena);
	return cli_result(c, out, 0);
}

/* +3d, +12h, +30m: seconds, or -1. */
static int64_t parse_advance(const char *text)
{
	char *end;
	long long n = strtoll(*text == '+' ? text + 1 : text, &end, 10);

	if (n < 0 || end == text)
		return -1;
	switch (*end) {
	case 'd':
		return end[1] ? -1 : n * 86400;
	case 'h':
		return end[1] ? -1 : n * 3600;
	case 'm':
		return end[1] ? -1 : n * 60;
	case 0:
		return n;
	default:
		return -1;
	}
}

static int cmd_server_clock(struct cli *c)
{
	pb_clock_request q = PB_CLOCK_REQUEST_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;

	q.has_advance_s = 1;
	q.advance_s = parse_advance(cli_operand(c, 0));
	if (q.advance_s < 0)
		return cli_fail_with(c, ERR_USAGE, "+3d  +12h", _("写成 +3d 这样"));
	if (admin_ask(c, METHOD_SERVER_CLOCK, &q.base, &arena, &reply)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	int64_t now = ((const pb_clock_reply *)reply)->now;
	char text[FACE_SIZE];
	arena_free(&arena);
	cli_say(c, _("演练时钟：%s"), admin_time(now, text));
	return cli_result(c, json_pack("{s:o}", "now", cli_time_json(now)), 0);
}

/* ---- The commands ---- */

static const struct cli_option search_options[] = {{"user", "USER", N_("帐号")},
	{"school", "SCHOOL", N_("学校：名称、名称的一部分或标识码")}, {"what", "TEXT", N_("方法或结果")},
	{"limit", "N", N_("最多多少条（默认 200）")}, {0}};

static const struct cli_command commands[] = {
	{"audit verify", "", 0, 0, NULL, ADMIN_NEEDS, 0, N_("校验留痕链"), "audit verify", cmd_audit_verify,
		CLI_WORK},
	{"audit search", "", 0, 0, search_options, ADMIN_NEEDS, 0, N_("查询访问记录"),
		"audit search --school 2132000001", cmd_audit_search, CLI_WORK},
	{"server address", "[HOST:PORT]", 0, 1, NULL, CLI_PROFILE | CLI_ENROLLED, 0,
		N_("查看服务器地址，或改到新地址（先核对是本县的服务器）"), "server address 10.0.0.2:7420",
		cli_cmd_server, CLI_WORK},
	{"server status", "", 0, 0, NULL, ADMIN_NEEDS, 0, N_("服务器状态"), "server status",
		cmd_server_status, CLI_WORK},
	{"server clock", "+3d", 1, 1, NULL, ADMIN_NEEDS, 0, N_("拨动演练县的时钟"), "server clock +3d",
		cmd_server_clock, CLI_WORK},
	{0},
};

static const struct way ways[] = {
	{"server", "jgadmin server address"},
	{0},
};

const struct cli_part admin_operation = {commands, ways, NULL};
