/* The cycle and the bureau's words: what changes something. Lists stand in cmd_transition_list.c. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "codes.h"
#include "date.h"
#include "tables.h"

int cmd_open(struct cli *c)
{
	pb_year_request q = PB_YEAR_REQUEST_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = 1;
	enum err e = admin_ask(c, METHOD_TRANSITION_OPEN, &q.base, &arena, &reply);
	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_open_reply *o = (const pb_open_reply *)reply;
	json_t *out = json_pack("{s:i,s:i,s:i}", "year", o->year, "baseline", (int)o->baseline, "schools", (int)o->schools);
	cli_say(c, tr("%d 年应升学人数 %u 人，%u 所小学，名单已冻结", "%d: %u pupils of %u primary schools, frozen"), o->year, o->baseline, o->schools);
	arena_free(&arena);
	return cli_result(c, out, 0);
}

static json_t *missing_json(const pb_phase_reply *p)
{
	json_t *out = json_array();

	for (size_t i = 0; i < p->n_missing; i++)
		json_array_append_new(out, json_pack("{s:s,s:s,s:s,s:s}", "id", p->missing[i]->code, "code", p->missing[i]->code, "name", p->missing[i]->name,
			"what", p->missing[i]->what));
	return out;
}

int cmd_phase(struct cli *c)
{
	pb_phase_request q = PB_PHASE_REQUEST_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = 1;
	q.to = (char *)(uintptr_t)(c->operands ? cli_operand(c, 0) : "");
	q.has_force = 1;
	q.force = cli_flag(c, "force");
	q.reason = (char *)(uintptr_t)cli_option(c, "reason");
	enum err e = admin_ask(c, METHOD_TRANSITION_PHASE, &q.base, &arena, &reply);
	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_phase_reply *p = (const pb_phase_reply *)reply;
	json_t *out = json_pack("{s:i,s:s,s:o}", "year", p->year, "phase", p->phase, "missing", missing_json(p));
	cli_say(c, tr("%d 年：%s", "%d: %s"), p->year, code_name(&codes_phase, p->phase));
	for (size_t i = 0; i < p->n_missing; i++)
		cli_say(c, tr("  未完成 %s %s（%s）", "  not done: %s %s (%s)"), p->missing[i]->code, p->missing[i]->name,
			code_name(&codes_filing_stage, p->missing[i]->what) ? code_name(&codes_filing_stage, p->missing[i]->what) : "");
	arena_free(&arena);
	return cli_result(c, out, 0);
}

int cmd_reconcile(struct cli *c)
{
	pb_reconcile_request q = PB_RECONCILE_REQUEST_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	const char *as_of = cli_option(c, "as-of");
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = 1;
	q.has_as_of = as_of != NULL;
	if (as_of && date_parse(as_of, DATE_EPOCH_1900, &q.as_of))
		return cli_fail_with(c, ERR_USAGE, "--as-of 2026-09-12", tr("日期 %s 不对", "%s is not a date"), as_of);
	enum err e = admin_ask(c, METHOD_TRANSITION_RECONCILE, &q.base, &arena, &reply);
	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_reconcile_reply *r = (const pb_reconcile_reply *)reply;
	json_t *out = json_pack("{s:i,s:o,s:i,s:i,s:i,s:i,s:i,s:i,s:I,s:i}", "year", r->year, "as_of", cli_date_json(r->as_of), "baseline", (int)r->baseline,
		"confirmed", (int)r->confirmed, "provisional", (int)r->provisional, "exempt", (int)r->exempt, "mismatched", (int)r->mismatched, "outside",
		(int)r->outside, "elapsed_ms", (json_int_t)r->elapsed_ms, "changed", (int)r->changed);
	cli_say(c, tr("应升学人数 %u = 已确认 %u + 待核 %u + 除外 %u + 未落实 %u；名单外 %u 条（%llu 毫秒）",
			    "baseline %u = confirmed %u + provisional %u + exempt %u + open %u; %u outside (%llu ms)"),
		r->baseline, r->confirmed, r->provisional, r->exempt, r->mismatched, r->outside, (unsigned long long)r->elapsed_ms);
	arena_free(&arena);
	return cli_result(c, out, 0);
}

static int ask_changed(struct cli *c, uint16_t method, const ProtobufCMessage *q)
{
	struct arena arena;
	const ProtobufCMessage *reply;
	enum err e = admin_ask(c, method, q, &arena, &reply);
	uint32_t changed = e ? 0 : ((const pb_ok_reply *)reply)->changed;

	arena_free(&arena);
	if (e)
		return cli_fail(c);
	cli_say(c, tr("已处理 %u 条", "%u done"), changed);
	return cli_result(c, json_pack("{s:i}", "changed", (int)changed), 0);
}

/* The cli contract promises the list; issuing answers with it. */
int cmd_slips_issue(struct cli *c)
{
	pb_year_request q = PB_YEAR_REQUEST_INIT;
	struct arena arena;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = 1;
	enum err e = admin_ask(c, METHOD_TRANSITION_ISSUE_SLIPS, &q.base, &arena, NULL);
	arena_free(&arena);
	return e ? cli_fail(c) : cmd_slips_list(c);
}

int cmd_slips_review(struct cli *c)
{
	pb_review_request q = PB_REVIEW_REQUEST_INIT;
	const char *word = cli_operand(c, 1);

	q.slip = (char *)(uintptr_t)cli_operand(c, 0);
	q.has_accept = 1;
	q.accept = strcmp(word, "accept") == 0;
	if (!q.accept && strcmp(word, "return") != 0)
		return cli_fail_with(c, ERR_USAGE, "accept | return --reason TEXT", tr("审核结果写 accept 或 return", "say accept or return"));
	q.reason = (char *)(uintptr_t)cli_option(c, "reason");
	return ask_changed(c, METHOD_TRANSITION_REVIEW_SLIP, &q.base);
}

static int decide_proof(struct cli *c, bool accept)
{
	pb_proof_word q = PB_PROOF_WORD_INIT;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = q.has_accept = 1;
	q.accept = accept;
	q.pupil = (char *)(uintptr_t)cli_operand(c, 0);
	q.reason = (char *)(uintptr_t)cli_option(c, "reason");
	return ask_changed(c, METHOD_TRANSITION_DECIDE_PROOF, &q.base);
}

int cmd_proof_accept(struct cli *c)
{
	return decide_proof(c, true);
}

int cmd_proof_refute(struct cli *c)
{
	return decide_proof(c, false);
}

static int decide_pair(struct cli *c, bool same)
{
	pb_pair_word q = PB_PAIR_WORD_INIT;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = q.has_same = 1;
	q.same = same;
	q.pupil = (char *)(uintptr_t)cli_operand(c, 0);
	q.row = (char *)(uintptr_t)cli_operand(c, 1);
	q.reason = (char *)(uintptr_t)cli_option(c, "reason");
	return ask_changed(c, METHOD_TRANSITION_DECIDE_PAIR, &q.base);
}

int cmd_same(struct cli *c)
{
	return decide_pair(c, true);
}

int cmd_different(struct cli *c)
{
	return decide_pair(c, false);
}

static int amend(struct cli *c, bool add)
{
	pb_baseline_change q = PB_BASELINE_CHANGE_INIT;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = q.has_add = 1;
	q.add = add;
	q.pupil = (char *)(uintptr_t)cli_operand(c, 0);
	q.school = (char *)(uintptr_t)cli_option(c, "school");
	q.reason = (char *)(uintptr_t)cli_option(c, "reason");
	return ask_changed(c, METHOD_TRANSITION_AMEND_BASELINE, &q.base);
}

int cmd_baseline_add(struct cli *c)
{
	return amend(c, true);
}

int cmd_baseline_remove(struct cli *c)
{
	return amend(c, false);
}
