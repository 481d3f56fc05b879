/* pdf_page.h - sheets of A4 as a PDF: text, frames and lines where they are put. Owns all that is known of
 * pango and cairo; lengths are points, from the upper left corner. Blocks. One thread. */
#ifndef JG_PDF_PAGE_H
#define JG_PDF_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

#define PDF_WIDTH 595.28
#define PDF_HEIGHT 841.89
#define PDF_MM (72.0 / 25.4)

struct pdf_page;

struct pdf_style {
	double size;        /* of the type: 14 is 四号 */
	double width;       /* lines are broken to it; 0: one line, as long as it is */
	bool bold, centred; /* within the width */
	/* what is to be typed again: every character apart from its neighbours, two dashes are two */
	bool typed;
};

/* Whether there can be a paper of this name (NULL: of any). ERR_USAGE: it does not end in .pdf, and what is
 * not meant to be a PDF is not replaced by one. ERR_FILE_IO: pango is not installed, or the path cannot be
 * written. */
enum err pdf_ready(const char *path, struct problem *p);
/* The file appears under its name, whole, when it is closed. Errors: as pdf_ready, and ERR_NOMEM. */
enum err pdf_open(struct pdf_page **out, const char *path, struct problem *p);
/* Returns how high the text became. */
double pdf_text(struct pdf_page *paper, double x, double y, struct pdf_style style, const char *text);
void pdf_frame(struct pdf_page *paper, double x, double y, double width, double height);
/* A dashed line across the sheet, to cut along. */
void pdf_cut(struct pdf_page *paper, double y);
/* Pale, large and aslant over the middle of the sheet. */
void pdf_watermark(struct pdf_page *paper, const char *text);

/* The types of an official document; which fonts stand for them is pdf_font.c's. */
enum pdf_font { PDF_XIAOBIAOSONG, PDF_FANGSONG, PDF_HEI, PDF_KAI, PDF_SONG, PDF_FONTS };
enum pdf_ink { PDF_BLACK, PDF_RED };
struct pdf_type {
	enum pdf_font font;
	double size;
	double narrow; /* how much of its width a character has; 0: all of it */
};
/* How far a character reaches; 0 when there is no font at all. */
double pdf_glyph_width(struct pdf_page *paper, struct pdf_type type, int32_t code);
/* One character with its origin there: the left end of its base line. No shaping, no kerning. */
void pdf_glyph(
	struct pdf_page *paper, double x, double y, struct pdf_type type, enum pdf_ink ink, int32_t code);
/* A straight line from left to right; y is its middle. */
void pdf_rule(
	struct pdf_page *paper, double left, double right, double y, double thickness, enum pdf_ink ink);

/* What a viewer shows of the file: its title, and the time it is of (ISO 8601), without which it is of
 * now. The same paper is then the same bytes whenever it is printed. */
void pdf_about(struct pdf_page *paper, const char *title, const char *when);
/* What comes next is on a new sheet; each sheet ends with it, the last one too. */
void pdf_end_sheet(struct pdf_page *paper);
/* ERR_DISK_FULL, ERR_FILE_IO: there is no file then, and an older one is as it was. Frees. */
enum err pdf_close(struct pdf_page *paper, struct problem *p);
/* There is no file; an older one is as it was. Frees. */
void pdf_discard(struct pdf_page *paper);

#endif
