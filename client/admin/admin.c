#include "admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cycle.h"
#include "lang.h"
#include "login.h"
#include "tables.h"
#include "text.h"

#define REPLY_MAX (64u << 20) /* of one answer: a county's users and devices */

enum err admin_ask(struct cli *c, uint16_t method, const ProtobufCMessage *request, struct arena *arena,
	const ProtobufCMessage **reply)
{
	struct link *link = NULL;
	const ProtobufCMessage *unused;

	arena_init(arena, REPLY_MAX);
	enum err e = login_link(&link, &c->profile, NULL, &c->problem);
	if (!e)
		e = link_ask(link, method, request, arena, reply ? reply : &unused, &c->problem);
	if (link)
		link_close(link);
	return e;
}

enum err admin_stream(
	struct cli *c, uint16_t method, const ProtobufCMessage *request, link_reply_fn page, void *data)
{
	struct link *link = NULL;
	enum err e = login_link(&link, &c->profile, NULL, &c->problem);

	if (!e)
		e = link_call(link, method, request, page, data, &c->problem);
	if (link)
		link_close(link);
	return e;
}

/* The year that the county works in: that of the latest cycle that is not closed, else the one that would be
 * opened next. */
static int32_t open_year(struct cli *c)
{
	int32_t next = cycle_year_of(profile_today(&c->profile));
	struct problem unsaid = c->problem;
	struct fate fate = c->profile.fate; /* only looking, by a method that may change */
	int32_t found = next;

	for (int32_t year = next + 1; year >= next - 1; year--) {
		pb_phase_request q = PB_PHASE_REQUEST_INIT;
		struct arena arena;
		const ProtobufCMessage *reply;
		q.has_year = 1;
		q.year = year;
		bool open = !admin_ask(c, METHOD_TRANSITION_PHASE, &q.base, &arena, &reply) &&
			strcmp(((const pb_phase_reply *)reply)->phase, "closed") != 0;
		arena_free(&arena);
		if (open) {
			found = year;
			break;
		}
	}
	c->problem = unsaid;
	c->profile.fate = fate;
	return found;
}

bool admin_year(struct cli *c, int32_t *year, int *code)
{
	char hint[32];

	const char *text = cli_option(c, "year");

	*year = text ? (int32_t)strtol(text, NULL, 10) : 0;
	if (*year >= 2000 && *year <= 2100)
		return true;
	snprintf(hint, sizeof hint, "--year %d", open_year(c));
	*code = cli_fail_with(c, ERR_USAGE, hint, _("要写明年度"));
	return false;
}

json_t *admin_text(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}

json_t *admin_texts(char *const *list, size_t n)
{
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(out, json_string(list[i]));
	return out;
}

json_t *admin_pupil(const pb_pupil *p)
{
	return json_pack("{s:o,s:o,s:o,s:o}", "id", admin_text(p ? p->id : NULL), "cert_no",
		admin_text(p ? p->cert_no : NULL), "name", admin_text(p ? p->name : NULL), "student_no",
		admin_text(p ? p->student_no : NULL));
}

void admin_pupil_cells(
	const struct cli *c, const pb_pupil *p, char *no, size_t no_size, char *name, size_t name_size)
{
	const char *number = p && p->cert_no && p->cert_no[0] ? p->cert_no
		: p && p->student_no                          ? p->student_no
							      : "";
	const char *called = p && p->name ? p->name : "";

	if (c->reveal) {
		snprintf(no, no_size, "%s", number);
		snprintf(name, name_size, "%s", called);
		return;
	}
	if (text_mask_id(no, no_size, number))
		no[0] = 0;
	if (text_mask_name(name, name_size, called))
		name[0] = 0;
}

int cmd_login(struct cli *c)
{
	int code = cli_login(c);

	return code ? code : cli_result(c, cli_session_json(c), 0);
}
