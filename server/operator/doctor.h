/* doctor.h - names each fault of a county and its mend: a command, then a note in brackets where one is
 * needed. Each ✗ is provoked in tests/e2e/test_operator.py, and what it advises is done there to the letter.
 * Blocking; main thread. */
#ifndef JG_DOCTOR_H
#define JG_DOCTOR_H

#include "conf.h"
#include "report.h"

/* One line per check; ERR_NOT_NOW when one fails. */
enum err doctor_run(const struct conf *conf, struct report *r, struct problem *p);

#endif
