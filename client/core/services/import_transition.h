/* import_transition.h - what the files import_*.c of the transition share. Rules as in import_row.h.
 * One thread. */
#ifndef JG_IMPORT_TRANSITION_H
#define JG_IMPORT_TRANSITION_H

#include "import_row.h"

extern const struct import_rules import_destinations, import_enrolled, import_verify;

/* import_cycle.c: the year of destinations and rosters: told, else written in the file, else that of the
 * cycle. Never guessed: rows of another year are seen by nobody. */
enum err import_cycle_begin(struct import *im);
/* import_shifted.c: refuses a roster one of whose columns stands a row too high or low. */
enum err import_check_shifted(struct import *im);

#endif
