/* pdf_font.h - the types of an official document, found by lists and asked for one character at a time. Private
 * to pdf_page.c. Owns which fonts stand for 小标宋, 仿宋, 黑体, 楷体 and 宋体; knows no page. One thread. */
#ifndef JG_PDF_FONT_H
#define JG_PDF_FONT_H

#include <stdint.h>

#include <cairo.h>

#include "pdf_page.h"

struct pdf_fonts;

/* NULL: no memory, or fontconfig and cairo are not there. */
struct pdf_fonts *pdf_fonts_open(void);
void pdf_fonts_close(struct pdf_fonts *fonts);

/* A character as cairo draws it at the origin: its font at that size, its glyph and how far it reaches. A
 * character that the font of the role lacks comes from another one; one that none has is that font's box. */
struct pdf_drawn {
	cairo_scaled_font_t *font; /* kept by the fonts */
	unsigned long glyph;
	double advance;
	char text[5]; /* the character, as it is to be read out of the file: a font has some glyphs for two */
};
struct pdf_drawn pdf_fonts_glyph(struct pdf_fonts *fonts, struct pdf_type type, int32_t code);

#endif
