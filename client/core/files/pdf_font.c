#include "pdf_font.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cairo-ft.h>
#include <fontconfig/fontconfig.h>

#include "dynlib.h"

/* Beside pdf_page.c's own list: these two are found through what pangocairo depends on. */
#define CALLS(X)                                                                                             \
	X(FcDefaultSubstitute)                                                                               \
	X(FcCharSetAddChar)                                                                                  \
	X(FcCharSetCreate)                                                                                   \
	X(FcCharSetDestroy)                                                                                  \
	X(FcConfigSubstitute)                                                                                \
	X(FcFontMatch)                                                                                       \
	X(FcPatternAddCharSet)                                                                               \
	X(FcPatternAddInteger)                                                                               \
	X(FcPatternAddString)                                                                                \
	X(FcPatternCreate)                                                                                   \
	X(FcPatternDestroy)                                                                                  \
	X(FcPatternGetString)                                                                                \
	X(cairo_font_face_destroy)                                                                           \
	X(cairo_font_options_create)                                                                         \
	X(cairo_font_options_destroy)                                                                        \
	X(cairo_font_options_set_hint_metrics)                                                               \
	X(cairo_font_options_set_hint_style)                                                                 \
	X(cairo_ft_font_face_create_for_pattern)                                                             \
	X(cairo_glyph_free)                                                                                  \
	X(cairo_scaled_font_create)                                                                          \
	X(cairo_scaled_font_destroy)                                                                         \
	X(cairo_scaled_font_glyph_extents)                                                                   \
	X(cairo_scaled_font_status)                                                                          \
	X(cairo_scaled_font_text_to_glyphs)
LIBRARY(lib, "libpangocairo-1.0.so.0", CALLS);

/* What stands for each type, the first that is installed: those of 方正 and Windows, of macOS, then what any
 * Debian has (fonts-noto-cjk). A bold one stands for a heavy one. */
struct family {
	const char *name;
	int weight;
};
#define FAMILIES_MAX 9
#define PLAIN FC_WEIGHT_REGULAR
static const struct family families[PDF_FONTS][FAMILIES_MAX] = {
	[PDF_XIAOBIAOSONG] = {{"方正小标宋简体", PLAIN}, {"FZXiaoBiaoSong-B05S", PLAIN},
		{"方正小标宋_GBK", PLAIN}, {"FZXiaoBiaoSong-B05", PLAIN}, {"STZhongsong", PLAIN},
		{"Noto Serif CJK SC", FC_WEIGHT_BOLD}, {"Source Han Serif SC", FC_WEIGHT_BOLD},
		{"Noto Sans CJK SC", FC_WEIGHT_BOLD}},
	[PDF_FANGSONG] = {{"仿宋_GB2312", PLAIN}, {"FangSong_GB2312", PLAIN}, {"FangSong", PLAIN},
		{"STFangsong", PLAIN}, {"Noto Serif CJK SC", PLAIN}, {"Source Han Serif SC", PLAIN},
		{"Noto Sans CJK SC", PLAIN}},
	[PDF_HEI] = {{"SimHei", PLAIN}, {"STHeiti", PLAIN}, {"Noto Sans CJK SC", PLAIN},
		{"Source Han Sans SC", PLAIN}, {"WenQuanYi Zen Hei", PLAIN}},
	[PDF_KAI] = {{"楷体_GB2312", PLAIN}, {"KaiTi_GB2312", PLAIN}, {"KaiTi", PLAIN}, {"STKaiti", PLAIN},
		{"AR PL UKai CN", PLAIN}, {"Noto Serif CJK SC", PLAIN}, {"Source Han Serif SC", PLAIN},
		{"Noto Sans CJK SC", PLAIN}},
	[PDF_SONG] = {{"SimSun", PLAIN}, {"STSong", PLAIN}, {"Noto Serif CJK SC", PLAIN},
		{"Source Han Serif SC", PLAIN}, {"Noto Sans CJK SC", PLAIN}},
};

#define FACES_MAX 16  /* of a role and what its characters were borrowed from */
#define SCALED_MAX 64 /* face and size: an official document has a dozen */

struct scaled {
	const cairo_font_face_t *face;
	double size, narrow;
	cairo_scaled_font_t *font;
};

struct pdf_fonts {
	cairo_font_face_t *faces[PDF_FONTS][FACES_MAX]; /* the first is the role's own */
	size_t face_count[PDF_FONTS];
	struct scaled scaled[SCALED_MAX];
	size_t scaled_count;
	cairo_font_options_t *options;
};

struct pdf_fonts *pdf_fonts_open(void)
{
	struct pdf_fonts *fonts = DYNLIB_LOAD(lib) ? calloc(1, sizeof *fonts) : NULL;

	if (!fonts)
		return NULL;
	/* A glyph reaches as far as its outline says: nothing is rounded to the dots of a screen. */
	fonts->options = lib.cairo_font_options_create();
	lib.cairo_font_options_set_hint_style(fonts->options, CAIRO_HINT_STYLE_NONE);
	lib.cairo_font_options_set_hint_metrics(fonts->options, CAIRO_HINT_METRICS_OFF);
	return fonts;
}

void pdf_fonts_close(struct pdf_fonts *fonts)
{
	if (!fonts)
		return;
	for (size_t i = 0; i < fonts->scaled_count; i++)
		lib.cairo_scaled_font_destroy(fonts->scaled[i].font);
	for (size_t role = 0; role < PDF_FONTS; role++)
		for (size_t i = 0; i < fonts->face_count[role]; i++)
			lib.cairo_font_face_destroy(fonts->faces[role][i]);
	lib.cairo_font_options_destroy(fonts->options);
	free(fonts);
}

/* The best match of fontconfig, NULL when it is not of the family asked for: it always finds something. */
static FcPattern *match(const struct family *family, int32_t code)
{
	FcPattern *wanted = lib.FcPatternCreate(), *found = NULL;
	FcResult result;
	FcChar8 *name;
	bool is_it = !family->name;

	if (!wanted)
		return NULL;
	if (family->name)
		lib.FcPatternAddString(wanted, FC_FAMILY, (const FcChar8 *)family->name);
	lib.FcPatternAddInteger(wanted, FC_WEIGHT, family->weight);
	lib.FcPatternAddString(wanted, FC_LANG, (const FcChar8 *)"zh-cn");
	FcCharSet *set = code ? lib.FcCharSetCreate() : NULL;
	if (set) {
		lib.FcCharSetAddChar(set, (FcChar32)code);
		lib.FcPatternAddCharSet(wanted, FC_CHARSET, set);
		lib.FcCharSetDestroy(set);
	}
	lib.FcConfigSubstitute(NULL, wanted, FcMatchPattern);
	lib.FcDefaultSubstitute(wanted);
	found = lib.FcFontMatch(NULL, wanted, &result);
	lib.FcPatternDestroy(wanted);
	for (int i = 0;
		found && !is_it && lib.FcPatternGetString(found, FC_FAMILY, i, &name) == FcResultMatch; i++)
		is_it = strcasecmp((const char *)name, family->name) == 0;
	if (found && !is_it) {
		lib.FcPatternDestroy(found);
		return NULL;
	}
	return found;
}

static cairo_font_face_t *face_add(struct pdf_fonts *fonts, enum pdf_font role, FcPattern *pattern)
{
	if (!pattern || fonts->face_count[role] == FACES_MAX) {
		if (pattern)
			lib.FcPatternDestroy(pattern);
		return NULL;
	}
	cairo_font_face_t *face = lib.cairo_ft_font_face_create_for_pattern(pattern);
	lib.FcPatternDestroy(pattern);
	fonts->faces[role][fonts->face_count[role]++] = face;
	return face;
}

/* Every family of the list that is installed; whatever there is when none is. */
static void role_load(struct pdf_fonts *fonts, enum pdf_font role)
{
	static const struct family any = {NULL, PLAIN};

	for (const struct family *f = families[role]; f < families[role] + FAMILIES_MAX && f->name; f++)
		face_add(fonts, role, match(f, 0));
	if (!fonts->face_count[role])
		face_add(fonts, role, match(&any, 0));
}

static cairo_scaled_font_t *scale(
	struct pdf_fonts *fonts, cairo_font_face_t *face, double size, double narrow)
{
	for (size_t i = 0; i < fonts->scaled_count; i++) {
		struct scaled *s = &fonts->scaled[i];
		if (s->face == face && fabs(s->size - size) < 1e-6 && fabs(s->narrow - narrow) < 1e-6)
			return s->font;
	}
	if (fonts->scaled_count == SCALED_MAX)
		return fonts->scaled[0].font;
	cairo_matrix_t matrix = {size * narrow, 0, 0, size, 0, 0}, identity = {1, 0, 0, 1, 0, 0};
	cairo_scaled_font_t *font = lib.cairo_scaled_font_create(face, &matrix, &identity, fonts->options);
	fonts->scaled[fonts->scaled_count++] = (struct scaled){face, size, narrow, font};
	return font;
}

static void utf8(int32_t code, char out[5])
{
	unsigned c = (unsigned)code;
	char *p = out;

	if (c < 0x80) {
		*p++ = (char)c;
	} else {
		if (c >= 0x10000) {
			*p++ = (char)(0xF0 | c >> 18);
			*p++ = (char)(0x80 | (c >> 12 & 0x3F));
		} else if (c >= 0x800) {
			*p++ = (char)(0xE0 | c >> 12);
		}
		*p++ = c >= 0x800 ? (char)(0x80 | (c >> 6 & 0x3F)) : (char)(0xC0 | c >> 6);
		*p++ = (char)(0x80 | (c & 0x3F));
	}
	*p = '\0';
}

/* The glyph of a character in a font, 0 when it has none. */
static struct pdf_drawn look(cairo_scaled_font_t *font, int32_t code)
{
	struct pdf_drawn drawn = {.font = font};
	cairo_text_extents_t extents;
	cairo_glyph_t *glyphs = NULL;
	int n = 0;

	utf8(code, drawn.text);
	if (lib.cairo_scaled_font_status(font) != CAIRO_STATUS_SUCCESS ||
		lib.cairo_scaled_font_text_to_glyphs(
			font, 0, 0, drawn.text, -1, &glyphs, &n, NULL, NULL, NULL) != CAIRO_STATUS_SUCCESS)
		return drawn;
	if (n > 0) {
		drawn.glyph = glyphs[0].index;
		lib.cairo_scaled_font_glyph_extents(font, glyphs, 1, &extents);
		drawn.advance = extents.x_advance;
	}
	lib.cairo_glyph_free(glyphs);
	return drawn;
}

struct pdf_drawn pdf_fonts_glyph(struct pdf_fonts *fonts, struct pdf_type type, int32_t code)
{
	static const struct family any = {NULL, PLAIN};
	double narrow = type.narrow > 0 ? type.narrow : 1;

	if (!fonts->face_count[type.font])
		role_load(fonts, type.font);
	for (size_t i = 0; i < fonts->face_count[type.font]; i++) {
		struct pdf_drawn drawn =
			look(scale(fonts, fonts->faces[type.font][i], type.size, narrow), code);
		if (drawn.glyph)
			return drawn;
	}
	cairo_font_face_t *other = face_add(fonts, type.font, match(&any, code));
	struct pdf_drawn drawn = {0};
	if (other)
		drawn = look(scale(fonts, other, type.size, narrow), code);
	if (!drawn.glyph && fonts->face_count[type.font])
		drawn = look(scale(fonts, fonts->faces[type.font][0], type.size, narrow), code);
	return drawn;
}
