/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a field is likely to be, by its name and by the form of its values. Both must fit where a
 * wrong guess would join people. Who else stands in payloads (staff, sellers, the shop itself) is
 * told apart by the words of the path. Cannot fail: what fits nothing is nothing.
 */
#include "suggest.h"

#define SOMEBODY                                                                                   \
	"cashier employee staff seller agent operator clerk manager admin owner merchant vendor "  \
	"supplier shop store page bot team location register device_owner assignee brand host "    \
	"company organization organisation group"
#define PERSON                                                                                     \
	"customer client contact buyer shopper person profile subscriber user member guest lead "  \
	"sender from payer purchaser traits billing consumer visitor"
#define ID "id gid uuid number no nr ref reference key code"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* --- forms of values -------------------------------------------------------------------------- */

typedef bool form_fn(struct bb_text value);

static bool all(const struct bb_field *field, form_fn *form)
{
	for (size_t i = 0; i < field->sample_n; i++)
		if (!form(field->samples[i]))
			return false;
	return field->sample_n > 0;
}

static bool is_email(struct bb_text v)
{
	const char *at = memchr(v.p, '@', v.n);
	size_t behind = at ? v.n - (size_t)(at + 1 - v.p) : 0;

	return at && at > v.p && memchr(at + 1, '.', behind) && !memchr(at + 1, '@', behind) &&
	       !memchr(v.p, ' ', v.n);
}

static bool is_phone(struct bb_text v)
{
	size_t digits = 0;

	for (size_t i = 0; i < v.n; i++) {
		if (is_digit(v.p[i]))
			digits++;
		else if (!memchr("+ -.()/", v.p[i], 7))
			return false;
	}
	return digits >= 7 && digits <= 15;
}

static bool is_sha256(struct bb_text v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!is_hex(v.p[i]))
			return false;
	return v.n == 64;
}

static bool is_number(struct bb_text v)
{
	size_t i = v.n > 0 && v.p[0] == '-', points = 0, digits = 0;

	for (; i < v.n; i++) {
		points += v.p[i] == '.';
		digits += is_digit(v.p[i]);
		if (!is_digit(v.p[i]) && v.p[i] != '.')
			return false;
	}
	return digits > 0 && points <= 1;
}

static bool is_currency(struct bb_text v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!((v.p[i] | 0x20) >= 'a' && (v.p[i] | 0x20) <= 'z'))
			return false;
	return v.n == 3;
}

/* A value that can name something: no sentence, no link. */
static bool is_name(struct bb_text v)
{
	return v.n <= 128 && !memchr(v.p, ' ', v.n) && !memchr(v.p, '\n', v.n) &&
	       !memmem(v.p, v.n, "://", 3);
}

static bool is_word(struct bb_text v)
{
	return v.n <= 64 && !memchr(v.p, '\n', v.n) && !memmem(v.p, v.n, "://", 3) && !is_email(v);
}

static bool is_yes_or_no(struct bb_text v)
{
	return bb_guess_is_yes(v) || bb_guess_is_no(v);
}

static bool in_list(struct bb_text value, const char *list)
{
	struct bb_suggest_words word = {.n = 1};
	char lower[32];

	if (value.n > sizeof(lower))
		return false;
	for (size_t i = 0; i < value.n; i++)
		lower[i] = value.p[i] >= 'A' && value.p[i] <= 'Z' ? (char)(value.p[i] | 0x20)
								  : value.p[i];
	word.items[0] = bb_text_bytes(lower, value.n);
	return bb_words_any(&word, 0, list);
}

bool bb_guess_is_yes(struct bb_text value)
{
	return in_list(value, "true yes y 1 on granted subscribed opted_in accepted");
}

bool bb_guess_is_no(struct bb_text value)
{
	return in_list(value, "false no n 0 off denied unsubscribed opted_out rejected");
}

bool bb_guess_is_staff(struct bb_text value)
{
	return in_list(value, "admin administrator agent staff bot operator employee");
}

bool bb_guess_is_role(const struct bb_field *field)
{
	return bb_words_are(&field->words, field->leaf,
			    "type role user_type author_type sender_type actor_type");
}

/* --- identifiers and attributes --------------------------------------------------------------- */

struct rule {
	enum bb_guess_kind kind;
	const char *name;   /* what it is */
	const char *whole;  /* the words of the last step, joined by _, are one of these, ... */
	const char *leaf;   /* ... or one of them is one of these */
	const char *around; /* and one of the words of the path is one of these; NULL: any */
	form_fn *form;	    /* and all values are of this form; NULL: any */
	const char *reason;
};

/* The first that fits. */
static const struct rule rules[] = {
	{BB_GUESS_SECRET, "", "ip ip_address client_ip pan cvv cvc iban user_agent",
	 "password passwd secret token authorization", NULL, NULL, "nobody needs it"},
	{BB_GUESS_IDENTIFIER, "email_sha256", "em he", "email mail sha256 hash hashed", NULL,
	 is_sha256, "64 hexadecimal digits, and the name says e-mail"},
	{BB_GUESS_IDENTIFIER, "email", "", "email mail emailaddress username login value", NULL,
	 is_email, "its values look like e-mail addresses"},
	{BB_GUESS_CONSENT, "email",
	 "newsletter accepts_marketing opt_in optin marketing_opt_in email_consent "
	 "email_marketing marketing_consent accepts_email email_opt_in subscribed",
	 "newsletter", NULL, is_yes_or_no, "yes and no, and the name says marketing"},
	{BB_GUESS_CONSENT, "sms", "sms_consent sms_opt_in accepts_sms sms_marketing sms_subscribed",
	 "", NULL, is_yes_or_no, "yes and no, and the name says marketing"},
	{BB_GUESS_IDENTIFIER, "phone", "tel ph", "phone mobile telephone msisdn cell whatsapp",
	 NULL, is_phone, "its values look like telephone numbers"},
	{BB_GUESS_IDENTIFIER, "loyalty",
	 "loyalty_id loyalty_number loyalty_card card_number bonus_card membership_id "
	 "membership_number loyalty_account_id loyalty_no",
	 "", NULL, is_name, "the name says loyalty card"},
	{BB_GUESS_IDENTIFIER, "loyalty", ID " card", "", "loyalty bonus membership", is_name,
	 "it stands under a loyalty card"},
	{BB_GUESS_IDENTIFIER, "device",
	 "anonymous_id visitor_id device_id cookie_id cookie user_pseudo_id client_id "
	 "browser_id distinct_id advertising_id idfa gaid fbp ga_id installation_id",
	 "", NULL, is_name, "the name says browser or device"},
	{BB_GUESS_IDENTIFIER, "user_id", "user_id login account_id uid username user", "", NULL,
	 is_name, "the name says account: of a customer, or of staff?"},
	{BB_GUESS_IDENTIFIER, "customer_id",
	 "customer_id customer_number customer_no client_number contact_id buyer_id "
	 "shopper_id person_id profile_id subscriber_id member_id customer_ref customer_key "
	 "customer guest_id payer_id shopper_reference",
	 "", NULL, is_name, "the name says customer"},
	{BB_GUESS_IDENTIFIER, "customer_id", ID, "", PERSON, is_name,
	 "it is the id of something that stands for a person"},
	{BB_GUESS_ATTRIBUTE, "first_name", "first_name firstname given_name fname forename", "",
	 NULL, NULL, "the name"},
	{BB_GUESS_ATTRIBUTE, "last_name", "last_name lastname surname family_name lname", "", NULL,
	 NULL, "the name"},
	{BB_GUESS_ATTRIBUTE, "name", "full_name fullname customer_name display_name", "", NULL,
	 NULL, "the name"},
	{BB_GUESS_ATTRIBUTE, "name", "name", "", PERSON, NULL, "the name of a person"},
	{BB_GUESS_ATTRIBUTE, "birthday", "birthday birth_date birthdate date_of_birth dob", "",
	 NULL, NULL, "the name"},
	{BB_GUESS_ATTRIBUTE, "gender", "gender sex", "", NULL, NULL, "the name"},
	{BB_GUESS_ATTRIBUTE, "language", "language locale lang", "", NULL, NULL, "the name"},
	{BB_GUESS_ATTRIBUTE, "address.city", "city town locality", "", NULL, NULL, "the name"},
	{BB_GUESS_ATTRIBUTE, "address.postal_code", "postal_code zip zip_code postcode zipcode", "",
	 NULL, NULL, "the name"},
	{BB_GUESS_ATTRIBUTE, "address.country", "country country_code", "", NULL, NULL, "the name"},
};

static bool fits(const struct bb_field *field, const struct rule *rule)
{
	if (!bb_words_are(&field->words, field->leaf, rule->whole) &&
	    !bb_words_any(&field->words, field->leaf, rule->leaf))
		return false;
	if (rule->around && !bb_words_any(&field->words, 0, rule->around))
		return false;
	return !rule->form || all(field, rule->form);
}

struct bb_guess bb_guess_field(const struct bb_field *field)
{
	bool somebody = bb_words_any(&field->words, 0, SOMEBODY);

	for (size_t i = 0; !field->is_header && i < sizeof(rules) / sizeof(*rules); i++) {
		const struct rule *rule = &rules[i];

		if (!fits(field, rule))
			continue;
		if (!somebody || rule->kind == BB_GUESS_SECRET)
			return (struct bb_guess){rule->kind, rule->name, rule->reason};
		if (rule->kind == BB_GUESS_IDENTIFIER)
			return (struct bb_guess){BB_GUESS_SOMEBODY, rule->name,
						 "it seems to be of the shop or its staff"};
		break;
	}
	return (struct bb_guess){BB_GUESS_NOTHING, NULL, NULL};
}

/* --- the event -------------------------------------------------------------------------------- */

static size_t names(const struct bb_field *field)
{
	size_t n = 0;

	for (size_t i = 0; i < field->step_n; i++)
		n += field->steps[i].p != NULL;
	return n;
}

/* The better the earlier in the list and the nearer to the top; 0: not in it. */
static unsigned score(const struct bb_field *field, const char *list)
{
	unsigned place = 0;
	const char *word = list;
	size_t depth = names(field);

	for (; *word; place++) {
		size_t n = strcspn(word, " ");
		char one[64];

		if (n < sizeof(one)) {
			memcpy(one, word, n);
			one[n] = '\0';
			if (bb_words_are(&field->words, field->leaf, one))
				return 1000 - 20 * place - (depth > 10 ? 10 : (unsigned)depth);
		}
		word += n + (word[n] == ' ');
	}
	return 0;
}

static unsigned score_type(const struct bb_field *field)
{
	if (field->texts != field->seen || !all(field, is_word))
		return 0;
	if (field->is_header)
		return bb_words_any(&field->words, 0, "topic event type action")
			       ? (bb_words_any(&field->words, 0, "content id") ? 0 : 1100)
			       : 0;
	return score(field, "event_type event_name event type action topic kind event_code status");
}

unsigned bb_guess_type(const struct bb_field *field)
{
	bool constant = field->seen > 1 && field->sample_n == 1;

	for (size_t i = 0; i < field->sample_n; i++)
		if (bb_guess_is_staff(field->samples[i]))
			return 0;		       /* of somebody, not of the event */
	return score_type(field) / (constant ? 2 : 1); /* below all that tell kinds apart */
}

unsigned bb_guess_id(const struct bb_field *field)
{
	if (field->repeats || !all(field, is_name) || field->flags)
		return 0;
	if (field->is_header)
		return bb_words_any(&field->words, 0, "id") &&
				       bb_words_any(&field->words, 0,
						    "webhook event message delivery")
			       ? 950
			       : 0;
	if (bb_words_are(&field->words, field->leaf, "id") && names(field) > 1)
		return 0; /* of something inside */
	return score(field, "event_id message_id webhook_id notification_id uuid id");
}

static bool is_iso(struct bb_text v)
{
	return v.n >= 16 && is_digit(v.p[0]) && is_digit(v.p[3]) && v.p[4] == '-' &&
	       v.p[7] == '-' && (v.p[10] == 'T' || v.p[10] == ' ') && v.p[13] == ':';
}

static bool has_zone(struct bb_text v)
{
	return v.p[v.n - 1] == 'Z' || memchr(v.p + 11, '+', v.n - 11) ||
	       memchr(v.p + 11, '-', v.n - 11);
}

/* A number of so many digits that begins as times of 2001 to 2033 do. */
static bool is_epoch(struct bb_text v, size_t digits)
{
	if (v.n != digits || (v.p[0] != '1' && v.p[0] != '2'))
		return false;
	for (size_t i = 0; i < v.n; i++)
		if (!is_digit(v.p[i]))
			return false;
	return true;
}

static bool is_epoch_s(struct bb_text v)
{
	return is_epoch(v, 10);
}

static bool is_epoch_ms(struct bb_text v)
{
	return is_epoch(v, 13);
}

static bool is_epoch_us(struct bb_text v)
{
	return is_epoch(v, 16);
}

unsigned bb_guess_time(const struct bb_field *field, const char **ret_format, bool *ret_zoned)
{
	static const struct {
		form_fn *form;
		const char *format;
	} forms[] = {{is_iso, "iso8601"},
		     {is_epoch_s, "epoch_s"},
		     {is_epoch_ms, "epoch_ms"},
		     {is_epoch_us, "epoch_us"}};

	*ret_zoned = true;
	for (size_t i = 0; !field->is_header && i < sizeof(forms) / sizeof(*forms); i++) {
		if (!all(field, forms[i].form))
			continue;
		*ret_format = forms[i].format;
		*ret_zoned = i > 0 || all(field, has_zone);
		return score(field,
			     "event_time timestamp occurred_at event_date time original_timestamp "
			     "event_timestamp sent_at created_time created created_at date "
			     "processed_at received_at updated_at updated ts event_date_time "
			     "date_created created_date order_date ts_ms");
	}
	return 0;
}

unsigned bb_guess_amount(const struct bb_field *field, bool *ret_minor)
{
	bool whole = true;

	for (size_t i = 0; i < field->sample_n; i++)
		whole = whole && !memchr(field->samples[i].p, '.', field->samples[i].n);
	*ret_minor = whole && field->numbers > 0 &&
		     (bb_words_any(&field->words, field->leaf, "amount cents minor"));
	if (field->is_header || field->flags || !all(field, is_number))
		return 0;
	return score(field, "grand_total total_price total order_total total_amount amount_total "
			    "amount_paid amount price_total revenue value total_cents amount_cents "
			    "amount_value price");
}

unsigned bb_guess_currency(const struct bb_field *field)
{
	unsigned own;

	if (field->is_header || !all(field, is_currency))
		return 0;
	own = score(field, "currency currency_code presentment_currency order_currency");
	return own ? own : bb_words_any(&field->words, field->leaf, "currency") ? 500 : 0;
}

unsigned bb_guess_key(const struct bb_field *field)
{
	unsigned own;

	if (field->is_header || field->flags || !all(field, is_name))
		return 0;
	own = score(field, "order_id order_number order_no order_ref transaction_id invoice_id "
			   "invoice_number payment_id checkout_id receipt_id receipt_number "
			   "order_reference merchant_reference");
	if (own)
		return own;
	return bb_words_are(&field->words, field->leaf, "id number reference gid") &&
			       bb_words_any(&field->words, 0,
					    "order transaction payment invoice receipt") &&
			       !bb_words_any(&field->words, 0, PERSON)
		       ? 500
		       : 0;
}

unsigned bb_guess_tenant(const struct bb_field *field)
{
	if (!all(field, is_name))
		return 0;
	if (field->is_header)
		return bb_words_any(&field->words, 0, "shop store account tenant merchant") ? 1100
											    : 0;
	return score(field, "shop_domain shop_id store_id merchant_id account_id tenant_id "
			    "merchant_account page_id portal_id");
}
