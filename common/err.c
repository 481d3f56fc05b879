#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lang.h"
#include "text.h"

static const struct err_info infos[] = {
#define X(name, number, level, exit_code, sentence, advice)                                                  \
	{ERR_##name, #name, ERR_LEVEL_##level, exit_code, sentence, advice},
#include "err.def"
#undef X
};

const struct err_info *err_info(int code)
{
	for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
		if ((int)infos[i].code == code)
			return &infos[i];
	return err_info(ERR_INTERNAL);
}

const struct err_info *err_info_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
		if (strcmp(infos[i].name, name) == 0)
			return &infos[i];
	return NULL;
}

const struct err_info *err_info_by_sentence(const char *sentence)
{
	for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
		if (strcmp(infos[i].sentence, sentence) == 0)
			return &infos[i];
	return NULL;
}

const char *err_advice(char *out, size_t size, enum err code, const char *program)
{
	const struct err_info *info = err_info((int)code);
	size_t n = 0;

	for (const char *at = _(info->advice); *at && n + 1 < size; at++) {
		if (at[0] == '%' && at[1] == 'P') {
			n += (size_t)snprintf(out + n, size - n, "%s", program);
			n = n < size ? n : size - 1;
			at++;
		} else {
			out[n++] = *at;
		}
	}
	out[n] = 0;
	return out;
}

/* Cuts a string that snprintf truncated back to the last whole UTF-8 character. */
static void utf8_trim(char *s)
{
	size_t n = strlen(s), i = n;

	while (i > 0 && ((unsigned char)s[i - 1] & 0xC0) == 0x80)
		i--;
	if (i == 0)
		return;
	unsigned char lead = (unsigned char)s[i - 1];
	size_t want = 2;
	if (lead < 0x80)
		want = 1;
	else if (lead >= 0xF0)
		want = 4;
	else if (lead >= 0xE0)
		want = 3;
	if (n - (i - 1) < want)
		s[i - 1] = 0;
}

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
	utf8_trim(to);
}

/* What was typed or read may not be text at all; JSON and screens take nothing else. */
static void make_printable(char *s, size_t size)
{
	char raw[sizeof((struct problem *)0)->message];

	if (!text_forbidden(s, strlen(s)))
		return;
	snprintf(raw, sizeof raw, "%s", s);
	text_printable(s, size, raw);
}

enum err(problem_set)(
	struct problem *p, enum err code, const char *field, const char *hint, const char *message, ...)
{
	if (!p)
		return code;
	memset(p, 0, sizeof *p);
	p->code = code;
	copy_text(p->field, sizeof p->field, field);
	copy_text(p->hint, sizeof p->hint, hint);
	if (message) {
		va_list args;
		va_start(args, message);
		vsnprintf(p->message, sizeof p->message, message, args);
		va_end(args);
		utf8_trim(p->message);
	} else {
		copy_text(p->message, sizeof p->message, _(err_info(code)->sentence));
	}
	make_printable(p->message, sizeof p->message);
	make_printable(p->hint, sizeof p->hint);
	make_printable(p->field, sizeof p->field);
	return code;
}

const char *file_error_text(int error)
{
	switch (error) {
	case ENOENT:
		return _("没有这个文件或文件夹");
	case ENOTDIR:
		return _("路径里有一段不是文件夹");
	case EISDIR:
		return _("这是文件夹");
	case EACCES:
	case EPERM:
		return _("没有权限");
	case EROFS:
		return _("磁盘是只读的");
	case ENAMETOOLONG:
		return _("名字太长");
	case ENOSPC:
	case EDQUOT:
		return _("磁盘已满");
	case EEXIST:
		return _("已经有同名的文件或文件夹");
	case EBUSY:
	case ETXTBSY:
		return _("别的程序正在用它");
	case EIO:
		return _("磁盘读写出错");
	case ELOOP:
		return _("它是一个链接，不是文件");
	case ECONNREFUSED:
		return _("拒绝连接");
	case ETIMEDOUT:
		return _("没有应答");
	case EHOSTUNREACH:
	case ENETUNREACH:
		return _("网络不通");
	case ECONNRESET:
		return _("连接被断开");
	case EADDRINUSE:
		return _("已被别的程序占用");
	case EADDRNOTAVAIL:
		return _("这台机器没有这个地址");
	default:
		return strerror(error);
	}
}
