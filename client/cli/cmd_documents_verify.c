/* A paper's package at a school, whose computer was told how far its trace had gone. So what the bureau
 * has cut since is seen here and nowhere else: whoever doubts a package brings it to a school. */
#include <stdlib.h>
#include <string.h>

#include "cmd_documents.h"
#include "document_package.h"
#include "jg.h"

static const uint32_t kinds[] = {KIND_TRACE_TAIL, 0};

static enum err tails_of(const struct view *v, struct document_tails *out, struct arena *arena)
{
	struct document_tail *tails = arena_alloc(arena, sizeof *tails * (v->n + 1));

	*out = (struct document_tails){.tail = tails};
	for (size_t i = 0; tails && i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		const struct value *of = &r->value[F_TRACE_TAIL_OF], *head = &r->value[F_TRACE_TAIL_HEAD];
		struct document_tail *t = &tails[out->count];
		if (of->len != sizeof t->of || head->len != sizeof t->head)
			continue;
		memcpy(t->of, of->data, sizeof t->of);
		memcpy(t->head, head->data, sizeof t->head);
		t->n = (uint32_t)record_number(r, F_TRACE_TAIL_N);
		out->count++;
	}
	return tails ? ERR_OK : ERR_NOMEM;
}

static int tell(struct cli *c, const struct document_check *v)
{
	json_t *bad = v->trace.first_bad ? json_integer(v->trace.first_bad) : json_null();

	for (size_t i = 0; i < v->fault_count && !v->authentic; i++)
		cli_say(c, "  %s", v->faults[i]);
	if (v->authentic)
		cli_say(c, _("%u 条办理记录：签名、顺序、时间都对，文件是签名时的文件，没有发现改动"),
			v->trace.entries);
	if (v->authentic && v->trace.seen)
		cli_say(c, _("本机见证过其中第 %u 条：到那一条没有删换"), v->trace.seen);
	else if (v->authentic)
		cli_say(c, "%s",
			_("本机还没有收到这份公文的留痕：末尾有没有删去，这里看不出。先运行 jg sync"));
	return cli_result(c,
		json_pack("{s:i,s:b,s:o}", "entries", (int)v->trace.entries, "ok", v->authentic, "first_bad",
			bad),
		v->authentic ? 0 : 1);
}

static int cmd_verify(struct cli *c)
{
	struct bundle *b = calloc(1, sizeof *b);
	struct document_tails seen;
	struct document_check check;
	struct arena arena;
	X509 *ca = NULL;
	int code = 0;

	arena_init(&arena, BUNDLE_BYTES_MAX);
	struct view *v = jg_view(c, kinds, &code);
	if (v) {
		enum err e = b ? tails_of(v, &seen, &arena) : ERR_NOMEM;
		if (!e)
			e = document_package_open(b, cli_operand(c, 0), c->profile.ca, &ca, &c->problem);
		if (!e)
			e = document_package_check(b, ca, &seen, &check, &arena);
		if (e && !c->problem.code)
			problem_set(&c->problem, e, NULL, NULL, NULL);
		code = e ? cli_fail(c) : tell(c, &check);
	}
	if (b)
		bundle_free(b);
	free(b);
	X509_free(ca);
	arena_free(&arena);
	return code;
}

static const struct cli_command commands[] = {
	{"documents verify", "FILE.zip", 1, 1, NULL, EVERYBODY, DOCUMENT_PEOPLE,
		N_("核验公文的封装包，并与本机见证过的留痕核对；不用联网"), N_("documents verify 公文.zip"),
		cmd_verify, CLI_WORK},
	{0},
};

const struct cli_part jg_documents_verify = {commands, NULL, NULL};
