#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "blobs.h"
#include "clock.h"
#include "face.h"
#include "jg.h"
#include "keyring.h"
#include "lang.h"
#include "link.h"
#include "login.h"
#include "pdf_page.h"
#include "pinyin.h"
#include "staging.h"

#define DISK_LEAST (200ull << 20) /* a year's files of one school and room for SQLite's journal */
#define SKEW_MOST_S 300

struct doctor {
	struct cli *c;
	json_t *checks;
	bool ok;
};

static void check(struct doctor *d, const char *name, bool ok, const char *message, const char *mend)
{
	d->ok &= ok;
	cli_say(d->c, "%s %s%s%s%s", ok ? C_("check", "正常") : _("有问题"), message, ok ? "" : _("；"),
		ok ? "" : mend, "");
	json_array_append_new(d->checks,
		json_pack(
			"{ss sb ss ss}", "name", name, "ok", ok, "message", message, "mend", ok ? "" : mend));
}

static void check_files(struct doctor *d)
{
	static const char *const private[] = {"key.pem", "session.json", "store.key", "store.db"};
	struct statvfs disk;

	for (size_t i = 0; i < sizeof private / sizeof *private; i++) {
		char path[512], message[600];
		struct stat st;
		snprintf(path, sizeof path, "%s/%s", d->c->profile.dir, private[i]);
		if (stat(path, &st))
			continue;
		bool open = st.st_mode & 077 && strcmp(private[i], "store.db") != 0;
		snprintf(message, sizeof message, _("文件权限 %s"), path);
		check(d, private[i], !open, message, _("运行 chmod 600"));
	}
	bool room = statvfs(d->c->profile.dir, &disk) == 0 &&
		(unsigned long long)disk.f_bavail * disk.f_frsize > DISK_LEAST;
	check(d, "disk", room, _("磁盘空间"), _("清理出至少 200 MB"));
}

static void check_libraries(struct doctor *d)
{
	check(d, "pdf", !pdf_ready(NULL, NULL), _("打印用的 pango"), _("安装软件包 libpangocairo-1.0-0"));
	check(d, "pinyin", pinyin_ready(), _("按拼音查找用的 ICU"), _("安装软件包 libicu72"));
}

static void check_certificate(struct doctor *d)
{
	const struct profile *p = &d->c->profile;
	char message[128], until[FACE_SIZE];

	if (!profile_is_enrolled(p)) {
		check(d, "device", false, _("设备注册"), _("运行 jg connect --code 连接码"));
		return;
	}
	int64_t end = trust_cert_until(p->cert);
	face_day(until, end * 1000000, profile_now_us(p));
	snprintf(message, sizeof message, _("设备证书有效至 %s"), until);
	check(d, "certificate", end > profile_cert_time_s(p) && X509_check_private_key(p->cert, p->key) == 1,
		message, _("联网运行 jg sync 会自动换发"));
}

static bool integrity(struct store *s)
{
	sqlite3_stmt *stmt = store_prepare(s, "PRAGMA integrity_check(1)", NULL);
	bool ok = stmt && sqlite3_step(stmt) == SQLITE_ROW &&
		strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;

	sqlite3_finalize(stmt);
	return ok;
}

/* Every sealed body is opened and hashed again: it must give the lanes that were compared with the server. */
static bool bodies_agree(struct store *s)
{
	struct stream_state streams[STORE_STREAMS_MAX];
	uint32_t quick[LANES], deep[LANES];
	size_t n;

	if (store_streams(s, streams, &n, NULL))
		return false;
	for (size_t i = 0; i < n; i++)
		if (staging_digest(s, streams[i].stream, false, quick, NULL) ||
			staging_digest(s, streams[i].stream, true, deep, NULL) ||
			memcmp(quick, deep, sizeof quick) != 0)
			return false;
	return true;
}

/* A draft has no number. */
static bool outbox_is_whole(struct store *s)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"SELECT count(*), coalesce(max(op_no), 0), coalesce(min(op_no), 1)"
		" FROM outbox"
		" WHERE incarnation = ? AND op_no IS NOT NULL",
		NULL);
	bool ok = false;

	if (stmt) {
		sqlite3_bind_int64(stmt, 1, s->incarnation);
		if (sqlite3_step(stmt) == SQLITE_ROW) {
			int64_t n = sqlite3_column_int64(stmt, 0), last = sqlite3_column_int64(stmt, 1),
				first = sqlite3_column_int64(stmt, 2);
			ok = n == 0 || (last - first + 1 == n && (uint64_t)last == s->made);
		}
	}
	sqlite3_finalize(stmt);
	return ok;
}

static void check_store(struct doctor *d)
{
	struct blob_counts files;
	int code;
	char message[64];

	if (access(d->c->profile.dir, R_OK) || !profile_is_enrolled(&d->c->profile))
		return;
	struct store *s = jg_store(d->c, &code);
	check(d, "store", s && integrity(s), _("本地数据库"),
		_("从备份取回 store.db，或删去后重新同步（未发送的内容会丢）"));
	if (!s)
		return;
	check(d, "sealed", bodies_agree(s), _("加密内容与核对和"), _("运行 jg sync；仍不一致请告诉教育局"));
	if (d->c->profile.key_place == KEY_FILE && keyring_ready() == KEYRING_OK)
		check(d, "key", true,
			_("密钥在文件里，而系统密钥环可用：待发为零时删去 store.key 和 store.db 再 sync，"
			  "密钥即存入密钥环"),
			"");
	check(d, "outbox", outbox_is_whole(s), _("待发序号"), _("请保留目录并联系教育局"));
	bool read = !blob_counts(s, &files, NULL);
	snprintf(message, sizeof message, _("不能发送的文件 %zu 个"), files.failed);
	check(d, "files", read && !files.failed, message, _("jg evidence list 写着是哪些、怎么办"));
}

static void check_server(struct doctor *d)
{
	struct profile *p = &d->c->profile;
	struct link *link;
	char message[400];

	if (!profile_is_enrolled(p))
		return;
	enum err e = link_open(&link, p, NULL, &d->c->problem);
	snprintf(message, sizeof message, _("服务器 %s"), p->server);
	check(d, "server", !e, message, e ? d->c->problem.message : "");
	if (e)
		return;
	link_close(link);
	int64_t skew = p->skew_us / 1000000;
	if (p->rehearsal && (skew >= SKEW_MOST_S || skew <= -SKEW_MOST_S))
		snprintf(message, sizeof message, _("演练县的时钟是拨过的，与这台电脑相差 %lld 天，不用校正"),
			(long long)((skew < 0 ? -skew : skew) + 43200) / 86400);
	else
		snprintf(message, sizeof message, _("时钟与服务器相差 %lld 秒"), (long long)skew);
	check(d, "clock", p->rehearsal || (skew < SKEW_MOST_S && skew > -SKEW_MOST_S), message,
		_("校正这台电脑的时间"));
}

int cmd_doctor(struct cli *c)
{
	struct doctor d = {c, json_array(), true};

	check_files(&d);
	check_libraries(&d);
	check_certificate(&d);
	check_store(&d);
	check_server(&d);
	return cli_result(c, json_pack("{sb so}", "ok", d.ok, "checks", d.checks),
		d.ok ? 0 : err_info(ERR_INTERNAL)->exit_code);
}
