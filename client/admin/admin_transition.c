/* The cycle and the bureau's decisions: what changes something. Lists stand in admin_transition_list.c. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "codes.h"
#include "date.h"
#include "lang.h"
#include "tables.h"

static json_t *school_list(pb_school_ref *const *list, size_t n)
{
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(out,
			json_pack("{s:s,s:s,s:s,s:s,s:i}", "id", list[i]->code, "code", list[i]->code, "name",
				list[i]->name, "what", list[i]->what, "count", (int)list[i]->count));
	return out;
}

/* What would be frozen: the schools that have no sixth-grader come last, by name, because their pupils would
 * be missing. */
static void show_preview(struct cli *c, const pb_open_reply *o)
{
	cli_say(c, _("%d 年将冻结：应升学 %u 人，%u 所小学"), o->year, o->baseline, o->schools);
	for (size_t i = 0; i < o->n_school; i++)
		if (o->school[i]->count)
			cli_say(c, _("  %s %u 人"), o->school[i]->name, o->school[i]->count);
	for (size_t i = 0; i < o->n_school; i++)
		if (!o->school[i]->count)
			cli_say(c, _("  没有六年级名册：%s（%s）"), o->school[i]->name, o->school[i]->code);
}

static enum err ask_open(
	struct cli *c, pb_year_request *q, bool dry_run, struct arena *arena, const pb_open_reply **o)
{
	const ProtobufCMessage *reply = NULL;

	q->has_year = q->has_dry_run = 1;
	q->dry_run = dry_run;
	enum err e = admin_ask(c, METHOD_TRANSITION_OPEN, &q->base, arena, &reply);
	*o = (const pb_open_reply *)reply;
	return e;
}

/* Freezing is shown first, and a person at a terminal types the year to go on; a script says --yes, or is not
 * asked. */
static int cmd_open(struct cli *c)
{
	pb_year_request q = PB_YEAR_REQUEST_INIT;
	const pb_open_reply *o;
	struct arena arena;
	char year[16], prompt[160];
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	snprintf(year, sizeof year, "%d", q.year);
	bool dry = cli_flag(c, "dry-run"), asks = !dry && !cli_flag(c, "yes") && cli_is_asked(c);
	if (dry || asks) {
		if (ask_open(c, &q, true, &arena, &o)) {
			arena_free(&arena);
			return cli_fail(c);
		}
		show_preview(c, o);
		json_t *out = json_pack("{s:i,s:i,s:i,s:o}", "year", o->year, "baseline", (int)o->baseline,
			"schools", (int)o->schools, "list", school_list(o->school, o->n_school));
		arena_free(&arena);
		if (dry)
			return cli_result(c, out, 0);
		json_decref(out);
		snprintf(prompt, sizeof prompt, _("冻结后名单只能逐人增减。确认请输入年份 %s："), year);
		if (!cli_confirm(year, prompt))
			return cli_fail_with(c, ERR_NOT_NOW, _("备齐名册后再运行 transition open"),
				_("没有确认，什么也没有改动"));
	}
	enum err e = ask_open(c, &q, false, &arena, &o);
	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	json_t *out = json_pack(
		"{s:i,s:i,s:i}", "year", o->year, "baseline", (int)o->baseline, "schools", (int)o->schools);
	cli_say(c,
		_("%d 年应升学 %u 人，%u 所小学，名单已冻结；没有学校上报之前可以取消："
		  "jgadmin transition cancel --year %d --reason 原因"),
		o->year, o->baseline, o->schools, o->year);
	cli_next(c, _("各校填报去向；填完后 jgadmin transition phase --year %d assist"), o->year);
	arena_free(&arena);
	return cli_result(c, out, 0);
}

/* 未上报、未落实 2 人、在办交办单 1 张 */
static const char *missing_words(const pb_school_ref *m, char *out, size_t size)
{
	const char *stage = code_name(&codes_filing_stage, m->what);

	if (stage)
		snprintf(out, size, _("没有上报：%s"), stage);
	else if (strcmp(m->what, "OPEN") == 0)
		snprintf(out, size, _("未落实 %u 人"), m->count);
	else if (strcmp(m->what, "SLIP") == 0)
		snprintf(out, size, _("在办交办单 %u 张"), m->count);
	else
		snprintf(out, size, "%s", _("有交办单没有下发：jgadmin transition slips issue"));
	return out;
}

/* What the clerk does in a phase, and what leads on from it. */
static void next_of_phase(const struct cli *c, const pb_phase_reply *p)
{
	static const char *const on[][2] = {
		{"prefill", "assist"}, {"assist", "confirm"}, {"confirm", "verify"}};

	for (size_t i = 0; i < sizeof on / sizeof *on; i++)
		if (strcmp(p->phase, on[i][0]) == 0)
			cli_next(c,
				_("各校办完后进入%s：jgadmin transition phase --year %d %s；各校情况："
				  "jgadmin transition progress --year %d"),
				code_name(&codes_phase, on[i][1]), p->year, on[i][1], p->year);
	if (strcmp(p->phase, "verify") == 0)
		cli_next(c,
			_("逐人核对：jgadmin transition reconcile --year %d；全部落实后办结："
			  "jgadmin transition phase --year %d closed"),
			p->year, p->year);
	else if (strcmp(p->phase, "closed") == 0)
		cli_next(c, _("jgadmin transition summary --year %d --html 汇总.html"), p->year);
}

static int cmd_phase(struct cli *c)
{
	pb_phase_request q = PB_PHASE_REQUEST_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = 1;
	const char *word = c->operands ? cli_operand(c, 0) : "",
		   *to = *word ? code_find(&codes_phase, word) : "";
	if (!to) {
		char all[HINT_SIZE];
		return cli_fail_with(
			c, ERR_USAGE, code_list_words(&codes_phase, all, sizeof all), _("没有阶段 %s"), word);
	}
	q.to = (char *)(uintptr_t)to;
	q.has_force = 1;
	q.force = cli_flag(c, "force");
	q.reason = (char *)(uintptr_t)cli_option(c, "reason");
	enum err e = admin_ask(c, METHOD_TRANSITION_PHASE, &q.base, &arena, &reply);
	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_phase_reply *p = (const pb_phase_reply *)reply;
	json_t *out = json_pack("{s:i,s:s,s:o}", "year", p->year, "phase", p->phase, "missing",
		school_list(p->missing, p->n_missing));
	cli_say(c, _("%d 年：%s"), p->year, code_name(&codes_phase, p->phase));
	for (size_t i = 0; i < p->n_missing; i++) {
		char words[96];
		cli_say(c, "  %s %s", p->missing[i]->name[0] ? p->missing[i]->name : _("县局"),
			missing_words(p->missing[i], words, sizeof words));
	}
	next_of_phase(c, p);
	arena_free(&arena);
	return cli_result(c, out, 0);
}

static int cmd_reconcile(struct cli *c)
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
		return cli_fail_with(c, ERR_USAGE, "--as-of 2026-09-12", _("日期 %s 不对"), as_of);
	enum err e = admin_ask(c, METHOD_TRANSITION_RECONCILE, &q.base, &arena, &reply);
	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_reconcile_reply *r = (const pb_reconcile_reply *)reply;
	json_t *out = json_pack("{s:i,s:o,s:i,s:i,s:i,s:i,s:i,s:i,s:I,s:i}", "year", r->year, "as_of",
		cli_date_json(r->as_of), "baseline", (int)r->baseline, "confirmed", (int)r->confirmed,
		"provisional", (int)r->provisional, "exempt", (int)r->exempt, "mismatched",
		(int)r->mismatched, "outside", (int)r->outside, "elapsed_ms", (json_int_t)r->elapsed_ms,
		"changed", (int)r->changed);
	cli_say(c,
		_("应升学人数 %u = 已确认 %u + 待核 %u + 除外 %u + 未落实 %u；"
		  "新生名册上名单外 %u 人（%llu 毫秒）"),
		r->baseline, r->confirmed, r->provisional, r->exempt, r->mismatched, r->outside,
		(unsigned long long)r->elapsed_ms);
	if (r->mismatched || r->outside)
		cli_next(c,
			_("jgadmin transition mismatches --year %d 看有问题的（含名单外）；未落实的是谁："
			  "jgadmin transition mismatches --year %d --open；在外就读等的材料："
			  "jgadmin transition proof list --year %d"),
			r->year, r->year, r->year);
	else
		cli_next(c, _("jgadmin transition summary --year %d"), r->year);
	arena_free(&arena);
	return cli_result(c, out, 0);
}

/* decision: what was decided, or ""; next: the command that shows what has come of it, or NULL. */
/* told: the sentence about what was recorded: how many, and of whom. */
static int ask_changed(struct cli *c, uint16_t method, const ProtobufCMessage *q, const char *told,
	const char *next, int32_t year)
{
	struct arena arena;
	const ProtobufCMessage *reply;
	enum err e = admin_ask(c, method, q, &arena, &reply);
	const pb_ok_reply *ok = (const pb_ok_reply *)reply;

	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const char *about = ok->about ? ok->about : "";
	if (about[0])
		cli_say(c, told, ok->changed, about);
	else
		cli_say(c, _("已处理 %u 条"), ok->changed);
	if (next)
		cli_next(c, _("jgadmin transition %s --year %d"), next, year);
	json_t *out = json_pack("{s:i,s:o}", "changed", (int)ok->changed, "about", admin_text(about));
	arena_free(&arena);
	return cli_result(c, out, 0);
}

static int cmd_cancel(struct cli *c)
{
	pb_year_request q = PB_YEAR_REQUEST_INIT;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = 1;
	q.reason = (char *)(uintptr_t)cli_option(c, "reason");
	char year[16];
	snprintf(year, sizeof year, "%d", q.year);
	if (cli_is_asked(c) &&
		!cli_confirm(year, _("取消后应升学名单解冻；各校的名册和已填的去向都不动。确认请输入年份：")))
		return cli_fail_with(c, ERR_NOT_NOW, _("jgadmin transition phase --year 年度 看到了哪一步"),
			_("没有确认，什么也没有改动"));
	return ask_changed(c, METHOD_TRANSITION_CANCEL, &q.base, _("已记录 %u 条：%s"), "open", q.year);
}

/* The cli contract promises the list; issuing answers with it. */
static int cmd_slips_issue(struct cli *c)
{
	pb_year_request q = PB_YEAR_REQUEST_INIT;
	const ProtobufCMessage *reply;
	struct arena arena;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = 1;
	enum err e = admin_ask(c, METHOD_TRANSITION_ISSUE_SLIPS, &q.base, &arena, &reply);
	if (!e)
		cli_say(c, _("新发 %u 张交办单；此前发出的不重发，全部列在下面"),
			((const pb_ok_reply *)reply)->changed);
	arena_free(&arena);
	return e ? cli_fail(c) : cmd_slips_list(c);
}

static int cmd_slips_review(struct cli *c)
{
	pb_review_request q = PB_REVIEW_REQUEST_INIT;
	const char *word = cli_operand(c, 1), *slip = cli_operand(c, 0);
	int code;

	if (!admin_shown_find(c, "slips", "transition slips list", &slip))
		return err_info(ERR_NOT_FOUND)->exit_code;
	q.slip = (char *)(uintptr_t)slip;
	q.has_accept = 1;
	q.accept = strcmp(word, "accept") == 0 || strcmp(word, "认可") == 0;
	if (!q.accept && strcmp(word, "return") != 0 && strcmp(word, "退回") != 0)
		return cli_fail_with(c, ERR_USAGE, _("认可写 accept；退回写 return --reason 原因"),
			_("审核结果写 accept（认可）或 return（退回）"));
	q.reason = (char *)(uintptr_t)cli_option(c, "reason");
	if (q.accept && !admin_eyes_open(c, METHOD_TRANSITION_SHOW_SLIP, 0, q.slip, &code))
		return code;
	int year = 0; /* a slip's number begins with its year: JB2027-0001 */
	bool named = sscanf(q.slip, "JB%d", &year) == 1;
	return ask_changed(c, METHOD_TRANSITION_REVIEW_SLIP, &q.base, _("已记录 %u 条：%s"),
		named ? "slips list" : NULL, year);
}

static int decide_proof(struct cli *c, bool accept)
{
	pb_proof_decision q = PB_PROOF_DECISION_INIT;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = q.has_accept = 1;
	q.accept = accept;
	const char *pupil = cli_operand(c, 0);
	if (!admin_shown_find(c, "proofs", "transition proof list", &pupil))
		return err_info(ERR_NOT_FOUND)->exit_code;
	q.pupil = (char *)(uintptr_t)pupil;
	q.reason = (char *)(uintptr_t)cli_option(c, "reason");
	if (accept && !admin_eyes_open(c, METHOD_TRANSITION_SHOW_PROOF, q.year, q.pupil, &code))
		return code;
	return ask_changed(c, METHOD_TRANSITION_DECIDE_PROOF, &q.base,
		accept ? _("已记录 %u 条：认可，%s") : _("已记录 %u 条：不认可，%s"), "reconcile", q.year);
}

static int cmd_proof_accept(struct cli *c)
{
	return decide_proof(c, true);
}

static int cmd_proof_refute(struct cli *c)
{
	return decide_proof(c, false);
}

/* Why: a person is asked for it, as refuting and amending ask; the contract lets a script leave it out.
 * False: told, *code is the exit code. */
static bool pair_reason(struct cli *c, char **reason, int *code)
{
	static char line[500];

	*reason = (char *)(uintptr_t)cli_option(c, "reason");
	if (*reason || !cli_is_asked(c))
		return true;
	if (cli_ask(_("理由："), line, sizeof line)) {
		*reason = line;
		return true;
	}
	*code = cli_fail_with(c, ERR_MISSING, _("例如 --reason 核对户口簿"), _("判定要写明理由"));
	return false;
}

static int decide_pair(struct cli *c, bool same)
{
	pb_pair_decision q = PB_PAIR_DECISION_INIT;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = q.has_same = 1;
	q.same = same;
	const char *pupil = cli_operand(c, 0), *row = cli_operand(c, 1);
	if (!admin_shown_find(c, "mismatches", "transition mismatches", &pupil) ||
		!admin_shown_find(c, "mismatches", "transition mismatches", &row))
		return err_info(ERR_NOT_FOUND)->exit_code;
	q.pupil = (char *)(uintptr_t)pupil;
	q.row = (char *)(uintptr_t)row;
	const char *first = cli_operand(c, 0), *second = cli_operand(c, 1);
	size_t n = strlen(first);
	if (strchr(second, '.') && strlen(second) < 8 && (strncmp(first, second, n) != 0 || second[n] != '.'))
		return cli_fail_with(c, ERR_INVALID, _("下级序号的前半是学生的序号，如 4 和 4.2"),
			_("%s 不是 %s 名下的条目"), second, first);
	if (!pair_reason(c, &q.reason, &code))
		return code;
	return ask_changed(c, METHOD_TRANSITION_DECIDE_PAIR, &q.base,
		same ? _("已记录 %u 条：是同一人，%s") : _("已记录 %u 条：不是同一人，%s"), "reconcile",
		q.year);
}

static int cmd_same(struct cli *c)
{
	return decide_pair(c, true);
}

static int cmd_different(struct cli *c)
{
	return decide_pair(c, false);
}

static int cmd_pair_withdraw(struct cli *c)
{
	pb_pair_decision q = PB_PAIR_DECISION_INIT;
	char pupil[40];
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	const char *id = cli_operand(c, 0);
	if (!admin_shown_find(c, "pairs", "transition pair list", &id))
		return err_info(ERR_NOT_FOUND)->exit_code;
	const char *slash = strchr(id, '/');
	if (!slash || (size_t)(slash - id) >= sizeof pupil)
		return cli_fail_with(c, ERR_NOT_FOUND, _("运行 jgadmin transition pair list 看序号"),
			_("没有判定 %s"), id);
	if (!pair_reason(c, &q.reason, &code))
		return code;
	snprintf(pupil, sizeof pupil, "%.*s", (int)(slash - id), id);
	q.has_year = q.has_withdraw = q.withdraw = 1;
	q.pupil = pupil;
	q.row = (char *)(uintptr_t)(slash + 1);
	return ask_changed(c, METHOD_TRANSITION_DECIDE_PAIR, &q.base, _("已记录 %u 条：撤回判定，%s"),
		"reconcile", q.year);
}

static int amend(struct cli *c, bool add)
{
	pb_baseline_change q = PB_BASELINE_CHANGE_INIT;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = q.has_add = 1;
	q.add = add;
	const char *pupil = cli_operand(c, 0);
	if (!admin_shown_find(c, "mismatches", "transition mismatches", &pupil))
		return err_info(ERR_NOT_FOUND)->exit_code;
	q.pupil = (char *)(uintptr_t)pupil;
	q.school = (char *)(uintptr_t)cli_option(c, "school");
	q.reason = (char *)(uintptr_t)cli_option(c, "reason");
	return ask_changed(c, METHOD_TRANSITION_AMEND_BASELINE, &q.base,
		add ? _("已记录 %u 条：补入，%s") : _("已记录 %u 条：移出，%s"), "reconcile", q.year);
}

static int cmd_baseline_add(struct cli *c)
{
	return amend(c, true);
}

static int cmd_baseline_remove(struct cli *c)
{
	return amend(c, false);
}

/* ---- The commands ---- */

static const struct cli_option year_options[] = {{"year", "Y", N_("年度")}, {0}};
static const struct cli_option open_options[] = {{"year", "Y", N_("年度（今年或明年）")},
	{"dry-run", NULL, N_("只显示将冻结什么")}, {"yes", NULL, N_("不再询问")}, {0}};
static const struct cli_option cancel_options[] = {
	{"year", "Y", N_("年度")}, {"reason", "TEXT", N_("理由（必写）")}, {0}};
static const struct cli_option phase_options[] = {{"year", "Y", N_("年度")},
	{"force", NULL, N_("有学校未完成也前进")}, {"reason", "TEXT", N_("理由")}, {0}};
static const struct cli_option reconcile_options[] = {
	{"year", "Y", N_("年度")}, {"as-of", "DATE", N_("按哪一天核对（默认今天）")}, {0}};
static const struct cli_option mismatch_options[] = {{"year", "Y", N_("年度")},
	{"school", "SCHOOL", N_("只看一所学校：名称、名称的一部分或标识码")},
	{"open", NULL, N_("只列未落实的人，连期限还没有到、还没有问题的也列")}, {0}};
static const struct cli_option reason_options[] = {
	{"year", "Y", N_("年度")}, {"reason", "TEXT", N_("理由")}, {0}};
static const struct cli_option baseline_options[] = {{"year", "Y", N_("年度")},
	{"reason", "TEXT", N_("理由（必写）")},
	{"school", "SCHOOL", N_("核对生源小学：名称或标识码，与学籍不符就不办；在两校都有学籍的用它指明")},
	{0}};
static const struct cli_option slip_show_options[] = {
	{"files", "DIR", N_("把材料取到这个文件夹")}, {"open", NULL, N_("取出后用电脑上的程序打开")}, {0}};
static const struct cli_option proof_show_options[] = {{"year", "Y", N_("年度")},
	{"files", "DIR", N_("把材料取到这个文件夹")}, {"open", NULL, N_("取出后用电脑上的程序打开")}, {0}};
static const struct cli_option summary_options[] = {
	{"year", "Y", N_("年度")}, {"html", "FILE", N_("同时写成 HTML 报表")}, {0}};

static const struct cli_command commands[] = {
	{"transition open", "", 0, 0, open_options, ADMIN_NEEDS, 0,
		N_("冻结应升学名单，开始一个年度（先显示将冻结什么）"), "transition open --year 2026",
		cmd_open, CLI_WORK},
	{"transition cancel", "", 0, 0, cancel_options, ADMIN_NEEDS, 0, N_("取消一个还没有学校上报的年度"),
		N_("transition cancel --year 2026 --reason 名册未齐"), cmd_cancel, CLI_WORK},
	{"transition phase", "[PHASE]", 0, 1, phase_options, ADMIN_NEEDS, 0, N_("查看阶段，或前进一步"),
		"transition phase --year 2026 confirm", cmd_phase, CLI_WORK},
	{"transition progress", "", 0, 0, year_options, ADMIN_NEEDS, 0, N_("各校进度"),
		"transition progress --year 2026", cmd_progress, CLI_WORK},
	{"transition reconcile", "", 0, 0, reconcile_options, ADMIN_NEEDS, 0, N_("逐人核对"),
		"transition reconcile --year 2026", cmd_reconcile, CLI_WORK},
	{"transition mismatches", "", 0, 0, mismatch_options, ADMIN_NEEDS, 0, N_("对不上的学生"),
		"transition mismatches --year 2026", cmd_mismatches, CLI_WORK},
	{"transition slips issue", "", 0, 0, year_options, ADMIN_NEEDS, 0, N_("同时向两所学校下发交办单"),
		"transition slips issue --year 2026", cmd_slips_issue, CLI_WORK},
	{"transition slips list", "", 0, 0, year_options, ADMIN_NEEDS, 0, N_("列出交办单"),
		"transition slips list --year 2026", cmd_slips_list, CLI_WORK},
	{"transition slips show", "SLIP", 1, 1, slip_show_options, ADMIN_NEEDS, 0,
		N_("查看一张交办单：两校答复、联系记录、材料"),
		N_("transition slips show JB2026-0001 --files 材料"), cmd_slips_show, CLI_WORK},
	{"transition slips review", "SLIP accept|return", 2, 2, reason_options, ADMIN_NEEDS, 0,
		N_("审核两校的回复"), N_("transition slips review JB2026-0001 return --reason 材料不清"),
		cmd_slips_review, CLI_WORK},
	{"transition proof list", "", 0, 0, year_options, ADMIN_NEEDS, 0, N_("在外就读等学生的材料"),
		"transition proof list --year 2026", cmd_proof_list, CLI_WORK},
	{"transition proof show", "PUPIL", 1, 1, proof_show_options, ADMIN_NEEDS, 0,
		N_("查看一名学生填报的去向和材料"), N_("transition proof show --year 2026 - --files 材料"),
		cmd_proof_show, CLI_WORK},
	{"transition proof accept", "PUPIL", 1, 1, reason_options, ADMIN_NEEDS, 0, N_("认可材料"),
		"transition proof accept --year 2026 -", cmd_proof_accept, CLI_WORK},
	{"transition proof refute", "PUPIL", 1, 1, reason_options, ADMIN_NEEDS, 0, N_("不认可材料"),
		N_("transition proof refute --year 2026 - --reason 印章不符"), cmd_proof_refute, CLI_WORK},
	{"transition same", "PUPIL ROW", 2, 2, reason_options, ADMIN_NEEDS, 0, N_("判定为同一人"),
		"transition same --year 2026 0190… 0191…", cmd_same, CLI_WORK},
	{"transition different", "PUPIL ROW", 2, 2, reason_options, ADMIN_NEEDS, 0, N_("判定为不同的人"),
		"transition different --year 2026 0190… 0191…", cmd_different, CLI_WORK},
	{"transition pair list", "", 0, 0, year_options, ADMIN_NEEDS, 0,
		N_("列出判定过的：是同一人、不是同一人"), "transition pair list --year 2026", cmd_pair_list,
		CLI_WORK},
	{"transition pair withdraw", "ID", 1, 1, reason_options, ADMIN_NEEDS, 0,
		N_("撤回一条判定（pair list 的序号）：按没有判定过重新核对"),
		N_("transition pair withdraw --year 2026 1 --reason 看错了"), cmd_pair_withdraw, CLI_WORK},
	{"transition baseline add", "PUPIL", 1, 1, baseline_options, ADMIN_NEEDS, 0,
		N_("把学生补入应升学名单"), N_("transition baseline add --year 2026 - --reason 六月转入"),
		cmd_baseline_add, CLI_WORK},
	{"transition baseline remove", "PUPIL", 1, 1, baseline_options, ADMIN_NEEDS, 0,
		N_("从应升学名单移出"), N_("transition baseline remove --year 2026 - --reason 重复学籍"),
		cmd_baseline_remove, CLI_WORK},
	{"transition summary", "", 0, 0, summary_options, ADMIN_NEEDS, 0, N_("各校汇总，差额应为 0"),
		N_("transition summary --year 2026 --html 汇总.html"), cmd_summary, CLI_WORK},
	{"transition diff", "", 0, 0, year_options, ADMIN_NEEDS, 0, N_("六月备案与九月上报的变化"),
		"transition diff --year 2026", cmd_diff, CLI_WORK},
	{0},
};

const struct cli_part admin_transition = {commands, NULL, NULL};
