An address moves from one card to another: a profile has one card only, so the address goes with the card it was seen with
last. The purchase made with the old card and the address stays with the old card.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
events:
  {"ids": ["card:OLD", "email:a@example.org"], "time": "2026-01-01T10:00:00Z", "amount": {"value": "10", "currency": "EUR"}}
  {"ids": ["card:NEW", "email:a@example.org"], "time": "2026-02-01T10:00:00Z", "amount": {"value": "20", "currency": "EUR"}}
  {"ids": ["email:a@example.org"], "time": "2026-01-15T10:00:00Z", "type": "newsletter_opened"}
views:
  {"ids": ["card:OLD x1"], "revenue": {"EUR": {"amount": "10", "count": 1}}, "events": 1}
  {"ids": ["card:NEW x1", "email:a@example.org x2"], "revenue": {"EUR": {"amount": "20", "count": 1}}, "events": 2}
counters: applied 3
