/* What hangs at the door of a meeting: when, where, the agenda, the code, and a line for the hand of each
 * who is asked. */
#include <string.h>

#include "admin.h"
#include "admin_documents.h"
#include "lang.h"
#include "meeting.h"
#include "pdf_form.h"
#include "tables.h"

#define SIGNING_MM 9 /* room for a hand */

static void draw(struct pdf_form *f, const pb_meeting_shown *m, const char *code)
{
	const pb_meeting_row *row = m->meeting;
	char text[1200], end[MEETING_TIME_SIZE];

	pdf_form_title(f, row->subject);
	pdf_form_row(f, _("会议号"), row->number, 0);
	meeting_time_text(text, row->start);
	meeting_time_text(end, row->end);
	snprintf(text + strlen(text), sizeof text - strlen(text), "–%s",
		strncmp(text, end, 10) ? end : end + 11);
	pdf_form_row(f, _("时间"), text, 0);
	pdf_form_row(f, _("地点"), row->place, 0);
	pdf_form_row(f, _("主持"), m->chair_name, 0);
	for (size_t i = 0; i < m->n_agenda; i++) {
		const pb_meeting_item *x = m->agenda[i];
		snprintf(text, sizeof text, _("%s　%u 分钟　%s"), x->topic, x->minutes, x->speaker_name);
		pdf_form_row(f, i ? "" : _("议程"), text, 0);
	}
	snprintf(text, sizeof text, "%.4s-%s", code, code + 4);
	pdf_form_row(f, _("签到码"), text, 0);
	for (size_t i = 0; i < m->n_person; i++) {
		char label[32];
		snprintf(label, sizeof label, _("签到 %zu"), i + 1);
		snprintf(text, sizeof text, _("%s：　"), m->person[i]->name);
		pdf_form_row(f, label, text, SIGNING_MM);
	}
	pdf_form_note(f,
		_("学校用 jg meetings signin 签到，县局人员用 jgadmin meetings signin，会前一小时到散会之间"));
}

static enum err write_sheet(struct cli *c, const pb_meeting_shown *m, const char *code, const char *path)
{
	struct pdf_page *paper;
	struct pdf_form form;
	enum err e = pdf_open(&paper, path, &c->problem);

	if (e)
		return e;
	pdf_form_begin(&form, paper, c->profile.rehearsal ? _("演　练") : NULL);
	draw(&form, m, code);
	pdf_form_end(&form);
	return pdf_close(paper, &c->problem);
}

static int cmd_sheet(struct cli *c)
{
	pb_meeting_query q = PB_MEETING_QUERY_INIT;
	const ProtobufCMessage *code, *shown;
	struct arena arenas[2];
	const char *path;
	int done;

	if (!documents_output(c, _("-o 签到表.pdf"), &path, &done))
		return done;
	if (pdf_ready(path, &c->problem))
		return cli_fail(c);
	q.meeting = (char *)cli_operand(c, 0);
	enum err e = admin_ask(c, METHOD_DOCUMENTS_DOOR_CODE, &q.base, &arenas[0], &code);
	if (!e) {
		e = admin_ask(c, METHOD_DOCUMENTS_SHOW_MEETING, &q.base, &arenas[1], &shown);
		if (!e)
			e = write_sheet(c, (const pb_meeting_shown *)shown,
				((const pb_meeting_code *)code)->code, path);
		arena_free(&arenas[1]);
	}
	arena_free(&arenas[0]);
	if (e)
		return cli_fail(c);
	cli_say(c, _("已存 %s"), path);
	return cli_result(c, json_pack("{s:s}", "file", path), 0);
}

static const struct cli_option sheet_options[] = {
	{"o", "FILE.pdf", N_("存到这个文件")}, {"force", NULL, N_("替换已有的文件")}, {0}};
static const struct cli_command commands[] = {
	{"meetings sheet", "MEETING", 1, 1, sheet_options, ADMIN_NEEDS, 0, N_("打印议程和签到表，带签到码"),
		N_("meetings sheet 会〔2026〕1号 -o 签到表.pdf"), cmd_sheet, CLI_WORK},
	{0},
};

const struct cli_part admin_meetings_sheet = {commands, NULL, &admin_documents_reads};
