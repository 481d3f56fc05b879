/* One case before it is decided: `transition slips show`, `transition proof show`, and the decision about
 * evidence that nobody has looked at. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "admin.h"
#include "case_files.h"
#include "codes.h"
#include "face.h"
#include "lang.h"
#include "login.h"
#include "tables.h"

#define LINE_SIZE 1024

struct show {
	struct cli *c;
	const pb_case_reply *r;
	int64_t now;
	char (*path)[RECEIVED_PATH_SIZE]; /* of each file, "" when it was not fetched */
};

/* ---- for programs ---- */

static json_t *halves_json(const pb_slip_row *s)
{
	json_t *out = json_array();

	for (size_t i = 0; s && i < s->n_addressee; i++) {
		const pb_addressee_row *h = s->addressee[i];
		json_array_append_new(out,
			json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "school", h->school, "name",
				admin_text(h->school_name), "received_at", cli_time_json(h->received_at),
				"received_by", admin_text(h->received_by), "answered_at",
				cli_time_json(h->answered_at), "answered_by", admin_text(h->answered_by),
				"outcome", admin_text(h->outcome), "note", admin_text(h->note)));
	}
	return out;
}

static json_t *slip_json(const pb_slip_row *s)
{
	if (!s)
		return json_null();
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:s,s:i,s:o,s:o,s:o,s:o,s:o,s:b,s:b,s:o}", "id", s->slip,
		"slip", s->slip, "no", s->no, "addressees", halves_json(s), "codes",
		admin_texts(s->code, s->n_code), "state", s->state, "round", s->round, "found_at",
		cli_time_json(s->found_at), "issue_due", cli_time_json(s->issue_due), "issued_at",
		cli_time_json(s->issued_at), "resolve_due", cli_time_json(s->resolve_due), "closed_at",
		cli_time_json(s->closed_at), "overdue", s->overdue, "escalated", s->escalated,
		"review_reason", admin_text(s->review_reason));
}

static json_t *declared_json(const pb_declared *d)
{
	if (!d)
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o,s:b,s:o,s:o}", "category", admin_text(d->category), "place",
		admin_text(d->place), "filed_by", admin_text(d->school), "registration_no",
		admin_text(d->registration_no), "guardian_confirmed", d->guardian_confirmed, "evidence_note",
		admin_text(d->evidence_note), "note", admin_text(d->note));
}

static json_t *files_json(const struct show *s)
{
	json_t *out = json_array();
	char hex[65] = "";

	for (size_t i = 0; i < s->r->n_file; i++) {
		const pb_case_file *f = s->r->file[i];
		if (f->sha.len == 32)
			sodium_bin2hex(hex, sizeof hex, f->sha.data, 32);
		json_array_append_new(out,
			json_pack("{s:s,s:I,s:s,s:s,s:o,s:b,s:b,s:o}", "name", f->name, "size",
				(json_int_t)f->size, "sha256", hex, "filed_by", f->school, "at",
				cli_time_json(f->at), "complete", f->complete, "read",
				f->read || s->path[i][0], "path", admin_text(s->path[i])));
	}
	return out;
}

static json_t *case_json(const struct show *s)
{
	json_t *contacts = json_array(), *reminders = json_array(), *decisions = json_array();

	for (size_t i = 0; i < s->r->n_contact; i++) {
		const pb_case_contact *k = s->r->contact[i];
		json_array_append_new(contacts,
			json_pack("{s:s,s:o,s:s,s:o,s:o,s:o,s:o}", "school", k->school, "at",
				cli_time_json(k->at), "method", k->method, "persons", admin_text(k->persons),
				"outcome", admin_text(k->outcome), "next_date", cli_date_json(k->next_date),
				"note", admin_text(k->note)));
	}
	for (size_t i = 0; i < s->r->n_reminder; i++) {
		const pb_case_reminder *m = s->r->reminder[i];
		json_array_append_new(reminders,
			json_pack("{s:s,s:s,s:i,s:o,s:o}", "school", m->school, "what", m->what, "round",
				m->round, "due", cli_time_json(m->due), "at", cli_time_json(m->at)));
	}
	for (size_t i = 0; i < s->r->n_decision; i++) {
		const pb_case_decision *w = s->r->decision[i];
		json_array_append_new(decisions,
			json_pack("{s:s,s:s,s:o,s:s,s:o}", "word", w->decision, "category", w->category,
				"reason", admin_text(w->reason), "by", w->by, "at", cli_time_json(w->at)));
	}
	return json_pack("{s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "year", s->r->year, "student",
		admin_pupil(s->r->student), "source_school", admin_text(s->r->source_name), "state",
		admin_text(s->r->state), "codes", admin_texts(s->r->code, s->r->n_code), "declared",
		declared_json(s->r->declared), "slip", slip_json(s->r->slip), "files", files_json(s),
		"contacts", contacts, "reminders", reminders, "words", decisions);
}

/* ---- for people ---- */

static const char *time_words(const struct show *s, int64_t us, char out[FACE_SIZE])
{
	return face_time(out, us, s->now);
}

static void say_part(const struct show *s, const char *title, size_t n)
{
	if (n)
		cli_say(s->c, _("%s（%zu）"), title, n);
	else
		cli_say(s->c, _("%s：没有"), title);
}

static void say_pupil(const struct show *s)
{
	char no[40] = "", name[200] = "", problem[LINE_SIZE];
	const pb_pupil *p = s->r->student;
	const pb_declared *d = s->r->declared;
	const pb_slip_row *slip = s->r->slip;

	admin_pupil_cells(s->c, p, no, sizeof no, name, sizeof name);
	cli_say(s->c, _("%d 年  %s  %s  生源小学：%s"), s->r->year, name, no,
		s->r->source_name ? s->r->source_name : "");
	if (slip)
		admin_words(&codes_mismatch, slip->code, slip->n_code, problem, sizeof problem);
	else
		admin_words(&codes_mismatch, s->r->code, s->r->n_code, problem, sizeof problem);
	bool checked = s->r->state && s->r->state[0];
	const char *none = checked ? _("没有（上次核对时）") : _("还没有核对过");
	cli_say(s->c, _("问题：%s"), problem[0] ? problem : none);
	if (!d) {
		cli_say(s->c, "%s", _("去向：没有填报"));
		return;
	}
	cli_say(s->c, _("去向：%s%s%s，%s填报%s"), admin_word(&codes_category, d->category),
		d->place && d->place[0] ? " " : "", d->place ? d->place : "", d->school_name,
		d->guardian_confirmed ? _("，家长已确认") : "");
	if (d->registration_no && d->registration_no[0])
		cli_say(s->c, _("  报名号：%s"), d->registration_no);
	if (d->evidence_note && d->evidence_note[0])
		cli_say(s->c, _("  材料说明：%s"), d->evidence_note);
	if (d->note && d->note[0])
		cli_say(s->c, _("  备注：%s"), d->note);
}

static void say_addressee(const struct show *s, const pb_addressee_row *h)
{
	char received[FACE_SIZE], answered[FACE_SIZE];
	const char *name = h->school_name && h->school_name[0] ? h->school_name : h->school;

	if (!h->received_at && !h->answered_at)
		cli_say(s->c, _("  %s：还没有签收"), name);
	else
		cli_say(s->c, _("  %s：%s %s 签收"), name, time_words(s, h->received_at, received),
			h->received_by ? h->received_by : "");
	if (h->answered_at)
		cli_say(s->c,
			h->note && h->note[0] ? _("    答复：%s（%s %s），说明：%s")
					      : _("    答复：%s（%s %s）%s"),
			admin_word(&codes_outcome, h->outcome), time_words(s, h->answered_at, answered),
			h->answered_by ? h->answered_by : "", h->note ? h->note : "");
	else if (h->received_at)
		cli_say(s->c, "%s", _("    还没有答复"));
}

static void say_slip(const struct show *s)
{
	const pb_slip_row *x = s->r->slip;
	char when[FACE_SIZE], due[FACE_SIZE];

	if (!x)
		return;
	cli_say(s->c, _("交办单 %s：%s，第 %d 轮，程度：%s，责任初中：%s"), x->no,
		admin_word(&codes_slip_state, x->state), x->round, admin_word(&codes_severity, x->severity),
		strcmp(x->home_name, "bureau") == 0 ? _("县局") : x->home_name);
	cli_say(s->c, _("  %s 发现，应在 %s交办"), time_words(s, x->found_at, when),
		face_term(due, x->issue_due, s->now));
	const char *late = x->overdue ? _("（已超期）") : "";
	if (x->issued_at)
		cli_say(s->c, _("  %s 交办，应在 %s落实%s"), time_words(s, x->issued_at, when),
			face_term(due, x->resolve_due, s->now), x->escalated ? _("（已升级）") : late);
	if (x->closed_at)
		cli_say(s->c, _("  %s 销号"), time_words(s, x->closed_at, when));
	if (x->review_reason && x->review_reason[0])
		cli_say(s->c, _("  上次审核意见：%s"), x->review_reason);
	cli_say(s->c, "%s", x->n_addressee ? _("两校答复") : _("还没有下发给学校"));
	for (size_t i = 0; i < x->n_addressee; i++)
		say_addressee(s, x->addressee[i]);
	say_part(s, _("联系记录"), s->r->n_contact);
	for (size_t i = 0; i < s->r->n_contact; i++) {
		const pb_case_contact *k = s->r->contact[i];
		char next[FACE_SIZE];
		cli_say(s->c, _("  %s %s %s%s%s%s%s%s%s%s%s"), time_words(s, k->at, when), k->school_name,
			k->method, k->persons[0] ? _("，参与：") : "", k->persons,
			k->outcome[0] ? _("，结果：") : "", k->outcome, k->note[0] ? _("，记录：") : "",
			k->note, k->next_date ? _("，下次 ") : "", face_date(next, k->next_date));
	}
	say_part(s, _("系统提醒"), s->r->n_reminder);
	for (size_t i = 0; i < s->r->n_reminder; i++) {
		const pb_case_reminder *m = s->r->reminder[i];
		cli_say(s->c, _("  %s 提醒 %s：%s（第 %d 轮）"), time_words(s, m->at, when), m->school_name,
			admin_word(&codes_reminder, m->what), m->round);
	}
}

static void size_words(uint64_t size, char out[24])
{
	if (size < 1024 * 1024)
		snprintf(out, 24, "%llu KB", (unsigned long long)(size + 1023) / 1024);
	else
		snprintf(out, 24, "%.1f MB", (double)size / (1024 * 1024));
}

static void say_files(const struct show *s)
{
	say_part(s, C_("heading", "佐证材料"), s->r->n_file);
	for (size_t i = 0; i < s->r->n_file; i++) {
		const pb_case_file *f = s->r->file[i];
		char name[300], size[24], when[FACE_SIZE];
		case_file_cell(s->c, f->name, name, sizeof name);
		size_words(f->size, size);
		const char *read = f->read || s->path[i][0] ? _("您看过") : _("您还没有看过");
		cli_say(s->c, _("  %zu  %s  %s  %s 登记（该校电脑时间 %s）  %s"), i + 1, name, size,
			f->school_name, time_words(s, f->at, when), f->complete ? read : _("还没有传完"));
		if (s->path[i][0])
			cli_say(s->c, "     %s", s->path[i]);
	}
}

static void say_decisions(const struct show *s)
{
	char when[FACE_SIZE];

	for (size_t i = 0; i < s->r->n_decision; i++) {
		const pb_case_decision *w = s->r->decision[i];
		cli_say(s->c,
			w->reason[0] ? _("县局意见：%s %s，%s：%s，理由：%s")
				     : _("县局意见：%s %s，%s：%s%s"),
			time_words(s, w->at, when), w->by, admin_word(&codes_category, w->category),
			strcmp(w->decision, "accepted") == 0 ? _("认可") : _("不认可"), w->reason);
	}
}

/* ---- fetching and showing ---- */

static enum err fetch_files(struct show *s, struct link *link)
{
	const char *dir = cli_option(s->c, "files");
	enum err e = ERR_OK;

	for (size_t i = 0; dir && !e && i < s->r->n_file; i++)
		if (s->r->file[i]->complete) {
			cli_progress(s->c, _("取材料"), i, s->r->n_file);
			e = case_fetch(link, s->r->file[i], dir, s->path[i], &s->c->problem);
			if (e)
				s->path[i][0] = 0;
		}
	cli_progress_end(s->c);
	return e;
}

static void open_files(const struct show *s)
{
	if (!cli_flag(s->c, "open") || !cli_is_asked(s->c))
		return;
	for (size_t i = 0; i < s->r->n_file; i++)
		if (s->path[i][0] && !case_open(s->path[i]))
			cli_warn(s->c, _("没有自动打开 %s：请在文件夹里查看"), s->path[i]);
}

static void say_next(const struct show *s, bool slip)
{
	size_t unread = 0;

	for (size_t i = 0; i < s->r->n_file; i++)
		unread += s->r->file[i]->complete && !s->r->file[i]->read && !s->path[i][0];
	if (unread)
		cli_say(s->c, "%s", _("取出材料：再加 --files 文件夹"));
	if (slip && strcmp(s->r->slip->state, "answered") == 0)
		cli_say(s->c, _("审核：jgadmin transition slips review %s accept，或 return --reason 理由"),
			s->r->slip->no);
	else if (!slip && s->r->declared)
		cli_say(s->c,
			_("认定：jgadmin transition proof accept --year %d %s，或 refute --reason 理由"),
			s->r->year,
			strlen(cli_operand(s->c, 0)) < 8 ? cli_operand(s->c, 0) : C_("operand", "学生"));
}

static int show(struct cli *c, uint16_t method, const pb_case_request *q, bool slip)
{
	struct arena arena;
	const ProtobufCMessage *reply = NULL;
	struct link *link = NULL;
	struct show s = {.c = c, .now = profile_now_us(&c->profile)};

	if (cli_flag(c, "open") && !cli_option(c, "files"))
		return cli_fail_with(c, ERR_USAGE, "--files DIR --open", _("打开材料要先写取到哪个文件夹"));
	if (cli_option(c, "files") && received_folder(cli_option(c, "files"), &c->problem))
		return cli_fail(c);
	arena_init(&arena, 16u << 20);
	enum err e = login_link(&link, &c->profile, NULL, &c->problem);
	if (!e)
		e = link_ask(link, method, &q->base, &arena, &reply, &c->problem);
	if (!e) {
		s.r = (const pb_case_reply *)reply;
		s.path = arena_alloc(&arena, sizeof *s.path * (s.r->n_file + 1));
		e = s.path ? fetch_files(&s, link) : problem_set(&c->problem, ERR_NOMEM, NULL, NULL, NULL);
	}
	if (link)
		link_close(link);
	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	say_pupil(&s);
	say_slip(&s);
	say_files(&s);
	say_decisions(&s);
	say_next(&s, slip);
	open_files(&s);
	json_t *out = c->json ? case_json(&s) : json_null();
	arena_free(&arena);
	return cli_result(c, out, 0);
}

int cmd_slips_show(struct cli *c)
{
	pb_case_request q = PB_CASE_REQUEST_INIT;

	const char *slip = cli_operand(c, 0);

	if (!admin_shown_find(c, "slips", "transition slips list", &slip))
		return err_info(ERR_NOT_FOUND)->exit_code;
	q.name = (char *)(uintptr_t)slip;
	return show(c, METHOD_TRANSITION_SHOW_SLIP, &q, true);
}

int cmd_proof_show(struct cli *c)
{
	pb_case_request q = PB_CASE_REQUEST_INIT;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = 1;
	const char *pupil = cli_operand(c, 0);
	if (!admin_shown_find(c, "proofs", "transition proof list", &pupil))
		return err_info(ERR_NOT_FOUND)->exit_code;
	q.name = (char *)(uintptr_t)pupil;
	return show(c, METHOD_TRANSITION_SHOW_PROOF, &q, false);
}

/* ---- before a decision ---- */

/* Evidence that the reviewer has not looked at: how many, their names. */
static unsigned unread_files(struct cli *c, const pb_case_reply *r, char names[LINE_SIZE])
{
	char one[300];
	unsigned unread = 0;

	for (size_t i = 0; i < r->n_file; i++) {
		if (r->file[i]->read)
			continue;
		case_file_cell(c, r->file[i]->name, one, sizeof one);
		if (strlen(names) + strlen(one) + 8 < LINE_SIZE)
			snprintf(names + strlen(names), LINE_SIZE - strlen(names), "%s%s",
				unread ? _("、") : "", one);
		unread++;
	}
	return unread;
}

/* Two schools that say different things of one child: 演练县第1小学 外地就读、演练县第一初级中学 失联. ""
 * when they agree. */
static const char *contradiction(const pb_case_reply *r, char words[LINE_SIZE])
{
	const pb_slip_row *s = r->slip;
	bool differ = false;

	words[0] = 0;
	for (size_t i = 0; s && i < s->n_addressee; i++) {
		const pb_addressee_row *h = s->addressee[i];
		if (!h->outcome || !h->outcome[0])
			continue;
		differ |= strcmp(h->outcome, s->addressee[0]->outcome ? s->addressee[0]->outcome : "") != 0;
		if (strlen(words) + strlen(h->school_name) + 64 < LINE_SIZE)
			snprintf(words + strlen(words), LINE_SIZE - strlen(words), "%s%s %s",
				words[0] ? _("、") : "", h->school_name,
				admin_word(&codes_outcome, h->outcome));
	}
	if (!differ)
		words[0] = 0;
	return words;
}

bool admin_eyes_open(struct cli *c, uint16_t method, int32_t year, const char *name, int *code)
{
	pb_case_request q = PB_CASE_REQUEST_INIT;
	const ProtobufCMessage *reply;
	struct arena arena;
	char names[LINE_SIZE] = "", answers[LINE_SIZE] = "", look[320], shown[256];
	unsigned unread = 0;
	bool bare = false; /* nothing was handed in */

	q.has_year = year != 0;
	q.year = year;
	q.name = (char *)(uintptr_t)name;
	snprintf(shown, sizeof shown, "%s", name);
	if (!admin_ask(c, method, &q.base, &arena, &reply)) {
		unread = unread_files(c, (const pb_case_reply *)reply, names);
		contradiction((const pb_case_reply *)reply, answers);
		bare = method == METHOD_TRANSITION_SHOW_PROOF && ((const pb_case_reply *)reply)->declared &&
			!((const pb_case_reply *)reply)->n_file;
		const pb_slip_row *slip = ((const pb_case_reply *)reply)->slip;
		if (slip && slip->no &&
			*slip->no) /* JB2027-0001 says more than the id behind a short number */
			snprintf(shown, sizeof shown, "%s", slip->no);
	}
	arena_free(&arena);
	c->problem = (struct problem){0}; /* what is wrong with the name, the decision itself will say */
	if (!unread && !answers[0] && !bare)
		return true;
	if (method == METHOD_TRANSITION_SHOW_SLIP)
		snprintf(look, sizeof look, _("jgadmin transition slips show %s --files 文件夹"), shown);
	else /* a pupil's number is not repeated on the screen */
		snprintf(look, sizeof look, _("jgadmin transition proof show --year %d 学生 --files 文件夹"),
			year);
	if (answers[0])
		cli_warn(c,
			_("两校的回复不一致：%s。退回重办：jgadmin transition slips review"
			  " %s return --reason 理由"),
			answers, shown);
	if (unread)
		cli_warn(c, _("有 %u 份材料您还没有看过：%s。查看：%s"), unread, names, look);
	if (bare)
		cli_warn(c, "%s", _("没有一份材料"));
	if (!cli_is_asked(c) ||
		cli_confirm("认可|accept",
			unread ? _("不看材料就认可，请输入“认可”：") : _("仍要认可，请输入“认可”：")))
		return true;
	*code = cli_fail_with(c, ERR_NOT_NOW, look, _("没有确认，什么也没有改动"));
	return false;
}
