/* export_transition.h - what the files export_*.c of the transition share. Rules as in export.h.
 * One thread. */
#ifndef JG_EXPORT_TRANSITION_H
#define JG_EXPORT_TRANSITION_H

#include "export.h"

extern const struct export_rules export_destinations, export_slips, export_verify;

/* The year of the cycle. */
enum err export_cycle(struct export *x, int32_t *year);

#endif
