#include "xlsx_part.h"

#include <ctype.h>
#include <expat.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "lang.h"
#include "lint.h"
#include "sheet_build.h"

#define CHUNK 65536
#define DEPTH_MAX 64 /* a worksheet has eight levels; expat keeps memory for each */
/* one tag or name; expat would scan an unfinished one again with every chunk */
#define TOKEN_MAX (1u << 20)

/* expat keeps every name it meets; those of a workbook take 100 KiB */
#define PARSER_MEMORY_MAX (16u << 20)

struct xlsx_package {
	zip_t *zip;
	const char *name;
	size_t unpacked;
};

static const char *const namespaces[] = {"http://schemas.openxmlformats.org/spreadsheetml/2006/main|",
	"http://purl.oclc.org/ooxml/spreadsheetml/main|",
	"http://schemas.openxmlformats.org/wordprocessingml/2006/main|",
	"http://purl.oclc.org/ooxml/wordprocessingml/main|",
	"http://schemas.openxmlformats.org/package/2006/relationships|"};

static enum err zip_problem(struct problem *p, const char *name, const zip_error_t *error)
{
	switch (zip_error_code_zip(error)) {
	case ZIP_ER_MEMORY:
		return sheet_problem(p, ERR_NOMEM, name, 0, NULL);
	case ZIP_ER_NOPASSWD:
	case ZIP_ER_ENCRNOTSUPP:
		return problem_set(p, ERR_FILE_FORMAT, NULL, _("请先输入密码解压，再导入里面的 .xlsx"),
			_("%s：压缩包有密码"), name);
	case ZIP_ER_COMPNOTSUPP:
		return sheet_problem(p, ERR_FILE_FORMAT, name, 0, sheet_advice_save_as());
	default:
		return sheet_problem(p, ERR_FILE_DAMAGED, name, 0,
			_("请重新下载或拷贝；打得开时用 WPS 或 Excel “文件→另存为”.xlsx"));
	}
}

enum err xlsx_package_open(
	struct xlsx_package **out, const void *bytes, size_t n, const char *name, struct problem *p)
{
	struct xlsx_package *package = calloc(1, sizeof *package);
	zip_error_t error;

	*out = NULL;
	if (!package)
		return sheet_problem(p, ERR_NOMEM, name, 0, NULL);
	zip_error_init(&error);
	zip_source_t *source = zip_source_buffer_create(bytes, n, 0, &error);
	package->zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
	package->name = name;
	enum err err = package->zip ? ERR_OK : zip_problem(p, name, &error);
	if (!package->zip)
		zip_source_free(source);
	zip_error_fini(&error);
	if (!err && zip_get_num_entries(package->zip, 0) > SHEET_ENTRIES_MAX)
		err = sheet_problem(p, ERR_FILE_LIMIT, name, 0,
			_("请在 WPS 或 Excel 里新建工作簿，只粘贴这张表的数据，保存后再导入"));
	if (err) {
		xlsx_package_close(package);
		return err;
	}
	*out = package;
	return ERR_OK;
}

void xlsx_package_close(struct xlsx_package *package)
{
	if (!package)
		return;
	if (package->zip)
		zip_discard(package->zip);
	free(package);
}

/* The next character of a part's name, in the form in which names are compared: some programs write '\\', %20
 * and other cases than they refer to. */
static int name_next(const char **p)
{
	unsigned code;
	int used = 0;

	if (**p == '%' && isxdigit((unsigned char)(*p)[1]) && sscanf(*p + 1, "%2x%n", &code, &used) == 1 &&
		used == 2 && code) {
		*p += 3;
		return tolower((int)code);
	}
	int c = (unsigned char)**p;
	*p += c != 0;
	return c == '\\' ? '/' : tolower(c);
}

static bool name_is(const char *a, const char *b)
{
	int c;

	a += *a == '/' || *a == '\\';
	b += *b == '/' || *b == '\\';
	while ((c = name_next(&a)) == name_next(&b))
		if (!c)
			return true;
	return false;
}

static zip_int64_t part_find(struct xlsx_package *package, const char *path)
{
	zip_int64_t n = zip_get_num_entries(package->zip, 0);

	for (zip_int64_t i = 0; i < n; i++) {
		const char *name = zip_get_name(package->zip, (zip_uint64_t)i, 0);
		if (name && name_is(name, path))
			return i;
	}
	return -1;
}

bool xlsx_part_exists(struct xlsx_package *package, const char *path)
{
	return part_find(package, path) >= 0;
}

const char *xlsx_attribute(const char **attributes, const char *name)
{
	for (; *attributes; attributes += 2) {
		const char *at = attributes[0];
		if (*name == '|') {
			const char *bar = strrchr(at, '|');
			at = bar ? bar : "";
		}
		if (strcmp(at, name) == 0)
			return attributes[1];
	}
	return NULL;
}

/* Expat's allocations, counted. It gives no pointer of ours along, hence the thread's counter: a parser lives
 * and dies in one call of part_stream. */
struct counted {
	size_t n;
	max_align_t bytes[];
};

static _Thread_local size_t parser_memory;
static _Thread_local enum err parser_memory_err; /* why the last failed; expat does not always say so */

static void *counted_realloc(void *p, size_t n)
{
	struct counted *old =
		p ? (struct counted *)(void *)((char *)p - offsetof(struct counted, bytes)) : NULL;
	size_t before = old ? old->n : 0;

	if (n > PARSER_MEMORY_MAX || parser_memory - before + n > PARSER_MEMORY_MAX) {
		parser_memory_err = ERR_FILE_LIMIT;
		return NULL;
	}
	struct counted *c = realloc(old, sizeof *c + n);
	if (!c) {
		parser_memory_err = ERR_NOMEM;
		return NULL;
	}
	c->n = n;
	parser_memory += n - before;
	LINT_KEPT(c);
	/* cppcheck-suppress memleak ; freed by counted_free from its bytes */
	return c->bytes;
}

static void *counted_malloc(size_t n)
{
	return counted_realloc(NULL, n);
}

static void counted_free(void *p)
{
	if (!p)
		return;
	struct counted *c = (struct counted *)(void *)((char *)p - offsetof(struct counted, bytes));
	parser_memory -= c->n;
	free(c);
}

struct parse {
	XML_Parser parser;
	const struct xlsx_handler *handler;
	void *user;
	enum err err;
	bool own; /* err came from the handler */
	unsigned depth;
};

static void parse_stop(struct parse *x, enum err err, bool own)
{
	x->err = err;
	x->own = own;
	XML_StopParser(x->parser, XML_FALSE);
}

/* The local name of an element that is ours, else NULL. */
static const char *local_name(const char *name)
{
	if (!strchr(name, '|'))
		return name;
	for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++) {
		size_t n = strlen(namespaces[i]);
		if (strncmp(name, namespaces[i], n) == 0)
			return name + n;
	}
	return NULL;
}

/* After XML_StopParser expat may still call for the end of an empty element: x->err guards all three. */
static void on_begin(void *user, const char *name, const char **attributes)
{
	struct parse *x = user;
	const char *local = local_name(name);
	enum err err;

	if (x->err)
		return;
	if (++x->depth > DEPTH_MAX)
		parse_stop(x, ERR_FILE_LIMIT, false);
	else if (local && x->handler->begin && (err = x->handler->begin(x->user, local, attributes)))
		parse_stop(x, err, true);
}

static void on_end(void *user, const char *name)
{
	struct parse *x = user;
	const char *local = local_name(name);
	enum err err;

	if (x->err)
		return;
	x->depth--;
	if (local && x->handler->end && (err = x->handler->end(x->user, local)))
		parse_stop(x, err, true);
}

static void on_text(void *user, const char *bytes, int n)
{
	struct parse *x = user;
	enum err err;

	if (!x->err && x->handler->text && (err = x->handler->text(x->user, bytes, (size_t)n)))
		parse_stop(x, err, true);
}

/* A DTD can define entities that unfold to gigabytes; no spreadsheet program writes one. */
static void on_doctype(
	void *user, const char *name, const char *system_id, const char *public_id, int internal)
{
	struct parse *x = user;

	(void)name, (void)system_id, (void)public_id, (void)internal;
	if (!x->err)
		parse_stop(x, ERR_FILE_LIMIT, false);
}

/* Feeds the parser; what the zip library says goes to *zip_failed. */
static enum err parse_feed(struct parse *x, struct xlsx_package *package, zip_file_t *file, bool *zip_failed)
{
	size_t fed = 0;
	zip_int64_t got;

	do {
		void *buffer = XML_GetBuffer(x->parser, CHUNK);
		if (!buffer)
			return parser_memory_err ? parser_memory_err : ERR_NOMEM;
		got = zip_fread(file, buffer, CHUNK);
		if (got < 0) {
			*zip_failed = true;
			return ERR_FILE_DAMAGED;
		}
		package->unpacked += (size_t)got;
		fed += (size_t)got;
		if (package->unpacked > SHEET_UNPACKED_MAX)
			return ERR_FILE_LIMIT;
		if (XML_ParseBuffer(x->parser, (int)got, got == 0) != XML_STATUS_OK) {
			if (x->err)
				return x->err;
			return parser_memory_err ? parser_memory_err : ERR_FILE_DAMAGED;
		}
		XML_Index at = XML_GetCurrentByteIndex(x->parser);
		if (at >= 0 && fed - (size_t)at > TOKEN_MAX)
			return ERR_FILE_LIMIT;
	} while (got > 0);
	return ERR_OK;
}

static enum err part_stream(struct xlsx_package *package, zip_file_t *file,
	const struct xlsx_handler *handler, void *user, bool *own, struct problem *p)
{
	static const XML_Memory_Handling_Suite counted = {counted_malloc, counted_realloc, counted_free};
	struct parse x = {.handler = handler, .user = user};
	bool zip_failed = false;

	parser_memory = 0;
	parser_memory_err = ERR_OK;
	x.parser = XML_ParserCreate_MM(NULL, &counted, "|");
	if (!x.parser)
		return sheet_problem(p, ERR_NOMEM, package->name, 0, NULL);
	XML_SetUserData(x.parser, &x);
	XML_SetElementHandler(x.parser, on_begin, on_end);
	XML_SetCharacterDataHandler(x.parser, on_text);
	XML_SetStartDoctypeDeclHandler(x.parser, on_doctype);
	enum err err = parse_feed(&x, package, file, &zip_failed);
	XML_ParserFree(x.parser);
	*own = err && x.own;
	if (zip_failed)
		return zip_problem(p, package->name, zip_file_get_error(file));
	if (err && !x.own)
		sheet_problem(p, err, package->name, 0,
			err == ERR_FILE_LIMIT
				? _("请在 WPS 或 Excel 里新建工作簿，只粘贴这张表的数据，保存后再导入")
				: sheet_advice_save_as());
	return err;
}

enum err xlsx_part_parse(struct xlsx_package *package, const char *path, const struct xlsx_handler *handler,
	void *user, bool *own, struct problem *p)
{
	zip_int64_t index = part_find(package, path);

	*own = false;
	if (index < 0)
		return sheet_problem(p, ERR_FILE_DAMAGED, package->name, 0, sheet_advice_save_as());
	zip_file_t *file = zip_fopen_index(package->zip, (zip_uint64_t)index, 0);
	if (!file)
		return zip_problem(p, package->name, zip_get_error(package->zip));
	enum err err = part_stream(package, file, handler, user, own, p);
	zip_fclose(file);
	return err;
}
