#include "invite_pdf.h"

#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "lang.h"
#include "pdf_page.h"

#define PER_SHEET 4
#define SLIP_HEIGHT (70 * PDF_MM)
#define LEFT (20 * PDF_MM)
#define INDENT (6 * PDF_MM)
#define WIDTH (PDF_WIDTH - 2 * LEFT)

/* The whole way from the paper to a roster at the bureau, in the order in which it is typed. The code stands
 * alone and large: who types it is not young. Returns where it ends. */
static double draw_steps(struct pdf_page *paper, double y, const pb_invitation *i)
{
	/* 31: junior schools, of which some have primary classes (domain.md §1.4) */
	bool junior = i->school && strncmp(i->school, "31", 2) == 0;
	const char *code = i->code,
		   *steps[] = {_("jg connect --code 连接码"), _("jg login 帐号"), "jg passwd",
			   junior ? _("jg import enrolled 新生.xlsx（九月；有小学部的看 jg todo）")
				  : _("jg import students 六年级.xlsx"),
			   "jg sync"};
	struct pdf_style large = {.size = 11.5, .width = WIDTH, .typed = true},
			 typed = {.size = 10, .width = WIDTH - INDENT, .typed = true}, small = {.size = 10};
	char line[160];

	y += pdf_text(paper, LEFT, y, large, code) + 2 * PDF_MM;
	y += pdf_text(
		paper, LEFT, y, small, _("上面是连接码。在学校电脑上依次输入（帐号和初始密码由县局另给）："));
	for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
		snprintf(line, sizeof line, "%zu  %s", k + 1, steps[k]);
		y += pdf_text(paper, LEFT + INDENT, y, typed, line);
	}
	return y;
}

static void draw_slip(struct pdf_page *paper, size_t place, const pb_invitation *i, const char *county)
{
	double top = 10 * PDF_MM + (double)place * SLIP_HEIGHT, y;
	struct pdf_style name = {.size = 16}, small = {.size = 10, .width = WIDTH};
	char line[512], when[FACE_SIZE];

	pdf_text(paper, LEFT, top, name, i->school_name && i->school_name[0] ? i->school_name : i->school);
	snprintf(line, sizeof line, "%s  %s", county, i->school);
	pdf_text(paper, LEFT, top + 8 * PDF_MM, small, line);
	y = draw_steps(paper, top + 14 * PDF_MM, i);
	snprintf(line, sizeof line,
		_("连接码只能用一次，%s 前有效；初始密码要在 72 小时内首次登录，登录后 24 小时内修改。"
		  "请当面交给学籍管理员，不要在群里转发。"),
		admin_time(i->expires, when));
	pdf_text(paper, LEFT, y + PDF_MM, small, line);
	pdf_cut(paper, top + 65 * PDF_MM);
}

enum err invite_pdf(const char *path, const pb_invitation_list *list, const char *county, struct problem *p)
{
	struct pdf_page *paper;
	enum err e = pdf_open(&paper, path, p);

	if (e)
		return e;
	for (size_t i = 0; i < list->n_invitation; i++) {
		draw_slip(paper, i % PER_SHEET, list->invitation[i], county);
		if (i % PER_SHEET == PER_SHEET - 1 || i + 1 == list->n_invitation)
			pdf_end_sheet(paper);
	}
	return pdf_close(paper, p);
}
