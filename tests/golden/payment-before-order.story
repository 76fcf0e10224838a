The payment's message names no customer and comes before the order that does: its amount waits, and counts as soon as
somebody has placed the order. The payment is no activity of anybody.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
events:
  {"ids": [], "source": "pay", "time": "2026-01-01T10:00:00Z", "type": "payment", "amount": {"value": "12.34", "currency": "EUR", "key": "o-1"}}
  {"ids": [], "source": "pay", "time": "2026-01-01T10:30:00Z", "type": "payment", "amount": {"value": "1.00", "currency": "EUR", "key": "o-nobody"}}
  {"ids": ["card:C1"], "source": "pay", "time": "2026-01-01T11:00:00Z", "type": "order", "amount": {"value": "0.66", "currency": "EUR", "key": "o-1", "part": "fee"}}
views:
  {"ids": ["card:C1 x1"], "revenue": {"EUR": {"amount": "13", "count": 2}}, "events": 1, "activity": {"order": {"events": 1, "first": "2026-01-01T11:00:00.000Z", "last": "2026-01-01T11:00:00.000Z"}}}
counters: applied 3
