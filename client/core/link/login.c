#include "login.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "lang.h"
#include "tables.h"

#define LOGIN_ARENA (1u << 20) /* a LoginReply has at most 48 short texts */

static void take_text(char *out, size_t size, const char *text)
{
	if (text && *text)
		snprintf(out, size, "%s", text);
}

static void take_session(struct profile *profile, const pb_login_reply *reply)
{
	struct session *s = &profile->session;

	take_text(s->user, sizeof s->user, reply->user);
	take_text(s->name, sizeof s->name, reply->name);
	s->roles = 0;
	for (size_t i = 0; i < reply->n_role; i++)
		s->roles |= 1u << (unsigned)reply->role[i];
	s->class_count = 0;
	for (size_t i = 0; i < reply->n_klass && i < PROFILE_CLASSES_MAX; i++)
		snprintf(s->classes[s->class_count++], sizeof s->classes[0], "%s", reply->klass[i]);
	s->must_change = reply->must_change;
	if (reply->has_until)
		s->until = reply->until;
}

enum err login_resume(struct link *link, struct problem *p)
{
	static const char label[] = "jingguan session";
	struct profile *profile = link_profile(link);
	struct session *s = &profile->session;
	uint8_t key[32], exporter[32], proof[32];
	crypto_auth_hmacsha256_state state;
	pb_resume_request request = PB_RESUME_REQUEST_INIT;
	const ProtobufCMessage *reply;
	struct arena arena;

	if (!s->user[0] || sodium_is_zero(s->token, sizeof s->token))
		return problem_set(p, ERR_UNAUTHENTICATED, NULL, NULL, NULL);
	if (link_exporter(link, exporter))
		return problem_set(p, ERR_UNREACHABLE, NULL, NULL, NULL);
	crypto_hash_sha256(key, s->token, sizeof s->token);
	crypto_auth_hmacsha256_init(&state, key, sizeof key);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)label, sizeof label - 1);
	crypto_auth_hmacsha256_update(&state, exporter, sizeof exporter);
	crypto_auth_hmacsha256_final(&state, proof);
	request.has_session = request.has_proof = 1;
	request.session = (ProtobufCBinaryData){sizeof s->id, s->id};
	request.proof = (ProtobufCBinaryData){sizeof proof, proof};
	arena_init(&arena, LOGIN_ARENA);
	enum err e = link_ask(link, METHOD_SESSION_RESUME, &request.base, &arena, &reply, p);
	if (!e) {
		take_session(profile, (const pb_login_reply *)reply);
		e = profile_save_session(profile, p);
	} else if (e == ERR_UNAUTHENTICATED) {
		/* Who it was stays known, so that work goes on offline; only the proof is gone. */
		sodium_memzero(s->token, sizeof s->token);
		profile_save_session(profile, NULL);
		problem_set(p, e, NULL, NULL, _("登录已过期"));
	}
	arena_free(&arena);
	sodium_memzero(key, sizeof key);
	return e;
}

enum err login_link(struct link **out, struct profile *profile, const pb_hello *hello, struct problem *p)
{
	enum err e = link_open(out, profile, hello, p);

	if (e)
		return e;
	e = login_resume(*out, p);
	if (e) {
		link_close(*out);
		*out = NULL;
	}
	return e;
}

enum err login_open(struct profile *profile, const pb_hello *hello, const char *user, const char *password,
	struct link **out, struct problem *p)
{
	pb_login_request request = PB_LOGIN_REQUEST_INIT;
	const ProtobufCMessage *reply;
	struct arena arena;
	enum err e = link_open(out, profile, hello, p);

	if (e)
		return e;
	request.user = (char *)user;
	request.password = (char *)password;
	arena_init(&arena, LOGIN_ARENA);
	e = link_ask(*out, METHOD_SESSION_LOGIN, &request.base, &arena, &reply, p);
	if (!e) {
		const pb_login_reply *r = (const pb_login_reply *)reply;
		if (r->session.len != sizeof profile->session.id ||
			r->token.len != sizeof profile->session.token)
			e = problem_set(p, ERR_PROTOCOL, "session", NULL, NULL);
	}
	if (!e) {
		const pb_login_reply *r = (const pb_login_reply *)reply;
		profile->session = (struct session){0};
		memcpy(profile->session.id, r->session.data, r->session.len);
		memcpy(profile->session.token, r->token.data, r->token.len);
		snprintf(profile->session.user, sizeof profile->session.user, "%s", user);
		take_session(profile, r);
		e = profile_save_session(profile, p);
	}
	arena_free(&arena);
	if (e) {
		link_close(*out);
		*out = NULL;
	}
	return e;
}

enum err login_close(struct profile *profile, struct problem *p)
{
	pb_empty request = PB_EMPTY_INIT;
	struct link *link;

	if (!profile->session.user[0])
		return ERR_OK;
	enum err e = login_link(&link, profile, NULL, p);
	if (!e) {
		e = link_call(link, METHOD_SESSION_LOGOUT, &request.base, NULL, NULL, p);
		link_close(link);
	}
	enum err forgotten = profile_forget_session(profile, e ? NULL : p);
	if (e == ERR_UNAUTHENTICATED)
		return forgotten;
	if (e)
		return e;
	return forgotten;
}

enum err login_change(
	struct profile *profile, const char *password, const char *new_password, struct problem *p)
{
	pb_passwd_request request = PB_PASSWD_REQUEST_INIT;
	struct link *link;
	enum err e = login_link(&link, profile, NULL, p);

	if (e)
		return e;
	request.password = (char *)password;
	request.new_password = (char *)new_password;
	e = link_call(link, METHOD_SESSION_PASSWD, &request.base, NULL, NULL, p);
	link_close(link);
	if (e)
		return e;
	profile->session.must_change = false; /* the server ends the other sessions, this one goes on */
	return profile_save_session(profile, p);
}
