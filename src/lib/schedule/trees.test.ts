import { expect, test } from 'vitest';
import { CUT_DEPTH, FULL_DEPTH, NO_DEPTH, SUBSTREAMS, type PeerRole } from '../model/message.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import type { Neighbour } from './neighbour.ts';
import { Roster } from './roster.ts';
import { Trees } from './trees.ts';
import { Uplink } from './uplink.ts';

const depths = (depth: number) => new Uint8Array(SUBSTREAMS).fill(depth);

function setup(role: PeerRole = 'viewer') {
	const roster = new Roster();
	const told: { to: Neighbour; depths: Uint8Array }[] = [];
	const uplink = new Uplink(() => 0);
	const trees = new Trees({
		role,
		random: () => 0,
		roster,
		uplink,
		push: true,
		streamBps: () => 2_500_000,
		tell: (to, mine) => {
			to.toldDepths = mine;
			told.push({ to, depths: mine });
		},
	});
	const join = (known: Partial<Neighbour> = {}) => {
		const { link, sent } = fakeNeighbour(roster.all.length);
		const neighbour = roster.add(link, 0);
		if (!neighbour) throw new Error('no slot');
		Object.assign(neighbour, { role: 'viewer', uplinkKbps: 5000, rttMs: 60, ...known });
		return { neighbour, sent };
	};
	const hear = (nowMs: number) => {
		for (const neighbour of roster.all) neighbour.heardAtMs = nowMs;
	};
	return { trees, told, join, hear };
}

test('subscribes to who is near the broadcaster, and serves who asks once it is fed itself', () => {
	const { trees, join } = setup();
	const parent = join({ depths: depths(1) });
	const child = join({ askedUs: 0xff, wants: 0xff });
	trees.evaluate(0, undefined);
	expect(parent.sent).toContainEqual({ type: 'subscribe', substreams: 0xff });
	expect(child.neighbour.given).toBe(0);
	trees.parents.onSubscribed(parent.neighbour, 0xff, 0xff, 10);
	trees.evaluate(20, undefined);
	expect(child.neighbour.given).toBe(0xff);
	expect(child.sent).toContainEqual({ type: 'subscribed', substreams: 0xff, asked: 0xff });
	expect(trees.childrenOf(3)).toEqual([child.neighbour]);
	expect(trees.promisedKbps()).toBe(2500);
});

test('tells its depth to all but the parent, and where it is full', () => {
	const { trees, join } = setup();
	const parent = join({ depths: depths(1) });
	const other = join();
	trees.evaluate(0, undefined);
	trees.parents.onSubscribed(parent.neighbour, 0xff, 0xff, 10);
	const hungry = [join({ wants: 0xff }), join({ wants: 0xff })];
	trees.evaluate(20, undefined);
	expect(hungry.every(({ neighbour }) => neighbour.given !== 0)).toBe(true);
	expect(trees.depthsFor(parent.neighbour, 20)).toEqual(depths(NO_DEPTH));
	expect(trees.depthsFor(other.neighbour, 20)).toEqual(depths(2 + FULL_DEPTH));
});

test('without a parent it is no use to others at once, and keeps its children a moment longer', () => {
	const { trees, join, hear, told } = setup();
	const parent = join({ depths: depths(1) });
	const child = join({ wants: 0xff });
	const other = join();
	trees.evaluate(0, undefined);
	trees.parents.onSubscribed(parent.neighbour, 0xff, 0xff, 10);
	trees.evaluate(20, undefined);
	trees.parents.remove(parent.neighbour);
	parent.neighbour.depths = depths(NO_DEPTH);
	hear(100);
	trees.evaluate(100, undefined);
	expect(trees.depthsFor(other.neighbour, 100)).toEqual(depths(NO_DEPTH));
	expect(told).toContainEqual({ to: child.neighbour, depths: depths(2 + CUT_DEPTH) });
	hear(400);
	told.length = 0;
	trees.evaluate(400, undefined);
	expect(told).toContainEqual({ to: child.neighbour, depths: depths(NO_DEPTH) });
	// What little comes is still passed on to them.
	expect(child.neighbour.given).toBe(0xff);
});

test('tells on at once that nothing comes to its parent, and stays with it', () => {
	const { trees, join, hear, told } = setup();
	const parent = join({ depths: depths(1) });
	const child = join({ wants: 0xff });
	const other = join();
	trees.evaluate(0, undefined);
	trees.parents.onSubscribed(parent.neighbour, 0xff, 0xff, 10);
	trees.evaluate(20, undefined);
	const toChild = () => told.filter(({ to }) => to === child.neighbour);
	told.length = 0;
	parent.neighbour.depths = depths(1 + CUT_DEPTH);
	// What can wait was told a moment ago.
	for (const { neighbour } of [child, other]) neighbour.toldAtMs = 20;
	hear(30);
	trees.evaluate(30, undefined);
	expect(toChild()).toEqual([{ to: child.neighbour, depths: depths(2 + CUT_DEPTH) }]);
	expect(trees.depthsFor(other.neighbour, 30)).toEqual(depths(NO_DEPTH));
	expect(trees.parents.parentOf(0)).toBe(parent.neighbour);
	trees.evaluate(40, undefined);
	expect(toChild()).toHaveLength(1);
	parent.neighbour.depths = depths(1);
	hear(300);
	trees.evaluate(300, undefined);
	expect(toChild().at(-1)?.depths).toEqual(depths(2));
});

test('whoever is asked for places has heard before that nobody else gives them', () => {
	const { trees, join, hear } = setup();
	const parent = join({ depths: depths(1) });
	const next = join({ depths: depths(1 + FULL_DEPTH) });
	trees.evaluate(0, undefined);
	trees.parents.onSubscribed(parent.neighbour, 0xff, 0xff, 10);
	trees.evaluate(20, undefined);
	next.neighbour.toldDepths = depths(2);
	trees.parents.remove(parent.neighbour);
	parent.neighbour.depths = depths(NO_DEPTH);
	hear(30);
	trees.evaluate(30, undefined);
	expect(next.sent).toContainEqual({ type: 'subscribe', substreams: 0xff });
	expect(next.neighbour.toldDepths).toEqual(depths(NO_DEPTH));
});

test('the broadcaster deals to who wants', () => {
	const { trees, join } = setup('broadcaster');
	const viewer = join({ wants: 0xff });
	trees.evaluate(0, undefined);
	expect(viewer.neighbour.given).toBe(0xff);
	expect(trees.depthsFor(viewer.neighbour, 0)).toEqual(depths(NO_DEPTH));
});

test('counts who hangs on it, and tells its parent at once when it stops being a leaf', () => {
	const { trees, told, join, hear } = setup();
	const parent = join({ depths: depths(1) });
	trees.evaluate(0, undefined);
	trees.parents.onSubscribed(parent.neighbour, 0xff, 0xff, 10);
	trees.evaluate(20, undefined);
	expect(trees.branches()).toEqual(new Uint8Array(SUBSTREAMS));
	told.length = 0;
	join({ askedUs: 0x03, wants: 0x03, branches: Uint8Array.of(7, 255, 9, 0, 0, 0, 0, 0) });
	hear(1000);
	trees.evaluate(1000, undefined);
	expect(trees.branches()).toEqual(Uint8Array.of(8, 255, 0, 0, 0, 0, 0, 0));
	expect(told.filter(({ to }) => to === parent.neighbour)).toHaveLength(1);
});

test('are due now and then, and at once when a place was lost lately', () => {
	const { trees, join, hear } = setup();
	const { neighbour: parent } = join({ depths: depths(1) });
	trees.evaluate(0, undefined);
	trees.parents.onSubscribed(parent, 0xff, 0xff, 10);
	hear(10);
	trees.evaluate(10, undefined);
	expect([trees.isDue(250), trees.isDue(300)]).toEqual([false, true]);
	trees.evaluate(700, undefined);
	// The parent fell silent a moment ago.
	expect([trees.isDue(750), trees.isDue(800)]).toEqual([false, true]);
	trees.evaluate(800, undefined);
	expect(trees.isDue(801)).toBe(true);
	trees.evaluate(2900, undefined);
	expect([trees.isDue(2901), trees.isDue(3150)]).toEqual([false, true]);
});
