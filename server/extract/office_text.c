#include "office_text.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#define CHUNK 65536
#define PARTS_MAX 4000

/* Where the words stand: parts by the beginning and the end of their names, and within them the elements
 * that hold text and those behind which a new line begins. In the order in which they are read. */
static const struct layout {
	const char *type, *begin, *end, *text, *line; /* text, line: between blanks */
} layouts[] = {
	{"docx", "word/document", ".xml", " t ", " p br tab "},
	{"docx", "word/header", ".xml", " t ", " p "},
	{"docx", "word/footer", ".xml", " t ", " p "},
	{"docx", "word/footnotes", ".xml", " t ", " p "},
	{"docx", "word/endnotes", ".xml", " t ", " p "},
	{"docx", "word/comments", ".xml", " t ", " p "},
	{"xlsx", "xl/sharedStrings", ".xml", " t ", " si "},
	{"xlsx", "xl/worksheets/", ".xml", " t v ", " c is "},
	{"pptx", "ppt/slides/slide", ".xml", " t ", " p "},
	{"pptx", "ppt/notesSlides/", ".xml", " t ", " p "},
	{"ofd", "", "Content.xml", " TextCode ", " TextCode "},
};

struct part {
	const struct layout *layout;
	text_fn take;
	void *data;
	XML_Parser parser;
	unsigned depth; /* inside of elements that hold text */
	bool full;
};

static bool is_among(const char *words, const char *name)
{
	const char *colon = strrchr(name, ':'), *local = colon ? colon + 1 : name, *at = words;
	size_t n = strlen(local);

	while ((at = strstr(at, local)) && !(at[-1] == ' ' && at[n] == ' '))
		at++;
	return n && at;
}

static void put(struct part *x, const char *text, size_t n)
{
	if (x->full || x->take(x->data, text, n))
		return;
	x->full = true;
	XML_StopParser(x->parser, XML_FALSE);
}

static void on_begin(void *user, const char *name, const char **attributes)
{
	struct part *x = user;

	(void)attributes;
	x->depth += is_among(x->layout->text, name);
}

static void on_end(void *user, const char *name)
{
	struct part *x = user;

	x->depth -= x->depth && is_among(x->layout->text, name);
	if (is_among(x->layout->line, name))
		put(x, "\n", 1);
}

static void on_text(void *user, const char *text, int n)
{
	struct part *x = user;

	if (x->depth)
		put(x, text, (size_t)n);
}

/* False: no more is wanted. */
static bool read_part(struct part *x, zip_file_t *file)
{
	zip_int64_t got;
	void *buffer;

	x->parser = XML_ParserCreate(NULL);
	if (!x->parser)
		return false;
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, on_begin, on_end);
	XML_SetCharacterDataHandler(x->parser, on_text);
	do {
		buffer = XML_GetBuffer(x->parser, CHUNK);
		got = buffer ? zip_fread(file, buffer, CHUNK) : -1;
	} while (got >= 0 && XML_ParseBuffer(x->parser, (int)got, got == 0) == XML_STATUS_OK && got > 0);
	XML_ParserFree(x->parser);
	return !x->full;
}

static bool is_of(const struct layout *l, const char *name)
{
	size_t n = strlen(name), begin = strlen(l->begin), end = strlen(l->end);

	return n >= begin + end && strncmp(name, l->begin, begin) == 0 && strcmp(name + n - end, l->end) == 0;
}

static bool read_layout(zip_t *zip, const struct layout *layout, text_fn take, void *data)
{
	zip_int64_t n = zip_get_num_entries(zip, 0);
	bool more = true;

	for (zip_int64_t i = 0; more && i < n && i < PARTS_MAX; i++) {
		const char *name = zip_get_name(zip, (zip_uint64_t)i, 0);
		struct part part = {.layout = layout, .take = take, .data = data};
		zip_file_t *file =
			name && is_of(layout, name) ? zip_fopen_index(zip, (zip_uint64_t)i, 0) : NULL;
		if (!file)
			continue;
		more = read_part(&part, file);
		zip_fclose(file);
	}
	return more;
}

void office_text(const char *type, const void *bytes, size_t n, text_fn take, void *data)
{
	zip_error_t error;
	bool more = true;

	zip_error_init(&error);
	zip_source_t *source = zip_source_buffer_create(bytes, n, 0, &error);
	zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
	if (!zip) {
		zip_source_free(source);
		return;
	}
	for (size_t i = 0; more && i < sizeof layouts / sizeof *layouts; i++)
		if (strcmp(layouts[i].type, type) == 0)
			more = read_layout(zip, &layouts[i], take, data);
	zip_discard(zip);
	zip_error_fini(&error);
}
