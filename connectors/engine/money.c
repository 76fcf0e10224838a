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

bool bb_money_amount(struct bb_text value, struct bb_money_form form, struct bb_arena *arena,
		     struct bb_text *ret_amount)
{
	struct bb_decimal d;

	if (!bb_decimal_read_text(value, &d))
		return false;
	d.scale += form.minor_digits;
	d.negative |= form.negative;
	return bb_decimal_write(&d, 18, 6, arena, ret_amount);
}
