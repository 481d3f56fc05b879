/* SQLite's disk: files in memory that remember what was synced. A power cut keeps, of what was not, any
 * 512-byte sectors; a full disk refuses to grow, a failing one refuses writes and syncs. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define SECTOR 512
#define BLOCK 4096      /* of what is remembered as written */
#define BLOCKS_MAX 4096 /* 16 MB: no store of a history comes near */
#define FILES_MAX (SIM_CLIENTS_MAX * 4)

struct content {
	uint8_t *bytes;
	size_t n, room;
	bool exists;
};

struct disk_file {
	char name[512];
	unsigned client;
	struct content now, synced, saved;
	uint64_t dirty[BLOCKS_MAX / 64]; /* blocks written since the last sync */
	/* deleted, and the directory was not synced since: what was synced may come back, whole */
	bool unlinked;
};

struct open_file {
	sqlite3_file base;
	struct disk_file *file;
};

static struct disk_file files[FILES_MAX];
static size_t count;
static enum disk_mode modes[SIM_CLIENTS_MAX];
static bool hurt[SIM_CLIENTS_MAX], saved[SIM_CLIENTS_MAX];

/* What is new is whatever: the caller writes it. */
static void content_grow(struct content *c, size_t n)
{
	if (n > c->room) {
		c->room = n * 2 + 4096;
		c->bytes = sim_alloc(c->bytes, c->room);
	}
	c->n = n;
}

static void content_size(struct content *c, size_t n)
{
	size_t before = c->n;

	content_grow(c, n);
	if (n > before)
		memset(c->bytes + before, 0, n - before);
}

static void content_copy(struct content *to, const struct content *from)
{
	content_size(to, from->n);
	if (from->n)
		memcpy(to->bytes, from->bytes, from->n);
	to->exists = from->exists;
}

static unsigned client_of(const char *name)
{
	const char *end = strrchr(name, '/');

	return end && end > name ? (unsigned)(end[-1] - '0') : 0; /* …/cN/store.db */
}

static struct disk_file *file_get(const char *name)
{
	unsigned client = client_of(name) % SIM_CLIENTS_MAX;

	for (size_t i = 0; i < count; i++)
		if (files[i].client == client && strcmp(files[i].name, name) == 0)
			return &files[i];
	if (count == FILES_MAX)
		abort();
	struct disk_file *f = &files[count++];
	snprintf(f->name, sizeof f->name, "%s", name);
	f->client = client;
	return f;
}

/* A process may die at any access to its disk. */
static void maybe_die(const struct disk_file *f)
{
	struct client *c = &world.clients[f->client];

	if (world.faults && world.plan.kills && client_now() == c && chance(1)) {
		sim_met("killed within a disk access");
		client_kill(c);
	}
}

static int refuse(const struct disk_file *f, int full, int failing)
{
	enum disk_mode mode = modes[f->client];
	int code = SQLITE_OK;
	if (mode == DISK_FULL)
		code = full;
	else if (mode == DISK_FAILING && chance(300))
		code = failing;

	if (code) {
		hurt[f->client] = true;
		sim_met(mode == DISK_FULL ? "client's disk full" : "client's disk failed");
	}
	return code;
}

static int on_close(sqlite3_file *file)
{
	(void)file;
	return SQLITE_OK;
}

static int on_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
	struct content *c = &((struct open_file *)file)->file->now;
	size_t have = (size_t)at < c->n ? c->n - (size_t)at : 0;

	if (have >= (size_t)n) {
		memcpy(to, c->bytes + at, (size_t)n);
		return SQLITE_OK;
	}
	memset(to, 0, (size_t)n);
	if (have)
		memcpy(to, c->bytes + at, have);
	return SQLITE_IOERR_SHORT_READ;
}

static int on_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
	struct disk_file *f = ((struct open_file *)file)->file;
	size_t end = (size_t)at + (size_t)n;

	maybe_die(f);
	int code = refuse(f, end > f->now.n ? SQLITE_FULL : SQLITE_OK, SQLITE_IOERR_WRITE);
	if (code)
		return code;
	if ((size_t)at > f->now.n)
		content_size(&f->now, (size_t)at);
	if (end > f->now.n)
		content_grow(&f->now, end);
	memcpy(f->now.bytes + at, from, (size_t)n);
	if (end > (size_t)BLOCK * BLOCKS_MAX)
		abort();
	for (size_t b = (size_t)at / BLOCK; b * BLOCK < end; b++)
		f->dirty[b / 64] |= UINT64_C(1) << b % 64;
	return SQLITE_OK;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 n)
{
	struct disk_file *f = ((struct open_file *)file)->file;

	content_size(&f->now, (size_t)n);
	return SQLITE_OK;
}

static int on_sync(sqlite3_file *file, int flags)
{
	struct disk_file *f = ((struct open_file *)file)->file;

	(void)flags;
	maybe_die(f);
	int code = refuse(f, SQLITE_OK, SQLITE_IOERR_FSYNC);
	if (code)
		return code;
	if (f->unlinked) /* SQLite syncs the directory with a new journal */
		content_copy(&f->synced, &f->now);
	f->unlinked = false;
	size_t kept = f->synced.n < f->now.n ? f->synced.n : f->now.n;
	content_grow(&f->synced, f->now.n);
	if (f->now.n > kept)
		memcpy(f->synced.bytes + kept, f->now.bytes + kept, f->now.n - kept);
	f->synced.exists = true;
	for (size_t at = 0; at < kept; at += BLOCK)
		if (f->dirty[at / BLOCK / 64] >> at / BLOCK % 64 & 1)
			memcpy(f->synced.bytes + at, f->now.bytes + at,
				f->now.n - at < BLOCK ? f->now.n - at : BLOCK);
	memset(f->dirty, 0, sizeof f->dirty);
	return SQLITE_OK;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *n)
{
	*n = (sqlite3_int64)((struct open_file *)file)->file->now.n;
	return SQLITE_OK;
}

static int on_lock(sqlite3_file *file, int level)
{
	(void)file, (void)level;
	return SQLITE_OK; /* the profile's lock keeps others out */
}

static int on_reserved(sqlite3_file *file, int *out)
{
	(void)file;
	*out = 0;
	return SQLITE_OK;
}

static int on_control(sqlite3_file *file, int op, void *arg)
{
	(void)file, (void)op, (void)arg;
	return SQLITE_NOTFOUND;
}

static int on_sector(sqlite3_file *file)
{
	(void)file;
	return SECTOR;
}

static int on_characteristics(sqlite3_file *file)
{
	(void)file;
	return 0;
}

static const sqlite3_io_methods methods = {1, on_close, on_read, on_write, on_truncate, on_sync, on_size,
	on_lock, on_lock, on_reserved, on_control, on_sector, on_characteristics, NULL, NULL, NULL, NULL,
	NULL, NULL};

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct open_file *o = (struct open_file *)file;

	(void)vfs;
	o->base.pMethods = NULL;
	if (!name)
		return SQLITE_CANTOPEN; /* temp_store is MEMORY */
	o->file = file_get(name);
	if (!o->file->now.exists) {
		if (!(flags & SQLITE_OPEN_CREATE))
			return SQLITE_CANTOPEN;
		if (modes[o->file->client] == DISK_FULL)
			hurt[o->file->client] = true; /* the name fits, its bytes will not */
		content_size(&o->file->now, 0);
		o->file->now.exists = true;
	}
	o->base.pMethods = &methods;
	if (out)
		*out = flags;
	return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	struct disk_file *f = file_get(name);

	(void)vfs;
	maybe_die(f);
	content_size(&f->now, 0);
	f->now.exists = false;
	memset(f->dirty, 0, sizeof f->dirty);
	f->unlinked = !sync_dir && f->synced.exists;
	if (sync_dir)
		content_copy(&f->synced, &f->now);
	return SQLITE_OK;
}

static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	(void)vfs, (void)flags;
	*out = file_get(name)->now.exists;
	return SQLITE_OK;
}

static int on_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
	(void)vfs;
	snprintf(out, (size_t)n, "%s", name);
	return SQLITE_OK;
}

static int on_random(sqlite3_vfs *vfs, int n, char *to)
{
	(void)vfs;
	/* SQLite's generator is seeded once a process: it must not depend on the history */
	memset(to, 0x5A, (size_t)n);
	return n;
}

static int on_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return us;
}

static int on_time(sqlite3_vfs *vfs, double *out)
{
	(void)vfs;
	*out = 2461193.5 + (double)sim_now() / 86400e6;
	return SQLITE_OK;
}

void disk_init(void)
{
	static sqlite3_vfs vfs = {.iVersion = 1,
		.szOsFile = sizeof(struct open_file),
		.mxPathname = 512,
		.zName = "sim",
		.xOpen = on_open,
		.xDelete = on_delete,
		.xAccess = on_access,
		.xFullPathname = on_path,
		.xRandomness = on_random,
		.xSleep = on_sleep,
		.xCurrentTime = on_time};

	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	memory_init();
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (sqlite3_initialize() || sqlite3_vfs_register(&vfs, 1))
		abort();
}

void disk_begin(void)
{
	sqlite3_randomness(0, NULL);
	for (size_t i = 0; i < count; i++) {
		files[i].now.n = files[i].synced.n = files[i].saved.n = 0;
		files[i].now.exists = files[i].synced.exists = files[i].saved.exists = false;
		memset(files[i].dirty, 0, sizeof files[i].dirty);
		files[i].unlinked = false;
	}
	memset(modes, 0, sizeof modes);
	memset(hurt, 0, sizeof hurt);
	memset(saved, 0, sizeof saved);
}

static void tear(struct disk_file *f)
{
	bool torn = false;

	if (f->unlinked || f->now.exists != f->synced.exists) {
		if (chance(500))
			content_copy(&f->now, &f->synced);
		else
			content_size(&f->synced, 0); /* the new file began empty */
	}
	f->unlinked = false;
	size_t n = f->now.n;
	if (f->now.n != f->synced.n && chance(500))
		n = f->synced.n;
	content_size(&f->now, n);
	for (size_t at = 0; at < n; at += SECTOR) {
		size_t len = n - at < SECTOR ? n - at : SECTOR, old = at < f->synced.n ? f->synced.n - at : 0;
		old = old < len ? old : len;
		if (memcmp(f->now.bytes + at, f->synced.bytes + at, old) == 0 && old == len)
			continue;
		if (chance(500))
			continue;
		memcpy(f->now.bytes + at, f->synced.bytes + at, old);
		memset(f->now.bytes + at + old, 0, len - old);
		torn = true;
	}
	content_copy(&f->synced, &f->now);
	memset(f->dirty, 0, sizeof f->dirty);
	if (torn)
		sim_met("disk torn by a power cut");
}

void disk_crash(unsigned client)
{
	for (size_t i = 0; i < count; i++)
		if (files[i].client == client)
			tear(&files[i]);
}

void disk_set(unsigned client, enum disk_mode mode)
{
	modes[client] = mode;
}

bool disk_hurt(unsigned client)
{
	bool was = hurt[client];

	/* SQLite may tell of a failed sync at its next step: the mark stays while the disk is not well. */
	if (modes[client] == DISK_WELL)
		hurt[client] = false;
	return was;
}

void disk_save(unsigned client)
{
	for (size_t i = 0; i < count; i++)
		if (files[i].client == client)
			content_copy(&files[i].saved, &files[i].now);
	saved[client] = true;
}

bool disk_restore(unsigned client)
{
	if (!saved[client])
		return false;
	for (size_t i = 0; i < count; i++)
		if (files[i].client == client) {
			content_copy(&files[i].now, &files[i].saved);
			content_copy(&files[i].synced, &files[i].saved);
			memset(files[i].dirty, 0, sizeof files[i].dirty);
			files[i].unlinked = false;
		}
	return true;
}

/* ---- statements (LINKER:--wrap) ---- */

/* A third of a history would be SQLite's parser: what the client prepares and finalizes is kept for its next
 * use. */
#define STATEMENTS_MAX 128 /* of one client: jg has fewer */

static struct statement_kept {
	const char *sql;
	sqlite3_stmt *stmt;
	bool lent;
} kept[SIM_CLIENTS_MAX][STATEMENTS_MAX];
static size_t kept_count[SIM_CLIENTS_MAX];

void disk_leave(unsigned client)
{
	kept_count[client] = 0;
}

int __real_sqlite3_prepare_v2(sqlite3 *db, const char *sql, int n, sqlite3_stmt **out, const char **tail);
int __real_sqlite3_step(sqlite3_stmt *stmt);
int __real_sqlite3_finalize(sqlite3_stmt *stmt);
int __real_sqlite3_close(sqlite3 *db);
int __wrap_sqlite3_prepare_v2(sqlite3 *db, const char *sql, int n, sqlite3_stmt **out, const char **tail);
int __wrap_sqlite3_step(sqlite3_stmt *stmt);
int __wrap_sqlite3_finalize(sqlite3_stmt *stmt);
int __wrap_sqlite3_close(sqlite3 *db);

/* Whose file it is; SIM_CLIENTS_MAX: nobody's yet. */
static unsigned client_with(const sqlite3 *db)
{
	const struct client *c = client_now();
	unsigned i = c ? c->no : 0;

	while (!c && i < SIM_CLIENTS_MAX && (!world.clients[i].store || world.clients[i].store->db != db))
		i++;
	return i;
}

int __wrap_sqlite3_prepare_v2(sqlite3 *db, const char *sql, int n, sqlite3_stmt **out, const char **tail)
{
	unsigned c = client_with(db);

	for (size_t i = 0; c < SIM_CLIENTS_MAX && i < kept_count[c]; i++)
		if (kept[c][i].sql == sql && !kept[c][i].lent) {
			kept[c][i].lent = true;
			*out = kept[c][i].stmt;
			return SQLITE_OK;
		}
	int code = __real_sqlite3_prepare_v2(db, sql, n, out, tail);
	if (code == SQLITE_OK && *out && c < SIM_CLIENTS_MAX && kept_count[c] < STATEMENTS_MAX)
		kept[c][kept_count[c]++] = (struct statement_kept){sql, *out, true};
	return code;
}

/* After some errors SQLite takes the transaction back by itself; what is written behind that stands alone. */
int __wrap_sqlite3_step(sqlite3_stmt *stmt)
{
	sqlite3 *db = sqlite3_db_handle(stmt);

	for (unsigned i = 0;
		i < world.plan.clients && !sqlite3_stmt_readonly(stmt) && sqlite3_get_autocommit(db); i++) {
		const struct store *s = world.clients[i].store;
		demand(!s || s->db != db || !s->in_transaction, "C1",
			"what is written behind a transaction that is lost stands alone: %s",
			sqlite3_sql(stmt));
	}
	return __real_sqlite3_step(stmt);
}

int __wrap_sqlite3_finalize(sqlite3_stmt *stmt)
{
	unsigned c = stmt ? client_with(sqlite3_db_handle(stmt)) : SIM_CLIENTS_MAX;

	for (size_t i = 0; c < SIM_CLIENTS_MAX && i < kept_count[c]; i++)
		if (kept[c][i].stmt == stmt) {
			kept[c][i].lent = false;
			sqlite3_clear_bindings(stmt);
			return sqlite3_reset(stmt);
		}
	return __real_sqlite3_finalize(stmt);
}

int __wrap_sqlite3_close(sqlite3 *db)
{
	unsigned c = client_with(db);

	while (c < SIM_CLIENTS_MAX && kept_count[c])
		__real_sqlite3_finalize(kept[c][--kept_count[c]].stmt);
	return __real_sqlite3_close(db);
}
