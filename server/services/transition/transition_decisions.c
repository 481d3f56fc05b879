/* The bureau's decisions on a proof, on a pair, and on who stands in the baseline; each followed by a run. */
#include <string.h>

#include "clock.h"
#include "codes.h"
#include "lang.h"
#include "transition_slips.h"

static const struct db_stmt decide_on_proof = {
	"SELECT transition_proof_decide($1::int, $2::uuid, $3::boolean, $4::text, $5::text)"};
/* What a decision is about, read in its own transaction: name and school, then what is declared
 * with how many files, or the row. */
static const struct db_stmt tell_pupil = {
	"SELECT coalesce(transition_about($1::int, $2::uuid), ''), '', '', 0"};
static const struct db_stmt tell_proof = {
	"SELECT coalesce(transition_about($1::int, $2::uuid), ''), category, coalesce(place, ''),"
	" cardinality(files)"
	" FROM transition_proofs($1::int, $2::uuid)"};
static const struct db_stmt tell_pair = {
	"SELECT coalesce(transition_about($1::int, $2::uuid), ''), '',"
	" format('%s %s', coalesce(s.name, x.school), x.name), 0"
	" FROM (SELECT owner_school AS school, name FROM enrolment"
	" WHERE county = app_county() AND rec_id = $3::uuid UNION ALL SELECT owner_school, name"
	" FROM destination WHERE county = app_county() AND rec_id = $3::uuid) x"
	" LEFT JOIN school s ON s.county = app_county() AND s.code = x.school AND NOT s.deleted"};
static const struct db_stmt decide_on_pair = {
	"SELECT transition_pair_decide($1::int, $2::uuid, $3::uuid, $4::boolean, $5::text, $6::text)"};
static const struct db_stmt take_back_pair = {
	"SELECT transition_pair_withdraw($1::int, $2::uuid, $3::uuid, $4::text, $5::text)"};
static const struct db_stmt amend = {
	"SELECT transition_amend($1::int, $2::boolean, $3::uuid, $4::text, $5::text, $6::text)"};
static const struct db_stmt find_candidates = {"SELECT pupil, name, school, school_name, stands::int,"
					       " listed::int"
					       " FROM baseline_candidates($1::int, $2::text, $3::text)"};
enum {
	CANDIDATE_PUPIL,
	CANDIDATE_NAME,
	CANDIDATE_SCHOOL,
	CANDIDATE_SCHOOL_NAME,
	CANDIDATE_STANDS,
	CANDIDATE_LISTED
};

static void begin_decision(struct request *r, int32_t year)
{
	request_scope(r, SCOPE_JOB, ONE_SNAPSHOT);
	transition_year(r, year, YEAR_HOLD);
}

static void send_find(struct request *r, int32_t year, const char *pupil)
{
	struct db_params p = {0};

	begin_decision(r, year);
	db_int4(&p, year);
	db_text(&p, pupil ? pupil : "");
	request_query(r, &transition_find_pupil, &p);
}

/* The pupil of a decision: found, and of a year that is not closed. */
static bool decision_found(struct request *r, int32_t year, uint8_t id[ID_SIZE])
{
	return transition_year_stands(r, transition_year_phase(r, YEAR_HOLD), year, true) &&
		transition_found_pupil(r, id);
}

static void take_about(struct request *r, const PGresult *a)
{
	struct slips *s = r->data;
	const char *category, *word;

	if (PQntuples(a) == 0)
		return;
	category = db_get_text(a, 0, 1);
	word = code_name(&codes_category, category);
	s->about = arena_printf(&r->arena, "%s%s%s%s%s", db_get_text(a, 0, 0),
		category[0] || db_get_text(a, 0, 2)[0] ? _("：") : "", word ? word : "",
		word && db_get_text(a, 0, 2)[0] ? " " : "", db_get_text(a, 0, 2));
	if (word)
		s->about = arena_printf(&r->arena, _("%s，材料 %d 份"), s->about, (int)db_get_int(a, 0, 3));
}

/* The decision's statement has run; nothing to decide on means refusing, otherwise the run follows. */
static void take_decision(struct request *r, const struct db_stmt *tell, const struct db_stmt *decide)
{
	struct slips *s = r->data;

	take_about(r, request_result(r, tell));
	s->changed = (uint32_t)db_get_int(request_result(r, decide), 0, 0);
	if (s->changed == 0) {
		request_refuse(r, ERR_NOT_NOW, "pupil", transition_nothing_to_decide(r),
			_("先看清单：jgadmin transition proof list、pair list、mismatches 或 progress"));
		return;
	}
	s->then = slips_reply_changed;
	slips_run(r, 0, true);
}

static void after_proof(struct request *r)
{
	take_decision(r, &tell_proof, &decide_on_proof);
}

static const struct db_stmt *pair_statement(const struct request *r)
{
	return REQUEST(r, pb_pair_decision)->withdraw ? &take_back_pair : &decide_on_pair;
}

static void after_pair(struct request *r)
{
	take_decision(r, &tell_pair, pair_statement(r));
}

static void after_amend(struct request *r)
{
	take_decision(r, &tell_pupil, &amend);
}

void transition_decide_on_proof(
	struct request *r, int32_t year, const uint8_t pupil[ID_SIZE], bool accept, const char *reason)
{
	struct db_params p = {0};

	db_int4(&p, year);
	db_bytes(&p, pupil, ID_SIZE);
	db_bool(&p, accept);
	db_text(&p, reason ? reason : "");
	db_text(&p, r->caller.user);
	request_query(r, &decide_on_proof, &p);
}

static void proof_found(struct request *r)
{
	const pb_proof_decision *q = REQUEST(r, pb_proof_decision);
	uint8_t pupil[ID_SIZE];
	struct db_params t = {0};

	if (!decision_found(r, q->year, pupil))
		return;
	db_int4(&t, q->year);
	db_bytes(&t, pupil, ID_SIZE);
	request_query(r, &tell_proof, &t);
	transition_decide_on_proof(r, q->year, pupil, q->accept, q->reason);
	request_trip(r, after_proof);
}

static void proof_query(struct request *r)
{
	const pb_proof_decision *q = REQUEST(r, pb_proof_decision);

	send_find(r, q->year, q->pupil);
	request_trip(r, proof_found);
}

void transition_decide_proof(struct request *r)
{
	const pb_proof_decision *q = REQUEST(r, pb_proof_decision);

	if (!q->accept && (!q->reason || !q->reason[0]))
		request_refuse(r, ERR_MISSING, "reason", _("不予认可要写明理由"), transition_say_reason());
	else if (slips_begin(r, q->year))
		request_begin(r, proof_query);
}

static void pair_found(struct request *r)
{
	const pb_pair_decision *q = REQUEST(r, pb_pair_decision);
	uint8_t pupil[ID_SIZE], row[ID_SIZE];
	struct db_params p = {0}, t = {0};

	if (!decision_found(r, q->year, pupil))
		return;
	if (!q->row || id_parse(row, q->row)) {
		request_refuse(r, ERR_INVALID, "row", _("没有写是哪一行"),
			_("行的编号在 jgadmin transition mismatches 里"));
		return;
	}
	db_int4(&t, q->year);
	db_bytes(&t, pupil, ID_SIZE);
	db_bytes(&t, row, ID_SIZE);
	request_query(r, &tell_pair, &t);
	db_int4(&p, q->year);
	db_bytes(&p, pupil, ID_SIZE);
	db_bytes(&p, row, ID_SIZE);
	if (!q->withdraw)
		db_bool(&p, q->same);
	db_text(&p, q->reason ? q->reason : "");
	db_text(&p, r->caller.user);
	request_query(r, pair_statement(r), &p);
	request_trip(r, after_pair);
}

static void pair_query(struct request *r)
{
	const pb_pair_decision *q = REQUEST(r, pb_pair_decision);

	send_find(r, q->year, q->pupil);
	request_trip(r, pair_found);
}

void transition_decide_pair(struct request *r)
{
	if (slips_begin(r, REQUEST(r, pb_pair_decision)->year))
		request_begin(r, pair_query);
}

/* Who names a school beside the pupil means to be told when that is another's: the number is a typing error,
 * or the school is. */
static bool is_school_meant(
	struct request *r, const char *pupil_name, const char *school, const char *school_name)
{
	const char *meant = REQUEST(r, pb_baseline_change)->school;

	if (!meant || !meant[0] || strcmp(meant, school) == 0)
		return true;
	request_refuse(r, ERR_INVALID, "school",
		arena_printf(&r->arena, _("%s是%s的，不是所写学校的学生"), pupil_name, school_name),
		_("核对证件号码和学校；不写 --school，就按学籍所在的学校"));
	return false;
}

static bool is_listed_school_meant(struct request *r)
{
	const PGresult *found = request_result(r, &transition_find_pupil);

	return is_school_meant(r, db_get_text(found, 0, LISTED_NAME), db_get_text(found, 0, LISTED_SCHOOL),
		db_get_text(found, 0, LISTED_SCHOOL_NAME));
}

/* Of several records of one child the one that is meant; a child who stands in the list, through whatever
 * school, is not counted twice. */
static bool candidate_found(struct request *r, const PGresult *found, uint8_t id[ID_SIZE])
{
	const pb_baseline_change *q = REQUEST(r, pb_baseline_change);
	int other = 0;
	size_t n;

	if (PQntuples(found) == 0) {
		request_refuse(r, ERR_NOT_FOUND, "pupil", _("全县的学籍里没有这个号码"),
			_("核对号码；还没有学籍的，请学校先导入名册并同步：jg import students 文件"));
		return false;
	}
	if (db_get_int(found, 0, CANDIDATE_STANDS)) {
		request_refuse(r, ERR_EXISTS, "pupil",
			arena_printf(&r->arena, _("%s已经在应升学名单里，生源学校是%s"),
				db_get_text(found, 0, CANDIDATE_NAME),
				db_get_text(found, 0, CANDIDATE_SCHOOL_NAME)),
			arena_printf(&r->arena,
				_("要换学校先移出：jgadmin transition baseline remove 证件号码 --year %d"
				  " --reason 理由，再补入并写 --school 学校"),
				q->year));
		return false;
	}
	for (int i = 1; i < PQntuples(found) && !other; i++)
		if (db_get_int(found, i, CANDIDATE_LISTED) && db_get_int(found, 0, CANDIDATE_LISTED) &&
			strcmp(db_get_text(found, 0, CANDIDATE_SCHOOL),
				db_get_text(found, i, CANDIDATE_SCHOOL)) != 0)
			other = i;
	if (other && !(q->school && q->school[0])) {
		request_refuse(r, ERR_INVALID, "school",
			arena_printf(&r->arena, _("%s在%s和%s都有学籍"),
				db_get_text(found, 0, CANDIDATE_NAME),
				db_get_text(found, 0, CANDIDATE_SCHOOL_NAME),
				db_get_text(found, other, CANDIDATE_SCHOOL_NAME)),
			_("写明算哪一所学校的：--school 学校标识码"));
		return false;
	}
	memcpy(id, db_get_bytes(found, 0, CANDIDATE_PUPIL, &n), ID_SIZE);
	return is_school_meant(r, db_get_text(found, 0, CANDIDATE_NAME),
		db_get_text(found, 0, CANDIDATE_SCHOOL), db_get_text(found, 0, CANDIDATE_SCHOOL_NAME));
}

static void amend_found(struct request *r)
{
	const pb_baseline_change *q = REQUEST(r, pb_baseline_change);
	uint8_t pupil[ID_SIZE];
	struct db_params p = {0}, t = {0};

	if (q->add ? !transition_year_stands(r, transition_year_phase(r, YEAR_HOLD), q->year, true) ||
				!candidate_found(r, request_result(r, &find_candidates), pupil)
		   : !decision_found(r, q->year, pupil) || !is_listed_school_meant(r))
		return;
	db_int4(&p, q->year);
	db_bool(&p, q->add);
	db_bytes(&p, pupil, ID_SIZE);
	db_text(&p, q->school && q->school[0] ? q->school : NULL);
	db_text(&p, q->reason);
	db_text(&p, r->caller.user);
	request_query(r, &amend, &p); /* whoever is added is of P only then */
	db_int4(&t, q->year);
	db_bytes(&t, pupil, ID_SIZE);
	request_query(r, &tell_pupil, &t);
	request_trip(r, after_amend);
}

static void amend_query(struct request *r)
{
	const pb_baseline_change *q = REQUEST(r, pb_baseline_change);

	if (q->add) {
		struct db_params p = {0};
		begin_decision(r, q->year);
		db_int4(&p, q->year);
		db_text(&p, q->pupil ? q->pupil : "");
		db_text(&p, q->school ? q->school : "");
		request_query(r, &find_candidates, &p);
	} else {
		send_find(r, q->year, q->pupil);
	}
	request_trip(r, amend_found);
}

void transition_amend(struct request *r)
{
	const pb_baseline_change *q = REQUEST(r, pb_baseline_change);

	if (!q->reason || !q->reason[0])
		request_refuse(
			r, ERR_MISSING, "reason", _("增减应升学人数要写明理由"), transition_say_reason());
	else if (slips_begin(r, q->year))
		request_begin(r, amend_query);
}
