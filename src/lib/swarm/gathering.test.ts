import { expect, it, vi } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import * as bounds from './bounds.ts';
import { whenGathered } from './gathering.ts';

const STUN = [{ urls: 'stun:stun.example' }];
const TURN = [{ urls: ['stun:stun.example', 'turn:turn.example'] }];

function setUp(iceServers: RTCIceServer[]) {
	const clock = new FakeClock();
	const connection = {
		iceGatheringState: 'gathering',
		onicecandidate: null as ((event: any) => void) | null,
		onicegatheringstatechange: null as (() => void) | null,
	};
	const done = vi.fn();
	const stop = whenGathered(connection as any, clock, iceServers, done);
	const find = (type: string, protocol = 'udp') =>
		connection.onicecandidate?.({
			candidate: { candidate: `candidate:1 1 ${protocol} 1 203.0.113.7 5000 typ ${type}` },
		});
	return { clock, connection, done, stop, find };
}

it('ends when everything is gathered, with or without a null candidate', () => {
	for (const event of ['onicecandidate', 'onicegatheringstatechange'] as const) {
		const { connection, done, clock } = setUp(STUN);
		connection.onicecandidate?.({ candidate: null });
		expect(done).not.toHaveBeenCalled();
		connection.iceGatheringState = 'complete';
		connection[event]?.({ candidate: null });
		expect(done).toHaveBeenCalledOnce();
		expect(clock.pending).toBe(0);
	}
});

it("doesn't wait for TCP candidates where host candidates are all there can be", () => {
	const { clock, done, find } = setUp([]);
	find('host', 'tcp');
	clock.advance(bounds.GATHER_BEST_SETTLE_MS);
	expect(done).not.toHaveBeenCalled();
	find('host');
	clock.advance(bounds.GATHER_BEST_SETTLE_MS);
	expect(done).toHaveBeenCalledOnce();
});

it('waits for what a STUN server can give, but not for ever', () => {
	const quick = setUp(STUN);
	quick.find('host');
	quick.clock.advance(200);
	quick.find('srflx');
	quick.clock.advance(bounds.GATHER_BEST_SETTLE_MS);
	expect(quick.done).toHaveBeenCalledOnce();

	const silent = setUp(STUN);
	silent.find('host');
	silent.clock.advance(bounds.GATHER_LIMIT_MS - 1);
	expect(silent.done).not.toHaveBeenCalled();
	silent.clock.advance(1);
	expect(silent.done).toHaveBeenCalledOnce();
});

it('gives a TURN server longer, unless it was quick', () => {
	const { clock, done, find } = setUp(TURN);
	find('srflx');
	clock.advance(bounds.GATHER_SETTLE_MS - 1);
	expect(done).not.toHaveBeenCalled();
	clock.advance(1);
	expect(done).toHaveBeenCalledOnce();

	const quick = setUp(TURN);
	quick.find('srflx');
	quick.find('relay');
	quick.clock.advance(bounds.GATHER_BEST_SETTLE_MS);
	expect(quick.done).toHaveBeenCalledOnce();
});

it('waits longer for the first candidate, which a description is useless without', () => {
	const late = setUp(TURN);
	late.clock.advance(bounds.GATHER_LIMIT_MS + 100);
	expect(late.done).not.toHaveBeenCalled();
	late.find('host');
	expect(late.done).toHaveBeenCalledOnce();

	const never = setUp([]);
	never.clock.advance(bounds.GATHER_NONE_MS);
	expect(never.done).toHaveBeenCalledOnce();
});

it('calls nobody after it was given up', () => {
	const { clock, connection, done, stop, find } = setUp([]);
	find('host');
	stop();
	clock.advance(60_000);
	expect(connection.onicecandidate).toBeNull();
	expect(done).not.toHaveBeenCalled();
	expect(clock.pending).toBe(0);
});
