Taking a value away is a fact like any other: the latest word counts, a late message with an older time changes nothing, and
a value beats an unset of the same event.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
events:
  {"ids": ["card:C1"], "time": "2026-01-01T10:00:00Z", "attributes": {"nickname": "Annie", "city": "Lyon", "pet": "cat"}}
  {"ids": ["card:C1"], "time": "2026-01-03T10:00:00Z", "unset": ["nickname", "pet"]}
  {"ids": ["card:C1"], "time": "2026-01-02T10:00:00Z", "attributes": {"nickname": "Nan", "city": ""}}
  {"ids": ["card:C1"], "time": "2026-01-04T10:00:00Z", "attributes": {"pet": "dog"}, "unset": ["pet"]}
views:
  {"ids": ["card:C1 x4"], "attributes": {"city": "Lyon", "pet": "dog"}}
counters: applied 4
