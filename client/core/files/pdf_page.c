#include "pdf_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "dynlib.h"
#include "lang.h"
#include "pdf_font.h"
#include "whole_file.h"

#define FONT "FangSong, STFangsong, Noto Serif CJK SC, serif" /* 仿宋, the type of GB/T 9704 */
#define FONT_TYPED "DejaVu Sans Mono, Noto Sans Mono CJK SC, monospace"
#define TYPED_SPACE 1.2 /* between characters */
#define LINE_WIDTH 0.6
#define CUT_MARGIN (10 * PDF_MM)
#define WATERMARK_SIZE 128.0

#define CALLS(X)                                                                                             \
	X(cairo_create)                                                                                      \
	X(cairo_destroy)                                                                                     \
	X(cairo_line_to)                                                                                     \
	X(cairo_move_to)                                                                                     \
	X(cairo_pdf_surface_create_for_stream)                                                               \
	X(cairo_pdf_surface_set_metadata)                                                                    \
	X(cairo_rectangle)                                                                                   \
	X(cairo_restore)                                                                                     \
	X(cairo_rotate)                                                                                      \
	X(cairo_save)                                                                                        \
	X(cairo_set_dash)                                                                                    \
	X(cairo_set_line_width)                                                                              \
	X(cairo_set_scaled_font)                                                                             \
	X(cairo_set_source_rgb)                                                                              \
	X(cairo_set_source_rgba)                                                                             \
	X(cairo_show_text_glyphs)                                                                            \
	X(cairo_show_page)                                                                                   \
	X(cairo_stroke)                                                                                      \
	X(cairo_surface_destroy)                                                                             \
	X(cairo_surface_finish)                                                                              \
	X(cairo_surface_status)                                                                              \
	X(cairo_translate)                                                                                   \
	X(g_object_unref)                                                                                    \
	X(pango_attr_font_features_new)                                                                      \
	X(pango_attr_letter_spacing_new)                                                                     \
	X(pango_attr_list_insert)                                                                            \
	X(pango_attr_list_new)                                                                               \
	X(pango_attr_list_unref)                                                                             \
	X(pango_cairo_create_layout)                                                                         \
	X(pango_cairo_show_layout)                                                                           \
	X(pango_font_description_free)                                                                       \
	X(pango_font_description_from_string)                                                                \
	X(pango_font_description_set_absolute_size)                                                          \
	X(pango_font_description_set_weight)                                                                 \
	X(pango_layout_get_pixel_size)                                                                       \
	X(pango_layout_set_alignment)                                                                        \
	X(pango_layout_set_attributes)                                                                       \
	X(pango_layout_set_font_description)                                                                 \
	X(pango_layout_set_text)                                                                             \
	X(pango_layout_set_width)                                                                            \
	X(pango_layout_set_wrap)
LIBRARY(lib, "libpangocairo-1.0.so.0", CALLS);

struct pdf_page {
	cairo_surface_t *surface;
	cairo_t *cr;
	PangoLayout *layout;
	struct pdf_fonts *fonts; /* opened by the first glyph */
	struct whole_file file;
};

enum err pdf_ready(const char *path, struct problem *p)
{
	const char *end = path ? strrchr(path, '.') : NULL;

	if (path && !(end && strcasecmp(end, ".pdf") == 0))
		return problem_set(p, ERR_USAGE, NULL, NULL, _("文件名应以 .pdf 结尾：%s"), path);
	if (DYNLIB_LOAD(lib))
		return path ? whole_file_check(path, p) : ERR_OK;
	return problem_set(p, ERR_FILE_IO, NULL, NULL,
		_("没有 %s，做不了 PDF：请安装 pango（Debian：libpangocairo-1.0-0）"), lib_file);
}

/* Written here, not by cairo: it does not tell what became of the last bytes. */
static cairo_status_t take_bytes(void *file, const unsigned char *bytes, unsigned n)
{
	return fwrite(bytes, 1, n, file) == n ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

enum err pdf_open(struct pdf_page **out, const char *path, struct problem *p)
{
	enum err e = pdf_ready(path, p);

	if (e)
		return e;
	struct pdf_page *paper = malloc(sizeof *paper);
	if (!paper)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	/* Nobody else reads connect codes or a child's paper. */
	e = whole_file_open(&paper->file, path, 0600, p);
	if (e) {
		free(paper);
		return e;
	}
	*out = paper;
	paper->fonts = NULL;
	paper->surface =
		lib.cairo_pdf_surface_create_for_stream(take_bytes, paper->file.out, PDF_WIDTH, PDF_HEIGHT);
	paper->cr = lib.cairo_create(paper->surface);
	paper->layout = lib.pango_cairo_create_layout(paper->cr);
	lib.cairo_set_line_width(paper->cr, LINE_WIDTH);
	return ERR_OK;
}

/* No ligature makes one stroke of two dashes, and there is room between the characters. */
static void set_apart(struct pdf_page *paper, bool apart)
{
	PangoAttrList *list = apart ? lib.pango_attr_list_new() : NULL;

	if (list) {
		lib.pango_attr_list_insert(list, lib.pango_attr_font_features_new("liga 0, clig 0, calt 0"));
		lib.pango_attr_list_insert(
			list, lib.pango_attr_letter_spacing_new((int)(TYPED_SPACE * PANGO_SCALE)));
	}
	lib.pango_layout_set_attributes(paper->layout, list);
	if (list)
		lib.pango_attr_list_unref(list);
}

double pdf_text(struct pdf_page *paper, double x, double y, struct pdf_style style, const char *text)
{
	PangoFontDescription *font = lib.pango_font_description_from_string(style.typed ? FONT_TYPED : FONT);
	int height;

	lib.pango_font_description_set_absolute_size(font, style.size * PANGO_SCALE);
	lib.pango_font_description_set_weight(font, style.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
	lib.pango_layout_set_font_description(paper->layout, font);
	lib.pango_font_description_free(font);
	lib.pango_layout_set_width(paper->layout, style.width > 0 ? (int)(style.width * PANGO_SCALE) : -1);
	lib.pango_layout_set_wrap(paper->layout, PANGO_WRAP_WORD_CHAR);
	lib.pango_layout_set_alignment(paper->layout, style.centred ? PANGO_ALIGN_CENTER : PANGO_ALIGN_LEFT);
	set_apart(paper, style.typed);
	lib.pango_layout_set_text(paper->layout, text, -1);
	lib.cairo_move_to(paper->cr, x, y);
	lib.pango_cairo_show_layout(paper->cr, paper->layout);
	lib.pango_layout_get_pixel_size(paper->layout, NULL, &height);
	return height;
}

void pdf_frame(struct pdf_page *paper, double x, double y, double width, double height)
{
	lib.cairo_rectangle(paper->cr, x, y, width, height);
	lib.cairo_stroke(paper->cr);
}

void pdf_cut(struct pdf_page *paper, double y)
{
	lib.cairo_save(paper->cr);
	lib.cairo_set_dash(paper->cr, (double[]){4, 3}, 2, 0);
	lib.cairo_move_to(paper->cr, CUT_MARGIN, y);
	lib.cairo_line_to(paper->cr, PDF_WIDTH - CUT_MARGIN, y);
	lib.cairo_stroke(paper->cr);
	lib.cairo_restore(paper->cr);
}

void pdf_watermark(struct pdf_page *paper, const char *text)
{
	lib.cairo_save(paper->cr);
	lib.cairo_translate(paper->cr, PDF_WIDTH / 2, PDF_HEIGHT / 2);
	lib.cairo_rotate(paper->cr, -M_PI / 6);
	lib.cairo_set_source_rgba(paper->cr, 0.8, 0, 0, 0.15);
	pdf_text(paper, -PDF_WIDTH / 2, -WATERMARK_SIZE / 2,
		(struct pdf_style){.size = WATERMARK_SIZE, .width = PDF_WIDTH, .bold = true, .centred = true},
		text);
	lib.cairo_restore(paper->cr);
}

/* Colours as a press has them; nothing else of a document is coloured. */
static void set_ink(struct pdf_page *paper, enum pdf_ink ink)
{
	lib.cairo_set_source_rgb(paper->cr, ink == PDF_RED ? 0.9 : 0, 0, 0);
}

static struct pdf_drawn glyph_of(struct pdf_page *paper, struct pdf_type type, int32_t code)
{
	if (!paper->fonts)
		paper->fonts = pdf_fonts_open();
	return paper->fonts ? pdf_fonts_glyph(paper->fonts, type, code) : (struct pdf_drawn){0};
}

double pdf_glyph_width(struct pdf_page *paper, struct pdf_type type, int32_t code)
{
	return glyph_of(paper, type, code).advance;
}

void pdf_glyph(
	struct pdf_page *paper, double x, double y, struct pdf_type type, enum pdf_ink ink, int32_t code)
{
	struct pdf_drawn drawn = glyph_of(paper, type, code);
	cairo_glyph_t glyph = {drawn.glyph, x, y};
	cairo_text_cluster_t whole = {(int)strlen(drawn.text), 1};

	if (!drawn.font)
		return;
	set_ink(paper, ink);
	lib.cairo_set_scaled_font(paper->cr, drawn.font);
	lib.cairo_show_text_glyphs(paper->cr, drawn.text, -1, &glyph, 1, &whole, 1, 0);
}

void pdf_rule(struct pdf_page *paper, double left, double right, double y, double thickness, enum pdf_ink ink)
{
	set_ink(paper, ink);
	lib.cairo_set_line_width(paper->cr, thickness);
	lib.cairo_move_to(paper->cr, left, y);
	lib.cairo_line_to(paper->cr, right, y);
	lib.cairo_stroke(paper->cr);
	lib.cairo_set_line_width(paper->cr, LINE_WIDTH);
	set_ink(paper, PDF_BLACK);
}

void pdf_about(struct pdf_page *paper, const char *title, const char *when)
{
	lib.cairo_pdf_surface_set_metadata(paper->surface, CAIRO_PDF_METADATA_TITLE, title);
	if (when)
		lib.cairo_pdf_surface_set_metadata(paper->surface, CAIRO_PDF_METADATA_CREATE_DATE, when);
}

void pdf_end_sheet(struct pdf_page *paper)
{
	lib.cairo_show_page(paper->cr);
}

static enum err end_paper(struct pdf_page *paper, bool keep, struct problem *p)
{
	lib.g_object_unref(paper->layout);
	pdf_fonts_close(paper->fonts);
	lib.cairo_destroy(paper->cr);
	lib.cairo_surface_finish(paper->surface);
	bool drawn = lib.cairo_surface_status(paper->surface) == CAIRO_STATUS_SUCCESS;
	lib.cairo_surface_destroy(paper->surface);
	enum err e = whole_file_close(&paper->file, keep && drawn, p);
	free(paper);
	return e;
}

enum err pdf_close(struct pdf_page *paper, struct problem *p)
{
	return end_paper(paper, true, p);
}

void pdf_discard(struct pdf_page *paper)
{
	end_paper(paper, false, NULL);
}
