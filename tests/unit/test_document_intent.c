/* Covers common/rules/document_intent.c: what of an ask a signature binds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <sodium.h>

#include "document_intent.h"
#include "pb.h"

static struct arena arena;

static void hash_is_of(const char *text, const char *words, const char *given)
{
	uint8_t is[HASH_SIZE], wanted[HASH_SIZE];

	crypto_hash_sha256(wanted, (const uint8_t *)text, strlen(text));
	document_words_hash(is, words, given);
	assert_memory_equal(is, wanted, HASH_SIZE);
}

static void words_alone_are_hashed_as_they_are(void **state)
{
	pb_document_ask q = PB_DOCUMENT_ASK_INIT;

	(void)state;
	q.event = "finish";
	q.doc = "收〔2026〕1号";
	q.reason = "只有理由";
	q.has_seen = q.has_dry_run = 1;
	q.seen = 3;
	q.dry_run = 1;
	assert_string_equal(document_words(&q.base), "只有理由");
	assert_string_equal(document_given(&q.base, &arena), "");
	q.text = "已办";
	q.reason = NULL;
	assert_string_equal(document_words(&q.base), "已办");
	assert_string_equal(document_given(&q.base, &arena), "");
	hash_is_of("已办", "已办", "");
}

static void all_that_was_said_with_them_is_bound(void **state)
{
	char *assist[] = {"v1", "v2"};
	pb_document_ask q = PB_DOCUMENT_ASK_INIT;

	(void)state;
	q.event = "instruct";
	q.text = "请办理";
	q.reason = "一\n二\\";
	q.lead = "u1";
	q.assist = assist;
	q.n_assist = 2;
	q.has_due = q.has_force = q.has_in_order = 1;
	q.due = 20261210;
	q.in_order = 1;
	assert_string_equal(document_given(&q.base, &arena),
		"reason=一\\n二\\\\\nlead=u1\nassist=v1\nassist=v2\nin_order=1\ndue=20261210\n");
	hash_is_of("请办理\nlead=u1\n", "请办理", "lead=u1\n");
}

/* Each field of the ask is in it, or in the intent itself: a new one that is neither would be bound by
 * nothing. */
static void no_field_is_left_out(void **state)
{
	const ProtobufCMessageDescriptor *d = &pb_document_ask_desc;
	static const char *const elsewhere[] = {
		"event", "doc", "seen", "text", "file", "attach", "dry_run", "intent", "intent_sig"};
	char *list[] = {"x"};

	(void)state;
	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];
		pb_document_ask q = PB_DOCUMENT_ASK_INIT;
		char *at = (char *)&q + f->offset, *has = (char *)&q + f->quantifier_offset;
		bool other = false;
		for (size_t k = 0; k < sizeof elsewhere / sizeof *elsewhere; k++)
			other |= strcmp(f->name, elsewhere[k]) == 0;
		if (other)
			continue;
		q.text = "字句";
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			*(char ***)at = list;
			*(size_t *)has = 1;
		} else if (f->type == PROTOBUF_C_TYPE_STRING)
			*(char **)at = "x";
		else {
			*(protobuf_c_boolean *)has = 1;
			*at = 1;
		}
		if (!*document_given(&q.base, &arena))
			fail_msg("%s is not bound", f->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(words_alone_are_hashed_as_they_are),
		cmocka_unit_test(all_that_was_said_with_them_is_bound),
		cmocka_unit_test(no_field_is_left_out)};

	arena_init(&arena, 1u << 20);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return failed;
}
