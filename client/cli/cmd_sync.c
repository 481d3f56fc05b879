#include <string.h>

#include "blobs.h"
#include "clock.h"
#include "cycle.h"
#include "face.h"
#include "jg.h"
#include "lang.h"
#include "link.h"
#include "tables.h"

/* how often a watching sync looks whether other commands have queued something */
#define WATCH_EVENT_MS 2000
#define WATCH_PULL_S 300 /* and pulls even when no event came */

const struct cli_option sync_options[] = {
	{"watch", NULL, N_("一直连着，有变化就同步")},
	{0},
};

/* The worst digest of all streams: false when one differs, null when none was compared. */
static json_t *digest_json(struct store *s, bool differed, json_t *cursors)
{
	struct stream_state streams[STORE_STREAMS_MAX];
	int worst = -1;
	size_t n;

	if (store_streams(s, streams, &n, NULL))
		return json_null();
	for (size_t i = 0; i < n; i++) {
		char key[24];
		snprintf(key, sizeof key, "%lld", (long long)streams[i].stream);
		if (cursors)
			json_object_set_new(cursors, key, json_integer((json_int_t)streams[i].cursor));
		if (streams[i].digest == 0 || worst < 0)
			worst = streams[i].digest == 0 ? 0 : streams[i].digest;
	}
	if (differed)
		worst = 0;
	return worst < 0 ? json_null() : json_boolean(worst);
}

void jg_tell_sealed(struct cli *c)
{
	char names[REVOKED_NAMES];

	if (!revoked_holds(&c->profile, names))
		return;
	cli_warn(c,
		profile_has_role(&c->profile, 1u << ROLE_REGISTRAR)
			? _("这台电脑停用前没有发送的内容还封存在 %s 的 %s 里：运行 jg sync 打开")
			: _("这台电脑停用前没有发送的内容还封存在 %s 的 %s 里，没有丢："
			    "请学籍管理员在这台电脑上登录（jg login）并运行 jg sync，就能打开"),
		c->profile.dir, names);
}

/* What was sealed when this computer was revoked (revoked.h). */
static void tell_opened(struct cli *c, const struct revoked_opened *opened)
{
	if (!profile_has_role(&c->profile, 1u << ROLE_REGISTRAR))
		jg_tell_sealed(c);
	if (opened->drafts)
		cli_warn(c,
			_("这台电脑停用前没有发送的 %zu 项已经打开，等您决定："
			  "jg outbox list 列出，发送用 jg outbox fix 序号，不要了用 jg outbox withdraw 序号"),
			opened->drafts);
	if (opened->foreign[0])
		cli_warn(c,
			_("%s 里的 %s 是别的学校的电脑封存的，在这里打不开："
			  "请拷到那所学校已注册的电脑上打开，或移到别的文件夹"),
			c->profile.dir, opened->foreign);
	if (opened->damaged[0])
		cli_warn(c, _("%s 里的 %s 打不开：已损坏，或不是本县封存的。请从备份取回，或移到别的文件夹"),
			c->profile.dir, opened->damaged);
}

static int tell_report(struct cli *c, struct store *store, const struct sync_report *r)
{
	struct outbox_counts counts;
	struct blob_counts files;

	if (outbox_counts(store, &counts, &c->problem) || blob_counts(store, &files, &c->problem))
		return cli_fail(c);
	json_t *cursors = json_object(), *digest = digest_json(store, r->digest_differed, cursors);
	if (r->drafts)
		cli_warn(c,
			_("这台电脑的数据曾被还原：%zu 项未发送的内容等您决定："
			  "jg outbox list 列出，发送用 jg outbox fix 序号，不要了用 jg outbox withdraw 序号"),
			r->drafts);
	tell_opened(c, &r->opened);
	if (r->resent)
		cli_warn(c, "%s", _("服务器曾从备份恢复，本机已补发"));
	if (r->digest_differed)
		cli_warn(c, "%s", _("与服务器的核对和不一致，已重新接收；请把这一情况告诉教育局"));
	cli_say(c, _("发送 %zu，接收 %zu，冲突 %zu，被退回 %zu，待发 %zu"), r->pushed, r->pulled,
		r->conflicts, r->refused, counts.unsent);
	if (counts.of[OP_CONFLICT])
		cli_warn(c, _("%zu 项修改与他人的不同，等您决定：jg conflicts list"), counts.of[OP_CONFLICT]);
	if (counts.of[OP_REFUSED] + counts.of[OP_BLOCKED])
		cli_warn(c, _("%zu 项没有被接受，原因和改法见：jg outbox list"),
			counts.of[OP_REFUSED] + counts.of[OP_BLOCKED]);
	if (r->held_by[0])
		cli_warn(c,
			_("待发内容里有 %s 登录时录入的，须由其本人或学籍管理员登录（jg login）后发送；"
			  "都保存在本机"),
			r->held_by);
	jg_tell_failed_files(c, files.failed);
	const char *next = files.failed ? "jg evidence list" : "jg todo";
	if (counts.of[OP_CONFLICT])
		next = "jg conflicts list";
	else if (r->refused || counts.of[OP_DRAFT])
		next = "jg outbox list";
	cli_next(c, "%s", next);
	int code =
		r->held_by[0] || counts.of[OP_CONFLICT] || r->refused || counts.of[OP_DRAFT] || files.failed
		? err_info(ERR_CONFLICT)->exit_code
		: 0;
	return cli_result(c,
		json_pack("{sI sI sI sI sI so so so sI}", "pushed", (json_int_t)r->pushed, "pulled",
			(json_int_t)r->pulled, "conflicts", (json_int_t)r->conflicts, "refused",
			(json_int_t)r->refused, "pending", (json_int_t)counts.unsent, "cursor", cursors,
			"digest_ok", digest, "held_by", r->held_by[0] ? json_string(r->held_by) : json_null(),
			"opened", (json_int_t)r->opened.drafts),
		code);
}

/* Whether another command has queued something; the lock is held only for the look. */
static bool has_waiting(struct cli *c)
{
	struct outbox_counts counts;
	struct blob_counts files;
	int code;
	struct store *store = jg_store(c, &code);

	if (!store)
		return false;
	return outbox_counts(store, &counts, NULL) || blob_counts(store, &files, NULL) ||
		counts.of[OP_WAITING] || files.waiting;
}

/* Waits without lock and store, so that other commands work meanwhile; true when there is something to do. */
static bool wait_for_work(struct cli *c, struct link *link, uint64_t since)
{
	int64_t stream;

	jg_finish(c);
	profile_unlock(&c->profile);
	enum err e = link_wait_event(link, WATCH_EVENT_MS, &stream, &c->problem);
	if (cli_lock(c))
		return false;
	return e != ERR_DEADLINE || has_waiting(c) || clock_monotonic_us() - since > WATCH_PULL_S * 1000000u;
}

static int watch(struct cli *c, struct link *link)
{
	pb_empty request = PB_EMPTY_INIT;
	struct sync_report report;

	for (;;) {
		uint64_t since = clock_monotonic_us();
		if (!link || link_call(link, METHOD_SYNC_WATCH, &request.base, NULL, NULL, &c->problem))
			return cli_fail(c);
		while (!wait_for_work(c, link, since))
			if (!c->profile.session.user[0])
				return cli_fail(c);
		link_close(link);
		link = NULL;
		int code;
		if (!jg_store(c, &code))
			return code;
		enum err e = jg_sync(c, false, &report, &link);
		if (e && err_info((int)e)->level != ERR_LEVEL_RETRY)
			return cli_fail(c);
		if (report.pushed || report.pulled)
			cli_say(c, _("发送 %zu，接收 %zu，冲突 %zu，被退回 %zu"), report.pushed,
				report.pulled, report.conflicts, report.refused);
		fflush(stdout); /* whoever reads a pipe wants it now */
	}
}

int cmd_sync(struct cli *c)
{
	struct sync_report report;
	struct link *link = NULL;
	int code;
	struct store *store = jg_store(c, &code);

	if (!store)
		return code;
	if (!cli_flag(c, "watch")) {
		code = jg_sync_now(c, SYNC_BUDGET_MS, &report);
		return code ? code : tell_report(c, store, &report);
	}
	enum err e = jg_sync(c, false, &report, &link);
	if (e)
		return cli_fail(c);
	tell_report(c, store, &report);
	fflush(stdout);
	return watch(c, link);
}

static const char *const key_codes[] = {
	[KEY_FILE] = "file", [KEY_PASSPHRASE] = "passphrase", [KEY_KEYRING] = "keyring"};

static const char *key_words(enum key_place place)
{
	if (place == KEY_KEYRING)
		return _("本机数据的密钥在系统密钥环中");
	if (place == KEY_PASSPHRASE)
		return _("本机数据的密钥由口令保护");
	return _("本机数据的密钥未加口令，存放在仅本人可读的文件中");
}

/* The sentence of an error whose name was kept. */
static const char *error_words(const char *name)
{
	static const enum err all[] = {
#define X(row, ...) ERR_##row,
#include "err.def"
#undef X
	};

	for (size_t i = 0; *name && i < sizeof all / sizeof *all; i++)
		if (strcmp(err_info((int)all[i])->name, name) == 0)
			return _(err_info((int)all[i])->sentence);
	return *name ? _("原因不明，请运行 jg doctor") : "";
}

int cmd_status(struct cli *c)
{
	struct outbox_counts counts;
	struct blob_counts files;
	int64_t last_try, receipt, skew = c->profile.skew_us / 1000000;
	char error[32], at[FACE_SIZE];
	int code;
	struct store *store = jg_store(c, &code);

	if (!store)
		return code;
	if (outbox_counts(store, &counts, &c->problem) || blob_counts(store, &files, &c->problem) ||
		store_get_text(store, "last_error", error, sizeof error, &c->problem) ||
		store_get_int(store, "last_try", &last_try, &c->problem) ||
		store_get_int(store, "last_receipt", &receipt, &c->problem))
		return cli_fail(c);
	json_t *digest = digest_json(store, false, NULL);
	bool online = last_try && !*error;

	face_time(at, last_try, clock_now_us());
	cli_say(c, _("学校 %s%s"), c->profile.school_name[0] ? c->profile.school_name : c->profile.school,
		c->profile.rehearsal ? _("　演练") : "");
	cli_say(c, _("用户 %s"), c->profile.session.user[0] ? c->profile.session.user : _("未登录"));
	cli_say(c,
		_("待发 %zu，结果未知 %zu，已收 %zu，被退回 %zu，受阻 %zu，冲突 %zu，待确认 %zu，待传文件 %zu"),
		counts.of[OP_WAITING], counts.of[OP_UNKNOWN], counts.of[OP_ACCEPTED], counts.of[OP_REFUSED],
		counts.of[OP_BLOCKED], counts.of[OP_CONFLICT], counts.of[OP_DRAFT], files.waiting);
	jg_tell_failed_files(c, files.failed);
	jg_tell_sealed(c);
	cli_say(c, *error ? _("最近一次同步 %s，没有成功：%s") : _("最近一次同步 %s%s"), *at ? at : _("无"),
		error_words(error));
	cli_say(c, "%s", key_words(c->profile.key_place));
	json_t *json = json_pack("{ss ss sb sI sI sI sI sI sI sI so s{so so} so so sI}", "school",
		c->profile.school, "user", c->profile.session.user, "online", online, "waiting",
		(json_int_t)counts.of[OP_WAITING], "unknown", (json_int_t)counts.of[OP_UNKNOWN], "accepted",
		(json_int_t)counts.of[OP_ACCEPTED], "refused", (json_int_t)counts.of[OP_REFUSED], "blocked",
		(json_int_t)counts.of[OP_BLOCKED], "conflicts", (json_int_t)counts.of[OP_CONFLICT],
		"files_waiting", (json_int_t)files.waiting, "last_receipt", cli_time_json(receipt),
		"last_try", "at", cli_time_json(last_try), "error", *error ? json_string(error) : json_null(),
		"oldest_waiting", cli_time_json(counts.oldest), "digest_ok", digest, "clock_skew_s",
		(json_int_t)skew);
	json_object_set_new(json, "drafts", json_integer((json_int_t)counts.of[OP_DRAFT]));
	json_object_set_new(json, "files_given_up", json_integer((json_int_t)files.failed));
	json_object_set_new(json, "key_protected", json_boolean(c->profile.key_place != KEY_FILE));
	json_object_set_new(json, "key_store", json_string(key_codes[c->profile.key_place]));
	json_object_set_new(json, "rehearsal", json_boolean(c->profile.rehearsal));
	return cli_result(c, json, 0);
}
