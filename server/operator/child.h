/* child.h - the programs of PostgreSQL that jgd runs. What stands in jgd's environment reaches none of them,
 * nor libpq: a PGPORT of the operator's shell must not decide where a county's data goes. Blocking; any
 * thread. */
#ifndef JG_CHILD_H
#define JG_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/* First thing in main: forgets every PG… variable and sets the two that the house wants. */
void child_clean_environment(void);
/* The path of a program of PostgreSQL `major`, as Debian keeps it; 0: of the newest one. */
enum err child_program(const char *name, int major, char *out, size_t size, struct problem *p);
/* Runs it in `dir`, its output in the file `log` (emptied first), apart from jgd's terminal. password: for
 * its connection, may be NULL. True when it ended with 0. */
bool child_run(const char *dir, const char *log, const char *const argv[], const char *password);
/* The last line that is not empty, of a log: why a program failed. */
void child_last_line(const char *log, char *out, size_t size);

#endif
