/** The page's own; it asks for nothing from elsewhere. */
export const style = `
:root { color-scheme: light dark; --text: #1d2430; --soft: #5c6675; --line: #d9dee6; --page: #fff; --panel: #f5f7fa;
  --none: #7b8494; --map: #b8671a; --cache-aside: #a83f86; --swr: #2f6fb3; --leasehold: #0d7f58; --leasehold-trust: #5a8f00; }
@media (prefers-color-scheme: dark) { :root { --text: #e6eaf0; --soft: #9aa5b5; --line: #333c49; --page: #12161c; --panel: #1a2029;
  --none: #9aa5b5; --map: #e0974d; --cache-aside: #e07cc0; --swr: #6fb0f2; --leasehold: #3fd19c; --leasehold-trust: #b3db4a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 62rem; background: var(--page); color: var(--text);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; } h2 { font-size: 1.3rem; margin: 2.75rem 0 .4rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; } p { margin: .4rem 0 .8rem; } .soft, figcaption { color: var(--soft); font-size: .9rem; }
.warning { border-left: 4px solid var(--map); padding: .5rem .9rem; background: var(--panel); }
nav a { margin-right: .9rem; white-space: nowrap; } a { color: inherit; } li { margin: .3rem 0; }
figure { margin: .8rem 0; } svg { width: 100%; height: auto; display: block; font: 11px system-ui, sans-serif; fill: var(--text); }
.charts { display: grid; gap: 0 1.5rem; grid-template-columns: repeat(auto-fit, minmax(27rem, 1fr)); }
@media (max-width: 30rem) { .charts { grid-template-columns: 1fr; } }
.grid { stroke: var(--line); } .axis, .note { fill: var(--soft); } .incident { stroke: var(--soft); stroke-dasharray: 3 3; }
.shade { fill: var(--line); opacity: .5; } .range { stroke: currentColor; stroke-width: 2; opacity: .45; }
g circle, g rect, g path { fill: currentColor; } g .hollow { fill: var(--page); stroke: currentColor; stroke-width: 1.5; }
.line { fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linejoin: round; } .line.c-leasehold, .line.c-leasehold-trust { stroke-width: 2.75; }
.name { font-weight: 600; fill: currentColor; } .value { fill: var(--text); }
.c-none { color: var(--none); } .c-map { color: var(--map); } .c-cache-aside { color: var(--cache-aside); } .c-swr { color: var(--swr); }
.c-leasehold { color: var(--leasehold); } .c-leasehold-trust { color: var(--leasehold-trust); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; list-style: none; font-size: .9rem; }
.legend li::before { content: ''; display: inline-block; width: 1.1rem; height: .25rem; margin-right: .4rem; vertical-align: middle; background: currentColor; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } td.wide { white-space: normal; text-align: left; } .best { font-weight: 700; }
summary { cursor: pointer; } code { font-size: .9em; }
`
