/* import_pupil.h - the subject of every import whose rows are pupils. Rules as in import_row.h; its kinds
 * have cert_type and cert_no. One thread. */
#ifndef JG_IMPORT_PUPIL_H
#define JG_IMPORT_PUPIL_H

#include "import_row.h"

extern const struct import_subject import_pupils;

/* import_mixed.c: refuses a table most of whose known pupils have another's name. */
enum err import_check_mixed(struct import *im);

#endif
