/* lang.h - every word that a person reads, in his language. The sources say it in Chinese, po/en.po in
 * English:
 *
 *   _("中文")            looked up here
 *   N_("中文")           in a table; _() looks it up where it is shown
 *   C_("where", "中文")  where English has another word for the same Chinese; NC_ in a table
 *
 * What a .proto declares (labels of fields, kinds and methods, words of codes) has its English beside it
 * there, and the generator brings both: lang_declared. Any thread once the language is set. */
#ifndef JG_LANG_H
#define JG_LANG_H

#include <stdbool.h>

/* Chinese unless lang is "en…" and the catalogue is there. Set once at start, read by any thread. */
bool lang_is_known(const char *lang); /* zh…, en… */
void lang_set(const char *lang);
/* By --lang among the words, else LC_ALL, LC_MESSAGES or LANG, the first that says something: before
 * anything can go wrong. */
void lang_choose(int argc, char **argv);

#define _(zh) lang_text(zh)
#define N_(zh) zh
#define C_(where, zh) lang_text(NC_(where, zh))
#define NC_(where, zh) where "\004" zh

/* What stands in no catalogue comes back as it is. */
const char *lang_text(const char *zh) __attribute__((format_arg(1)));
const char *lang_declared(const char *zh, const char *en);

#endif
