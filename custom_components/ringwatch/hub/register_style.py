"""The register's style sheet. The page's policy names its digest: no other one is applied."""

from typing import Final

STYLE: Final = """
:root { --ground: #f6f7f8; --card: #fff; --line: #d9dde1; --ink: #16191d; --soft: #59626c; --mark: #0b5cad;
  --open: #0b5cad; --warn: #8a4b00; --warn-ground: #fff3e0; }
@media (prefers-color-scheme: dark) { :root { --ground: #101214; --card: #1a1d21; --line: #343a41;
  --ink: #eceff2;
  --soft: #a3acb6; --mark: #7cb7ff; --open: #7cb7ff; --warn: #ffc078; --warn-ground: #33240f; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0 auto; max-width: 60rem; padding: 1.25rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0 0 .5rem; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 1rem; font-size: 1.35rem; }
h3 { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; margin: 0 0 .75rem;
  font-size: 1.05rem; }
a { color: var(--mark); }
p { max-width: 44rem; }
code { font: .9em/1.4 ui-monospace, monospace; }
.kicker { margin: 0; color: var(--soft); font-size: .85rem; letter-spacing: .06em;
  text-transform: uppercase; }
nav { display: flex; flex-wrap: wrap; gap: .5rem; }
nav a { padding: .4rem .75rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--card);
  color: var(--ink); text-decoration: none; }
nav a:focus-visible, a:focus-visible, summary:focus-visible { outline: 2px solid var(--mark);
  outline-offset: 2px; }
.cards { display: grid; gap: 1rem; }
article { min-width: 0; padding: 1rem 1.1rem; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--card); }
article.open { border-left: 4px solid var(--open); }
article.suspended, article.removed, article.refused { color: var(--soft); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 16rem), 1fr));
  gap: .75rem 1.5rem; margin: 0; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; }
.badge { display: inline-block; min-width: 1.6rem; padding: 0 .4rem; border-radius: .8rem;
  background: var(--line);
  font-size: .85rem; text-align: center; }
.status { margin-inline-start: auto; color: var(--soft); font-size: .85rem; font-weight: 400; }
article.open .status { color: var(--open); font-weight: 600; }
.text { white-space: pre-line; }
.warning { margin: 0 0 .75rem; padding: .4rem .7rem; border-radius: .4rem;
  background: var(--warn-ground); color: var(--warn); }
.empty { color: var(--soft); }
details { margin-top: .75rem; }
summary { cursor: pointer; color: var(--mark); }
figure { margin: 1rem 0; }
figcaption { color: var(--soft); font-size: .85rem; }
svg { display: block; width: 100%; height: auto; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--card); }
svg .hood { fill: none; stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 5 4; }
svg .jurisdiction { fill: var(--mark); fill-opacity: .08; stroke: var(--mark); stroke-width: 1.5; }
svg .open { fill: var(--open); fill-opacity: .3; stroke: var(--open); stroke-width: 1.5; }
svg .ended { fill: var(--soft); fill-opacity: .06; stroke: var(--soft); }
svg .scale { fill: none; stroke: var(--soft); }
svg text { fill: var(--ink); stroke: none; font: 14px system-ui, sans-serif; }
svg text.number { text-anchor: middle; dominant-baseline: middle; }
svg text.scale { fill: var(--soft); stroke: none; font-size: 12px; }
@media (max-width: 40rem) { svg text { font-size: 24px; } svg text.scale { font-size: 20px; } }
.log { padding-inline-start: 1.2rem; }
.log li { margin-bottom: .4rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft);
  font-size: .9rem; }
@media print { body { max-width: none; } article { break-inside: avoid; } }
"""
