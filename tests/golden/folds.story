One attribute under each rule. Numbers count by value and keep their spelling; the sum is exact; the union flattens lists,
numbers first, then text, then booleans; of equally timed words the trusted source's counts.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
view: {sources: [till, web], attributes: {tags: union, least: min, most: max, points: sum, opened: first}}
events:
  {"ids": ["card:C1"], "source": "web", "time": "2026-01-02T10:00:00Z", "attributes": {"tags": ["b", 10, true], "least": 5.0, "most": 5, "points": "0.1", "opened": "web", "city": "Paris"}}
  {"ids": ["card:C1"], "source": "till", "time": "2026-01-02T10:00:00Z", "attributes": {"tags": ["a", "b"], "least": 5, "most": 30, "points": 0.2, "opened": "till", "city": "Lyon"}}
  {"ids": ["card:C1"], "source": "till", "time": "2026-01-05T10:00:00Z", "attributes": {"tags": 9, "least": "none", "most": 7.5, "points": "many", "opened": "later"}}
views:
  {"ids": ["card:C1 x3"], "attributes": {"city": "Lyon", "least": 5, "most": 30, "opened": "till", "points": "0.3", "tags": [9, 10, "a", "b", true]}}
counters: applied 3
