// Applies the chosen theme and language before the first paint: the only script that blocks rendering, and no module.
"use strict";
for (const [key, set] of /** @type {[string, (value: string) => void][]} */ ([
  ["rogerrat.theme", (value) => { document.documentElement.dataset.theme = value; }],
  ["rogerrat.language", (value) => { document.documentElement.lang = value; }],
])) {
  // Storage may be blocked; the defaults then apply.
  try {
    const value = localStorage.getItem(key);
    if (value) set(value);
  } catch { /* keep the default */ }
}
