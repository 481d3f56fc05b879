/* init.h - making a data directory: keys, database, the three administrators. Blocking; main thread. */
#ifndef JG_INIT_H
#define JG_INIT_H

#include "conf.h"

/* conf: dir, county, name, listen, metrics, rehearsal, and embedded or database_owner. jgd.ini is written
 * last: a run that was interrupted at any point is repeated with the same words. ERR_EXISTS when the database
 * has the county and another directory has its keys. */
enum err init_run(struct conf *conf, struct problem *p);

#endif
