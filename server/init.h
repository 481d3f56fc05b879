/* init.h - making a data directory: keys, database, the three administrators. Blocking; run once by `jgd init`. */
#ifndef JG_INIT_H
#define JG_INIT_H

#include "conf.h"

/* conf: dir, county, name, listen, metrics, rehearsal, and embedded or database_owner. jgd.ini is written last, so that a
 * run that failed half-way can be repeated. */
enum err init_run(struct conf *conf, struct problem *p);

#endif
