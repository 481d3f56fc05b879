/* text_keys - the normal forms of common/text.c and common/validate.c for tests/service/test_text.py: reads
 * one text a line, writes name key, certificate key, the text without white space and without dots, separated
 * by U+001F. */
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "validate.h"

int main(void)
{
	static char line[4096], out[8192];
	static enum err (*const forms[])(char *, size_t, const char *) = {
		text_name_key, cert_no_normal, text_strip_space, text_unify_dot};

	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
			if (forms[i](out, sizeof out, line))
				return 1;
			printf("%s%s", i ? "\x1F" : "", out);
		}
		putchar('\n');
	}
	return 0;
}
