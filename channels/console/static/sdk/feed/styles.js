// The look of `<channel-feed>`: custom properties (`--channel-feed-…`) and parts let a page change it.

const LIGHT = `
  --text: var(--channel-feed-text, #1d1b1f);
  --soft: var(--channel-feed-soft, #615d66);
  --background: var(--channel-feed-background, #f6f4f1);
  --post: var(--channel-feed-post-background, #ffffff);
  --line: var(--channel-feed-line, #dcd8d2);
  --accent: var(--channel-feed-accent, #0b5fae);
  --bad: var(--channel-feed-error, #a3211b);`;
const DARK = `
  --text: var(--channel-feed-text, #ece9ef);
  --soft: var(--channel-feed-soft, #aba6b3);
  --background: var(--channel-feed-background, #17151a);
  --post: var(--channel-feed-post-background, #221f27);
  --line: var(--channel-feed-line, #3a3641);
  --accent: var(--channel-feed-accent, #7db8f5);
  --bad: var(--channel-feed-error, #ff9a92);`;

const CSS = `
:host { display: block; color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { ${DARK} } }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; ${DARK} }
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.root { color: var(--text); background: var(--background); padding: var(--channel-feed-gap, 12px);
  border-radius: var(--channel-feed-radius, 12px);
  font: var(--channel-feed-font, 16px/1.45 system-ui, sans-serif); overflow-wrap: anywhere; }
.head { margin: 0 0 8px; font-size: 1.1em; }
.posts { display: grid; gap: var(--channel-feed-gap, 12px); grid-template-columns: minmax(0, 1fr); }
article { background: var(--post); border: 1px solid var(--line); border-radius: var(--channel-feed-radius, 12px);
  padding: 12px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
h3 { margin: 0 0 4px; font-size: 1em; }
p { margin: 0 0 8px; }
.text { white-space: pre-wrap; }
.text > * { margin: 0 0 8px; }
.text > :last-child { margin-block-end: 0; }
blockquote { margin-inline: 0; padding-inline-start: 10px; border-inline-start: 3px solid var(--line); }
code { font: 0.9em ui-monospace, monospace; background: var(--background); border-radius: 4px; padding: 1px 4px; }
pre { background: var(--background); border-radius: 8px; padding: 8px 10px; white-space: pre-wrap; }
pre code { padding: 0; background: none; }
a { color: var(--accent); }
.pictures { display: grid; gap: 4px; grid-template-columns: repeat(auto-fit, minmax(min(180px, 100%), 1fr));
  margin-block-end: 8px; }
.pictures a { display: block; }
img, video { display: block; max-inline-size: 100%; block-size: auto; border-radius: 8px; }
audio { inline-size: 100%; }
ul, ol { margin: 0 0 8px; padding-inline-start: 20px; }
li > ul, li > ol { margin: 0; }
time, .soft, .state { color: var(--soft); font-size: 0.875em; }
.error { color: var(--bad); }
.reactions, .picker, .buttons { display: flex; flex-wrap: wrap; gap: 6px; margin-block-start: 8px; }
button, .buttons a { font: inherit; color: inherit; background: var(--background); border: 1px solid var(--line);
  border-radius: 999px; padding: 4px 12px; min-block-size: 32px; cursor: pointer; }
.buttons a { text-decoration: none; margin-block-end: 8px; }
button[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
button:disabled { opacity: 0.6; cursor: default; }
.count { border: 1px solid var(--line); border-radius: 999px; padding: 4px 12px; }
.older { display: block; margin: 12px auto 0; }
.hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
@media (prefers-reduced-motion: no-preference) {
  article.new { animation: appear 0.4s ease-out; }
  @keyframes appear { from { opacity: 0; transform: translateY(-8px); } }
}
@media (forced-colors: active) { button[aria-pressed="true"] { outline: 2px solid Highlight; } }
`;

/** @type {CSSStyleSheet | null} */
let sheet = null;

/** One sheet for all feeds of the page. Made by a script, it needs no permission of the page's content security policy. */
export function styles() {
  if (sheet === null) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
