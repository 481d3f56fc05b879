#include "lang.h"

#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOMAIN "jingguan"

static bool english;

/* Beside the program's folder, in the build tree as where it is installed: bin/jg and share/locale. */
static bool catalogue_open(void)
{
	char program[PATH_MAX], folder[PATH_MAX + 32], file[PATH_MAX + 80];
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);

	if (n <= 0)
		return false;
	program[n] = 0;
	*strrchr(program, '/') = 0;
	snprintf(folder, sizeof folder, "%s/../share/locale", program);
	snprintf(file, sizeof file, "%s/en/LC_MESSAGES/" DOMAIN ".mo", folder);
	return access(file, R_OK) == 0 && bindtextdomain(DOMAIN, folder) &&
		bind_textdomain_codeset(DOMAIN, "UTF-8");
}

bool lang_is_known(const char *lang)
{
	return strncmp(lang, "zh", 2) == 0 || strncmp(lang, "en", 2) == 0;
}

void lang_set(const char *lang)
{
	/* gettext asks LANGUAGE, but never in the locale "C"; C.UTF-8 is the one that every machine has. */
	english = lang && strncmp(lang, "en", 2) == 0 && setlocale(LC_MESSAGES, "C.UTF-8") &&
		setenv("LANGUAGE", "en", 1) == 0 && catalogue_open();
}

void lang_choose(int argc, char **argv)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	const char *lang = NULL;

	for (size_t i = 0; i < sizeof names / sizeof *names && (!lang || !*lang); i++)
		lang = getenv(names[i]);
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--lang") == 0 && i + 1 < argc)
			lang = argv[i + 1];
		else if (strncmp(argv[i], "--lang=", 7) == 0)
			lang = argv[i] + 7;
	lang_set(lang ? lang : "zh");
}

const char *lang_text(const char *zh)
{
	/* What stands under "" is what the catalogue says of itself. */
	const char *word = english && *zh ? dgettext(DOMAIN, zh) : zh;
	const char *where = word == zh ? strchr(zh, '\004') : NULL;

	return where ? where + 1 : word;
}

const char *lang_declared(const char *zh, const char *en)
{
	return english ? en : zh;
}
