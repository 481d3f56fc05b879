#include <stdlib.h>
#include <string.h>

#include "face.h"
#include "jg.h"
#include "lang.h"
#include "tables.h"
#include "todo.h"

const struct cli_option todo_options[] = {
	{"due", "N", N_("只列 N 天内到期的")},
	{0},
};

/* The way with what it is done to in the place of the star, or behind it. */
static void command_of(const struct todo *t, char *out, size_t size)
{
	const char *how = way(t->act);
	size_t n = strcspn(how, "*");

	snprintf(out, size, "%.*s%s%s%s", (int)n, how, how[n] || !*t->of ? "" : " ", t->of,
		how[n] ? how + n + 1 : "");
}

#define DAYS_MOST 3650 /* ten years: more is a slip of the finger */

static bool login_ended(const struct cli *c)
{
	static const uint8_t none[32];
	const struct session *s = &c->profile.session;

	return memcmp(s->token, none, sizeof none) == 0 ||
		(s->until && s->until <= profile_now_us(&c->profile));
}

static int print_todo(struct cli *c, const struct todo_list *l)
{
	const char *headings[] = {_("期限"), _("事项"), _("命令")}, *days = cli_option(c, "due");
	int64_t until = days ? profile_now_us(&c->profile) + atoll(days) * 86400000000 : INT64_MAX;
	struct cli_table *table = cli_table_new(headings, 3);
	json_t *json = json_array();

	for (size_t i = 0; i < l->n; i++) {
		const struct todo *t = &l->list[i];
		char due[FACE_SIZE], id[40], command[160];
		if (t->due > until)
			continue;
		face_term(due, t->due, profile_now_us(&c->profile));
		command_of(t, command, sizeof command);
		snprintf(id, sizeof id, "%s-%zu", t->what, i + 1);
		cli_table_row(table, (const char *[]){due, t->text, command});
		json_array_append_new(json,
			json_pack("{ss ss sI so ss ss}", "id", id, "what", t->what, "count",
				(json_int_t)t->count, "due", cli_time_json(t->due), "text", t->text,
				"command", command));
	}
	if (json_array_size(json))
		cli_table_print(c, table);
	else
		cli_table_free(table);
	bool ended = login_ended(c);
	if (ended) /* what the bureau asks for meanwhile has not come here */
		cli_say(c, _("登录已过期，县局新下的事要登录后才收得到：jg login %s，再 jg sync"),
			c->profile.session.user);
	else if (!json_array_size(json))
		cli_say(c, "%s", _("现在没有要办的事"));
	return cli_result(c, json, 0);
}

int cmd_todo(struct cli *c)
{
	const char *days = cli_option(c, "due");
	struct todo_list *list = NULL;
	int code;

	if (days &&
		(!*days || days[strspn(days, "0123456789")] || strlen(days) > 4 || atoi(days) > DAYS_MOST))
		return cli_fail_with(
			c, ERR_USAGE, _("例如 --due 7"), _("“%s”不是天数（0 到 %d）"), days, DAYS_MOST);
	struct view *v = jg_view(c, kinds_all, &code);

	if (!v)
		return code;
	code = todo_collect(&list, v, &c->problem) ? cli_fail(c) : print_todo(c, list);
	free(list);
	return code;
}
