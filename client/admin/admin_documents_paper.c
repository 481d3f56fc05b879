/* A paper as it is printed (GB/T 9704), and a typed one held against the same rules. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "admin_documents.h"
#include "draft.h"
#include "draft_rules.h"
#include "format_check.h"
#include "gbt9704.h"
#include "lang.h"
#include "pdf_page.h"
#include "tables.h"

/* What the server says that names mean. */
struct paper {
	struct arena arena;
	const pb_document_shown *shown;
	struct draft draft;
	const char **names;
	struct draft_organ *organs;
	size_t name_count, organ_count;
};

static unsigned school(void *context, const char *code)
{
	const struct paper *x = context;

	for (size_t i = 0; i < x->shown->n_name; i++)
		if (*x->shown->name[i]->code && strcmp(x->shown->name[i]->code, code) == 0)
			return ~0u;
	return 0;
}

static bool received(void *context, const char *number)
{
	(void)context;
	(void)number;
	return true;
}

/* Codes of schools become their names. */
static void show_names(struct paper *x, struct draft_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < x->shown->n_name; k++)
			if (*x->shown->name[k]->code && strcmp(x->shown->name[k]->code, list->items[i]) == 0)
				list->items[i] = x->shown->name[k]->name;
}

static enum err read_names(struct paper *x)
{
	size_t n = x->shown->n_name;

	x->names = arena_alloc(&x->arena, sizeof *x->names * (n + 1));
	x->organs = arena_alloc(&x->arena, sizeof *x->organs * (n + 1));
	if (!x->names || !x->organs)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		const pb_document_name *name = x->shown->name[i];
		x->names[x->name_count++] = name->name;
		const struct code_item *relation = code_item(&codes_organ_relation, name->relation);
		if (relation)
			x->organs[x->organ_count++] = (struct draft_organ){name->name,
				(enum draft_relation)(
					relation - codes_organ_relation.items + RELATION_SUPERIOR)};
	}
	return ERR_OK;
}

static enum gbt_layout layout_of(struct paper *x, const char *own)
{
	const struct draft_facts facts = {.own = own,
		.organs = x->organs,
		.organ_count = x->organ_count,
		.context = x,
		.school = school,
		.received = received};

	if (strcmp(x->draft.genre, "函") == 0)
		return GBT_LETTER;
	if (strcmp(x->draft.genre, "纪要") == 0)
		return GBT_MINUTES;
	return draft_directions(&x->draft, &facts) & DRAFT_UP ? GBT_UP : GBT_DOWN;
}

static enum err print(struct cli *c, struct paper *x, const char *path, unsigned *pages)
{
	const pb_document_shown *s = x->shown;
	enum err e = read_names(x);

	if (!e)
		e = draft_parse(&x->draft, (const char *)s->file.data, s->file.len, &x->arena, &c->problem);
	if (e)
		return e;
	enum gbt_layout layout = layout_of(x, c->profile.county_name);
	show_names(x, &x->draft.to);
	show_names(x, &x->draft.cc);
	struct gbt_attachment *texts;
	size_t text_count;
	e = documents_texts(c, s, &x->draft, &x->arena, &texts, &text_count);
	if (e)
		return e;
	const struct gbt9704 doc = {.layout = layout,
		.organ = c->profile.county_name,
		.number = s->document->number,
		.signer = s->leader_name,
		.plain = cli_flag(c, "plain"),
		.dated = s->signed_on,
		.printed = s->pressed_on,
		.printer = arena_printf(&x->arena, "%s办公室", c->profile.county_name),
		.practice = c->profile.rehearsal,
		.draft = &x->draft,
		.attachments = texts,
		.attachment_count = text_count,
		.names = x->names,
		.name_count = x->name_count};
	return gbt9704_print(path, &doc, pages, &c->problem);
}

enum err documents_print(struct cli *c, const pb_document_shown *shown, const char *path, unsigned *pages)
{
	struct paper x = {.shown = shown};

	arena_init(&x.arena, DOCUMENT_ARENA);
	enum err e = shown->file.len
		? print(c, &x, path, pages)
		: problem_set(&c->problem, ERR_NOT_NOW, "doc",
			  _("jgadmin documents sheet 文号 -o 处理单.pdf：打印来文的处理单"),
			  _("这是来文，没有可以排版的文稿"));
	arena_free(&x.arena);
	if (e && !c->problem.code)
		problem_set(&c->problem, e, NULL, NULL, NULL);
	return e;
}

static int cmd_print(struct cli *c)
{
	const pb_document_shown *shown;
	struct arena arena;
	const char *path;
	unsigned pages = 0;
	int code;

	if (!documents_output(c, _("-o 公文.pdf"), &path, &code))
		return code;
	if (pdf_ready(path, &c->problem))
		return cli_fail(c);
	enum err e = documents_shown(c, &arena, &shown);
	if (!e)
		e = documents_print(c, shown, path, &pages);
	arena_free(&arena);
	if (e)
		return cli_fail(c);
	cli_say(c, _("已排版 %u 页：%s"), pages, path);
	return cli_result(c, json_pack("{s:s,s:i}", "file", path, "pages", (int)pages), 0);
}

static int cmd_format_check(struct cli *c)
{
	const char *headings[] = {_("段落"), _("内容"), _("怎么改")};
	struct format_report report;
	struct arena arena;
	json_t *json = json_array();

	arena_init(&arena, DOCUMENT_ARENA);
	if (format_check(cli_operand(c, 0), &report, &arena, &c->problem)) {
		arena_free(&arena);
		json_decref(json);
		return cli_fail(c);
	}
	struct cli_table *t = cli_table_new(headings, 3);
	for (size_t i = 0; i < report.n; i++) {
		const struct format_fault *f = &report.faults[i];
		char paragraph[24] = "";
		if (f->paragraph)
			snprintf(paragraph, sizeof paragraph, "%zu", f->paragraph);
		json_array_append_new(json,
			json_pack("{s:s,s:I,s:s,s:s}", "fault", f->fault, "paragraph",
				(json_int_t)f->paragraph, "text", f->text, "mend", f->mend));
		cli_table_row(t, (const char *[]){*paragraph ? paragraph : _("全文"), f->text, f->mend});
	}
	int code = report.n ? err_info(ERR_CONFLICT)->exit_code : 0;
	cli_table_print(c, t);
	if (!report.n)
		cli_say(c, "%s", _("没有发现格式问题"));
	arena_free(&arena);
	return cli_result(c, json, code);
}

static const struct cli_option print_options[] = {{"o", "FILE.pdf", N_("存到这个文件")},
	{"plain", NULL, N_("不盖章的文：署名不留印章位置")}, {"force", NULL, N_("替换已有的文件")}, {0}};
static const struct cli_command commands[] = {
	{"documents print", "DOC", 1, 1, print_options, ADMIN_NEEDS, 0, N_("按国家标准排版成 PDF"),
		N_("documents print 洪教发〔2026〕1号 -o 通知.pdf"), cmd_print, CLI_WORK},
	{"documents format check", "FILE.docx", 1, 1, NULL, 0, 0, N_("检查 Word 文稿的公文格式"),
		N_("documents format check 通知.docx"), cmd_format_check, CLI_WORK},
	{0},
};

const struct cli_part admin_documents_paper = {commands, NULL, &admin_documents_delivery};
