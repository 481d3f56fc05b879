#include "invite_pdf.h"

#include <stdio.h>

#include "admin.h"
#include "paper.h"

#define PER_SHEET 5
#define SLIP_HEIGHT (55 * PAPER_MM)
#define LEFT (20 * PAPER_MM)

static void draw_slip(struct paper *paper, size_t place, const pb_invitation *i, const char *county)
{
	double top = 12 * PAPER_MM + (double)place * SLIP_HEIGHT;
	struct paper_style name = {.size = 16}, code = {.size = 13}, small = {.size = 10};
	char line[512], when[32];

	paper_text(paper, LEFT, top, name, i->school_name && i->school_name[0] ? i->school_name : i->school);
	snprintf(line, sizeof line, "%s  %s", county, i->school);
	paper_text(paper, LEFT, top + 9 * PAPER_MM, small, line);
	paper_text(paper, LEFT, top + 17 * PAPER_MM, code, i->code);
	paper_text(paper, LEFT, top + 27 * PAPER_MM, small,
		tr("在学校电脑上运行：jg connect --code 上面的连接码",
			"on the school's computer: jg connect --code and the code above"));
	snprintf(line, sizeof line, tr("只能用一次，%s 前有效。请当面交给学籍管理员，不要在群里转发。", "works once, until %s. Hand it over in person."), admin_time(i->expires, when));
	paper_text(paper, LEFT, top + 34 * PAPER_MM, small, line);
	paper_cut(paper, top + 48 * PAPER_MM);
}

enum err invite_pdf(const char *path, const pb_invitation_list *list, const char *county, struct problem *p)
{
	struct paper *paper;
	enum err e = paper_open(&paper, path, p);

	if (e)
		return e;
	for (size_t i = 0; i < list->n_invitation; i++) {
		draw_slip(paper, i % PER_SHEET, list->invitation[i], county);
		if (i % PER_SHEET == PER_SHEET - 1 || i + 1 == list->n_invitation)
			paper_end_sheet(paper);
	}
	return paper_close(paper, p);
}
