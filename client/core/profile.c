#include "profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sodium.h>

#include "clock.h"
#include "file_name.h"
#include "lang.h"
#include "tls.h"
#include "tables.h"

#define CERT_CLAMP_US (30LL * 86400 * 1000000) /* proto/README.md §1 */

void profile_default_dir(char *out, size_t size)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (data && *data)
		snprintf(out, size, "%s/jingguan", data);
	else
		snprintf(out, size, "%s/.local/share/jingguan", home && *home ? home : ".");
}

static enum err io_failed(struct problem *problem, const char *path)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return problem_set(problem, ERR_DISK_FULL, NULL, NULL, _("磁盘已满，写不了 %s"), path);
	return problem_set(problem, ERR_FILE_IO, NULL, NULL, "%s: %s", path, file_error_text(errno));
}

static enum err no_folder(struct problem *problem, const char *path)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return io_failed(problem, path);
	problem_set(problem, ERR_FILE_IO, NULL,
		_("换一个能写的文件夹：加上 --profile 文件夹，或设置 HOME、XDG_DATA_HOME"),
		_("存放本机数据的文件夹 %s 建不了或不能写（%s）"), path, file_error_text(errno));
	if (problem)
		snprintf(problem->safe, sizeof problem->safe, "%s", _("还没有开始，什么都没有改动"));
	return ERR_FILE_IO;
}

static bool made(const char *path)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return true;
	int why = errno; /* a folder on the way may be there and not ours to write */
	bool there = access(path, X_OK) == 0;
	errno = why;
	return there;
}

/* Makes the folder and those above it. Tells of the first one that cannot be made. */
static enum err make_dir(const char *dir, struct problem *problem)
{
	char path[400];

	snprintf(path, sizeof path, "%s", dir);
	for (char *at = path + 1; *at; at++)
		if (*at == '/') {
			*at = 0;
			if (!made(path))
				return no_folder(problem, path);
			*at = '/';
		}
	return made(path) && access(path, W_OK | X_OK) == 0 ? ERR_OK : no_folder(problem, path);
}

static enum err sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = fd < 0 || fsync(fd);

	if (fd >= 0)
		close(fd);
	return failed ? ERR_FILE_IO : ERR_OK;
}

enum err profile_write_file(
	const char *dir, const char *name, const void *bytes, size_t n, struct problem *problem)
{
	char path[512], temporary[520];
	const char *at = bytes;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	snprintf(temporary, sizeof temporary, "%s.new", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool failed = fd < 0;

	while (!failed && n) {
		ssize_t w = write(fd, at, n);
		if (w <= 0) {
			failed = true;
		} else {
			at += w;
			n -= (size_t)w;
		}
	}
	failed = failed || fsync(fd);
	enum err e = failed ? io_failed(problem, path) : ERR_OK;
	if (fd >= 0)
		close(fd);
	if (!e && (rename(temporary, path) || sync_dir(dir)))
		e = io_failed(problem, path);
	if (e)
		unlink(temporary);
	return e;
}

enum err profile_lock(struct profile *p, struct problem *problem)
{
	char path[512];

	snprintf(path, sizeof path, "%s/lock", p->dir);
	p->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (p->lock_fd < 0)
		return io_failed(problem, path);
	if (flock(p->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return ERR_OK;
	profile_unlock(p);
	return problem_set(
		problem, ERR_BUSY, NULL, _("等另一个程序结束后再试"), _("另一个精管程序正在使用 %s"), p->dir);
}

void profile_unlock(struct profile *p)
{
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	p->lock_fd = -1;
}

static void copy_text(char *out, size_t size, const json_t *from, const char *key)
{
	const char *text = json_string_value(json_object_get(from, key));

	snprintf(out, size, "%s", text ? text : "");
}

/* NULL when there is no such file; *e says whether it could not be understood. */
static json_t *read_json(const char *dir, const char *name, enum err *e, struct problem *problem)
{
	char path[512];
	json_error_t fault;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (access(path, F_OK))
		return NULL;
	json_t *json = json_load_file(path, 0, &fault);
	if (!json)
		*e = problem_set(problem, ERR_FILE_DAMAGED, NULL,
			_("请从备份取回，或重新登录、重新注册这台电脑"), "%s: %s", path, fault.text);
	return json;
}

static enum err read_settings(struct profile *p, struct problem *problem)
{
	enum err e = ERR_OK;
	json_t *json = read_json(p->dir, "profile.json", &e, problem);

	if (!json)
		return e;
	copy_text(p->server, sizeof p->server, json, "server");
	copy_text(p->county, sizeof p->county, json, "county");
	copy_text(p->county_name, sizeof p->county_name, json, "county_name");
	copy_text(p->school, sizeof p->school, json, "school");
	copy_text(p->school_name, sizeof p->school_name, json, "school_name");
	copy_text(p->device, sizeof p->device, json, "device");
	copy_text(p->scope, sizeof p->scope, json, "scope");
	p->rehearsal = json_is_true(json_object_get(json, "rehearsal"));
	p->last_server = json_integer_value(json_object_get(json, "last_server"));
	p->skew_us = json_integer_value(json_object_get(json, "skew_us"));
	p->heard_us = json_integer_value(json_object_get(json, "heard_us"));
	json_decref(json);
	return ERR_OK;
}

static bool read_hex(uint8_t *out, size_t size, const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));
	size_t n = 0;

	return text && sodium_hex2bin(out, size, text, strlen(text), NULL, &n, NULL) == 0 && n == size;
}

static enum err read_session(struct profile *p, struct problem *problem)
{
	enum err e = ERR_OK;
	json_t *json = read_json(p->dir, "session.json", &e, problem);
	struct session *s = &p->session;
	size_t i;
	json_t *item;

	if (!json)
		return e;
	if (read_hex(s->id, sizeof s->id, json, "session") &&
		read_hex(s->token, sizeof s->token, json, "token"))
		copy_text(s->user, sizeof s->user, json, "user");
	copy_text(s->name, sizeof s->name, json, "name");
	json_array_foreach(json_object_get(json, "roles"), i, item)
	{
		unsigned role = role_by_name(json_string_value(item) ? json_string_value(item) : "");
		s->roles |= role ? 1u << role : 0;
	}
	json_array_foreach(json_object_get(json, "classes"), i,
		item) if (s->class_count < PROFILE_CLASSES_MAX && json_string_value(item))
		snprintf(s->classes[s->class_count++], sizeof s->classes[0], "%s", json_string_value(item));
	s->must_change = json_is_true(json_object_get(json, "must_change"));
	s->until = json_integer_value(json_object_get(json, "until"));
	json_decref(json);
	return ERR_OK;
}

static FILE *open_file(const struct profile *p, const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", p->dir, name);
	return fopen(path, "re");
}

typedef void *(*read_fn)(FILE *in);

static void *read_key(FILE *in)
{
	return PEM_read_PrivateKey(in, NULL, NULL, NULL);
}

static void *read_cert(FILE *in)
{
	return PEM_read_X509(in, NULL, NULL, NULL);
}

/* NULL: it is not there, or is none. Twice: OpenSSL does not always say that it was memory that it lacked. */
static enum err read_pem(const struct profile *p, const char *name, read_fn read_one, void **out)
{
	FILE *in = open_file(p, name);
	enum err e = ERR_OK;

	ERR_clear_error();
	for (int i = 0; in && !*out && i < 2; i++) {
		rewind(in);
		*out = read_one(in);
		e = *out ? ERR_OK : tls_verdict(ERR_OK);
	}
	if (in)
		fclose(in);
	return e;
}

/* Without memory there is a key all the same: a computer that has none is enrolled anew, over it. */
static enum err read_keys(struct profile *p, struct problem *problem)
{
	void *key = NULL, *cert = NULL, *ca = NULL;
	enum err e = read_pem(p, "key.pem", read_key, &key);

	if (!e)
		e = read_pem(p, "cert.pem", read_cert, &cert);
	if (!e)
		e = read_pem(p, "ca.pem", read_cert, &ca);
	p->key = key;
	p->cert = cert;
	p->ca = ca;
	return e ? problem_set(problem, e, NULL, NULL, NULL) : ERR_OK;
}

enum err profile_open(struct profile *p, const char *dir, struct problem *problem)
{
	*p = (struct profile){.lock_fd = -1};
	if (dir && strlen(dir) >= sizeof p->dir)
		return problem_set(problem, ERR_USAGE, "profile", NULL, _("目录名太长"));
	if (dir)
		snprintf(p->dir, sizeof p->dir, "%s", dir);
	else
		profile_default_dir(p->dir, sizeof p->dir);
	if (sodium_init() < 0)
		return problem_set(problem, ERR_INTERNAL, NULL, NULL, "libsodium");
	enum err e = make_dir(p->dir, problem);
	if (!e)
		e = profile_lock(p, problem);
	if (!e)
		e = read_settings(p, problem);
	if (!e)
		e = read_session(p, problem);
	if (!e)
		e = read_keys(p, problem);
	if (e)
		profile_close(p);
	return e;
}

enum err profile_peek(struct profile *p, const char *dir)
{
	*p = (struct profile){.lock_fd = -1};
	snprintf(p->dir, sizeof p->dir, "%s", dir);
	enum err e = read_settings(p, NULL);
	if (!e)
		e = read_session(p, NULL);
	return e;
}

void profile_close(struct profile *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	X509_free(p->ca);
	p->key = NULL;
	p->cert = p->ca = NULL;
	sodium_memzero(&p->session, sizeof p->session);
	profile_unlock(p);
}

bool profile_is_enrolled(const struct profile *p)
{
	return p->key && p->cert && p->ca && p->device[0];
}

static enum err save_json(const struct profile *p, const char *name, json_t *json, struct problem *problem)
{
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
	enum err e = text ? profile_write_file(p->dir, name, text, strlen(text), problem)
			  : problem_set(problem, ERR_NOMEM, NULL, NULL, NULL);

	if (text)
		sodium_memzero(text, strlen(text));
	free(text);
	json_decref(json);
	return e;
}

enum err profile_save(const struct profile *p, struct problem *problem)
{
	json_t *json = json_pack("{ss ss ss ss ss ss ss sb sI sI sI}", "server", p->server, "county",
		p->county, "county_name", p->county_name, "school", p->school, "school_name", p->school_name,
		"device", p->device, "scope", p->scope, "rehearsal", p->rehearsal, "last_server",
		(json_int_t)p->last_server, "skew_us", (json_int_t)p->skew_us, "heard_us",
		(json_int_t)p->heard_us);

	return save_json(p, "profile.json", json, problem);
}

enum err profile_save_session(const struct profile *p, struct problem *problem)
{
	const struct session *s = &p->session;
	char id[sizeof s->id * 2 + 1], token[sizeof s->token * 2 + 1];
	json_t *roles = json_array(), *classes = json_array();

	sodium_bin2hex(id, sizeof id, s->id, sizeof s->id);
	sodium_bin2hex(token, sizeof token, s->token, sizeof s->token);
	for (size_t i = 0; i < role_count; i++)
		if (s->roles >> role_table[i].number & 1)
			json_array_append_new(roles, json_string(role_table[i].name));
	for (unsigned i = 0; i < s->class_count; i++)
		json_array_append_new(classes, json_string(s->classes[i]));
	json_t *json = json_pack("{ss ss ss ss so so sb sI}", "session", id, "token", token, "user", s->user,
		"name", s->name, "roles", roles, "classes", classes, "must_change", s->must_change, "until",
		(json_int_t)s->until);
	sodium_memzero(token, sizeof token);
	return save_json(p, "session.json", json, problem);
}

enum err profile_forget_session(struct profile *p, struct problem *problem)
{
	char path[512];

	snprintf(path, sizeof path, "%s/session.json", p->dir);
	sodium_memzero(&p->session, sizeof p->session);
	if (unlink(path) && errno != ENOENT)
		return io_failed(problem, path);
	return ERR_OK;
}

static enum err save_pem(const struct profile *p, const char *name, BIO *pem, struct problem *problem)
{
	char *text;
	long n = BIO_get_mem_data(pem, &text);

	return n > 0 ? profile_write_file(p->dir, name, text, (size_t)n, problem)
		     : problem_set(problem, ERR_NOMEM, NULL, NULL, NULL);
}

enum err profile_make_key(struct profile *p, struct problem *problem)
{
	if (p->key)
		return ERR_OK;
	BIO *pem = BIO_new(BIO_s_secmem());
	p->key = EVP_EC_gen("P-256");
	enum err e = ERR_INTERNAL;
	if (pem && p->key && PEM_write_bio_PrivateKey(pem, p->key, NULL, NULL, 0, NULL, NULL))
		e = save_pem(p, "key.pem", pem, problem);
	else
		problem_set(problem, e, NULL, NULL, NULL);
	BIO_free(pem);
	if (e) {
		EVP_PKEY_free(p->key);
		p->key = NULL;
	}
	return e;
}

static enum err save_cert(const struct profile *p, const char *name, X509 *cert, struct problem *problem)
{
	BIO *pem = BIO_new(BIO_s_mem());
	enum err e = pem && PEM_write_bio_X509(pem, cert) ? save_pem(p, name, pem, problem)
							  : problem_set(problem, ERR_NOMEM, NULL, NULL, NULL);

	BIO_free(pem);
	return e;
}

enum err profile_save_certs(struct profile *p, const uint8_t *cert, size_t cert_len, const uint8_t *ca,
	size_t ca_len, struct problem *problem)
{
	const unsigned char *at = cert, *ca_at = ca;
	X509 *new_cert = d2i_X509(NULL, &at, (long)cert_len), *new_ca = d2i_X509(NULL, &ca_at, (long)ca_len);

	if (!new_cert || !new_ca || X509_check_private_key(new_cert, p->key) != 1) {
		X509_free(new_cert);
		X509_free(new_ca);
		return problem_set(problem, ERR_MALFORMED, NULL, NULL, _("服务器发来的证书不能用"));
	}
	enum err e = save_cert(p, "ca.pem", new_ca, problem);
	if (!e)
		e = save_cert(p, "cert.pem", new_cert, problem);
	if (e) {
		X509_free(new_cert);
		X509_free(new_ca);
		return e;
	}
	X509_free(p->cert);
	X509_free(p->ca);
	p->cert = new_cert;
	p->ca = new_ca;
	return ERR_OK;
}

bool profile_has_role(const struct profile *p, uint32_t roles)
{
	return (p->session.roles & roles) != 0;
}

void profile_heard(struct profile *p, int64_t now_us)
{
	p->skew_us = clock_now_us() - now_us;
	p->heard_us = now_us;
	if (now_us > p->last_server)
		p->last_server = now_us;
}

int64_t profile_now_us(const struct profile *p)
{
	int64_t now = clock_now_us() - p->skew_us;

	return now < p->heard_us ? p->heard_us : now;
}

int32_t profile_today(const struct profile *p)
{
	char text[TIME_TEXT_SIZE];

	time_format(text, profile_now_us(p));
	return (int32_t)(atoi(text) * 10000 + atoi(text + 5) * 100 + atoi(text + 8));
}

int64_t profile_cert_time_s(const struct profile *p)
{
	int64_t now = clock_now_us();

	if (p->last_server && now < p->last_server)
		now = p->last_server;
	if (p->last_server && now > p->last_server + CERT_CLAMP_US)
		now = p->last_server + CERT_CLAMP_US;
	return now / 1000000;
}
