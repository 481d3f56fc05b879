/* slip_pdf.h - the 交办单 on paper: A4, both addressees, the codes with their words, the two deadlines, room
 * for signatures; a rehearsal county's says 演练 across the page. Blocks. One thread. */
#ifndef JG_SLIP_PDF_H
#define JG_SLIP_PDF_H

#include "slip.h"

/* Writes the file as a whole under its name. `v` knows the schools' names. Errors: as pdf_open and
 * pdf_close. */
enum err slip_pdf_write(
	const struct view *v, const struct slip_row *row, const char *path, struct problem *p);

#endif
