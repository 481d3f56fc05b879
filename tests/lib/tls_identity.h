/* tls_identity.h - a CA, certificates of it and contexts that use them, for tests that speak TLS. Header
 * only. */
#ifndef JG_TLS_IDENTITY_H
#define JG_TLS_IDENTITY_H

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "tls.h"

struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

static inline struct identity issue(const struct identity *by, const char *name)
{
	struct identity out = {EVP_EC_gen("P-256"), X509_new()};
	X509_NAME *subject = X509_get_subject_name(out.cert);

	X509_set_version(out.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(out.cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(out.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(out.cert), 3600);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(out.cert, by ? X509_get_subject_name(by->cert) : subject);
	X509_set_pubkey(out.cert, out.key);
	X509_EXTENSION *e =
		X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, by ? "CA:FALSE" : "critical,CA:TRUE");
	X509_add_ext(out.cert, e, -1);
	X509_EXTENSION_free(e);
	assert_true(X509_sign(out.cert, by ? by->key : out.key, EVP_sha256()) > 0);
	return out;
}

static inline void identity_free(struct identity *i)
{
	EVP_PKEY_free(i->key);
	X509_free(i->cert);
}

static inline SSL_CTX *server_context_of(const struct identity *leaf)
{
	SSL_CTX *ctx = tls_context(true);

	assert_non_null(ctx);
	SSL_CTX_use_certificate(ctx, leaf->cert);
	SSL_CTX_use_PrivateKey(ctx, leaf->key);
	return ctx;
}

static inline SSL_CTX *client_context(const struct identity *trusted)
{
	SSL_CTX *ctx = tls_context(false);

	assert_non_null(ctx);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), trusted->cert);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return ctx;
}

#endif
