#include "jg.h"
#include "lang.h"
#include "link.h"
#include "login.h"

/* WELCOME tells the incarnation and the streams, without which nothing can be queued offline. */
int cmd_login(struct cli *c)
{
	char password[512];
	struct link *link;
	pb_hello hello;
	size_t drafts = 0;
	int code;
	struct store *store = jg_store(c, &code);

	if (!store)
		return code;
	enum err e = cli_password(c, "password-file", true, _("密码："), password, sizeof password);
	outbox_hello(store, &hello);
	if (!e)
		e = login_open(&c->profile, &hello, cli_operand(c, 0), password, &link, &c->problem);
	explicit_bzero(password, sizeof password);
	if (!e) {
		e = outbox_welcome(store, link_welcome(link), &drafts, &c->problem);
		link_close(link);
	}
	if (e)
		return cli_fail(c);
	cli_login_told(c);
	if (drafts)
		cli_warn(c,
			_("这台电脑的数据曾被还原：%zu 项未发送的内容等您决定："
			  "jg outbox list 列出，发送用 jg outbox fix 序号，不要了用 jg outbox withdraw 序号"),
			drafts);
	jg_tell_sealed(c);
	return cli_result(c, cli_session_json(c), 0);
}
