#include "documents.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "client_service.h"
#include "codes.h"
#include "decide.h"
#include "document_intent.h"
#include "document_moves.h"
#include "document_number.h"
#include "lang.h"
#include "meetings.h"
#include "orders.h"
#include "outbox.h"
#include "signature.h"
#include "tables.h"
#include "value.h"
#include "way.h"

const uint32_t documents_kinds[] = {KIND_DELIVERY, 0};
static const uint32_t all_kinds[] = {KIND_DELIVERY, KIND_ORDER_COPY, KIND_MEETING_COPY, KIND_TRACE_TAIL, 0};

const struct shown_list shown_documents = {
	.name = "shown_documents", .act = "list_documents", .kinds = documents_kinds};

/* As SQL delivery_state has it; own words that are not answered yet count. */
const char *delivery_state(const struct record *d)
{
	char end[32];
	int64_t version = record_number(d, F_DELIVERY_VERSION);

	if (record_has(d, F_DELIVERY_ENDED)) {
		record_text(d, F_DELIVERY_ENDED, end, sizeof end);
		const struct code_item *item = code_item(&codes_delivery_state, end);
		return item ? item->code : "ended";
	}
	if (record_has(d, F_DELIVERY_ANSWERED_AT) &&
		record_number(d, F_DELIVERY_ANSWERED_VERSION) == version) {
		if (!record_has(d, F_DELIVERY_JUDGED_FOR) ||
			record_number(d, F_DELIVERY_JUDGED_FOR) != record_number(d, F_DELIVERY_ANSWERED_AT))
			return "answered";
		return record_is(d, F_DELIVERY_JUDGED, "accepted") ? "accepted" : "returned";
	}
	return record_has(d, F_DELIVERY_SIGNED_AT) && record_number(d, F_DELIVERY_SIGNED_VERSION) == version
		? "signed"
		: "sent";
}

struct item *documents_find(struct view *v, const char *text)
{
	char id[64];
	char number[DOCUMENT_NUMBER_SIZE];

	text = document_number_typed(number, text);
	for (size_t i = 0; i < v->n; i++) {
		struct item *item = v->items[i];
		if (!item->live || item->record.kind->number != KIND_DELIVERY)
			continue;
		snprintf(id, sizeof id, "%s", "");
		for (size_t k = 0; k < ID_SIZE; k++)
			snprintf(id + strlen(id), sizeof id - strlen(id), "%s%02x",
				k == 4 || k == 6 || k == 8 || k == 10 ? "-" : "", item->id[k]);
		if (record_is(&item->record, F_DELIVERY_NUMBER, text) || strcmp(id, text) == 0)
			return item;
	}
	return NULL;
}

static bool said(const struct record *d, enum delivery_word word, const char *answer)
{
	switch (word) {
	case DELIVERY_READ:
		return record_has(d, F_DELIVERY_READ_AT);
	case DELIVERY_SIGN:
		return strcmp(delivery_state(d), "sent") != 0;
	case DELIVERY_KEEP:
		return record_is(d, F_DELIVERY_SLOT, answer);
	case DELIVERY_DESTROY:
		return record_has(d, F_DELIVERY_DESTROYED_AT);
	default:
		return strcmp(delivery_state(d), "answered") == 0 && record_is(d, F_DELIVERY_ANSWER, answer);
	}
}

/* The lines of what is said, signed by this computer: the bureau takes no word of a school without, and
 * anybody can check it for ever (doc/documents.md "Trace"). In the view's memory. */
static enum err sign_word(
	struct view *v, struct record *want, enum delivery_word word, const char *answer, int64_t now_us)
{
	static const struct {
		const char *event;
		int intent, sig;
	} words[] = {[DELIVERY_READ] = {"read", F_DELIVERY_READ_INTENT, F_DELIVERY_READ_SIG},
		[DELIVERY_SIGN] = {"sign", F_DELIVERY_SIGNED_INTENT, F_DELIVERY_SIGNED_SIG},
		[DELIVERY_ANSWER] = {"answer", F_DELIVERY_ANSWERED_INTENT, F_DELIVERY_ANSWERED_SIG}};
	const struct profile *profile = v->store->profile;
	char document[37], digest[80], text[2 * HASH_SIZE + 1];
	uint8_t hash[HASH_SIZE], *sig = arena_alloc(&v->arena, SIGNATURE_MAX);

	value_show(want, F_DELIVERY_DOCUMENT, false, document, sizeof document);
	document_words_hash(hash, word == DELIVERY_ANSWER ? answer : "", "");
	sodium_bin2hex(text, sizeof text, hash, sizeof hash);
	const char *lines = arena_printf(&v->arena,
		DOCUMENT_INTENT "\ncounty=%s\ndoc=%s\nevent=%s\nby=%s\nfor=-\nversion=%lld\ndigest=%s\n"
				"text=%s\ndevice=%s\nmade=%lld\n",
		profile->county, document, words[word].event, profile->session.user,
		(long long)record_number(want, F_DELIVERY_VERSION),
		record_text(want, F_DELIVERY_DIGEST, digest, sizeof digest), text, profile->device,
		(long long)now_us);
	size_t n = lines && sig ? signature_make(profile->key, lines, strlen(lines), sig) : 0;
	if (!n)
		return ERR_NOMEM;
	record_set_text(want, words[word].intent, lines);
	record_set_bytes(want, words[word].sig, sig, n);
	return ERR_OK;
}

enum err documents_say(struct view *v, struct item *item, enum delivery_word word, const char *answer,
	int64_t now_us, bool *already, struct problem *p)
{
	const char *state = delivery_state(&item->record), *user = v->store->profile->session.user;
	int64_t version = record_number(&item->record, F_DELIVERY_VERSION);
	struct record want = item->record;

	bool of_paper = word == DELIVERY_KEEP || word == DELIVERY_DESTROY;

	*already = false;
	if (record_has(&item->record, F_DELIVERY_ENDED) && !of_paper)
		return problem_set(p, ERR_NOT_NOW, NULL, NULL, _("这份公文%s，不用再办"),
			code_name(&codes_delivery_state, state));
	*already = said(&item->record, word, answer);
	if (*already)
		return ERR_OK;
	if (of_paper && !record_has(&item->record, F_DELIVERY_ENDED) &&
		!record_has(&item->record, F_DELIVERY_SIGNED_AT))
		return problem_set(p, ERR_NOT_NOW, NULL, way("sign_document"), _("先签收，再存放或销毁"));
	if (of_paper && record_has(&item->record, F_DELIVERY_DESTROYED_AT))
		return problem_set(p, ERR_NOT_NOW, NULL, NULL, _("这份公文已经销毁"));
	if (word == DELIVERY_ANSWER && strcmp(state, "sent") == 0)
		return problem_set(p, ERR_NOT_NOW, NULL, way("sign_document"), _("先签收，再反馈"));
	if (word == DELIVERY_ANSWER && strcmp(state, "accepted") == 0)
		return problem_set(p, ERR_NOT_NOW, NULL, NULL, _("县局已经认可本校的反馈"));
	if (!of_paper && sign_word(v, &want, word, answer, now_us))
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	switch (word) {
	case DELIVERY_READ:
		record_set_number(&want, F_DELIVERY_READ_AT, now_us);
		record_set_text(&want, F_DELIVERY_READ_BY, user);
		break;
	case DELIVERY_SIGN:
		record_set_number(&want, F_DELIVERY_SIGNED_AT, now_us);
		record_set_text(&want, F_DELIVERY_SIGNED_BY, user);
		record_set_number(&want, F_DELIVERY_SIGNED_VERSION, version);
		break;
	case DELIVERY_KEEP:
		record_set_number(&want, F_DELIVERY_KEPT_AT, now_us);
		record_set_text(&want, F_DELIVERY_SLOT, answer);
		break;
	case DELIVERY_DESTROY:
		record_set_number(&want, F_DELIVERY_DESTROYED_AT, now_us);
		record_set_text(&want, F_DELIVERY_DESTROYED_BY, user);
		record_set_text(&want, F_DELIVERY_WITNESS, answer);
		break;
	default:
		record_set_number(&want, F_DELIVERY_ANSWERED_AT, now_us);
		record_set_text(&want, F_DELIVERY_ANSWERED_BY, user);
		record_set_number(&want, F_DELIVERY_ANSWERED_VERSION, version);
		record_set_text(&want, F_DELIVERY_ANSWER, answer);
		break;
	}
	return decide_anew(v, item, &want, p);
}

/* ---- What is to be done ---- */

static enum err todo(struct todo_list *l, struct problem *p)
{
	char number[64], title[256];

	(void)p;
	if (!profile_has_role(l->view->store->profile, 1u << ROLE_CLERK | 1u << ROLE_HEAD))
		return ERR_OK;
	for (size_t i = 0; i < l->view->n; i++) {
		const struct item *item = l->view->items[i];
		const struct record *d = &item->record;
		if (!item->live || d->kind->number != KIND_DELIVERY)
			continue;
		const char *state = delivery_state(d);
		record_text(d, F_DELIVERY_NUMBER, number, sizeof number);
		record_text(d, F_DELIVERY_TITLE, title, sizeof title);
		if (strcmp(state, "sent") == 0)
			todo_add(l, "receipt", "sign_document", number, 1,
				record_number(d, F_DELIVERY_RECEIPT_DUE), _("待签收公文 %s %s"), number,
				title);
		else if (record_has(d, F_DELIVERY_FEEDBACK_DUE) &&
			(strcmp(state, "signed") == 0 || strcmp(state, "returned") == 0))
			todo_add(l, "feedback", "answer_document", number, 1,
				record_number(d, F_DELIVERY_FEEDBACK_DUE),
				strcmp(state, "returned") == 0 ? _("县局退回了反馈 %s %s")
							       : _("待反馈公文 %s %s"),
				number, title);
	}
	orders_todo(l);
	meetings_todo(l);
	return ERR_OK;
}

const struct client_service client_documents = {.name = "documents",
	.kinds = all_kinds,
	.shown = (const struct shown_list *const[]){&shown_documents, &shown_orders, &shown_meetings, NULL},
	.todo = todo};
