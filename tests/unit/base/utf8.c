/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as UTF-8. */
#include <backbone/text.h>
#include <criterion/criterion.h>

static const struct {
	struct bb_text text;
	bool good;
} table[] = {
	{BB_TEXT(""), true},
	{BB_TEXT("plain\0text\x7f"), true},
	{BB_TEXT("\xc2\x80 \xdf\xbf"), true},
	{BB_TEXT("\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf"), true},
	{BB_TEXT("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"), true},
	{BB_TEXT("\x80"), false},
	{BB_TEXT("\xc0\x80"), false},
	{BB_TEXT("\xc1\xbf"), false},
	{BB_TEXT("\xc2"), false},
	{BB_TEXT("\xc2 "), false},
	{BB_TEXT("\xe0\x9f\xbf"), false},
	{BB_TEXT("\xe1\x80"), false},
	{BB_TEXT("\xe1\x80 "), false},
	{BB_TEXT("\xed\xa0\x80"), false},
	{BB_TEXT("\xf0\x8f\xbf\xbf"), false},
	{BB_TEXT("\xf1\x80\x80"), false},
	{BB_TEXT("\xf4\x90\x80\x80"), false},
	{BB_TEXT("\xf5\x80\x80\x80"), false},
	{BB_TEXT("\xff"), false},
};

Test(base, utf8_is_strict)
{
	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++)
		cr_assert_eq(bb_text_is_utf8(table[row].text), table[row].good, "row %zu", row);
}
