/* core_fixture.h - an enrolled profile in a temporary folder, without a server: for tests of client/core.
 * Header only. */
#ifndef JG_CORE_FIXTURE_H
#define JG_CORE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "hash.h"
#include "record.h"
#include "staging.h"
#include "store.h"
#include "tables.h"

#define FIXTURE_SCHOOL "2132999001"

struct fixture {
	char dir[64];
	struct profile profile;
	struct store *store;
};

static inline void fixture_write(const struct fixture *f, const char *name, const char *text, char path[160])
{
	snprintf(path, 160, "%s/%s", f->dir, name);
	FILE *out = fopen(path, "w");
	fputs(text, out);
	fclose(out);
}

/* As after connect and login: incarnation 1, the county's and the school's stream. */
static inline void fixture_open(struct fixture *f, const char *role)
{
	struct problem p = {0};

	memset(f, 0, sizeof *f);
	setenv("DBUS_SESSION_BUS_ADDRESS", "", 1); /* never the keyring of who runs the tests */
	/* In memory where there is such a folder: the tests kill processes, not the power. */
	snprintf(f->dir, sizeof f->dir, "%s/jg-core-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(f->dir) || profile_open(&f->profile, f->dir, &p))
		abort();
	snprintf(f->profile.school, sizeof f->profile.school, FIXTURE_SCHOOL);
	snprintf(f->profile.school_name, sizeof f->profile.school_name, "测试县第九小学");
	snprintf(f->profile.device, sizeof f->profile.device, "0190a000-0000-7000-8000-000000000001");
	snprintf(f->profile.session.user, sizeof f->profile.session.user, "tester");
	f->profile.session.roles = 1u << role_by_name(role);
	if (store_open(&f->store, &f->profile, &p))
		abort();
	f->store->incarnation = 1;
	hash_genesis(f->store->last_hash, f->store->device, 1);
	if (store_begin(f->store, &p) || store_add_stream(f->store, 329999, "county", &p) ||
		store_add_stream(f->store, 2132999001, "school", &p) || store_commit(f->store, &p))
		abort();
}

static inline void fixture_reopen(struct fixture *f)
{
	struct problem p = {0};

	store_close(f->store);
	if (store_open(&f->store, &f->profile, &p)) {
		fprintf(stderr, "%s\n", p.message);
		abort();
	}
}

/* One change of the school's stream, as a page of a pull brings it, and what it adds to the digest in
 * *end. */
static inline void fixture_stage(struct store *s, const uint8_t id[ID_SIZE], Jingguan__V1__Action action,
	const struct record *r, struct staging_end *end)
{
	pb_pull_reply page = PB_PULL_REPLY_INIT;
	pb_change change = PB_CHANGE_INIT, *list[] = {&change};
	uint32_t gver[] = {1, 1, 1}, lanes[LANES];
	bool put = action == JINGGUAN__V1__ACTION__PUT;
	struct buf body = {0};
	uint8_t hash[HASH_SIZE];

	record_encode(r, &body);
	change.kind = r->kind->number;
	change.id = (ProtobufCBinaryData){ID_SIZE, (uint8_t *)id};
	change.ver = 1;
	change.action = action;
	change.n_gver = sizeof gver / sizeof *gver;
	change.gver = gver;
	change.owner = (char *)FIXTURE_SCHOOL;
	if (put)
		change.body = (ProtobufCBinaryData){body.len, body.data};
	page.n_change = 1;
	page.change = list;
	if (staging_add(s, 2132999001, &page, NULL))
		abort();
	hash_record(hash, body.data, body.len);
	hash_lanes(lanes, id, 1, r->kind->number, hash);
	(put ? lanes_add : lanes_sub)(end->lanes, lanes);
	buf_free(&body);
}

static inline void fixture_close(struct fixture *f)
{
	char command[128];

	store_close(f->store);
	profile_close(&f->profile);
	snprintf(command, sizeof command, "rm -rf %s", f->dir);
	if (system(command))
		abort();
}

#endif
