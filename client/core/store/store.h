/* store.h - the school's offline store: one SQLite file, one connection, everything personal sealed (seal.h).
 * Owns the file, its schema, transactions, streams and small settings; records are read through view.h,
 * written through outbox.h. The profile's lock keeps other processes out. One thread.
 *
 * Rollback journal, not WAL: Debian 12's SQLite 3.40 has the WAL-reset race, and a
 * command writes few, large transactions. synchronous=EXTRA: "saved" is shown only after COMMIT, and a
 * journal that is gone stays gone. Not EXCLUSIVE: that keeps the journal and only clears its head, and a
 * power cut after a program was killed at that very moment can bring the old head back over the records of
 * the next transaction. */
#ifndef JG_STORE_H
#define JG_STORE_H

#include <sqlite3.h>

#include "hash.h"
#include "profile.h"
#include "seal.h"

struct store {
	sqlite3 *db;
	struct seal *seal;
	struct profile *profile; /* borrowed */
	bool in_transaction;
	uint8_t device[ID_SIZE];
	bool unread; /* the disk refused to tell after an error: the next transaction asks again first */
	/* The outbox as it stands; written back by store_commit. */
	uint32_t incarnation; /* 0: the server has never been met */
	uint64_t last_op;     /* acknowledged */
	uint64_t made;        /* highest number given */
	int64_t next_row;     /* of the outbox table */
	/* prepared while there is memory: what is not rolled back would be read as if it were stored */
	sqlite3_stmt *roll_back;
	sqlite3_stmt *insert_op; /* outbox.c's, kept because an import runs it 40,000 times */
	uint8_t last_hash[HASH_SIZE];
	/* An older incarnation that a restored server ends in, and what it has answered of it: the rest goes
	 * before our own. 0: nothing does. Begun by WELCOME. */
	struct {
		uint32_t incarnation;
		uint64_t last_op;
	} older;
	char path[512];
};

/* Opens DIR/store.db, making or migrating it. ERR_STORE with SQLite's word in *p, ERR_DISK_FULL, those of
 * seal_open. */
enum err store_open(struct store **out, struct profile *profile, struct problem *p);
void store_close(struct store *s);

enum err store_begin(struct store *s, struct problem *p);
/* On disk when it returns ERR_OK. On an error nothing of the transaction is. */
enum err store_commit(struct store *s, struct problem *p);
void store_rollback(struct store *s);

/* Turns SQLite's code into ours and tells it. */
enum err store_error(struct store *s, struct problem *p);
/* A prepared statement, NULL after an error (told in *p). The caller finalizes. */
sqlite3_stmt *store_prepare(struct store *s, const char *sql, struct problem *p);
/* Steps a statement that gives no row and resets it. */
enum err store_run(struct store *s, sqlite3_stmt *stmt, struct problem *p);

/* Steps a statement to its next row; *row: there is one. An error is never the end of the rows: what is taken
 * for all of them was not read. */
enum err store_next(struct store *s, sqlite3_stmt *stmt, bool *row, struct problem *p);

/* Small settings by name; what personal data they may hold is not allowed here. */
/* 0 when it is not there */
enum err store_get_int(struct store *s, const char *name, int64_t *out, struct problem *p);
enum err store_set_int(struct store *s, const char *name, int64_t value);
/* Copies the text, "" when it is not there. */
enum err store_get_text(struct store *s, const char *name, char *out, size_t size, struct problem *p);
enum err store_set_text(struct store *s, const char *name, const char *value);

/* Streams of this device as WELCOME named them. */
struct stream_state {
	int64_t stream;
	char what[16];
	uint64_t cursor, epoch;
	int digest; /* -1 never compared, 0 differed, 1 agreed */
};
#define STORE_STREAMS_MAX 64 /* as Welcome declares */
/* Fills at most STORE_STREAMS_MAX; *n: how many. */
enum err store_streams(struct store *s, struct stream_state *out, size_t *n, struct problem *p);
/* Remembers a stream that WELCOME named. */
enum err store_add_stream(struct store *s, int64_t stream, const char *what, struct problem *p);

#endif
