#include "password.h"

#include <ctype.h>
#include <string.h>

enum err password_hash_now(char out[crypto_pwhash_STRBYTES], const char *password)
{
	return crypto_pwhash_str(out, password, strlen(password), PASSWORD_OPS, PASSWORD_MEMORY) ? ERR_NOMEM : ERR_OK;
}

static bool verify(const char *hash, const char *password)
{
	return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
}

static void on_work(uv_work_t *work)
{
	struct password_job *job = work->data;

	if (job->stored[0])
		job->good = verify(job->stored, job->typed);
	if (!job->wanted[0] || (job->stored[0] && !job->good))
		return;
	job->reused = strcmp(job->typed, job->wanted) == 0;
	for (int i = 0; i < job->old_count && !job->reused; i++)
		job->reused = verify(job->old[i], job->wanted);
	if (!job->reused && password_hash_now(job->hash, job->wanted))
		job->good = false;
}

static void on_done(uv_work_t *work, int status)
{
	struct password_job *job = work->data;

	(void)status;
	job->worker->hashing--;
	sodium_memzero(job->typed, sizeof job->typed);
	sodium_memzero(job->wanted, sizeof job->wanted);
	job->done(job);
}

static enum err queue(struct password_job *job, struct worker *w, password_fn done, void *data)
{
	if (w->hashing >= HASH_QUEUE_MAX)
		return ERR_BUSY;
	w->hashing++;
	job->worker = w;
	job->done = done;
	job->data = data;
	job->work.data = job;
	uv_queue_work(&w->loop, &job->work, on_work, on_done);
	return ERR_OK;
}

enum err password_check(struct password_job *job, struct worker *w, const char *stored, const char *typed, password_fn done, void *data)
{
	memset(job, 0, sizeof *job);
	snprintf(job->stored, sizeof job->stored, "%s", stored);
	snprintf(job->typed, sizeof job->typed, "%s", typed);
	return queue(job, w, done, data);
}

enum err password_change(struct password_job *job, struct worker *w, const char *stored, const char *const *old, const size_t *lengths,
	int old_count, const char *typed, const char *wanted, password_fn done, void *data)
{
	memset(job, 0, sizeof *job);
	snprintf(job->stored, sizeof job->stored, "%s", stored);
	snprintf(job->typed, sizeof job->typed, "%s", typed);
	snprintf(job->wanted, sizeof job->wanted, "%s", wanted);
	for (; job->old_count < old_count && job->old_count < PASSWORD_HISTORY; job->old_count++)
		snprintf(job->old[job->old_count], sizeof job->old[0], "%.*s", (int)lengths[job->old_count], old[job->old_count]);
	return queue(job, w, done, data);
}

enum err password_make(struct password_job *job, struct worker *w, const char *wanted, password_fn done, void *data)
{
	memset(job, 0, sizeof *job);
	snprintf(job->wanted, sizeof job->wanted, "%s", wanted);
	return queue(job, w, done, data);
}

const char *password_of_nobody(void)
{
	/* argon2id of a random text, with today's parameters; any right password differs from it. */
	return "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$Jv0lqPGPZ0JXFa0K7yPUzD5hQXoQ9O8Vm1nHnXlqJ8E";
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
		return tr("密码至少 10 个字符", "at least 10 characters");
	if (n > PASSWORD_MAX)
		return tr("密码太长", "too long");
	if (lower + upper + digit + other < 3)
		return tr("密码要含大写字母、小写字母、数字、符号中的三类", "use three of: capitals, small letters, digits, signs");
	return NULL;
}

void password_generate(char out[PASSWORD_MADE])
{
	static const char *const classes[] = {"abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"};

	for (uint32_t i = 0; i < 12; i++) {
		const char *set = classes[i < 3 ? i : randombytes_uniform(3)];
		out[i] = set[randombytes_uniform((uint32_t)strlen(set))];
	}
	for (uint32_t i = 11; i > 0; i--) {
		uint32_t j = randombytes_uniform(i + 1);
		char c = out[i];
		out[i] = out[j];
		out[j] = c;
	}
	out[12] = 0;
}
