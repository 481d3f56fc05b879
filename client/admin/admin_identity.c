/* People and computers. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "class_scope.h"
#include "clock.h"
#include "codes.h"
#include "invite_pdf.h"
#include "lang.h"
#include "pdf_page.h"
#include "pinyin.h"
#include "tables.h"

/* --school CODE or --bureau; false: told, *code set. */
static bool scope_of(struct cli *c, const char **school, int *code)
{
	*school = cli_option(c, "school");
	if (!*school == !cli_flag(c, "bureau")) {
		*code = cli_fail_with(c, ERR_USAGE, NULL, _("--school 学校 与 --bureau 选一个"));
		return false;
	}
	if (!*school)
		*school = "";
	return true;
}

/* 六年级1班、六年级2班 */
static const char *class_words(char *const *klass, size_t n, char *out, size_t size)
{
	char one[64];

	*out = 0;
	for (size_t i = 0; i < n; i++) {
		class_scope_text(one, sizeof one, klass[i]);
		if (strlen(out) + strlen(one) + 4 < size)
			snprintf(out + strlen(out), size - strlen(out), "%s%s", i ? _("、") : "", one);
	}
	return out;
}

/* A new account is of use on an enrolled computer. */
static void next_of_account(const struct cli *c, const char *user)
{
	const char *school = cli_option(c, "school");

	if (school)
		cli_next(c, _("jgadmin devices invite --school %s 发连接码；那台电脑注册后运行 jg login %s"),
			school, user);
	else if (cli_flag(c, "bureau"))
		cli_next(c,
			_("jgadmin devices invite --bureau 发连接码；那台电脑注册后运行 jgadmin login %s"),
			user);
}

/* What has come of it: a password to be handed over, a change made, or one that another administrator has to
 * grant. */
static int show_secret(struct cli *c, const ProtobufCMessage *reply)
{
	const pb_user_secret *s = (const pb_user_secret *)reply;
	char classes[256];

	if (s->n_klass)
		cli_say(c, _("负责 %s"), class_words(s->klass, s->n_klass, classes, sizeof classes));
	if (s->waiting)
		cli_say(c, _("帐号 %s：还没有改动，等 %s 核准：jgadmin users grant %s"), s->user,
			s->granter && s->granter[0] ? s->granter : _("另一位管理员"), s->user);
	else if (s->password)
		cli_say(c,
			_("帐号 %s  初始密码 %s  （只显示这一次；72 小时内首次登录，登录后 24 小时内修改）"),
			s->user, s->password);
	else
		cli_say(c, _("帐号 %s：已完成"), s->user);
	if (s->password)
		next_of_account(c, s->user);
	json_t *json = json_pack("{s:s,s:o,s:b}", "user", s->user, "classes",
		admin_texts(s->klass, s->n_klass), "waiting", s->waiting);
	if (s->password)
		json_object_set_new(json, "password", json_string(s->password));
	if (s->waiting)
		json_object_set_new(json, "granter", admin_text(s->granter));
	return cli_result(c, json, 0);
}

static int ask_secret(struct cli *c, uint16_t method, const ProtobufCMessage *q)
{
	struct arena arena;
	const ProtobufCMessage *reply;
	enum err e = admin_ask(c, method, q, &arena, &reply);
	int code = e ? cli_fail(c) : show_secret(c, reply);

	arena_free(&arena);
	return code;
}

/* The roles and classes of the command line. False: the usage has been told and *code is the exit code. */
static bool take_roles(struct cli *c, Jingguan__V1__Role roles[4], size_t *n_roles,
	char *classes[PROFILE_CLASSES_MAX], size_t *n_classes, int *code)
{
	const char *text;

	for (int i = 0; i < 4 && (text = cli_option_at(c, "role", i)); i++) {
		unsigned role = role_by_name(text);
		if (!role)
			role = (unsigned)atoi(
				code_find(&codes_role, text) ? code_find(&codes_role, text) : "0");
		if (!role) {
			char all[HINT_SIZE];
			*code = cli_fail_with(c, ERR_USAGE, code_list_words(&codes_role, all, sizeof all),
				_("没有角色 %s"), text);
			return false;
		}
		roles[(*n_roles)++] = (Jingguan__V1__Role)role;
	}
	for (int i = 0; i < PROFILE_CLASSES_MAX && (text = cli_option_at(c, "class", i)); i++)
		classes[(*n_classes)++] = (char *)(uintptr_t)text;
	return true;
}

/* Whoever has an account of that name already is told: a second one is rarely meant. */
static bool namesake_confirmed(struct cli *c, const char *school, const char *name)
{
	pb_empty q = PB_EMPTY_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	bool there = !admin_ask(c, METHOD_IDENTITY_LIST_USERS, &q.base, &arena, &reply), found = false;
	const pb_user_list *list = there ? (const pb_user_list *)reply : NULL;

	for (size_t i = 0; list && i < list->n_user; i++)
		if (strcmp(list->user[i]->name, name) == 0 && strcmp(list->user[i]->school, school) == 0 &&
			!list->user[i]->disabled) {
			found = true;
			cli_warn(c, _("已经有一个叫%s的帐号：%s"), name, list->user[i]->user);
		}
	arena_free(&arena);
	c->problem = (struct problem){0}; /* what is wrong, making it will say */
	return !found || !cli_is_asked(c) || cli_confirm("是|yes", _("仍要再建一个，请输入“是”："));
}

static int cmd_users_add(struct cli *c)
{
	pb_user_add q = PB_USER_ADD_INIT;
	Jingguan__V1__Role roles[4];
	char *classes[PROFILE_CLASSES_MAX];
	const char *school;
	int code;

	if (!scope_of(c, &school, &code))
		return code;
	q.role = roles;
	q.klass = classes;
	if (!take_roles(c, roles, &q.n_role, classes, &q.n_klass, &code))
		return code;
	q.school = (char *)(uintptr_t)school;
	q.name = (char *)(uintptr_t)cli_operand(c, 0);
	/* The log-in is made from the name: 王小明 → wangxiaoming; the server makes it unique. */
	char login[128];
	pinyin(q.name, login, sizeof login);
	q.login = cli_option(c, "user") ? (char *)(uintptr_t)cli_option(c, "user") : login;
	if (!namesake_confirmed(c, school, q.name))
		return cli_fail_with(c, ERR_NOT_NOW,
			_("忘了密码用 jgadmin users reset 帐号；是另一个人就再运行一次"),
			_("没有确认，什么也没有改动"));
	return ask_secret(c, METHOD_IDENTITY_ADD_USER, &q.base);
}

static int cmd_users_set(struct cli *c)
{
	pb_user_set q = PB_USER_SET_INIT;
	Jingguan__V1__Role roles[4];
	char *classes[PROFILE_CLASSES_MAX];
	int code;

	q.user = (char *)(uintptr_t)cli_operand(c, 0);
	q.name = (char *)(uintptr_t)cli_option(c, "name");
	q.role = roles;
	q.klass = classes;
	if (!take_roles(c, roles, &q.n_role, classes, &q.n_klass, &code))
		return code;
	if (!q.name && !q.n_role && !q.n_klass)
		return cli_fail_with(
			c, ERR_USAGE, _("jgadmin users set wanglaoshi --class 六2班"), _("没有说要改什么"));
	return ask_secret(c, METHOD_IDENTITY_SET_USER, &q.base);
}

static int cmd_users_reset(struct cli *c)
{
	pb_user_name q = PB_USER_NAME_INIT;

	q.user = (char *)(uintptr_t)cli_operand(c, 0);
	return ask_secret(c, METHOD_IDENTITY_RESET_USER, &q.base);
}

static int cmd_users_disable(struct cli *c)
{
	pb_user_name q = PB_USER_NAME_INIT;

	q.user = (char *)(uintptr_t)cli_operand(c, 0);
	if (cli_is_asked(c) &&
		!cli_confirm(q.user,
			_("停用后这个人马上不能登录（以后可用 jgadmin users enable 恢复）。"
			  "确认请再输入一遍帐号名：")))
		return cli_fail_with(c, ERR_NOT_NOW,
			_("jgadmin users list 看是谁；只是忘了密码用 jgadmin users reset"),
			_("没有确认，什么也没有改动"));
	return ask_secret(c, METHOD_IDENTITY_DISABLE_USER, &q.base);
}

static int cmd_users_enable(struct cli *c)
{
	pb_user_name q = PB_USER_NAME_INIT;

	q.user = (char *)(uintptr_t)cli_operand(c, 0);
	return ask_secret(c, METHOD_IDENTITY_ENABLE_USER, &q.base);
}

static const char *role_words(const Jingguan__V1__Role *role, size_t n, char *out, size_t size)
{
	char number[8];
	size_t used = 0;

	*out = 0;
	for (size_t i = 0; i < n && used < size; i++) {
		snprintf(number, sizeof number, "%u", (unsigned)role[i]);
		used += (size_t)snprintf(
			out + used, size - used, "%s%s", i ? _("、") : "", admin_word(&codes_role, number));
	}
	return out;
}

static const char *asked_words(const char *asked)
{
	if (strcmp(asked, "add") == 0)
		return _("新建帐号");
	if (strcmp(asked, "reset") == 0)
		return _("重置密码（新密码将告诉您）");
	return strcmp(asked, "enable") == 0 ? _("恢复帐号") : _("停用帐号");
}

/* What waits for an account, in words: who asked, and what is to become what. */
static void say_request(const struct cli *c, const pb_user *u)
{
	char before[160], after[160];
	const char *asked = u->asked;

	if (strcmp(asked, "set") == 0)
		cli_say(c, _("%s 申请改帐号 %s：姓名 %s → %s；角色 %s → %s"), u->asked_by, u->user, u->name,
			u->asked_name, role_words(u->role, u->n_role, before, sizeof before),
			role_words(u->asked_role, u->n_asked_role, after, sizeof after));
	else
		cli_say(c, _("%s 申请%s：%s（%s），角色 %s"), u->asked_by, asked_words(asked), u->user,
			u->name, role_words(u->role, u->n_role, before, sizeof before));
}

/* Shows what is asked and takes its number along, so that nothing else is granted; at a terminal the name is
 * typed. */
static bool grant_seen(struct cli *c, pb_user_grant *q, int *code)
{
	pb_empty all = PB_EMPTY_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	char prompt[200];

	if (admin_ask(c, METHOD_IDENTITY_LIST_USERS, &all.base, &arena, &reply)) {
		arena_free(&arena);
		*code = cli_fail(c);
		return false;
	}
	const pb_user_list *list = (const pb_user_list *)reply;
	for (size_t i = 0; i < list->n_user; i++) {
		const pb_user *u = list->user[i];
		if (strcmp(u->user, q->user) != 0 || !u->has_request)
			continue;
		q->has_request = 1;
		q->request = u->request;
		say_request(c, u);
	}
	arena_free(&arena);
	snprintf(prompt, sizeof prompt, _("同意请输入帐号名 %s："), q->user);
	if (!q->has_request || !cli_is_asked(c) || cli_confirm(q->user, prompt))
		return true; /* where nothing waits, the server says so */
	snprintf(prompt, sizeof prompt, _("不同意：jgadmin users grant %s --refuse"), q->user);
	*code = cli_fail_with(c, ERR_NOT_NOW, prompt, _("没有确认，什么也没有改动"));
	return false;
}

static int cmd_users_grant(struct cli *c)
{
	pb_user_grant q = PB_USER_GRANT_INIT;
	int code;

	q.user = (char *)(uintptr_t)cli_operand(c, 0);
	q.has_refuse = 1;
	q.refuse = cli_flag(c, "refuse");
	if (!q.refuse && !grant_seen(c, &q, &code))
		return code;
	return ask_secret(c, METHOD_IDENTITY_GRANT_USER, &q.base);
}

static int ask_done(
	struct cli *c, uint16_t method, const ProtobufCMessage *q, const char *key, const char *value)
{
	struct arena arena;
	enum err e = admin_ask(c, method, q, &arena, NULL);

	arena_free(&arena);
	if (e)
		return cli_fail(c);
	cli_say(c, "%s", _("已完成"));
	return cli_result(c, json_pack("{s:s,s:b}", key, value, "done", 1), 0);
}

static int cmd_users_unlock(struct cli *c)
{
	pb_user_name q = PB_USER_NAME_INIT;

	q.user = (char *)(uintptr_t)cli_operand(c, 0);
	return ask_done(c, METHOD_IDENTITY_UNLOCK_USER, &q.base, "user", q.user);
}

static json_t *user_json(const pb_user *u)
{
	json_t *roles = json_array();

	for (size_t i = 0; i < u->n_role; i++)
		json_array_append_new(roles, json_string(role_name((unsigned)u->role[i])));
	json_t *wanted = json_array();

	for (size_t i = 0; i < u->n_asked_role; i++)
		json_array_append_new(wanted, json_string(role_name((unsigned)u->asked_role[i])));
	return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:b,s:b,s:b,s:o,s:o,s:o,s:o,s:o}", "id", u->user, "user",
		u->user, "name", u->name, "school", u->school, "roles", roles, "classes",
		admin_texts(u->klass, u->n_klass), "disabled", u->disabled, "locked", u->locked,
		"must_change", u->must_change, "last_login", cli_time_json(u->last_login), "waiting",
		admin_text(u->asked), "asked_by", admin_text(u->asked_by), "asked_name",
		admin_text(u->asked_name), "asked_roles", wanted);
}

static const char *account_state(const pb_user *u)
{
	if (u->asked && u->asked[0])
		return _("待核准");
	if (u->disabled)
		return _("停用");
	if (u->locked)
		return _("锁定");
	return u->must_change ? _("待改密") : _("正常");
}

static int cmd_users_list(struct cli *c)
{
	const char *const headings[] = {
		_("帐号"), _("姓名"), _("学校"), _("角色"), _("班级"), _("状态"), _("最近登录")};
	pb_empty q = PB_EMPTY_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;

	if (admin_ask(c, METHOD_IDENTITY_LIST_USERS, &q.base, &arena, &reply)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_user_list *list = (const pb_user_list *)reply;
	admin_schools(c);
	json_t *out = json_array();
	struct cli_table *t = cli_table_new(headings, 7);
	for (size_t i = 0; i < list->n_user; i++) {
		const pb_user *u = list->user[i];
		if (u->has_request)
			say_request(c, u);
		char roles[160] = "", when[FACE_SIZE], classes[256], number[8];
		for (size_t k = 0; k < u->n_role; k++) {
			snprintf(number, sizeof number, "%u", (unsigned)u->role[k]);
			snprintf(roles + strlen(roles), sizeof roles - strlen(roles), "%s%s",
				k ? _("、") : "", code_name(&codes_role, number));
		}
		class_words(u->klass, u->n_klass, classes, sizeof classes);
		cli_table_row(t,
			(const char *const[]){u->user, u->name,
				u->school[0] ? admin_school(c, u->school) : _("县局"), roles, classes,
				account_state(u), admin_time(u->last_login, when)});
		json_array_append_new(out, user_json(u));
	}
	cli_table_print(c, t);
	if (profile_has_role(&c->profile, 1u << ROLE_SYSADMIN))
		cli_next(c, "%s",
			_("jgadmin users add --bureau --role basic_edu 姓名 新建县局帐号；"
			  "学校帐号用 jgadmin users add --school 学校 --role registrar 姓名"));
	arena_free(&arena);
	return cli_result(c, out, 0);
}

/* ---- devices ---- */

static json_t *invitation_json(const pb_invitation *i)
{
	return json_pack("{s:s,s:o,s:s,s:s}", "code", i->code, "expires", cli_time_json(i->expires), "school",
		i->school, "name", i->school_name);
}

static int show_invitations(struct cli *c, const pb_invitation_list *list)
{
	const char *path = cli_option(c, "o");
	bool printed = path && !invite_pdf(path, list, c->profile.county_name, &c->problem);
	json_t *all = json_array();
	char when[FACE_SIZE];

	for (size_t i = 0; i < list->n_invitation; i++) {
		json_array_append_new(all, invitation_json(list->invitation[i]));
		/* also where the paper failed: the server has made the codes, and tells them only once */
		if (!printed)
			cli_say(c, _("%s  连接码 %s  %s 前有效"), list->invitation[i]->school_name,
				list->invitation[i]->code, admin_time(list->invitation[i]->expires, when));
	}
	if (path && !printed) {
		json_t *out =
			json_pack("{s:o,s:n,s:o}", "invitations", all, "file", "error", cli_error_json(c));
		cli_result(c, out, 0);
		return cli_fail(c);
	}
	if (!printed && list->n_invitation)
		cli_next(c, _("在那台电脑上运行 %s connect --code 连接码"),
			list->invitation[0]->school[0] ? "jg" : "jgadmin");
	if (printed && list->n_invitation)
		cli_say(c, _("%s：%zu 张连接码，%s 前各用一次。打印后当面交给各校，再删除这个文件"), path,
			list->n_invitation, admin_time(list->invitation[0]->expires, when));
	if (cli_flag(c, "all") || list->n_invitation != 1)
		return cli_result(c, json_pack("{s:o,s:o}", "invitations", all, "file", admin_text(path)), 0);
	json_decref(all);
	return cli_result(c, invitation_json(list->invitation[0]), 0);
}

static int cmd_devices_invite(struct cli *c)
{
	pb_invite q = PB_INVITE_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	const char *school = "", *path = cli_option(c, "o");
	int code;

	if (!cli_flag(c, "all") && !scope_of(c, &school, &code))
		return code;
	if (path && pdf_ready(path, &c->problem)) /* before the server has made codes for it */
		return cli_fail(c);
	q.school = (char *)(uintptr_t)school;
	q.has_all = 1;
	q.all = cli_flag(c, "all");
	enum err e = admin_ask(c, METHOD_IDENTITY_INVITE_DEVICE, &q.base, &arena, &reply);
	code = e ? cli_fail(c) : show_invitations(c, (const pb_invitation_list *)reply);
	arena_free(&arena);
	return code;
}

static int cmd_devices_list(struct cli *c)
{
	const char *const headings[] = {_("序号"), _("学校"), _("计算机"), _("版本"), _("最近联系"),
		_("待传"), _("证书到期"), _("状态"), _("设备")};
	pb_empty q = PB_EMPTY_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;

	if (admin_ask(c, METHOD_IDENTITY_LIST_DEVICES, &q.base, &arena, &reply)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_device_list *list = (const pb_device_list *)reply;
	admin_schools(c);
	json_t *out = json_array();
	struct cli_table *t = cli_table_new(headings, 9);
	json_t *shown = json_object();
	for (size_t i = 0; i < list->n_device; i++) {
		const pb_device *d = list->device[i];
		char contact[FACE_SIZE], until[FACE_SIZE], pending[24], number[24];
		snprintf(number, sizeof number, "%zu", i + 1);
		json_object_set_new(shown, number, json_string(d->id));
		snprintf(pending, sizeof pending, "%llu", (unsigned long long)d->pending);
		cli_table_row(t,
			(const char *const[]){number, d->school[0] ? admin_school(c, d->school) : _("县局"),
				d->host, d->version, admin_time(d->last_contact, contact), pending,
				admin_time(d->cert_until, until), d->revoked ? _("已停用") : _("正常"),
				d->id});
		json_array_append_new(out,
			json_pack("{s:s,s:s,s:s,s:s,s:o,s:I,s:I,s:o,s:b}", "id", d->id, "school", d->school,
				"host", d->host, "version", d->version, "last_contact",
				cli_time_json(d->last_contact), "last_op", (json_int_t)d->last_op, "pending",
				(json_int_t)d->pending, "cert_until", cli_time_json(d->cert_until), "revoked",
				d->revoked));
	}
	admin_shown_keep(c, "devices", shown);
	cli_table_print(c, t);
	cli_next(c, "%s",
		_("停用丢失或换掉的电脑：jgadmin devices revoke 序号；给新电脑发连接码："
		  "jgadmin devices invite --school 学校标识码"));
	arena_free(&arena);
	return cli_result(c, out, 0);
}

/* The computer loses all that it shows, for good: a person at a terminal sees whose it is and types the
 * word. */
static bool revoking_confirmed(struct cli *c, const char *id)
{
	pb_empty q = PB_EMPTY_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;

	if (!cli_is_asked(c))
		return true;
	admin_schools(c);
	bool there = !admin_ask(c, METHOD_IDENTITY_LIST_DEVICES, &q.base, &arena, &reply);
	const pb_device_list *list = there ? (const pb_device_list *)reply : NULL;
	for (size_t i = 0; list && i < list->n_device; i++) {
		const pb_device *d = list->device[i];
		char contact[FACE_SIZE];
		if (strcmp(d->id, id) == 0)
			cli_say(c,
				strcmp(d->id, c->profile.device) == 0
					? _("%s 的电脑 %s，最近联系 %s，待传 %llu 项。这就是您正在用的电脑")
					: _("%s 的电脑 %s，最近联系 %s，待传 %llu 项"),
				d->school[0] ? admin_school(c, d->school) : _("县局"), d->host,
				admin_time(d->last_contact, contact), (unsigned long long)d->pending);
	}
	arena_free(&arena);
	return cli_confirm(
		"停用|revoke", _("停用后它再不能打开本机的学生信息，不能恢复。确认请输入“停用”："));
}

static int cmd_devices_revoke(struct cli *c)
{
	pb_device_id q = PB_DEVICE_ID_INIT;

	const char *id = cli_operand(c, 0);
	if (!admin_shown_find(c, "devices", "devices list", &id))
		return err_info(ERR_NOT_FOUND)->exit_code;
	q.id = (char *)(uintptr_t)id;
	if (!revoking_confirmed(c, id))
		return cli_fail_with(
			c, ERR_NOT_NOW, _("jgadmin devices list 看是哪台"), _("没有确认，什么也没有改动"));
	return ask_done(c, METHOD_IDENTITY_REVOKE_DEVICE, &q.base, "device", q.id);
}

/* ---- The commands ---- */

static const struct cli_option user_options[] = {{"school", "SCHOOL", N_("学校：名称、名称的一部分或标识码")},
	{"bureau", NULL, N_("县局人员")}, {"role", "ROLE", N_("角色，可写多个")},
	{"class", "C", N_("班主任的班级，如 六1班、七（2）班，可写多个")},
	{"user", "LOGIN", N_("希望的帐号名（字母）")}, {0}};
static const struct cli_option users_import_options[] = {{"dry-run", NULL, N_("只检查，不建帐号")},
	{"sheet", "NAME", N_("工作表名称")},
	{"o", "FILE.xlsx", N_("帐号和初始密码写到这个文件（只有您能读）；不写则显示一次")}, {0}};
static const struct cli_option teachers_options[] = {
	{"school", "SCHOOL", N_("学校：名称、名称的一部分或标识码")},
	{"dry-run", NULL, N_("只检查，不建帐号")},
	{"o", "FILE.xlsx", N_("帐号和初始密码写到这个文件（只有您能读）；不写则显示一次")}, {0}};
static const struct cli_option set_options[] = {{"role", "ROLE", N_("新的角色，可写多个")},
	{"class", "C", N_("班主任的班级，如 六1班，可写多个")}, {"name", "NAME", N_("姓名")}, {0}};
static const struct cli_option grant_options[] = {{"refuse", NULL, N_("不同意")}, {0}};
static const struct cli_option invite_options[] = {
	{"school", "SCHOOL", N_("学校：名称、名称的一部分或标识码")}, {"bureau", NULL, N_("县局的电脑")},
	{"all", NULL, N_("给每所学校各发一个")}, {"o", "FILE.pdf", N_("写成可打印的 PDF")}, {0}};

static const struct cli_command commands[] = {
	{"users add", "NAME", 1, 1, user_options, ADMIN_NEEDS, 0, N_("新建帐号，初始密码只显示一次"),
		N_("users add --school 2132000001 --role registrar 王老师"), cmd_users_add, CLI_WORK},
	{"users import", "FILE", 1, 1, users_import_options, ADMIN_NEEDS, 0,
		N_("按表格给学校的人建帐号：姓名、学校或学校标识码、角色，班级和帐号可不写；"
		   "再运行一次不会重复"),
		N_("users import 帐号.xlsx -o 初始密码.xlsx"), cmd_users_import, CLI_WORK},
	{"users teachers", "CLASS=NAME…", 1, 64, teachers_options, ADMIN_NEEDS, 0,
		N_("给一所学校各班的班主任建帐号：每班写一个 班级=姓名，班级和姓名不会错位"),
		N_("users teachers --school 2132000001 六1班=张三 六2班=李四"), cmd_users_teachers, CLI_WORK},
	{"users list", "", 0, 0, NULL, ADMIN_NEEDS, 0, N_("列出帐号和角色"), "users list", cmd_users_list,
		CLI_WORK},
	{"users reset", "USER", 1, 1, NULL, ADMIN_NEEDS, 0, N_("重置密码；县局帐号须安全管理员核准"),
		"users reset wanglaoshi", cmd_users_reset, CLI_WORK},
	{"users set", "USER", 1, 1, set_options, ADMIN_NEEDS, 0,
		N_("改角色、班级或姓名；县局帐号须另一位管理员核准"),
		N_("users set wanglaoshi --class 六2班"), cmd_users_set, CLI_WORK},
	{"users grant", "USER", 1, 1, grant_options, ADMIN_NEEDS, 0,
		N_("核准另一位管理员提出的重置、改动、停用或恢复"), "users grant likezhang", cmd_users_grant,
		CLI_WORK},
	{"users disable", "USER", 1, 1, NULL, ADMIN_NEEDS, 0, N_("停用帐号"), "users disable wanglaoshi",
		cmd_users_disable, CLI_WORK},
	{"users enable", "USER", 1, 1, NULL, ADMIN_NEEDS, 0, N_("恢复停用的帐号；县局帐号须另一位管理员核准"),
		"users enable wanglaoshi", cmd_users_enable, CLI_WORK},
	{"users unlock", "USER", 1, 1, NULL, ADMIN_NEEDS, 0, N_("解除锁定"), "users unlock wanglaoshi",
		cmd_users_unlock, CLI_WORK},
	{"devices invite", "", 0, 0, invite_options, ADMIN_NEEDS, 0, N_("发连接码：一次有效，72 小时"),
		"devices invite --school 2132000001", cmd_devices_invite, CLI_WORK},
	{"devices list", "", 0, 0, NULL, ADMIN_NEEDS, 0, N_("列出设备"), "devices list", cmd_devices_list,
		CLI_WORK},
	{"devices revoke", "ID", 1, 1, NULL, ADMIN_NEEDS, 0, N_("停用设备，5 秒内断开"),
		"devices revoke 0190…", cmd_devices_revoke, CLI_WORK},
	{0},
};

const struct cli_part admin_identity = {commands, NULL, NULL};
