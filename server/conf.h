/* conf.h - the settings of one data directory, read from DIR/jgd.ini. One table (conf.c) feeds reading,
 * writing and the reference in server/README.md; a test fails when the document misses a row.
 * Any thread, each with its own settings. */
#ifndef JG_CONF_H
#define JG_CONF_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>

#include "err.h"

#define CONF_TEXT 1024
#define PULL_PAGE_ROWS 1000 /* about 240 KiB of ordinary records */

struct conf {
	char dir[512];
	int county;
	char name[256];
	bool rehearsal, embedded;
	char database_owner[CONF_TEXT], database_app[CONF_TEXT]; /* owner migrates, app serves */
	char listen[128], metrics[128];
	char user[64]; /* to drop to when started as root */
	char contact[64];
	char scan[CONF_TEXT]; /* a command of the shell that a file's path is put behind; "" = none */
	int workers, pool, per_address;
	/* of a pull; no setting: only the simulation makes pages small, so that a few records are many pages
	 * */
	int page_rows;
	bool grouping; /* of one-op pushes; off only to measure what it is worth */
	struct sockaddr_storage listen_addr, metrics_addr;
};

void conf_defaults(struct conf *c);
enum err conf_load(struct conf *c, const char *dir, struct problem *p);
enum err conf_save(const struct conf *c, struct problem *p);
enum err conf_address(const char *name, const char *text, struct sockaddr_storage *out, struct problem *p);
void conf_address_text(const struct sockaddr_storage *at, char *out, size_t size); /* HOST:PORT */
/* The names of the settings that differ and that SIGHUP takes (live) or that only a restart does; returns how
 * many. */
size_t conf_changes(const struct conf *old, const struct conf *fresh, bool live, char *out, size_t size);
/* One line per setting: name, default, meaning (for --help and the document's test). */
void conf_describe(FILE *out);
void conf_manual(FILE *out); /* jgd.ini.5 */

#endif
