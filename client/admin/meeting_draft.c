#include "meeting_draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draft_rules.h"
#include "meeting.h"

/* 2026年9月12日, and the time behind it. */
static void day_text(FILE *out, int64_t at, bool with_time)
{
	char text[MEETING_TIME_SIZE];
	int year, month, day;

	meeting_time_text(text, at);
	if (sscanf(text, "%d-%d-%d", &year, &month, &day) != 3)
		return;
	fprintf(out, "%d年%d月%d日", year, month, day);
	if (with_time)
		fprintf(out, "%s", text + 11);
}

static bool is_school(const pb_meeting_shown *m, const char *text)
{
	if (draft_school_group(text))
		return true;
	for (size_t i = 0; i < m->n_person; i++)
		if (strlen(m->person[i]->who) == 10 && strspn(m->person[i]->who, "0123456789") == 10 &&
			(strcmp(m->person[i]->who, text) == 0 || strcmp(m->person[i]->name, text) == 0))
			return true;
	return false;
}

/* The schools and groups of schools of 参会, as they were written. */
static void schools_line(FILE *out, const char *name, const pb_meeting_shown *m)
{
	const char *mark = "";

	for (size_t i = 0; i < m->n_attend; i++) {
		const char *who = m->attend[i];
		for (size_t k = 0; k < m->n_person; k++) /* a paper is addressed by codes */
			if (is_school(m, who) && strcmp(m->person[k]->name, who) == 0)
				who = m->person[k]->who;
		if (!is_school(m, who))
			continue;
		fprintf(out, "%s%s", *mark ? mark : name, who);
		mark = "；";
	}
	if (*mark)
		fputc('\n', out);
}

static void names_line(FILE *out, const char *name, const pb_meeting_shown *m, bool there)
{
	const char *mark = "";
	size_t n = 0;

	for (size_t i = 0; i < m->n_person && n < DRAFT_LIST_MAX; i++) {
		const pb_meeting_person *x = m->person[i];
		bool leave = strcmp(x->state, "leave") == 0, absent = strcmp(x->state, "absent") == 0;
		if (there ? leave || absent : !leave)
			continue;
		fprintf(out, "%s%s", *mark ? mark : name, x->name);
		mark = "；";
		n++;
	}
	if (*mark)
		fputc('\n', out);
}

static void agenda(FILE *out, const pb_meeting_shown *m)
{
	for (size_t i = 0; i < m->n_agenda; i++) {
		const pb_meeting_item *x = m->agenda[i];
		fprintf(out, "%zu. %s，%u分钟", i + 1, x->topic, x->minutes);
		fprintf(out, *x->speaker_name ? "，%s\n" : "%s\n", x->speaker_name);
	}
}

char *meeting_draft_notice(const pb_meeting_shown *m)
{
	const pb_meeting_row *row = m->meeting;
	char *text = NULL, end[MEETING_TIME_SIZE];
	size_t n;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		return NULL;
	meeting_time_text(end, row->end);
	fprintf(out, "标题：关于召开%s的通知\n文种：通知\n公开：不予公开\n公开理由：会议安排\n",
		row->subject);
	schools_line(out, "主送：", m);
	fputs("---\n经研究，定于", out);
	day_text(out, row->start, false);
	fprintf(out, "召开%s，现将有关事项通知如下：\n一、时间\n", row->subject);
	day_text(out, row->start, true);
	fprintf(out, "至%s。\n二、地点\n%s。\n", end + 11, row->place);
	if (*m->purpose)
		fprintf(out, "三、会议目的\n%s。\n", m->purpose);
	if (m->n_agenda) {
		fprintf(out, "%s、议程\n", *m->purpose ? "四" : "三");
		agenda(out, m);
	}
	if (m->reply_due)
		fprintf(out, "请于%d年%d月%d日前在系统内回执。\n", m->reply_due / 10000,
			m->reply_due / 100 % 100, m->reply_due % 100);
	fclose(out);
	return text;
}

char *meeting_draft_minutes(const pb_meeting_shown *m)
{
	const pb_meeting_row *row = m->meeting;
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		return NULL;
	fprintf(out, "标题：%s纪要\n文种：纪要\n公开：不予公开\n公开理由：内部会议\n", row->subject);
	schools_line(out, "抄送：", m);
	names_line(out, "出席：", m, true);
	names_line(out, "请假：", m, false);
	fputs("---\n", out);
	day_text(out, row->start, false);
	fprintf(out, "，%s在%s主持召开%s。现将会议议定事项纪要如下：\n", m->chair_name, row->place,
		row->subject);
	agenda(out, m);
	fclose(out);
	return text;
}
