/* A school's copy of a paper, on paper. */
#include <stdlib.h>
#include <string.h>

#include "cmd_documents.h"
#include "documents.h"
#include "draft.h"
#include "face.h"
#include "gbt9704.h"
#include "jg.h"
#include "pdf_page.h"
#include "value.h"

#define PAPER_ARENA (16u << 20) /* a draft of 64 KiB and what its lists become */

static const uint32_t kinds[] = {KIND_DELIVERY, KIND_SCHOOL, 0};

/* Codes of schools become their names, as far as this computer knows them. */
static void show_names(const struct view *v, struct draft_list *list, struct arena *arena)
{
	char code[32], name[192];

	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < v->n; k++) {
			const struct record *r = &v->items[k]->record;
			if (r->kind->number == KIND_SCHOOL &&
				strcmp(record_text(r, F_SCHOOL_CODE, code, sizeof code), list->items[i]) == 0)
				list->items[i] = arena_printf(
					arena, "%s", record_text(r, F_SCHOOL_NAME, name, sizeof name));
		}
}

static enum gbt_layout layout_of(const struct draft *d)
{
	if (strcmp(d->genre, "函") == 0)
		return GBT_LETTER;
	if (strcmp(d->genre, "纪要") == 0)
		return GBT_MINUTES;
	return GBT_DOWN;
}

static enum err print(
	struct cli *c, const struct view *v, const struct record *r, const char *path, unsigned *pages)
{
	const struct value *text = &r->value[F_DELIVERY_TEXT];
	char number[128];
	struct draft draft;
	struct arena arena;

	arena_init(&arena, PAPER_ARENA);
	enum err e = draft_parse(&draft, (const char *)text->data, text->len, &arena, &c->problem);
	if (!e) {
		show_names(v, &draft.to, &arena);
		show_names(v, &draft.cc, &arena);
		const struct gbt9704 doc = {.layout = layout_of(&draft),
			.organ = c->profile.county_name,
			.number = record_text(r, F_DELIVERY_NUMBER, number, sizeof number),
			.plain = cli_flag(c, "plain"),
			.dated = (int32_t)record_number(r, F_DELIVERY_SIGNED_ON),
			.printed = (int32_t)record_number(r, F_DELIVERY_PRESSED_ON),
			.printer = arena_printf(&arena, "%s办公室", c->profile.county_name),
			.practice = c->profile.rehearsal,
			.draft = &draft};
		e = arena.refused ? ERR_NOMEM : gbt9704_print(path, &doc, pages, &c->problem);
	}
	arena_free(&arena);
	return e;
}

static int cmd_print(struct cli *c)
{
	const char *path = cli_option(c, "o");
	char room[JG_PICK_SIZE];
	unsigned pages = 0;
	int code;

	if (!path)
		return cli_fail_with(c, ERR_USAGE, _("-o 公文.pdf"), _("要写明存到哪个文件"));
	if (pdf_ready(path, &c->problem))
		return cli_fail(c);
	if (!cli_may_replace(c, path, NULL))
		return err_info(ERR_EXISTS)->exit_code;
	struct view *v = jg_view(c, kinds, &code);
	const char *text = v ? jg_pick(c, v, &shown_documents, cli_operand(c, 0), room, &code) : NULL;
	if (!text)
		return code;
	const struct item *item = documents_find(v, text);
	if (!item)
		return cli_fail_with(c, ERR_NOT_FOUND, _("jg documents list 列出公文；可先运行 jg sync"),
			_("没有公文 %s"), text);
	enum err e = print(c, v, &item->record, path, &pages);
	if (e) {
		if (!c->problem.code)
			problem_set(&c->problem, e, NULL, NULL, NULL);
		return cli_fail(c);
	}
	cli_say(c, _("已排版 %u 页：%s"), pages, path);
	return cli_result(c, json_pack("{s:s,s:i}", "file", path, "pages", (int)pages), 0);
}

static const struct cli_option print_options[] = {{"o", "FILE.pdf", N_("存到这个文件")},
	{"plain", NULL, N_("不盖章的文：署名不留印章位置")}, {"force", NULL, N_("替换已有的文件")}, {0}};
static const struct cli_command commands[] = {
	{"documents print", "DOC", 1, 1, print_options, EVERYBODY, DOCUMENT_PEOPLE,
		N_("按国家标准排版成 PDF"), N_("documents print 3 -o 通知.pdf"), cmd_print, CLI_WORK},
	{0},
};

const struct cli_part jg_documents_print = {commands, NULL, &jg_documents_verify};
