#include "meetings.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "codes.h"
#include "decide.h"
#include "document_number.h"
#include "lang.h"
#include "meeting.h"
#include "outbox.h"
#include "tables.h"
#include "way.h"

#define EARLY_US INT64_C(3600000000) /* before it starts */

const uint32_t meetings_kinds[] = {KIND_MEETING_COPY, 0};

const struct shown_list shown_meetings = {
	.name = "shown_meetings", .act = "list_meetings", .kinds = meetings_kinds};

const char *meetings_reply_of(const struct record *d)
{
	char reply[32];

	if (!record_has(d, F_MEETING_COPY_REPLIED_AT) ||
		record_number(d, F_MEETING_COPY_REPLIED_ROUND) != record_number(d, F_MEETING_COPY_ROUND))
		return NULL;
	const struct code_item *item =
		code_item(&codes_meeting_reply, record_text(d, F_MEETING_COPY_REPLY, reply, sizeof reply));
	return item ? item->code : NULL;
}

struct item *meetings_find(struct view *v, const char *text)
{
	char id[37], of[37];
	char number[DOCUMENT_NUMBER_SIZE];

	text = document_number_typed(number, text);
	for (size_t i = 0; i < v->n; i++) {
		struct item *item = v->items[i];
		if (!item->live || item->record.kind->number != KIND_MEETING_COPY)
			continue;
		const struct value *meeting = &item->record.value[F_MEETING_COPY_MEETING];
		id_format(id, item->id);
		if (meeting->len == ID_SIZE)
			id_format(of, meeting->data);
		if (record_is(&item->record, F_MEETING_COPY_NUMBER, text) || strcmp(id, text) == 0 ||
			(meeting->len == ID_SIZE && strcmp(of, text) == 0))
			return item;
	}
	return NULL;
}

enum err meetings_reply(struct view *v, struct item *item, const char *reply, const char *who, int64_t now_us,
	struct problem *p)
{
	struct record want = item->record;

	if (!record_is(&item->record, F_MEETING_COPY_STATE, "noticed"))
		return problem_set(p, ERR_NOT_NOW, "reply", way("list_meetings"), _("这个会议现在不收回执"));
	record_set_text(&want, F_MEETING_COPY_REPLY, reply);
	record_set_text(&want, F_MEETING_COPY_REPLY_WHO, who);
	record_set_number(&want, F_MEETING_COPY_REPLIED_AT, now_us);
	record_set_text(&want, F_MEETING_COPY_REPLIED_BY, v->store->profile->session.user);
	record_set_number(
		&want, F_MEETING_COPY_REPLIED_ROUND, record_number(&item->record, F_MEETING_COPY_ROUND));
	return decide_anew(v, item, &want, p);
}

enum err meetings_sign_in(
	struct view *v, struct item *item, const char *code, int64_t now_us, struct problem *p)
{
	int64_t start = record_number(&item->record, F_MEETING_COPY_START_AT),
		end = record_number(&item->record, F_MEETING_COPY_END_AT);
	struct record want = item->record;
	char typed[MEETING_CODE_SIZE];

	if (record_is(&item->record, F_MEETING_COPY_STATE, "cancelled"))
		return problem_set(p, ERR_NOT_NOW, "sign_code", way("list_meetings"), _("这个会议已经取消"));
	if (now_us < start - EARLY_US || now_us > end)
		return problem_set(p, ERR_RULE, "R24", NULL, _("会前一小时到散会之间才能签到"));
	meeting_code_typed(typed, code);
	record_set_text(&want, F_MEETING_COPY_SIGN_CODE, typed);
	record_set_number(&want, F_MEETING_COPY_SIGNED_AT, now_us);
	record_set_text(&want, F_MEETING_COPY_SIGNED_BY, v->store->profile->session.user);
	return decide_anew(v, item, &want, p);
}

void meetings_todo(struct todo_list *l)
{
	char number[64], subject[256];

	for (size_t i = 0; i < l->view->n; i++) {
		const struct item *item = l->view->items[i];
		const struct record *d = &item->record;
		if (!item->live || d->kind->number != KIND_MEETING_COPY ||
			!record_is(d, F_MEETING_COPY_STATE, "noticed") || meetings_reply_of(d))
			continue;
		record_text(d, F_MEETING_COPY_NUMBER, number, sizeof number);
		record_text(d, F_MEETING_COPY_SUBJECT, subject, sizeof subject);
		todo_add(l, "reply", "reply_meeting", number, 1, record_number(d, F_MEETING_COPY_REPLY_DUE),
			_("待回执的会议 %s %s"), number, subject);
	}
}
