#include "seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <sodium.h>

#include "keyring.h"
#include "lang.h"

#define NONCE 12
#define TAG 16
/* store.key: a mark, then the key; or a mark, salt, nonce and the key in a box under the passphrase. */
#define MARK_CLEAR "jgk1"
#define MARK_WRAPPED "jgk2"
#define MARK 4
#define WRAPPED                                                                                              \
	(MARK + crypto_pwhash_SALTBYTES + crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + SEAL_KEY)
/* store.keyring: a mark and the number under which the keyring has the key. */
#define MARK_NUMBERED "jgk3"
#define NUMBERED (MARK + KEYRING_ID)

struct seal {
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *encrypt, *decrypt;
};

static enum err passphrase_key(uint8_t key[SEAL_KEY], const uint8_t *salt, struct problem *p)
{
	const char *passphrase = getenv("JG_PASSPHRASE");

	if (!passphrase || !*passphrase)
		return problem_set(
			p, ERR_PERMISSION, NULL, _("请设置环境变量 JG_PASSPHRASE"), _("本机数据有口令保护"));
	if (crypto_pwhash(key, SEAL_KEY, passphrase, strlen(passphrase), salt,
		    crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
		    crypto_pwhash_ALG_ARGON2ID13))
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	return ERR_OK;
}

/* The key stays in the keyring; the profile keeps only the number it has there. */
static enum err make_in_keyring(
	uint8_t key[SEAL_KEY], const char *dir, enum keyring_state *state, struct problem *p)
{
	uint8_t file[NUMBERED] = MARK_NUMBERED, check[SEAL_KEY];
	char label[600];

	randombytes_buf(file + MARK, KEYRING_ID);
	snprintf(label, sizeof label, _("精管学校端本机数据 %s"), dir);
	*state = keyring_put(file + MARK, label, key, SEAL_KEY);
	/* What cannot be read back is not there. */
	if (*state == KEYRING_OK)
		*state = keyring_get(file + MARK, check, SEAL_KEY);
	if (*state == KEYRING_OK && sodium_memcmp(check, key, SEAL_KEY) != 0)
		*state = KEYRING_MISSING;
	sodium_memzero(check, sizeof check);
	return *state == KEYRING_OK ? profile_write_file(dir, "store.keyring", file, sizeof file, p) : ERR_OK;
}

static enum err make_key(uint8_t key[SEAL_KEY], const char *dir, enum key_place *place, struct problem *p)
{
	uint8_t file[WRAPPED] = MARK_CLEAR, outer[SEAL_KEY];
	uint8_t *salt = file + MARK, *nonce = salt + crypto_pwhash_SALTBYTES,
		*box = nonce + crypto_secretbox_NONCEBYTES;
	const char *passphrase = getenv("JG_PASSPHRASE");
	enum keyring_state keyring;
	size_t n = MARK + SEAL_KEY;
	enum err e = ERR_OK;

	randombytes_buf(key, SEAL_KEY);
	*place = passphrase && *passphrase ? KEY_PASSPHRASE : KEY_KEYRING;
	if (*place == KEY_KEYRING) {
		e = make_in_keyring(key, dir, &keyring, p);
		if (e || keyring == KEYRING_OK)
			return e;
		*place = KEY_FILE;
		memcpy(file + MARK, key, SEAL_KEY);
	} else {
		memcpy(file, MARK_WRAPPED, MARK);
		randombytes_buf(salt, crypto_pwhash_SALTBYTES + crypto_secretbox_NONCEBYTES);
		e = passphrase_key(outer, salt, p);
		if (!e)
			crypto_secretbox_easy(box, key, SEAL_KEY, nonce, outer);
		n = sizeof file;
	}
	if (!e)
		e = profile_write_file(dir, "store.key", file, n, p);
	sodium_memzero(file, sizeof file);
	sodium_memzero(outer, sizeof outer);
	return e;
}

static enum err keyring_failed(enum keyring_state state, struct problem *p)
{
	static const struct {
		const char *text, *hint;
	} words[] = {
		[KEYRING_GONE] = {N_("本机数据的密钥在系统密钥环中，但密钥环没有应答"),
			N_("请在桌面会话中登录后再试，或启动密钥环服务")},
		[KEYRING_LOCKED] = {N_("本机数据的密钥在系统密钥环中，但密钥环已锁定"),
			N_("请解锁密钥环后再试")},
		[KEYRING_MISSING] = {N_("系统密钥环里没有本机数据的密钥"),
			N_("用当初注册这台电脑的系统帐户登录，或恢复密钥环；"
			   "都不行才删去 store.db 和 store.keyring 重新同步（未发送的会丢）")},
	};

	problem_set(p, ERR_KEYRING, NULL, _(words[state].hint), "%s", _(words[state].text));
	if (p)
		snprintf(p->safe, sizeof p->safe, "%s", _("本机数据原样未动，没有丢失"));
	return ERR_KEYRING;
}

static enum err read_keyring(uint8_t key[SEAL_KEY], const char *path, struct problem *p)
{
	uint8_t file[NUMBERED + 1];
	FILE *in = fopen(path, "re");
	size_t n = in ? fread(file, 1, sizeof file, in) : 0;

	if (in)
		fclose(in);
	if (n != NUMBERED || memcmp(file, MARK_NUMBERED, MARK) != 0)
		return problem_set(p, ERR_FILE_DAMAGED, NULL, _("请从备份取回 store.keyring"),
			_("本机数据的密钥编号损坏"));
	enum keyring_state state = keyring_get(file + MARK, key, SEAL_KEY);
	return state == KEYRING_OK ? ERR_OK : keyring_failed(state, p);
}

static enum err read_key(uint8_t key[SEAL_KEY], const char *path, enum key_place *place, struct problem *p)
{
	uint8_t file[WRAPPED + 1], outer[SEAL_KEY];
	FILE *in = fopen(path, "re");
	size_t n = in ? fread(file, 1, sizeof file, in) : 0;
	enum err e = ERR_OK;

	if (in)
		fclose(in);
	*place = n == WRAPPED ? KEY_PASSPHRASE : KEY_FILE;
	if (n == MARK + SEAL_KEY && memcmp(file, MARK_CLEAR, MARK) == 0) {
		memcpy(key, file + MARK, SEAL_KEY);
	} else if (n == WRAPPED && memcmp(file, MARK_WRAPPED, MARK) == 0) {
		const uint8_t *salt = file + MARK, *nonce = salt + crypto_pwhash_SALTBYTES,
			      *box = nonce + crypto_secretbox_NONCEBYTES;
		e = passphrase_key(outer, salt, p);
		if (!e &&
			crypto_secretbox_open_easy(
				key, box, crypto_secretbox_MACBYTES + SEAL_KEY, nonce, outer))
			e = problem_set(p, ERR_PERMISSION, NULL, NULL, _("口令不对"));
	} else {
		e = problem_set(
			p, ERR_FILE_DAMAGED, NULL, _("请从备份取回 store.key"), _("本机数据的密钥损坏"));
	}
	sodium_memzero(file, sizeof file);
	sodium_memzero(outer, sizeof outer);
	return e;
}

/* The key where it is, or a new one for a new store. A store whose key is nowhere is never given another. */
static enum err find_key(uint8_t key[SEAL_KEY], const char *dir, enum key_place *place, struct problem *p)
{
	char path[512];

	snprintf(path, sizeof path, "%s/store.key", dir);
	if (access(path, F_OK) == 0)
		return read_key(key, path, place, p);
	snprintf(path, sizeof path, "%s/store.keyring", dir);
	if (access(path, F_OK) == 0) {
		*place = KEY_KEYRING;
		return read_keyring(key, path, p);
	}
	snprintf(path, sizeof path, "%s/store.db", dir);
	if (access(path, F_OK) != 0)
		return make_key(key, dir, place, p);
	return problem_set(p, ERR_FILE_DAMAGED, NULL,
		_("请从备份取回 store.key 或 store.keyring；都没有才删去 store.db 重新同步（未发送的会丢）"),
		_("本机数据的密钥不见了"));
}

enum err seal_open(struct seal **out, const char *dir, enum key_place *place, struct problem *p)
{
	struct seal *s = calloc(1, sizeof *s);
	uint8_t key[SEAL_KEY];

	*out = NULL;
	enum err e = s ? find_key(key, dir, place, p) : problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	if (!e) {
		s->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
		s->encrypt = EVP_CIPHER_CTX_new();
		s->decrypt = EVP_CIPHER_CTX_new();
		if (!s->cipher || !s->encrypt || !s->decrypt ||
			EVP_EncryptInit_ex2(s->encrypt, s->cipher, key, NULL, NULL) != 1 ||
			EVP_DecryptInit_ex2(s->decrypt, s->cipher, key, NULL, NULL) != 1)
			e = problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	}
	sodium_memzero(key, sizeof key);
	if (e)
		seal_close(s);
	else
		*out = s;
	return e;
}

void seal_close(struct seal *s)
{
	if (!s)
		return;
	EVP_CIPHER_CTX_free(s->encrypt);
	EVP_CIPHER_CTX_free(s->decrypt);
	EVP_CIPHER_free(s->cipher);
	free(s);
}

/* Overwritten before its name goes; what a disk keeps of it all the same is beyond us. */
static void destroy_file(const char *path)
{
	uint8_t noise[WRAPPED];
	FILE *out = fopen(path, "r+e");

	randombytes_buf(noise, sizeof noise);
	if (out) {
		fwrite(noise, 1, sizeof noise, out);
		fflush(out);
		fsync(fileno(out));
		fclose(out);
	}
	unlink(path);
}

void seal_destroy(const char *dir)
{
	char path[512];
	uint8_t file[NUMBERED + 1], noise[SEAL_KEY];

	snprintf(path, sizeof path, "%s/store.keyring", dir);
	FILE *in = fopen(path, "re");
	if (in) {
		size_t n = fread(file, 1, sizeof file, in);
		fclose(in);
		randombytes_buf(noise, sizeof noise);
		if (n == NUMBERED && memcmp(file, MARK_NUMBERED, MARK) == 0)
			keyring_put(file + MARK, "", noise, sizeof noise);
		destroy_file(path);
	}
	snprintf(path, sizeof path, "%s/store.key", dir);
	if (access(path, F_OK) == 0)
		destroy_file(path);
}

enum err seal_value(struct seal *s, const char *table, const void *row, size_t row_len, const void *plain,
	size_t n, struct buf *out)
{
	uint8_t *to = buf_reserve(out, n + SEAL_OVERHEAD);
	int len;

	if (!to)
		return ERR_NOMEM;
	randombytes_buf(to, NONCE);
	/* The table's NUL parts it from the row's id. */
	if (EVP_EncryptInit_ex2(s->encrypt, NULL, NULL, to, NULL) != 1 ||
		EVP_EncryptUpdate(
			s->encrypt, NULL, &len, (const unsigned char *)table, (int)strlen(table) + 1) != 1 ||
		EVP_EncryptUpdate(s->encrypt, NULL, &len, row, (int)row_len) != 1 ||
		EVP_EncryptUpdate(s->encrypt, to + NONCE, &len, plain, (int)n) != 1 ||
		EVP_EncryptFinal_ex(s->encrypt, to + NONCE + len, &len) != 1 ||
		EVP_CIPHER_CTX_ctrl(s->encrypt, EVP_CTRL_AEAD_GET_TAG, TAG, to + NONCE + n) != 1)
		return ERR_STORE;
	out->len += n + SEAL_OVERHEAD;
	return ERR_OK;
}

enum err unseal_value(struct seal *s, const char *table, const void *row, size_t row_len, const void *sealed,
	size_t n, void *plain)
{
	const uint8_t *from = sealed;
	uint8_t end[16];
	int len;

	if (n < SEAL_OVERHEAD)
		return ERR_STORE;
	n -= SEAL_OVERHEAD;
	if (EVP_DecryptInit_ex2(s->decrypt, NULL, NULL, from, NULL) != 1 ||
		EVP_DecryptUpdate(
			s->decrypt, NULL, &len, (const unsigned char *)table, (int)strlen(table) + 1) != 1 ||
		EVP_DecryptUpdate(s->decrypt, NULL, &len, row, (int)row_len) != 1 ||
		EVP_DecryptUpdate(s->decrypt, plain, &len, from + NONCE, (int)n) != 1 ||
		EVP_CIPHER_CTX_ctrl(s->decrypt, EVP_CTRL_AEAD_SET_TAG, TAG, (void *)(from + NONCE + n)) !=
			1 ||
		EVP_DecryptFinal_ex(s->decrypt, end, &len) != 1)
		return ERR_STORE;
	return ERR_OK;
}
