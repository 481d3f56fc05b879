/* maintain.h - what an operator does besides serving: schema, health, backup. Blocking; commands only. */
#ifndef JG_MAINTAIN_H
#define JG_MAINTAIN_H

#include "conf.h"

enum err maintain_schema_ready(const struct conf *conf, struct problem *p); /* refuses to serve an old or foreign schema */
enum err maintain_migrate(const struct conf *conf, struct problem *p);
enum err maintain_doctor(const struct conf *conf, struct problem *p); /* prints one line per check; fails when one fails */
/* DIR/jingguan-YYYYMMDDTHHMMSSZ/: dump, CA, keys, settings, SHA256SUMS; read back and compared before it says done. */
enum err maintain_backup(const struct conf *conf, const char *target, struct problem *p);
enum err maintain_restore(const struct conf *conf, const char *source, struct problem *p);

#endif
