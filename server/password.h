/* password.h - argon2id on libuv's worker pool (never on a loop), and the rules of a good password.
 * One thread: the loop's. */
#ifndef JG_PASSWORD_H
#define JG_PASSWORD_H

#include <sodium.h>

#include "first_password.h"
#include "request.h"

#define PASSWORD_MIN 10
#define PASSWORD_MAX 128 /* longer only costs hashing time */
#define PASSWORD_HISTORY 5
#define PASSWORD_OPS 2 /* SECURITY.md: argon2id, 19 MiB, t=2, p=1 */
#define PASSWORD_MEMORY (19u << 20)
/* Of a first password. Unused it lives as long as the connect code that goes with it, or a person would come
 * with a code that works and a password that does not; from the first log-in on, a day: then it has been seen
 * by two. */
#define FIRST_PASSWORD_UNUSED "72 hours"
#define FIRST_PASSWORD_USED "24 hours"

struct password_job;
typedef void (*password_fn)(struct password_job *job);

/* Lives in the request's arena; `done` runs on the loop. */
struct password_job {
	uv_work_t work;
	struct worker *worker;
	struct password_job *next; /* in worker->hash_jobs */
	uint64_t who;              /* whose it is: queues are fair among devices */
	unsigned turn; /* jobs of the same device before it: who asks once is before who asks again */
	bool running;
	struct request *request;
	password_fn done;
	char stored[crypto_pwhash_STRBYTES], typed[PASSWORD_MAX + 1], wanted[PASSWORD_MAX + 1];
	char old[PASSWORD_HISTORY][crypto_pwhash_STRBYTES];
	int old_count;
	enum err fault;                    /* why nobody can tell what follows, or there is no hash */
	bool good, reused;                 /* results */
	char hash[crypto_pwhash_STRBYTES]; /* of `wanted`, when there is one */
};

/* Each works for the request's device. ERR_BUSY when HASH_QUEUE_MAX jobs wait, or HASH_DEVICE_MAX of this
 * device: done never runs then. */
enum err password_check(
	struct password_job *job, struct request *r, const char *stored, const char *typed, password_fn done);
enum err password_change(struct password_job *job, struct request *r, const char *stored,
	const char *const *old, const size_t *lengths, int old_count, const char *typed, const char *wanted,
	password_fn done);
/* Hashes a new password without checking an old one. */
enum err password_make(struct password_job *job, struct request *r, const char *wanted, password_fn done);

const char *password_of_nobody(void); /* a hash that matches nothing and costs as much */
/* NULL when acceptable, else why not, in the user's language */
const char *password_fault(const char *password);
/* blocking: for commands */
enum err password_hash_now(char out[crypto_pwhash_STRBYTES], const char *password);

#endif
