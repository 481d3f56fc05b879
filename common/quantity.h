/* quantity.h - numbers with a unit as people write them, and as records keep them: decimals as whole numbers
 * of their last place, money in 分, time in minutes. Pure; any thread. */
#ifndef JG_QUANTITY_H
#define JG_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define DECIMAL_MAX INT64_C(999999999999999) /* fifteen digits: as many as a spreadsheet keeps */
#define FEN_SCALE 2
#define MINUTES_MAX (366 * 24 * 60)
#define QUANTITY_TEXT 48

/* 12.5, １２．５０, 1,234.5, -3; with FEN_SCALE also ￥12 and 12元. scale: digits behind the point that are
 * kept; one more than that is ERR_INVALID, because it would be lost. */
enum err decimal_parse(int64_t *out, const char *text, unsigned scale);
/* All digits behind the point: 12.50. */
const char *decimal_format(char out[QUANTITY_TEXT], int64_t v, unsigned scale);
/* 90, 90分钟, 1:30, 1小时30分, 1.5小时, 2h; at most MINUTES_MAX. */
enum err minutes_parse(int32_t *out, const char *text);
/* 1小时30分, or 1 h 30 min. */
const char *minutes_format(char out[QUANTITY_TEXT], int32_t v);

#endif
