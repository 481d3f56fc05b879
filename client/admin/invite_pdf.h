/* invite_pdf.h - connect codes on paper, one slip of a page per school, to be cut and handed over. Main
 * thread. */
#ifndef JG_INVITE_PDF_H
#define JG_INVITE_PDF_H

#include "err.h"
#include "pb.h"

enum err invite_pdf(const char *path, const pb_invitation_list *list, const char *county, struct problem *p);

#endif
