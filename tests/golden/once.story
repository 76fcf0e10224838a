The first store is kept for good: of values that hold once the earliest counts, whenever it arrives; and only where the
attribute was never set or unset in the ordinary way.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
events:
  {"ids": ["card:C1"], "time": "2026-01-02T10:00:00Z", "attributes_once": {"first_store": "Paris 11", "first_offer": "spring"}}
  {"ids": ["card:C1"], "time": "2026-01-01T10:00:00Z", "attributes_once": {"first_store": "Lyon 3"}}
  {"ids": ["card:C1"], "time": "2026-01-03T10:00:00Z", "attributes_once": {"first_store": "Nice"}, "unset": ["first_offer"]}
views:
  {"ids": ["card:C1 x3"], "attributes": {"first_store": "Lyon 3"}}
counters: applied 3
