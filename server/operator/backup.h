/* backup.h - a county in a directory of files, and back. Blocking; main thread. */
#ifndef JG_BACKUP_H
#define JG_BACKUP_H

#include <time.h>

#include "conf.h"
#include "report.h"

#define BACKUP_KEYS 5
/* The files of a data directory that a backup has; jgd.ini is the first. */
extern const char *const backup_keys[BACKUP_KEYS];

/* DIR/jingguan-YYYYMMDDTHHMMSSZ/: dump, CA, keys, settings, SHA256SUMS; read back and compared before it says
 * done. */
enum err backup_make(const struct conf *conf, const char *target, struct report *r, struct problem *p);
/* The settings for a new directory out of a backup. database: where to (NULL: a private PostgreSQL, as the
 * backup's was). */
enum err backup_settings(
	struct conf *conf, const char *source, const char *dir, const char *database, struct problem *p);
/* Whether it is a backup, whole and as it was made; before anything is made for it. */
enum err backup_sums(const struct conf *conf, const char *dir, struct problem *p);
/* fresh: conf is of backup_settings, and the directory has no jgd.ini until all is done. */
enum err backup_restore(
	struct conf *conf, const char *source, bool fresh, struct report *r, struct problem *p);
/* ERR_NOT_NOW when a restore was cut off in the middle: what is there must not be served. */
enum err backup_unfinished(const struct conf *conf, struct problem *p);
/* The last backup that jgd made of this directory, and when; false when it never did. */
bool backup_last(const struct conf *conf, char *dir, size_t size, time_t *at);

#endif
