import { describe, expect, test } from 'vitest';
import { Invariants } from './sim-invariants.ts';
import { report } from './sim-report.ts';
import { Simulation, type SimOptions } from './simulator.ts';

interface Run extends Omit<SimOptions, 'seed'> {
	readonly name: string;
	readonly seconds: number;
	readonly seeds: number;
}

const RUNS: readonly Run[] = [
	{ name: 'a few viewers', viewers: 3, seconds: 6, seeds: 60 },
	{ name: 'eight viewers', viewers: 8, seconds: 6, seeds: 40 },
	{
		name: 'a dozen with low delay',
		viewers: 12,
		segmentMs: 200,
		segmentsPerKeyFrame: 5,
		seconds: 5,
		seeds: 10,
	},
	{ name: 'loss on every path', viewers: 8, loss: 0.03, seconds: 6, seeds: 20 },
	{ name: 'viewers that come and go', viewers: 8, churnPerMinute: 4, seconds: 8, seeds: 20 },
	{
		name: 'viewers that only take',
		viewers: 9,
		roles: { 'free-rider': 0.4 },
		seconds: 6,
		seeds: 20,
	},
	{ name: 'polluters', viewers: 9, roles: { polluter: 0.25 }, seconds: 6, seeds: 20 },
	{ name: 'takers of places', viewers: 9, roles: { 'lying-rider': 0.2 }, seconds: 6, seeds: 10 },
	{ name: 'liars about pieces', viewers: 9, roles: { 'lying-have': 0.2 }, seconds: 6, seeds: 10 },
	{ name: 'impostors', viewers: 9, roles: { impostor: 0.2 }, seconds: 6, seeds: 10 },
	{ name: 'silent ones', viewers: 9, roles: { silent: 0.2 }, seconds: 7, seeds: 10 },
	{ name: 'slow uplinks', viewers: 8, roles: { slow: 0.5 }, seconds: 6, seeds: 10 },
	{ name: 'viewers that never stay', viewers: 9, roles: { churner: 0.4 }, seconds: 9, seeds: 10 },
	{
		name: 'everybody at once',
		viewers: 14,
		loss: 0.02,
		roles: {
			slow: 0.15,
			'free-rider': 0.15,
			polluter: 0.1,
			silent: 0.1,
			'lying-have': 0.1,
			'lying-rider': 0.1,
			churner: 0.1,
		},
		seconds: 14,
		seeds: 5,
	},
	{
		name: 'everybody at once, on devices that take their time over proofs',
		viewers: 14,
		loss: 0.02,
		proofMs: 40,
		roles: {
			slow: 0.15,
			'free-rider': 0.15,
			polluter: 0.1,
			silent: 0.1,
			impostor: 0.1,
			'lying-have': 0.1,
			'lying-rider': 0.1,
			churner: 0.1,
		},
		seconds: 14,
		seeds: 5,
	},
	{
		name: 'low delay on devices that take their time over proofs',
		viewers: 10,
		segmentMs: 100,
		segmentsPerKeyFrame: 10,
		proofMs: 30,
		seconds: 6,
		seeds: 10,
	},
];

/** Runs a swarm and looks at its invariants after every event. */
function watch(seed: number, { seconds, ...options }: Omit<Run, 'name' | 'seeds'>): Simulation {
	const sim = new Simulation({ joinMs: 800, ...options, seed });
	const invariants = new Invariants(sim);
	try {
		sim.clock.run(seconds * 1000, () => invariants.check());
		invariants.checkAccounts();
	} catch (error) {
		throw new Error(`seed ${seed}, ${sim.clock.now()} ms`, { cause: error });
	}
	return sim;
}

describe.each(RUNS)('a swarm with $name', ({ name: _, seeds, ...run }) => {
	test(`keeps its invariants in ${seeds} seeded runs`, { timeout: 120_000 }, () => {
		for (let seed = 1; seed <= seeds; seed++) {
			const sim = watch(seed, run);
			const played = sim.viewers.reduce((sum, { received }) => sum + received.size, 0);
			expect(played, `seed ${seed}: segments played`).toBeGreaterThan(0);
			for (const { id, peer, role } of [sim.broadcaster, ...sim.viewers]) {
				const honest = !['polluter', 'lying-have', 'lying-rider', 'impostor', 'silent'].includes(
					role,
				);
				if (!honest) continue;
				for (const other of sim.viewers) {
					expect(other.blamed.has(id), `seed ${seed}: ${role} ${id} was blamed`).toBe(false);
				}
				expect(peer.refusals.badSignatures).toBe(0);
			}
		}
	});
});

test('two runs of one seed are alike to the last event', () => {
	const trace = () => {
		const sim = watch(7, { viewers: 10, churnPerMinute: 4, loss: 0.02, seconds: 5 });
		return {
			events: sim.clock.events,
			sent: sim.viewers.map(({ access }) => access.sentBytes),
			received: sim.viewers.map(({ received }) => [...received]),
		};
	};
	expect(trace()).toEqual(trace());
});

test('another seed is another run', () => {
	const events = [1, 2].map((seed) => watch(seed, { viewers: 5, seconds: 3 }).clock.events);
	expect(events[0]).not.toBe(events[1]);
});

test('every segment of twenty seconds is played or declared lost', () => {
	const sim = watch(3, { viewers: 8, loss: 0.02, seconds: 20 });
	const due = sim.publishedAtMs.filter((atMs) => atMs < 11_000).length;
	for (const { received, lost } of sim.viewers) {
		expect(received.size + lost.size).toBeGreaterThanOrEqual(due - 4);
	}
});

test('eight viewers get everything in time, and the broadcaster sends little more than once', () => {
	const sim = watch(1, { viewers: 8, seconds: 16 });
	const { inTime, sourceCopies, duplicates } = report(sim, 4000, 13_000);
	expect(inTime).toBeGreaterThan(0.99);
	expect(sourceCopies).toBeLessThan(2);
	expect(duplicates).toBeLessThan(0.1);
});

test('whoever only says that it broadcasts holds nobody up', () => {
	const p95Ms = (impostors: number) => {
		const sim = new Simulation({ seed: 4, viewers: 30, joinMs: 800 });
		sim.clock.after(900, () => {
			for (let i = 0; i < impostors; i++) sim.join('impostor', 20_000_000);
		});
		sim.clock.run(20_000);
		return report(sim, 4000, 17_000).p95Ms;
	};
	expect(p95Ms(2)).toBeLessThan(1.2 * p95Ms(0));
});

test('strong uplinks carry a swarm: the strongest quarter sends two fifths of it at least, the weaker half a quarter at most', () => {
	const sim = new Simulation({ seed: 71, viewers: 60 });
	sim.clock.run(8000);
	const before = new Map(sim.viewers.map(({ id, access }) => [id, access.sentBytes]));
	sim.clock.run(18_000);
	const byUplink = [...sim.viewers].sort((a, b) => b.access.upBps - a.access.upBps);
	const sent = (viewers: typeof byUplink) =>
		viewers.reduce((sum, { id, access }) => sum + access.sentBytes - (before.get(id) ?? 0), 0);
	expect(sent(byUplink.slice(0, 15)) / sent(byUplink)).toBeGreaterThan(0.4);
	expect(sent(byUplink.slice(30)) / sent(byUplink)).toBeLessThan(0.25);
});

test('a relay carries those who only take, when the broadcaster can send the stream little more than once', () => {
	const sim = new Simulation({
		seed: 1,
		viewers: 20,
		joinMs: 3000,
		sourceUpBps: 3_500_000,
		roles: { 'free-rider': 1 },
	});
	// The broadcaster's uplink is full of what the first ones want by then.
	sim.clock.after(5000, () => sim.join('relay', 100_000_000));
	sim.clock.run(27_000);
	expect(report(sim, 17_000, 24_000).inTime).toBeGreaterThan(0.95);
	for (const { id, received } of sim.viewers) {
		const late = [...received.keys()].filter(
			(sequence) => (sim.publishedAtMs[sequence] ?? 0) >= 17_000,
		);
		expect(late.length, id).toBeGreaterThan(10);
	}
});

test(
	'a swarm that is short of uplink and came to stand seconds behind catches up again',
	{ timeout: 300_000 },
	() => {
		// All come at once, many of them only take, and the others' uplinks hardly make up for it.
		const sim = new Simulation({
			seed: 3,
			viewers: 100,
			joinMs: 3000,
			meanUpBps: 4_400_000,
			roles: { 'free-rider': 0.3 },
		});
		sim.clock.run(26_000);
		expect(report(sim, 4000, 7000).inTime).toBeLessThan(0.5);
		expect(report(sim, 20_000, 24_000).inTime).toBeGreaterThan(0.95);
	},
);

test('a polluter is blamed by whom it sent garbage, and nobody plays a byte of it', () => {
	const sim = watch(2, { viewers: 12, roles: { polluter: 0.25 }, seconds: 8 });
	const polluters = sim.viewers.filter(({ role }) => role === 'polluter').map(({ id }) => id);
	expect(polluters.length).toBeGreaterThan(0);
	const blamed = new Set(sim.viewers.flatMap(({ blamed }) => [...blamed]));
	expect(polluters.some((id) => blamed.has(id))).toBe(true);
	expect(sim.unverifiedSegments).toBe(0);
});

test('when the broadcaster falls silent nothing is asked for ever after', () => {
	const sim = watch(4, { viewers: 6, seconds: 6 });
	sim.stopPublishing();
	sim.clock.run(16_000);
	const asked = () => sim.viewers.reduce((sum, { peer }) => sum + peer.traffic.requestsSent, 0);
	const before = asked();
	sim.clock.run(26_000);
	expect(asked()).toBe(before);
	expect(sim.alive.every(({ peer }) => peer.queuedBlocks === 0)).toBe(true);
});

test('whom an oracle tells of a crash knows then, and others find out later', () => {
	const missedAfter = (knownAfterMs?: number) => {
		const sim = new Simulation({ seed: 4, viewers: 8 });
		sim.clock.run(8000);
		const gone = sim.viewers[0]!;
		sim.leave(gone, false, knownAfterMs);
		sim.clock.run(8200);
		return sim.alive.filter(({ peer }) =>
			peer.neighbours.some(({ link }) => link.peerId === gone.id),
		).length;
	};
	expect(missedAfter(100)).toBe(0);
	expect(missedAfter()).toBeGreaterThan(0);
});

test('a long run keeps no records of who left long ago', () => {
	const sim = watch(5, { viewers: 6, roles: { churner: 0.5 }, seconds: 12 });
	const gone = () => sim.viewers.filter(({ leftAtMs }) => leftAtMs < 10_000).length;
	expect(gone()).toBeGreaterThan(0);
	sim.forgetBefore(sim.publishedAtMs.findIndex((atMs) => atMs >= 10_000));
	expect(gone()).toBe(0);
	expect(sim.viewers.length).toBe(
		sim.alive.length - 1 + sim.viewers.filter(({ leftAtMs }) => leftAtMs < Infinity).length,
	);
});
