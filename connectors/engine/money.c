/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Money is text from the message to the event: minor units become major ones by moving the point,
 * numbers with an exponent are written out, and no digit is ever rounded. What has more than 18
 * digits before or 6 after the point, or is no plain decimal number, is no amount.
 *
 * The table is ISO 4217 (list one, active currencies), by the digits of the minor unit.
 */
#include "money.h"

#include "decimal.h"

#define CODE_BYTES 3
#define WHOLE_MAX 18 /* digits before the point, and behind it */
#define FRACTION_MAX 6

static const struct {
	int exponent;
	const char *codes; /* three letters each, no space between */
} currencies[] = {
	{0, "BIFCLPDJFGNFISKJPYKMFKRWPYGRWFUGXUYIVNDVUVXAFXOFXPF"},
	{3, "BHDIQDJODKWDLYDOMRTND"},
	{4, "CLFUYW"},
	{2, "AEDAFNALLAMDANGAOAARSAUDAWGAZNBAMBBDBDTBGNBMDBNDBOBBOVBRLBSDBTNBWPBYNBZDCADCDF"
	    "CHECHFCHWCNYCOPCOUCRCCUPCVECZKDKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMDGTQGYD"
	    "HKDHNLHTGHUFIDRILSINRIRRJMDKESKGSKHRKPWKYDKZTLAKLBPLKRLRDLSLMADMDLMGAMKDMMKMNT"
	    "MOPMRUMURMVRMWKMXNMXVMYRMZNNADNGNNIONOKNPRNZDPABPENPGKPHPPKRPLNQARRONRSDRUBSAR"
	    "SBDSCRSDGSEKSGDSHPSLESOSSRDSSPSTNSVCSYPSZLTHBTJSTMTTOPTRYTTDTWDTZSUAHUSDUSNUYU"
	    "UZSVEDVESWSTXCDXCGYERZARZMWZWGZWLHRKSLLCUC"},
};

int bb_money_exponent(struct bb_text currency)
{
	if (currency.n != CODE_BYTES)
		return -1;
	for (size_t i = 0; i < sizeof(currencies) / sizeof(*currencies); i++)
		for (const char *code = currencies[i].codes; *code; code += CODE_BYTES)
			if (memcmp(code, currency.p, CODE_BYTES) == 0)
				return currencies[i].exponent;
	return -1;
}

bool bb_money_has_fraction(struct bb_text value)
{
	struct bb_decimal d;

	return bb_decimal_read_text(value, &d) && d.scale > 0;
}

/* As nearly every amount is: to be taken as it stands. */
static bool is_plain(struct bb_text value)
{
	size_t whole = 0, n;

	while (whole < value.n && value.p[whole] >= '0' && value.p[whole] <= '9')
		whole++;
	if (whole == 0 || whole > WHOLE_MAX || (whole > 1 && value.p[0] == '0'))
		return false;
	if (whole == value.n)
		return true;
	for (n = whole + 1; n < value.n && value.p[n] >= '0' && value.p[n] <= '9';)
		n++;
	return value.p[whole] == '.' && n == value.n && n > whole + 1 &&
	       n <= whole + 1 + FRACTION_MAX;
}

bool bb_money_amount(struct bb_text value, struct bb_money_form form, struct bb_arena *arena,
		     struct bb_text *ret_amount)
{
	struct bb_decimal d;

	if (form.minor_digits == 0 && !form.negative && is_plain(value)) {
		*ret_amount = value;
		return true;
	}
	if (!bb_decimal_read_text(value, &d))
		return false;
	d.scale += form.minor_digits;
	d.negative |= form.negative;
	return bb_decimal_write(&d, WHOLE_MAX, FRACTION_MAX, arena, ret_amount);
}
