/* pdf_form.h - a form on paper: a title, then framed rows with a label and what is filled in, as high as
 * that needs, on as many sheets as it takes. Uses pdf_page. One thread. */
#ifndef JG_PDF_FORM_H
#define JG_PDF_FORM_H

#include "pdf_page.h"

struct pdf_form {
	struct pdf_page *paper;
	double y;
	const char *watermark; /* on every sheet; NULL = none */
	unsigned sheets;       /* ended so far */
};

void pdf_form_begin(struct pdf_form *f, struct pdf_page *paper, const char *watermark);
void pdf_form_title(struct pdf_form *f, const char *text);
/* `least`: how high it is at least. What one sheet cannot hold goes on in a row of the next. */
void pdf_form_row(struct pdf_form *f, const char *label, const char *value, double least);
/* Small, below the rows. */
void pdf_form_note(struct pdf_form *f, const char *text);
void pdf_form_end(struct pdf_form *f);

#endif
