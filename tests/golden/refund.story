An order is announced twice, first as pending with another sum, and partly paid back later by a message that names the order
but no customer. The order counts once, in its latest state; the refund counts for the order's customer.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
events:
  {"ids": ["card:C1"], "time": "2026-01-01T10:00:00Z", "type": "order_pending", "amount": {"value": "55.00", "currency": "EUR", "key": "order-9"}}
  {"ids": ["card:C1"], "time": "2026-01-01T10:01:00Z", "type": "order_paid", "amount": {"value": "49.90", "currency": "EUR", "key": "order-9"}}
  {"ids": [], "time": "2026-01-09T10:00:00Z", "type": "refund", "amount": {"value": "-9.90", "currency": "EUR", "key": "order-9", "part": "refund-1"}}
  {"ids": ["card:C1"], "time": "2026-01-10T10:00:00Z", "type": "order_paid", "amount": {"value": "1000", "currency": "JPY"}}
views:
  {"ids": ["card:C1 x3"], "revenue": {"EUR": {"amount": "40", "count": 2}, "JPY": {"amount": "1000", "count": 1}}, "events": 3}
counters: applied 4
