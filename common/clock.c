#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#define CHINA_OFFSET_S (8 * 3600) /* Asia/Shanghai has had no other offset since 1991 */

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

int64_t clock_now_us(void)
{
	return (int64_t)read_clock(CLOCK_REALTIME);
}

uint64_t clock_monotonic_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void id_make(uint8_t out[16], int64_t now_us)
{
	uint64_t ms = (uint64_t)(now_us / 1000);

	randombytes_buf(out, 16);
	for (int i = 5; i >= 0; i--, ms >>= 8)
		out[i] = (uint8_t)ms;
	out[6] = (uint8_t)(0x70 | (out[6] & 0x0F));
	out[8] = (uint8_t)(0x80 | (out[8] & 0x3F));
}

int64_t id_time(const uint8_t id[16])
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id[i];
	return ms * 1000;
}

void id_format(char out[37], const uint8_t id[16])
{
	char *to = out;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		snprintf(to, 3, "%02x", id[i]);
		to += 2;
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int id_parse(uint8_t out[16], const char *text)
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '-')
			continue;
		int digit = hex_digit(*text);
		if (digit < 0 || n == 32)
			return -1;
		out[n / 2] = (uint8_t)(n % 2 ? out[n / 2] | digit : digit << 4);
		n++;
	}
	return n == 32 ? 0 : -1;
}

void time_format(char out[TIME_TEXT_SIZE], int64_t us)
{
	time_t seconds = (time_t)(us / 1000000 - (us % 1000000 < 0)) + CHINA_OFFSET_S;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(out, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S+08:00", &tm);
}
