#include "docx_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "file_name.h"
#include "lang.h"
#include "sheet.h"
#include "xlsx_part.h"

#define UNSET (-1)
#define STYLES_MAX 4000 /* Word has 376 of its own */
#define INHERIT_MAX 20
#define SECTIONS_MAX 500
#define FOOTERS_MAX 64
#define PATH_SIZE 256
#define DEFAULT_HALF_POINTS 20

/* What a style or a paragraph says; UNSET or NULL where it says nothing. */
struct props {
	int half_points, aligned, first_twips, first_chars, line, pitch;
	const char *font;
};
static const struct props nothing = {UNSET, UNSET, UNSET, UNSET, UNSET, UNSET, NULL};

struct style {
	const char *id, *based_on;
	bool is_default; /* of paragraphs */
	struct props props;
};

struct reading {
	struct xlsx_package *package;
	struct arena *arena;
	struct docx *docx;
	struct style *styles; /* the first is what the document says for all */
	size_t style_count, style_room, paragraph_room, run_room, section_room;
	/* the part in hand */
	unsigned ignored; /* depth inside of what is left out */
	unsigned tables;
	bool in_run, in_text, in_ppr, in_field;
	struct props *props; /* that the next property belongs to; NULL: to nobody */
	struct props paragraph, run;
	const char *paragraph_style, *run_style;
	struct docx_run *runs;
	size_t run_count;
	struct buf text, run_text, field;
	struct docx_section section;
	/* relationships */
	char document[PATH_SIZE], styles_path[PATH_SIZE];
	struct {
		char id[64], path[PATH_SIZE];
		bool used;
	} footers[FOOTERS_MAX];
	size_t footer_count;
};

static enum err grow(struct reading *r, void **array, size_t *room, size_t used, size_t item)
{
	if (used < *room)
		return ERR_OK;
	size_t more = *room ? 2 * *room : 32;
	void *grown = arena_alloc(r->arena, more * item);
	if (!grown)
		return r->arena->refused == ERR_TOO_LARGE ? ERR_FILE_LIMIT : ERR_NOMEM;
	if (used)
		memcpy(grown, *array, used * item);
	*array = grown;
	*room = more;
	return ERR_OK;
}

static const char *keep(struct reading *r, const char *text)
{
	return text ? arena_text(r->arena, text, strlen(text)) : NULL;
}

static bool is(const char *name, const char *wanted)
{
	return strcmp(name, wanted) == 0;
}

static int number(const char **attributes, const char *name, int otherwise)
{
	const char *text = xlsx_attribute(attributes, name);
	char *end;
	long n = text ? strtol(text, &end, 10) : 0;

	return text && end != text && n > -1000000 && n < 1000000 ? (int)n : otherwise;
}

/* What a property says of a run: the size and the Chinese font. */
static void run_property(struct reading *r, const char *name, const char **attributes)
{
	if (is(name, "sz"))
		r->props->half_points = number(attributes, "|val", r->props->half_points);
	if (is(name, "rFonts")) {
		const char *font = xlsx_attribute(attributes, "|eastAsia");
		if (!font) /* a font of the theme: it is none of those that a document has to have */
			font = xlsx_attribute(attributes, "|eastAsiaTheme");
		if (font)
			r->props->font = keep(r, font);
	}
}

static int alignment(const char *word)
{
	if (is(word, "center"))
		return DOCX_CENTRED;
	if (is(word, "right") || is(word, "end"))
		return DOCX_RIGHT;
	return is(word, "both") || is(word, "distribute") ? DOCX_BOTH : DOCX_LEFT;
}

/* And of a paragraph. */
static void paragraph_property(struct reading *r, const char *name, const char **attributes)
{
	struct props *p = r->props;

	if (is(name, "jc")) {
		const char *to = xlsx_attribute(attributes, "|val");
		if (to)
			p->aligned = alignment(to);
	} else if (is(name, "ind")) {
		p->first_twips = number(attributes, "|firstLine", p->first_twips);
		p->first_chars = number(attributes, "|firstLineChars", p->first_chars);
		if (number(attributes, "|hanging", 0) > 0)
			p->first_twips = -number(attributes, "|hanging", 0);
	} else if (is(name, "spacing")) {
		const char *rule = xlsx_attribute(attributes, "|lineRule");
		p->line = number(attributes, "|line", p->line);
		if (rule && is(rule, "exact"))
			p->pitch = DOCX_EXACT;
		else if (rule)
			p->pitch = is(rule, "atLeast") ? DOCX_AT_LEAST : DOCX_AUTO;
	}
}

/* Properties and text as they were before a tracked change say nothing any more. */
static bool is_left_out(const char *name)
{
	size_t n = strlen(name);

	return is(name, "txbxContent") || is(name, "moveFrom") || (n > 6 && is(name + n - 6, "Change"));
}

static void over(struct props *to, const struct props *from)
{
	to->half_points = from->half_points != UNSET ? from->half_points : to->half_points;
	to->aligned = from->aligned != UNSET ? from->aligned : to->aligned;
	to->line = from->line != UNSET ? from->line : to->line;
	to->pitch = from->pitch != UNSET ? from->pitch : to->pitch;
	to->font = from->font ? from->font : to->font;
	to->first_chars = from->first_chars != UNSET ? from->first_chars : to->first_chars;
	to->first_twips = from->first_twips != UNSET ? from->first_twips : to->first_twips;
}

/* A style on top of those that it is based on. */
static void apply_style(const struct reading *r, struct props *to, const char *id, unsigned depth)
{
	for (size_t i = 1; id && i < r->style_count && depth < INHERIT_MAX; i++) {
		const struct style *s = &r->styles[i];
		if (!s->id || !is(s->id, id))
			continue;
		apply_style(r, to, s->based_on, depth + 1);
		over(to, &s->props);
		return;
	}
}

static struct props shown(const struct reading *r, bool with_run)
{
	struct props p = nothing;
	const char *id = r->paragraph_style;

	if (r->style_count)
		over(&p, &r->styles[0].props);
	for (size_t i = 1; !id && i < r->style_count; i++)
		if (r->styles[i].is_default)
			id = r->styles[i].id;
	apply_style(r, &p, id, 0);
	if (with_run) {
		apply_style(r, &p, r->run_style, 0);
		over(&p, &r->run);
	} else {
		over(&p, &r->paragraph);
	}
	return p;
}

static enum err style_add(struct reading *r)
{
	void *styles = r->styles;

	if (r->style_count == STYLES_MAX)
		return ERR_FILE_LIMIT;
	enum err e = grow(r, &styles, &r->style_room, r->style_count, sizeof *r->styles);
	if (e)
		return e;
	r->styles = styles;
	r->styles[r->style_count++] = (struct style){.props = nothing};
	return ERR_OK;
}

static enum err styles_begin(void *user, const char *name, const char **attributes)
{
	struct reading *r = user;
	enum err e = ERR_OK;

	if (r->ignored || is_left_out(name) || is(name, "tblStylePr")) {
		r->ignored++;
		return ERR_OK;
	}
	if (is(name, "style")) {
		const char *type = xlsx_attribute(attributes, "|type"),
			   *usual = xlsx_attribute(attributes, "|default");
		e = style_add(r);
		if (e)
			return e;
		struct style *s = &r->styles[r->style_count - 1];
		s->id = keep(r, xlsx_attribute(attributes, "|styleId"));
		s->is_default =
			usual && (is(usual, "1") || is(usual, "true")) && type && is(type, "paragraph");
	} else if (is(name, "basedOn") && r->style_count > 1) {
		r->styles[r->style_count - 1].based_on = keep(r, xlsx_attribute(attributes, "|val"));
	} else if (is(name, "pPr") || is(name, "rPr")) {
		r->in_ppr = is(name, "pPr");
	}
	r->props = r->style_count ? &r->styles[r->style_count - 1].props : NULL;
	if (r->props && r->in_ppr)
		paragraph_property(r, name, attributes);
	else if (r->props)
		run_property(r, name, attributes);
	return e;
}

static enum err styles_end(void *user, const char *name)
{
	struct reading *r = user;

	(void)name;
	if (r->ignored)
		r->ignored--;
	return ERR_OK;
}

static enum err run_begin(struct reading *r)
{
	r->in_run = true;
	r->run = nothing;
	r->run_style = NULL;
	r->run_text.len = 0;
	return ERR_OK;
}

static enum err run_end(struct reading *r)
{
	void *runs = r->runs;
	struct props p = shown(r, true);

	r->in_run = false;
	r->props = NULL;
	if (!r->run_text.len)
		return ERR_OK;
	enum err e = grow(r, &runs, &r->run_room, r->run_count, sizeof *r->runs);
	if (e)
		return e;
	r->runs = runs;
	const char *text = arena_text(r->arena, r->run_text.data, r->run_text.len);
	if (!text)
		return r->arena->refused == ERR_TOO_LARGE ? ERR_FILE_LIMIT : ERR_NOMEM;
	r->runs[r->run_count++] = (struct docx_run){
		text, p.half_points == UNSET ? DEFAULT_HALF_POINTS : p.half_points, p.font ? p.font : ""};
	buf_add(&r->text, r->run_text.data, r->run_text.len);
	return r->text.failed ? ERR_NOMEM : ERR_OK;
}

static void paragraph_begin(struct reading *r)
{
	r->paragraph = r->run = nothing;
	r->paragraph_style = r->run_style = NULL;
	r->runs = NULL;
	r->run_count = r->run_room = 0;
	r->text.len = 0;
}

static enum err paragraph_end(struct reading *r)
{
	struct docx *d = r->docx;
	void *paragraphs = d->paragraphs;
	struct props p = shown(r, false);

	if (d->paragraph_count == DOCX_PARAGRAPHS_MAX)
		return ERR_FILE_LIMIT;
	enum err e = grow(r, &paragraphs, &r->paragraph_room, d->paragraph_count, sizeof *d->paragraphs);
	if (e)
		return e;
	d->paragraphs = paragraphs;
	const char *text = arena_text(r->arena, r->text.data, r->text.len);
	if (!text)
		return r->arena->refused == ERR_TOO_LARGE ? ERR_FILE_LIMIT : ERR_NOMEM;
	d->paragraphs[d->paragraph_count++] = (struct docx_paragraph){.text = text,
		.runs = r->runs,
		.run_count = r->run_count,
		.aligned = p.aligned == UNSET ? DOCX_LEFT : (enum docx_aligned)p.aligned,
		.first_twips = p.first_twips == UNSET ? 0 : p.first_twips,
		.first_chars = p.first_chars == UNSET ? 0 : p.first_chars,
		.line = p.line == UNSET ? 240 : p.line,
		.pitch = p.pitch == UNSET ? DOCX_AUTO : (enum docx_pitch)p.pitch,
		.in_table = r->tables > 0};
	return ERR_OK;
}

static enum err section_end(struct reading *r)
{
	struct docx *d = r->docx;
	void *sections = d->sections;

	if (d->section_count == SECTIONS_MAX)
		return ERR_FILE_LIMIT;
	enum err e = grow(r, &sections, &r->section_room, d->section_count, sizeof *d->sections);
	if (e)
		return e;
	d->sections = sections;
	d->sections[d->section_count++] = r->section;
	return ERR_OK;
}

static void section_property(struct reading *r, const char *name, const char **attributes)
{
	struct docx_section *s = &r->section;

	if (is(name, "sectPr")) {
		*s = (struct docx_section){0};
	} else if (is(name, "pgSz")) {
		s->width = number(attributes, "|w", 0);
		s->height = number(attributes, "|h", 0);
	} else if (is(name, "pgMar")) {
		s->top = number(attributes, "|top", 0);
		s->right = number(attributes, "|right", 0);
		s->bottom = number(attributes, "|bottom", 0);
		s->left = number(attributes, "|left", 0);
	} else if (is(name, "docGrid")) {
		const char *type = xlsx_attribute(attributes, "|type");
		s->grid = type && !is(type, "default") ? number(attributes, "|linePitch", 0) : 0;
	} else if (is(name, "footerReference")) {
		const char *id = xlsx_attribute(attributes, "|id");
		for (size_t i = 0; id && i < r->footer_count; i++)
			r->footers[i].used |= is(r->footers[i].id, id);
	}
}

static void run_piece(struct reading *r, const char *name)
{
	if (is(name, "t"))
		r->in_text = true;
	else if (is(name, "tab"))
		buf_text(&r->run_text, "\t");
	else if (is(name, "noBreakHyphen"))
		buf_text(&r->run_text, "-");
}

static enum err main_begin(void *user, const char *name, const char **attributes)
{
	struct reading *r = user;

	if (r->ignored || is_left_out(name)) {
		r->ignored++;
		return ERR_OK;
	}
	section_property(r, name, attributes);
	r->tables += is(name, "tbl");
	if (is(name, "p"))
		paragraph_begin(r);
	else if (is(name, "pPr"))
		r->in_ppr = true;
	else if (is(name, "r"))
		return run_begin(r);
	else if (is(name, "pStyle") && r->in_ppr)
		r->paragraph_style = keep(r, xlsx_attribute(attributes, "|val"));
	else if (is(name, "rStyle") && r->in_run)
		r->run_style = keep(r, xlsx_attribute(attributes, "|val"));
	else if (is(name, "rPr"))
		r->props = r->in_run ? &r->run : NULL; /* else that of the paragraph's mark */
	else if (r->in_run && r->props)
		run_property(r, name, attributes);
	else if (r->in_run)
		run_piece(r, name);
	else if (r->in_ppr) {
		r->props = &r->paragraph;
		paragraph_property(r, name, attributes);
		r->props = NULL;
	}
	return ERR_OK;
}

static enum err main_end(void *user, const char *name)
{
	struct reading *r = user;

	if (r->ignored) {
		r->ignored--;
		return ERR_OK;
	}
	r->tables -= is(name, "tbl") && r->tables;
	if (is(name, "t"))
		r->in_text = false;
	else if (is(name, "rPr"))
		r->props = NULL;
	else if (is(name, "pPr"))
		r->in_ppr = false;
	else if (is(name, "r") && r->in_run)
		return run_end(r);
	else if (is(name, "p"))
		return paragraph_end(r);
	else if (is(name, "sectPr"))
		return section_end(r);
	return ERR_OK;
}

static enum err main_text(void *user, const char *bytes, size_t n)
{
	struct reading *r = user;

	if (r->in_text && !r->ignored)
		buf_add(&r->run_text, bytes, n);
	return r->run_text.failed ? ERR_NOMEM : ERR_OK;
}

/* A page number is a field whose first word is PAGE. */
static bool is_page(const char *text)
{
	text += strspn(text, " ");
	return strncmp(text, "PAGE", 4) == 0 && (text[4] == '\0' || text[4] == ' ');
}

static enum err footer_begin(void *user, const char *name, const char **attributes)
{
	struct reading *r = user;

	if (is(name, "fldSimple")) {
		const char *field = xlsx_attribute(attributes, "|instr");
		r->docx->page_number |= field && is_page(field);
	} else if (is(name, "fldChar")) {
		r->field.len = 0;
	}
	r->in_field = is(name, "instrText");
	return ERR_OK;
}

static enum err footer_end(void *user, const char *name)
{
	struct reading *r = user;

	if (is(name, "instrText") && r->field.len) {
		buf_u8(&r->field, '\0');
		if (r->field.failed)
			return ERR_NOMEM;
		r->docx->page_number |= is_page((const char *)r->field.data);
		r->field.len--;
	}
	r->in_field = false;
	return ERR_OK;
}

static enum err footer_text(void *user, const char *bytes, size_t n)
{
	struct reading *r = user;

	if (r->in_field)
		buf_add(&r->field, bytes, n);
	return r->field.failed ? ERR_NOMEM : ERR_OK;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && is(s + n - m, end);
}

/* A target is told from the folder of the part that names it, or from the root. */
static void target_path(char out[PATH_SIZE], const char *from, const char *target)
{
	const char *slash = strrchr(from, '/');
	int folder = *target == '/' || !slash ? 0 : (int)(slash - from) + 1;

	snprintf(out, PATH_SIZE, "%.*s%s", folder, from, target + (*target == '/'));
}

static enum err relation_begin(void *user, const char *name, const char **attributes)
{
	struct reading *r = user;
	const char *type = xlsx_attribute(attributes, "Type"), *target = xlsx_attribute(attributes, "Target"),
		   *id = xlsx_attribute(attributes, "Id");

	if (!is(name, "Relationship") || !type || !target || !id || strlen(target) >= PATH_SIZE / 2)
		return ERR_OK;
	if (ends_with(type, "/officeDocument"))
		target_path(r->document, "", target);
	else if (ends_with(type, "/styles"))
		target_path(r->styles_path, r->document, target);
	else if (ends_with(type, "/footer") && r->footer_count < FOOTERS_MAX &&
		strlen(id) < sizeof r->footers[0].id) {
		snprintf(r->footers[r->footer_count].id, sizeof r->footers[0].id, "%s", id);
		target_path(r->footers[r->footer_count++].path, r->document, target);
	}
	return ERR_OK;
}

/* Parses a part; what is not the package's own complaint is told here. */
static enum err part(struct reading *r, const char *path, const struct xlsx_handler *handler,
	const char *name, struct problem *p)
{
	bool own = false;
	enum err e = xlsx_part_parse(r->package, path, handler, r, &own, p);

	if (e && own)
		return problem_set(
			p, e, NULL, NULL, e == ERR_FILE_LIMIT ? _("%s：内容太多，不像公文") : NULL, name);
	return e;
}

static enum err read_parts(struct reading *r, const char *name, struct problem *p)
{
	static const struct xlsx_handler relations = {.begin = relation_begin},
					 styles = {.begin = styles_begin, .end = styles_end},
					 document = {main_begin, main_end, main_text},
					 footer = {footer_begin, footer_end, footer_text};
	char path[PATH_SIZE + 16];
	enum err e = part(r, "_rels/.rels", &relations, name, p);

	if (!e && !xlsx_part_exists(r->package, r->document))
		return problem_set(p, ERR_FILE_FORMAT, NULL, NULL, _("%s：这不是 .docx 文档"), name);
	const char *slash = strrchr(r->document, '/'), *file = slash ? slash + 1 : r->document;
	snprintf(path, sizeof path, "%.*s_rels/%s.rels", (int)(file - r->document), r->document, file);
	if (!e && xlsx_part_exists(r->package, path))
		e = part(r, path, &relations, name, p);
	if (!e)
		e = style_add(r);
	if (!e && xlsx_part_exists(r->package, r->styles_path))
		e = part(r, r->styles_path, &styles, name, p);
	r->props = NULL;
	r->in_ppr = false;
	r->ignored = 0;
	if (!e)
		e = part(r, r->document, &document, name, p);
	for (size_t i = 0; !e && i < r->footer_count; i++)
		if (r->footers[i].used && xlsx_part_exists(r->package, r->footers[i].path))
			e = part(r, r->footers[i].path, &footer, name, p);
	return e;
}

/* All of a file, one byte more than the limit at the most. */
static enum err file_bytes(const char *path, const char *name, char **bytes, size_t *n, struct problem *p)
{
	size_t size;
	int fd = file_open(path, &size, p);

	*bytes = NULL;
	*n = 0;
	if (fd < 0)
		return ERR_FILE_IO;
	size_t room = size > SHEET_FILE_MAX ? SHEET_FILE_MAX + 1 : size + 1;
	*bytes = malloc(room);
	ssize_t got = *bytes ? 1 : 0;
	while (got && *n < room) {
		got = read(fd, *bytes + *n, room - *n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		*n += (size_t)got;
	}
	int why = errno;
	close(fd);
	if (!*bytes)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	if (got < 0)
		return problem_set(
			p, ERR_FILE_IO, NULL, NULL, _("打不开 %s：%s"), name, file_error_text(why));
	if (*n > SHEET_FILE_MAX)
		return problem_set(p, ERR_FILE_LIMIT, NULL, _("请去掉图片或分成几个文件"),
			_("%s：文件超过 %u MiB"), name, SHEET_FILE_MAX >> 20);
	if (*n < 4 || memcmp(*bytes, "PK\3\4", 4) != 0)
		return problem_set(p, ERR_FILE_FORMAT, NULL, NULL, _("%s：这不是 .docx 文档"), name);
	return ERR_OK;
}

/* The archive's advice speaks of workbooks. */
static enum err advised(enum err e, struct problem *p)
{
	const char *hint = e == ERR_FILE_LIMIT ? _("请去掉图片或分成几个文件")
		: e == ERR_FILE_FORMAT || e == ERR_FILE_DAMAGED
		? _("请用 WPS 或 Word 打开，“文件→另存为”.docx")
		: NULL;

	if (hint && p)
		snprintf(p->hint, sizeof p->hint, "%s", hint);
	return e;
}

enum err docx_read_memory(const void *bytes, size_t n, const char *name, struct docx *out,
	struct arena *arena, struct problem *p)
{
	struct reading *r = calloc(1, sizeof *r);

	*out = (struct docx){0};
	if (!r)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	r->arena = arena;
	r->docx = out;
	enum err e = xlsx_package_open(&r->package, bytes, n, name, p);
	if (!e)
		e = read_parts(r, name, p);
	xlsx_package_close(r->package);
	buf_free(&r->text);
	buf_free(&r->run_text);
	buf_free(&r->field);
	free(r);
	return advised(e, p);
}

enum err docx_read_file(const char *path, struct docx *out, struct arena *arena, struct problem *p)
{
	char name[FILE_NAME_TEXT_MAX], *bytes = NULL;
	size_t n;

	file_name_text(name, sizeof name, path);
	*out = (struct docx){0};
	enum err e = advised(file_bytes(path, name, &bytes, &n, p), p);
	if (!e)
		e = docx_read_memory(bytes, n, name, out, arena, p);
	free(bytes);
	return e;
}
