#include "first_password.h"

#include <stdint.h>
#include <string.h>

#include <sodium.h>

void password_generate(char out[PASSWORD_MADE])
{
	static const char *const classes[] = {
		"abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"};

	for (uint32_t i = 0; i < 12; i++) {
		const char *set = classes[i < 3 ? i : randombytes_uniform(3)];
		out[i] = set[randombytes_uniform((uint32_t)strlen(set))];
	}
	for (uint32_t i = 11; i > 0; i--) {
		uint32_t j = randombytes_uniform(i + 1);
		char c = out[i];
		out[i] = out[j];
		out[j] = c;
	}
	out[12] = 0;
}
