#include "trust.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "hash.h"
#include "lang.h"
#include "tls.h"

#define CODE_CHARS 32
#define CODE_BYTES 20

static int base32_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

static enum err bad_code(struct problem *p, const char *message)
{
	return problem_set(
		p, ERR_BAD_CODE, "code", _("请对照连接码逐段核对；0、1、8、9 不会出现"), "%s", message);
}

enum err connect_code_parse(struct connect_code *out, const char *text, struct problem *p)
{
	uint8_t bytes[CODE_BYTES] = {0}, hash[HASH_SIZE];
	unsigned n = 0;

	*out = (struct connect_code){0};
	for (; *text && *text != '@'; text++) {
		if (*text == '-' || isspace((unsigned char)*text))
			continue;
		int digit = base32_digit(*text);
		if (digit < 0 || n == CODE_CHARS)
			return bad_code(p, _("连接码应为 32 个字母和数字"));
		for (unsigned bit = 0; bit < 5; bit++)
			if (digit >> (4 - bit) & 1)
				bytes[(n * 5 + bit) / 8] |= (uint8_t)(0x80 >> ((n * 5 + bit) % 8));
		n++;
	}
	if (n != CODE_CHARS)
		return bad_code(p, _("连接码应为 32 个字母和数字"));
	hash_parts(hash, "jg connect code", &(struct part){bytes, 18}, 1);
	if (memcmp(hash, bytes + 18, 2) != 0)
		return bad_code(p, _("连接码有输错的字符"));
	memcpy(out->ca_prefix, bytes, sizeof out->ca_prefix);
	memcpy(out->secret, bytes + 10, sizeof out->secret);
	if (*text == '@')
		snprintf(out->server, sizeof out->server, "%s", text + 1);
	return ERR_OK;
}

/* The county of a certificate for jgd.<county>, "" when it names none. */
static void cert_county(X509 *cert, char *out, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	*out = 0;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_DNS)
			continue;
		const char *text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
		int n = ASN1_STRING_length(name->d.dNSName);
		if (n > 4 && n < (int)size && memcmp(text, "jgd.", 4) == 0 &&
			strspn(text + 4, "0123456789") >= (size_t)n - 4)
			snprintf(out, size, "%.*s", n - 4, text + 4);
	}
	GENERAL_NAMES_free(names);
}

/* Want of memory is nothing that could be said against the server. */
static int fault_of(int found)
{
	return tls_verdict(ERR_TLS) == ERR_NOMEM ? X509_V_ERR_OUT_OF_MEM : found;
}

/* The store's rules decide; what they found is kept for the message, since the stream only says "TLS
 * failed". */
static int verify_pinned(X509_STORE_CTX *ctx, void *data)
{
	struct trust_result *result = data;
	int ok = X509_verify_cert(ctx);

	result->fault = ok == 1 ? X509_V_OK : fault_of(X509_STORE_CTX_get_error(ctx));
	cert_county(X509_STORE_CTX_get0_cert(ctx), result->county, sizeof result->county);
	return ok;
}

static const unsigned char alpn_calls[] = "\x0ajingguan/1", alpn_enrol[] = "\x10jingguan-enrol/1";

static SSL_CTX *new_context(bool enrolling)
{
	SSL_CTX *ctx = tls_context(false);
	const unsigned char *alpn = enrolling ? alpn_enrol : alpn_calls;

	if (ctx && SSL_CTX_set_alpn_protos(ctx, alpn, alpn[0] + 1u)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

SSL_CTX *trust_context(X509 *ca, X509 *cert, EVP_PKEY *key, const char *county, bool enrolling,
	int64_t cert_time_s, struct trust_result *result)
{
	SSL_CTX *ctx = new_context(enrolling);
	char name[32];

	*result = (struct trust_result){0};
	snprintf(name, sizeof name, "jgd.%s", county);
	if (!ctx || SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca) != 1 ||
		X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(ctx), name, 0) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(ctx), (time_t)cert_time_s);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify_pinned, result);
	return ctx;
}

struct enrol_trust {
	struct connect_code code;
	struct trust_result *result;
};

static void free_enrol_trust(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long argl, void *argp)
{
	(void)parent;
	(void)all;
	(void)index;
	(void)argl;
	(void)argp;
	OPENSSL_clear_free(data, sizeof(struct enrol_trust));
}

/* The CA of the chain that was sent whose key the code names, or NULL (also for want of memory). */
static X509 *named_ca(STACK_OF(X509) * chain, const struct connect_code *code)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		uint8_t spki[HASH_SIZE];
		X509 *cert = sk_X509_value(chain, i);
		if (tls_spki(cert, spki))
			return NULL;
		if (memcmp(spki, code->ca_prefix, sizeof code->ca_prefix) == 0 && X509_check_ca(cert))
			return cert;
	}
	return NULL;
}

static int verify_by_code(X509_STORE_CTX *ctx, void *data)
{
	struct enrol_trust *t = data;
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx),
	     *ca = named_ca(X509_STORE_CTX_get0_untrusted(ctx), &t->code);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *check = X509_STORE_CTX_new();

	t->result->fault = X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
	if (ca && store && check && X509_STORE_add_cert(store, ca) &&
		X509_STORE_CTX_init(check, store, leaf, NULL)) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(check);
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
		X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
		t->result->fault = X509_verify_cert(check) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(check);
	}
	if (t->result->fault == X509_V_OK) {
		cert_county(leaf, t->result->county, sizeof t->result->county);
		if (!t->result->county[0])
			t->result->fault = X509_V_ERR_HOSTNAME_MISMATCH;
	}
	if (t->result->fault != X509_V_OK)
		t->result->fault = fault_of(store && check ? t->result->fault : X509_V_ERR_OUT_OF_MEM);
	X509_STORE_CTX_free(check);
	X509_STORE_free(store);
	X509_STORE_CTX_set_error(ctx, t->result->fault);
	return t->result->fault == X509_V_OK;
}

SSL_CTX *trust_enrol_context(const struct connect_code *code, struct trust_result *result)
{
	static int index = -1;
	SSL_CTX *ctx = new_context(true);
	struct enrol_trust *t = OPENSSL_zalloc(sizeof *t);

	*result = (struct trust_result){0};
	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_enrol_trust);
	if (!ctx || !t || SSL_CTX_set_ex_data(ctx, index, t) != 1) {
		OPENSSL_free(t);
		SSL_CTX_free(ctx);
		return NULL;
	}
	t->code = *code;
	t->result = result;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify_by_code, t);
	return ctx;
}

enum err trust_request(EVP_PKEY *key, const char *host, unsigned char **der, size_t *n)
{
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = req ? X509_REQ_get_subject_name(req) : NULL;
	char common[64]; /* ub-common-name of X.509 */
	int len = -1;

	snprintf(common, sizeof common, "%s", host);
	*der = NULL;
	if (name && X509_REQ_set_version(req, 0) && X509_REQ_set_pubkey(req, key) &&
		X509_NAME_add_entry_by_txt(
			name, "CN", MBSTRING_UTF8, (const unsigned char *)common, -1, -1, 0) &&
		X509_REQ_sign(req, key, EVP_sha256()))
		len = i2d_X509_REQ(req, der);
	X509_REQ_free(req);
	*n = len > 0 ? (size_t)len : 0;
	ERR_clear_error();
	return len > 0 ? ERR_OK : ERR_INTERNAL;
}

int64_t trust_cert_until(const X509 *cert)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;
	int ok = epoch && ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(cert));

	ASN1_TIME_free(epoch);
	return ok ? (int64_t)days * 86400 + seconds : 0;
}
