#include "file_type.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "err.h"
#include "file_name.h"
#include "lang.h"
#include "text.h"

#define HEAD 64

/* Papers and pictures as schools send them. A handful of beginnings, not libmagic: its 8 MB of rules would be
 * loaded at each attachment, for kinds that nobody sends. Those without an extension are only told. */
static const struct kind_of_file {
	const char *extensions; /* between blanks */
	size_t at, n;
	const char *bytes, *text;
} kinds[] = {{" pdf ", 0, 4, "%PDF", N_("PDF 文件")},
	{" jpg jpeg jpe ", 0, 3, "\xFF\xD8\xFF", N_("JPEG 图片")}, {" png ", 0, 4, "\x89PNG", N_("PNG 图片")},
	{" gif ", 0, 4, "GIF8", N_("GIF 图片")}, {" bmp ", 0, 2, "BM", N_("BMP 图片")},
	{" tif tiff ", 0, 4, "II*\0", N_("TIFF 图片")}, {" tif tiff ", 0, 4, "MM\0*", N_("TIFF 图片")},
	{" webp ", 8, 4, "WEBP", N_("WebP 图片")},
	{" heic heif mp4 mov m4a ", 4, 4, "ftyp", N_("手机照片（HEIC）或视频")},
	{" docx xlsx pptx wps et ofd zip ", 0, 4, "PK\3\4", N_("Office 新格式文件或压缩包")},
	{" doc xls ppt wps et dps ", 0, 4, "\xD0\xCF\x11\xE0", N_("Office 旧格式文件")},
	{" rar ", 0, 4, "Rar!", N_("RAR 压缩包")}, {" ", 0, 2, "MZ", N_("Windows 程序")},
	{" ", 0, 4,
		"\x7F"
		"ELF",
		N_("程序")}};

static bool extension_says(const struct kind_of_file *k, const char *extension)
{
	char word[16];

	snprintf(word, sizeof word, " %s ", extension);
	return strcasestr(k->extensions, word) != NULL;
}

bool file_type_differs(const char *path, const char **is)
{
	const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
	const char *extension = dot && (!slash || slash < dot) ? dot + 1 : "";
	bool promised = false, kept = false;
	char head[HEAD + 1] = "";
	size_t size;
	int fd = file_open(path, &size, NULL);
	ssize_t got = fd < 0 ? 0 : read(fd, head, HEAD);
	size_t n = got > 0 ? (size_t)got : 0;

	if (fd >= 0)
		close(fd);
	*is = NULL;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const struct kind_of_file *k = &kinds[i];
		bool found = n >= k->at + k->n && memcmp(head + k->at, k->bytes, k->n) == 0;
		promised |= *extension && extension_says(k, extension);
		kept |= found && extension_says(k, extension);
		if (found && !*is)
			*is = _(k->text);
	}
	if (!*is)
		*is = strlen(head) == n ? _("文字") : _("别的内容");
	return n && promised && !kept;
}
