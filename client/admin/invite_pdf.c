#include "invite_pdf.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "admin.h"

#define MM (72.0 / 25.4)
#define PER_PAGE 5
#define FONT "Noto Sans CJK SC, WenQuanYi Micro Hei 11"

static void draw_text(cairo_t *cr, double x, double y, double size, const char *text)
{
	PangoLayout *layout = pango_cairo_create_layout(cr);
	PangoFontDescription *font = pango_font_description_from_string(FONT);

	pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
	pango_layout_set_font_description(layout, font);
	pango_layout_set_text(layout, text, -1);
	cairo_move_to(cr, x, y);
	pango_cairo_show_layout(cr, layout);
	pango_font_description_free(font);
	g_object_unref(layout);
}

static void draw_slip(cairo_t *cr, int place, const pb_invitation *i, const char *county)
{
	double top = (12 + place * 55) * MM;
	char line[512], when[32];

	draw_text(cr, 20 * MM, top, 16, i->school_name && i->school_name[0] ? i->school_name : i->school);
	snprintf(line, sizeof line, "%s  %s", county, i->school);
	draw_text(cr, 20 * MM, top + 9 * MM, 10, line);
	draw_text(cr, 20 * MM, top + 17 * MM, 13, i->code);
	snprintf(line, sizeof line, tr("在学校电脑上运行：jg connect --code 上面的连接码", "on the school's computer: jg connect --code and the code above"));
	draw_text(cr, 20 * MM, top + 27 * MM, 10, line);
	snprintf(line, sizeof line, tr("只能用一次，%s 前有效。请当面交给学籍管理员，不要在群里转发。", "works once, until %s. Hand it over in person."), admin_time(i->expires, when));
	draw_text(cr, 20 * MM, top + 34 * MM, 10, line);
	cairo_set_dash(cr, (double[]){4, 3}, 2, 0);
	cairo_move_to(cr, 10 * MM, top + 48 * MM);
	cairo_line_to(cr, 200 * MM, top + 48 * MM);
	cairo_stroke(cr);
}

enum err invite_pdf(const char *path, const pb_invitation_list *list, const char *county, struct problem *p)
{
	cairo_surface_t *surface = cairo_pdf_surface_create(path, 210 * MM, 297 * MM);
	cairo_t *cr = cairo_create(surface);

	cairo_set_line_width(cr, 0.5);
	for (size_t i = 0; i < list->n_invitation; i++) {
		draw_slip(cr, (int)(i % PER_PAGE), list->invitation[i], county);
		if (i % PER_PAGE == PER_PAGE - 1 || i + 1 == list->n_invitation)
			cairo_show_page(cr);
	}
	cairo_status_t status = cairo_status(cr);
	cairo_destroy(cr);
	errno = 0;
	cairo_surface_finish(surface);
	bool full = errno == ENOSPC || errno == EDQUOT;
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(surface);
	cairo_surface_destroy(surface);
	if (status != CAIRO_STATUS_SUCCESS)
		unlink(path); /* half a sheet of codes is none */
	if (status != CAIRO_STATUS_SUCCESS && full)
		return problem_set(p, ERR_DISK_FULL, NULL, NULL, tr("磁盘已满，写不了 %s", "the disk is full, cannot write %s"), path);
	return status == CAIRO_STATUS_SUCCESS ? ERR_OK : problem_set(p, ERR_FILE_IO, NULL, NULL, "%s: %s", path, cairo_status_to_string(status));
}
