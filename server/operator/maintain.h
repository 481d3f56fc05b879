/* maintain.h - the schema: brought up to date, and refused when it is not this program's. Blocking; main
 * thread. */
#ifndef JG_MAINTAIN_H
#define JG_MAINTAIN_H

#include "conf.h"
#include "report.h"

/* refuses to serve an old or foreign schema */
enum err maintain_schema_ready(const struct conf *conf, struct problem *p);
enum err maintain_migrate(const struct conf *conf, struct report *r, struct problem *p);

#endif
