import type { Moment } from './history.ts';

/** What the status page shows. */
export interface StatusView {
	/** One word, and the sentence behind it. */
	readonly health: { readonly word: 'Good' | 'Tight' | 'Draining'; readonly reason: string };
	readonly moments: readonly Moment[];
	readonly figures: readonly { readonly label: string; readonly value: string }[];
	/** Counts since the start, by what was counted. */
	readonly tables: readonly {
		readonly title: string;
		readonly rows: readonly (readonly [string, number])[];
	}[];
	readonly uptimeS: number;
}

const plotWidth = 320;
const plotHeight = 96;

/** The operator's page: one HTML file, nothing loaded from anywhere, no script. */
export function statusPage(view: StatusView): string {
	const { moments, health } = view;
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<meta http-equiv="refresh" content="10">
<title>Tracker: ${health.word}</title>
<style>${css}</style>
</head>
<body>
<header>${mark}<h1>Tracker</h1>
<p role="status"><strong class="${health.word.toLowerCase()}">${health.word}</strong> ${escape(health.reason)}</p></header>
<main>
<dl class="figures">${view.figures.map(figure).join('')}</dl>
<div class="plots">
${plot('Peers', moments, (moment) => moment.peers, whole)}
${plot('Announces a second', moments, (moment) => moment.announceRate, oneDecimal)}
${plot('Offer to answer, seconds', moments, (moment) => moment.answerSeconds, oneDecimal)}
</div>
<div class="tables">${view.tables.map(table).join('')}</div>
</main>
<footer>Up ${duration(view.uptimeS)}. The plots cover the last ${span(moments)}. This page renews itself every 10 s. <a href="/metrics">Metrics</a> · <a href="/stats.json">stats.json</a></footer>
</body>
</html>
`;
}

function figure({ label, value }: { label: string; value: string }): string {
	return `<div><dt>${escape(label)}</dt><dd>${escape(value)}</dd></div>`;
}

function table({ title, rows }: StatusView['tables'][number]): string {
	const body = rows.map(
		([name, value]) => `<tr><th scope="row">${escape(name)}</th><td>${whole(value)}</td></tr>`,
	);
	const empty = '<tr><td class="quiet" colspan="2">none yet</td></tr>';
	return `<table><caption>${escape(title)}</caption><tbody>${body.join('') || empty}</tbody></table>`;
}

function plot(
	title: string,
	moments: readonly Moment[],
	read: (moment: Moment) => number | undefined,
	format: (value: number) => string,
): string {
	const values = moments.map(read);
	const known = values.filter((value) => value !== undefined);
	const last = known.at(-1);
	const top = niceTop(Math.max(0, ...known));
	const now = last === undefined ? '–' : format(last);
	return `<figure><figcaption><span>${escape(title)}</span><b>${now}</b></figcaption>
<svg viewBox="0 0 ${plotWidth} ${plotHeight}" role="img" aria-label="${escape(title)}: now ${now}, scale to ${format(top)}" preserveAspectRatio="none">
<path class="grid" d="M0 .5H${plotWidth}M0 ${plotHeight / 2}H${plotWidth}M0 ${plotHeight - 0.5}H${plotWidth}"/>
<path class="line" d="${linePath(values, top)}"/>
</svg><div class="scale"><span>${format(top)}</span><span>0</span></div></figure>`;
}

/** Gaps where nothing is known; a lone point becomes a short stroke, so that it can be seen. */
function linePath(values: readonly (number | undefined)[], top: number): string {
	const step = plotWidth / Math.max(1, values.length - 1);
	let path = '';
	let pen = 'M';
	values.forEach((value, i) => {
		if (value === undefined) {
			pen = 'M';
			return;
		}
		const x = (i * step).toFixed(1);
		const y = (plotHeight - 2 - (value / top) * (plotHeight - 4)).toFixed(1);
		path += `${pen}${x} ${y}`;
		if (pen === 'M' && values[i + 1] === undefined) path += 'h2';
		pen = 'L';
	});
	return path;
}

/** The next of 1, 2, 5, 10, 20, 50, … */
function niceTop(value: number): number {
	if (value <= 1) return 1;
	const power = 10 ** Math.floor(Math.log10(value));
	return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= value) ?? value;
}

function whole(value: number): string {
	return Math.round(value).toLocaleString('en-US');
}

function oneDecimal(value: number): string {
	return value < 10 ? value.toFixed(1) : whole(value);
}

function duration(seconds: number): string {
	if (seconds < 120) return `${Math.round(seconds)} s`;
	if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
	return seconds < 172_800
		? `${Math.round(seconds / 3_600)} h`
		: `${Math.round(seconds / 86_400)} days`;
}

function span(moments: readonly Moment[]): string {
	const [first] = moments;
	const last = moments.at(-1);
	return duration(first && last ? (last.atMs - first.atMs) / 1000 : 0);
}

function escape(text: string): string {
	return text
		.replaceAll('&', '&amp;')
		.replaceAll('<', '&lt;')
		.replaceAll('>', '&gt;')
		.replaceAll('"', '&quot;');
}

/** Five strokes of falling size, swimming one way. */
const mark = `<svg class="mark" viewBox="0 0 28 28" aria-hidden="true"><g fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round"><path d="M14 14q5-4 10 0"/><path d="M10 8q4-3 7 0" stroke-width="2"/><path d="M10 20q4-3 7 0" stroke-width="2"/><path d="M4 12q2.5-2 4.5 0" stroke-width="1.6"/><path d="M5 17q2-1.5 3.5 0" stroke-width="1.3"/></g></svg>`;

const css = `
:root{color-scheme:dark light;--water:#0b1220;--surface:#131d31;--line:#24324c;--ink:#e8eef6;--quiet:#93a4bd;--accent:#3dd6c6;--warn:#f5b84b}
@media (prefers-color-scheme:light){:root{--water:#f6f8fb;--surface:#fff;--line:#dde4ee;--ink:#0f1b2d;--quiet:#54657f;--accent:#0b7f76;--warn:#8f5b00}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1040px;padding:24px 16px 32px;background:var(--water);color:var(--ink);font:16px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}
header{display:flex;flex-wrap:wrap;gap:4px 12px;align-items:center}
h1{font-size:1.2rem;font-weight:600;margin:0}
header p{margin:0;color:var(--quiet)}
.mark{width:28px;height:28px;color:var(--accent)}
strong{font-weight:600;color:var(--ink)}
strong.tight,strong.draining{color:var(--warn)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:16px;margin:24px 0}
dt{color:var(--quiet);font-size:.833rem}
dd{margin:0;font-size:1.44rem;font-weight:600}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:16px}
figure{position:relative;margin:0;padding:16px;background:var(--surface);border:1px solid var(--line);border-radius:12px}
figcaption{display:flex;justify-content:space-between;margin-bottom:8px;color:var(--quiet);font-size:.833rem}
figcaption b{font-weight:600;color:var(--ink);font-size:1rem}
figure svg{display:block;width:calc(100% - 44px);height:96px}
.grid{stroke:var(--line);fill:none;vector-effect:non-scaling-stroke}
.line{stroke:var(--accent);stroke-width:1.5;fill:none;stroke-linejoin:round;vector-effect:non-scaling-stroke}
.scale{position:absolute;right:16px;bottom:8px;height:108px;display:flex;flex-direction:column;justify-content:space-between;text-align:right;color:var(--quiet);font-size:.75rem}
.tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(220px,1fr));gap:24px;margin:32px 0}
table{border-collapse:collapse;width:100%;align-self:start}
caption{text-align:left;font-weight:600;padding-bottom:4px}
th,td{border-top:1px solid var(--line);padding:4px 0;font-weight:400;text-align:left}
td{text-align:right}
td.quiet{color:var(--quiet);text-align:left}
footer{color:var(--quiet);font-size:.833rem}
a{color:var(--accent)}
`;
