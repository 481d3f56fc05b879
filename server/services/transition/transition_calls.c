/* 小升初: the table of the service, the year that everything in it begins with, and the pupil that it is
 * about. Reading lists stands in transition_list.c, one case in transition_case.c, the cycle's phases in
 * transition_cycle.c, reconciliation and slips in transition_slips.c; matching and codes are SQL
 * (sql/functions/transition_reconcile.sql). */
#include <string.h>

#include "hash.h"
#include "lang.h"
#include "transition_calls.h"

#define THE_CYCLE "SELECT phase FROM cycle WHERE county = app_county() AND year = $1::int AND NOT deleted"
static const struct db_stmt read_phase[] = {[YEAR_LOOK] = {THE_CYCLE},
	[YEAR_HOLD] = {THE_CYCLE " FOR SHARE"},
	[YEAR_ALONE] = {THE_CYCLE " FOR UPDATE"}};

void transition_year(struct request *r, int32_t year, enum year_use use)
{
	/* Pushes hold the lock, not the row (phase_lock): a row held by thousands would be written by
	 * each of them. */
	static const struct db_stmt alone = {"SELECT phase_lock($1::int, true)"};
	struct db_params l = {0}, p = {0};

	if (use == YEAR_ALONE) {
		db_int4(&l, year);
		request_query(r, &alone, &l);
	}
	db_int4(&p, year);
	request_query(r, &read_phase[use], &p);
}

const PGresult *transition_year_phase(const struct request *r, enum year_use use)
{
	return request_result(r, &read_phase[use]);
}

bool transition_year_stands(struct request *r, const PGresult *phase, int32_t year, bool changes)
{
	if (PQntuples(phase) == 0) {
		request_refuse(r, ERR_NOT_FOUND, "year",
			arena_printf(&r->arena, _("%d 年的小升初工作还没有开始"), year),
			arena_printf(
				&r->arena, _("核对年度；要开始：jgadmin transition open --year %d"), year));
		return false;
	}
	if (!changes || strcmp(db_get_text(phase, 0, 0), "closed") != 0)
		return true;
	request_refuse(r, ERR_PHASE, "year", arena_printf(&r->arena, _("%d 年已经办结，不再改动"), year),
		arena_printf(&r->arena,
			_("确要改动，请局领导重新打开：jgadmin transition phase --year %d verify --force"
			  " --reason 理由"),
			year));
	return false;
}

/* A pupil by id, certificate number or student number. Who stands in the list comes before who was let go: a
 * cancelled year, or a roster that was undone and imported again, leaves rows of the same child under another
 * id. */
const struct db_stmt transition_find_pupil = {
	"SELECT b.pupil, s.name, b.source_school, coalesce(c.name, b.source_school)"
	" FROM baseline b"
	" JOIN student s ON s.county = b.county AND s.rec_id = b.student"
	" LEFT JOIN school c ON c.county = b.county AND c.code = b.source_school AND NOT c.deleted"
	" WHERE b.county = app_county() AND b.year = $1::int"
	" AND (b.pupil::text = lower($2::text) OR cert_key(s.cert_no) = cert_key($2::text)"
	" OR student_no_key(s.student_no) = student_no_key($2::text))"
	" ORDER BY b.removed_at IS NOT NULL, b.pupil"
	" LIMIT 1"};

bool transition_found_pupil(struct request *r, uint8_t id[ID_SIZE])
{
	const PGresult *found = request_result(r, &transition_find_pupil);
	size_t n;

	if (PQntuples(found) == 0) {
		request_refuse(r, ERR_NOT_FOUND, "pupil", _("应升学名单里没有这名学生"),
			_("写证件号码、学籍号或列表里的编号；补入名单用 jgadmin transition baseline add"));
		return false;
	}
	memcpy(id, db_get_bytes(found, 0, LISTED_PUPIL, &n), ID_SIZE);
	return true;
}

const char *transition_say_reason(void)
{
	return _("在命令后加 --reason 原因");
}

const char *transition_nothing_to_decide(const struct request *r)
{
	switch (r->method->number) {
	case METHOD_TRANSITION_DECIDE_PROOF:
		return _("这名学生还没有填报去向，没有材料可以认定");
	case METHOD_TRANSITION_DECIDE_PAIR:
		return REQUEST(r, pb_pair_decision)->withdraw ? _("这一对没有判定过，或已经撤回，没有改动")
							      : _("这一行不是今年名册或去向表里的，没有改动");
	default:
		return _("这名学生已经是这样，没有改动");
	}
}

static const struct handler handlers[] = {
	{METHOD_TRANSITION_OPEN, transition_open},
	{METHOD_TRANSITION_CANCEL, transition_cancel},
	{METHOD_TRANSITION_PHASE, transition_phase},
	{METHOD_TRANSITION_PROGRESS, transition_progress},
	{METHOD_TRANSITION_RECONCILE, transition_reconcile},
	{METHOD_TRANSITION_MISMATCHES, transition_mismatches},
	{METHOD_TRANSITION_ISSUE_SLIPS, transition_issue},
	{METHOD_TRANSITION_LIST_SLIPS, transition_slips},
	{METHOD_TRANSITION_REVIEW_SLIP, transition_review},
	{METHOD_TRANSITION_LIST_PROOFS, transition_proofs},
	{METHOD_TRANSITION_DECIDE_PROOF, transition_decide_proof},
	{METHOD_TRANSITION_DECIDE_PAIR, transition_decide_pair},
	{METHOD_TRANSITION_LIST_PAIRS, transition_pairs},
	{METHOD_TRANSITION_AMEND_BASELINE, transition_amend},
	{METHOD_TRANSITION_SUMMARY, transition_summary},
	{METHOD_TRANSITION_DIFF, transition_diff},
	{METHOD_TRANSITION_FILING_GAPS, transition_filing_gaps},
	{METHOD_TRANSITION_SHOW_SLIP, transition_show},
	{METHOD_TRANSITION_SHOW_PROOF, transition_show},
	{0, NULL},
};

const struct service transition_service = {"transition", handlers, transition_jobs};
