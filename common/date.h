/* date.h - calendar dates as int32 YYYYMMDD, and every way people write them. Knows no clock and no zone:
 * who needs "today" passes it in. Proleptic Gregorian, years 1-9999; 0 is "no date". Any thread. */
#ifndef JG_DATE_H
#define JG_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/* Which day Excel calls 1: 1900 is the default, 1904 comes from old Macs (workbookPr date1904). */
enum date_epoch { DATE_EPOCH_1900, DATE_EPOCH_1904 };

/* True for days that exist: 20140229 does not. */
bool date_is_real(int32_t date);
/* Days since 1970-01-01 of a real date, and back. */
int32_t date_days(int32_t date);
int32_t date_from_days(int32_t days);
/* to - from in days; both must be real. */
int32_t date_days_between(int32_t from, int32_t to);
/* Full years of age at `at`, as 实足年龄 counts them: one more from the birthday on (a child of 29 February
 * from 1 March in common years). Negative before birth. */
int date_age(int32_t birth, int32_t at);

/* An Excel serial number's day; ERR_INVALID for what is no date: below 1, beyond year 9999, and 60 in the
 * 1900 epoch (Excel's 29 February 1900, which never was). A fraction (time of day) is dropped. */
enum err date_from_serial(double serial, enum date_epoch epoch, int32_t *date);

/* 2014-03-15, 2014/3/15, 2014.3.15, 20140315, 2014年3月15日 (号), each with an optional time behind,
 * full-width or with spaces, and a five-digit Excel serial (41713). ERR_INVALID otherwise, also for days that
 * do not exist and for years of two digits; *date is 0 then. */
enum err date_parse(const char *text, enum date_epoch epoch, int32_t *date);

#endif
