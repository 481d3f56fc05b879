#include "password.h"

#include "lang.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum err password_hash_now(char out[crypto_pwhash_STRBYTES], const char *password)
{
	return crypto_pwhash_str(out, password, strlen(password), PASSWORD_OPS, PASSWORD_MEMORY) ? ERR_NOMEM
												 : ERR_OK;
}

#define HASH_BYTES 32

struct parsed {
	unsigned memory_kib, passes;
	uint8_t salt[crypto_pwhash_SALTBYTES], hash[HASH_BYTES];
};

static bool take_base64(uint8_t *out, size_t size, const char **at)
{
	size_t len = strcspn(*at, "$"), n = 0;
	const char *end = NULL;
	bool good = sodium_base642bin(out, size, *at, len, NULL, &n, &end,
			    sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
		n == size && end == *at + len;

	*at += len;
	*at += **at == '$';
	return good;
}

/* $argon2id$v=19$m=19456,t=2,p=1$salt$hash, as crypto_pwhash_str writes it. */
static bool parse_hash(const char *text, struct parsed *h)
{
	int at = 0;

	if (sscanf(text, "$argon2id$v=19$m=%u,t=%u,p=1$%n", &h->memory_kib, &h->passes, &at) != 2 || !at)
		return false;
	text += at;
	return take_base64(h->salt, sizeof h->salt, &text) && take_base64(h->hash, sizeof h->hash, &text) &&
		!*text;
}

/* crypto_pwhash_str_verify says the same of another password and of 19 MiB that it did not get: so the
 * hash is made and compared here. */
static bool verify(struct password_job *job, const char *hash, const char *password)
{
	struct parsed h;
	uint8_t made[HASH_BYTES];

	if (!parse_hash(hash, &h))
		return false;
	if (crypto_pwhash(made, sizeof made, password, strlen(password), h.salt, h.passes,
		    (size_t)h.memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13)) {
		job->fault = ERR_NOMEM;
		return false;
	}
	return sodium_memcmp(made, h.hash, sizeof made) == 0;
}

static void on_work(uv_work_t *work)
{
	struct password_job *job = work->data;

	if (job->stored[0])
		job->good = verify(job, job->stored, job->typed);
	if (!job->wanted[0] || (job->stored[0] && !job->good))
		return;
	job->reused = strcmp(job->typed, job->wanted) == 0;
	for (int i = 0; i < job->old_count && !job->reused; i++)
		job->reused = verify(job, job->old[i], job->wanted);
	if (!job->reused && !job->fault)
		job->fault = password_hash_now(job->hash, job->wanted);
}

static void start_jobs(struct worker *w);

static void remove_job(struct worker *w, struct password_job *job)
{
	struct password_job **at = &w->hash_jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	w->hashing--;
}

static void on_done(uv_work_t *work, int status)
{
	struct password_job *job = work->data;
	struct worker *w = job->worker;

	(void)status;
	w->hash_running--;
	remove_job(w, job);
	for (struct password_job *j = w->hash_jobs; j; j = j->next)
		j->turn -= j->who == job->who && j->turn;
	sodium_memzero(job->typed, sizeof job->typed);
	sodium_memzero(job->wanted, sizeof job->wanted);
	start_jobs(w);
	job->done(job);
}

/* The pool takes a few at a time, so that the order is ours: among those that wait, the one with the fewest
 * of its own device before it, then the oldest. A device that sends a hundred guesses delays another's log-in
 * by what is at work, not by a hundred. */
static void start_jobs(struct worker *w)
{
	while (w->hash_running < HASH_RUNNING_MAX) {
		struct password_job *next = NULL;
		for (struct password_job *j = w->hash_jobs; j; j = j->next)
			if (!j->running && (!next || j->turn < next->turn))
				next = j;
		if (!next)
			return;
		next->running = true;
		w->hash_running++;
		uv_queue_work(&w->loop, &next->work, on_work, on_done);
	}
}

static enum err queue(struct password_job *job, struct request *r, password_fn done)
{
	struct worker *w = r->worker;
	struct password_job **last = &w->hash_jobs;

	if (r->conn)
		memcpy(&job->who, r->conn->spki, sizeof job->who);
	for (; *last; last = &(*last)->next)
		job->turn += (*last)->who == job->who;
	if (w->hashing >= HASH_QUEUE_MAX || job->turn >= HASH_DEVICE_MAX)
		return ERR_BUSY;
	*last = job;
	w->hashing++;
	job->worker = w;
	job->done = done;
	job->request = r;
	job->work.data = job;
	start_jobs(w);
	return ERR_OK;
}

enum err password_check(
	struct password_job *job, struct request *r, const char *stored, const char *typed, password_fn done)
{
	memset(job, 0, sizeof *job);
	snprintf(job->stored, sizeof job->stored, "%s", stored);
	snprintf(job->typed, sizeof job->typed, "%s", typed);
	return queue(job, r, done);
}

enum err password_change(struct password_job *job, struct request *r, const char *stored,
	const char *const *old, const size_t *lengths, int old_count, const char *typed, const char *wanted,
	password_fn done)
{
	memset(job, 0, sizeof *job);
	snprintf(job->stored, sizeof job->stored, "%s", stored);
	snprintf(job->typed, sizeof job->typed, "%s", typed);
	snprintf(job->wanted, sizeof job->wanted, "%s", wanted);
	for (; job->old_count < old_count && job->old_count < PASSWORD_HISTORY; job->old_count++)
		snprintf(job->old[job->old_count], sizeof job->old[0], "%.*s", (int)lengths[job->old_count],
			old[job->old_count]);
	return queue(job, r, done);
}

enum err password_make(struct password_job *job, struct request *r, const char *wanted, password_fn done)
{
	memset(job, 0, sizeof *job);
	snprintf(job->wanted, sizeof job->wanted, "%s", wanted);
	return queue(job, r, done);
}

const char *password_of_nobody(void)
{
	/* argon2id of a random text, with today's parameters; any right password differs from it. */
	return "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
	       "Jv0lqPGPZ0JXFa0K7yPUzD5hQXoQ9O8Vm1nHnXlqJ8E";
}

const char *password_fault(const char *password)
{
	bool lower = false, upper = false, digit = false, other = false;
	size_t n = strlen(password);

	for (const char *c = password; *c; c++) {
		lower |= islower((unsigned char)*c) != 0;
		upper |= isupper((unsigned char)*c) != 0;
		digit |= isdigit((unsigned char)*c) != 0;
		other |= !isalnum((unsigned char)*c);
	}
	if (n < PASSWORD_MIN)
		return _("密码至少 10 个字符");
	if (n > PASSWORD_MAX)
		return _("密码太长");
	if (lower + upper + digit + other < 3)
		return _("密码要含大写字母、小写字母、数字、符号中的三类");
	return NULL;
}
