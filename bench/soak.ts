// A long broadcast under the virtual clock: does anything grow? Options: --hours H (24), --viewers N (12), --json FILE.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { report } from '../src/lib/testing/sim-report.ts';
import { Simulation } from '../src/lib/testing/simulator.ts';

const { values } = parseArgs({
	options: {
		hours: { type: 'string', default: '24' },
		viewers: { type: 'string', default: '12' },
		json: { type: 'string' },
	},
});
const hours = Number(values.hours);
const viewers = Number(values.viewers);
const sim = new Simulation({ seed: 1, viewers, churnPerMinute: 0.02 });
const startedMs = Date.now();
const samples: { hour: number; heapMb: number; queued: number; windowMb: number }[] = [];
const stepH = Math.min(0.25, hours / 12);
console.log(
	'| hour | heap MiB | blocks queued, most | window MiB, most | within 2 s % | × real time |',
);
console.log('|---|---|---|---|---|---|');
for (let hour = stepH; hour <= hours + 1e-9; hour += stepH) {
	const fromMs = sim.clock.now();
	sim.clock.run(hour * 3_600_000);
	const { inTime } = report(sim, fromMs, sim.clock.now() - 2500);
	sim.forgetBefore(sim.published - 20);
	globalThis.gc?.();
	const heapMb = process.memoryUsage().heapUsed / 2 ** 20;
	const queued = Math.max(...sim.alive.map(({ peer }) => peer.queuedBlocks));
	const windowMb = Math.max(...sim.alive.map(({ peer }) => peer.windowBytes)) / 2 ** 20;
	samples.push({ hour, heapMb, queued, windowMb });
	const speed = sim.clock.now() / (Date.now() - startedMs);
	console.log(
		`| ${hour.toFixed(2)} | ${heapMb.toFixed(1)} | ${queued} | ${windowMb.toFixed(1)} | ${(inTime * 100).toFixed(2)} | ${speed.toFixed(0)} |`,
	);
}
const slope = slopeOf(samples.slice(Math.floor(samples.length / 4)));
console.log(
	`\nheap slope ${slope.toFixed(3)} MiB an hour of stream, ${viewers + 1} peers in one process`,
);
if (values.json) writeFileSync(values.json, JSON.stringify({ hours, viewers, slope, samples }));

/** Least squares. */
function slopeOf(points: readonly { hour: number; heapMb: number }[]): number {
	const n = points.length;
	const meanX = points.reduce((sum, { hour }) => sum + hour, 0) / n;
	const meanY = points.reduce((sum, { heapMb }) => sum + heapMb, 0) / n;
	let above = 0;
	let below = 0;
	for (const { hour, heapMb } of points) {
		above += (hour - meanX) * (heapMb - meanY);
		below += (hour - meanX) ** 2;
	}
	return above / below;
}
