import { describe, expect, it } from 'vitest';
import type { SignedManifest } from '../model/manifest-delta.ts';
import { asSigned, sampleManifest, sampleRun } from '../testing/signed-manifests.ts';
import { Acceptance } from './acceptance.ts';

const CHANNEL = new Uint8Array(32).fill(3);
const at = (run: readonly SignedManifest[], index: number): SignedManifest =>
	run[index] ?? expect.unreachable('no such manifest');

function gate(run: readonly SignedManifest[] = []) {
	const acceptance = new Acceptance(CHANNEL, 60_000);
	run.forEach((signed, i) => acceptance.judge(signed, i * 500));
	return acceptance;
}

describe('the gate for verified manifests', () => {
	it('follows a broadcast from wherever it came in', () => {
		const run = sampleRun(6);
		const acceptance = gate();
		expect(acceptance.judge(at(run, 3), 0)).toEqual({ type: 'accept', newRun: true });
		expect(acceptance.judge(at(run, 4), 500)).toEqual({ type: 'accept', newRun: false });
		expect(acceptance.judge(at(run, 2), 600)).toEqual({ type: 'accept', newRun: false });
		expect(acceptance.newest?.sequence).toBe(4);
	});

	it('ends the link of who brings another channel', () => {
		const other = asSigned(sampleManifest({ channel: new Uint8Array(32).fill(9) }));
		expect(gate().judge(other, 0)).toEqual({ type: 'reject', why: 'other-channel' });
	});

	it('drops a repetition without blame', () => {
		const run = sampleRun(2);
		expect(gate(run).judge(at(run, 1), 1000)).toEqual({ type: 'ignore', why: 'duplicate' });
	});

	it('drops the replay of an earlier broadcast, and never falls back', () => {
		const old = sampleRun(3);
		const now = sampleRun(3, { epoch: 1_790_000_500_000, session: new Uint8Array(16).fill(2) });
		const acceptance = gate(old);
		expect(acceptance.judge(at(now, 0), 2000)).toEqual({ type: 'accept', newRun: true });
		expect(acceptance.judge(at(old, 2), 2100)).toEqual({ type: 'ignore', why: 'stale' });
		expect(acceptance.newest?.epoch).toBe(1_790_000_500_000);
	});

	it('sees a fork: another manifest for a place that is taken', () => {
		const run = sampleRun(3);
		const rival = asSigned({ ...at(run, 2).manifest, sha256: new Uint8Array(32).fill(99) });
		expect(gate(run).judge(rival, 1100)).toEqual({ type: 'fork' });
	});

	it('sees a fork: a manifest that does not name the one before it', () => {
		const run = sampleRun(3);
		const loose = asSigned({ ...at(run, 2).manifest, previous: new Uint8Array(32).fill(1) });
		expect(gate(run.slice(0, 2)).judge(loose, 1000)).toEqual({ type: 'fork' });
		const misnumbered = asSigned({ ...at(run, 2).manifest, firstPiece: 500 });
		expect(gate(run.slice(0, 2)).judge(misnumbered, 1000)).toEqual({ type: 'fork' });
	});

	it('sees a fork backwards too, when an earlier one comes late', () => {
		const run = sampleRun(3);
		const acceptance = gate([at(run, 0)]);
		expect(acceptance.judge(at(run, 2), 1000).type).toBe('accept');
		const wrong = asSigned({ ...at(run, 1).manifest, title: 'not the one' });
		expect(acceptance.judge(wrong, 1100)).toEqual({ type: 'fork' });
		expect(acceptance.judge(at(run, 1), 1200).type).toBe('accept');
	});

	it('refuses to be wound forward further than time allows', () => {
		const run = sampleRun(300);
		const acceptance = gate(run.slice(0, 2));
		expect(acceptance.judge(at(run, 70), 500)).toEqual({ type: 'reject', why: 'fast-forward' });
		expect(acceptance.judge(at(run, 65), 500).type).toBe('accept');
		// After a minute asleep, twice the minute's segments are possible.
		expect(acceptance.judge(at(run, 200), 60_500).type).toBe('accept');
	});

	it('takes nothing of an epoch after its end, but a new epoch', () => {
		const run = sampleRun(4);
		const last = at(run, 2);
		const end = asSigned({
			...last.manifest,
			status: 'ended',
			length: 0,
			pieceHashes: new Uint8Array(),
			durationUs: 0,
		});
		const acceptance = gate(run.slice(0, 2));
		expect(acceptance.judge(end, 1000).type).toBe('accept');
		expect(acceptance.ended).toBe(true);
		expect(acceptance.judge(at(run, 3), 1500)).toEqual({ type: 'ignore', why: 'ended' });
		const late = gate(run.slice(1, 2));
		expect(late.judge(end, 1000).type).toBe('accept');
		expect(late.judge(at(run, 0), 1500).type).toBe('accept');
		const again = sampleRun(1, { epoch: 1_790_000_900_000 });
		expect(acceptance.judge(at(again, 0), 2000)).toEqual({ type: 'accept', newRun: true });
		expect(acceptance.ended).toBe(false);
	});

	it('drops what lies behind the window', () => {
		const run = sampleRun(200);
		const acceptance = gate([at(run, 190)]);
		expect(acceptance.judge(at(run, 60), 100)).toEqual({ type: 'ignore', why: 'stale' });
		expect(acceptance.judge(at(run, 80), 100).type).toBe('accept');
	});

	it('stays with a session of an epoch until it is silent', () => {
		const mine = sampleRun(3);
		const theirs = sampleRun(9, { session: new Uint8Array(16).fill(7) });
		const acceptance = gate(mine);
		expect(acceptance.judge(at(theirs, 5), 1500)).toEqual({ type: 'fork' });
		expect(acceptance.judge(at(theirs, 8), 9000)).toEqual({ type: 'accept', newRun: true });
	});

	it('follows one of two silent sessions, whichever of them came first', () => {
		const [smaller, larger] = [1, 7].map((id) =>
			sampleRun(2, { session: new Uint8Array(16).fill(id) }),
		) as [SignedManifest[], SignedManifest[]];
		expect(gate(smaller).judge(at(larger, 1), 9000)).toEqual({ type: 'accept', newRun: true });
		expect(gate(larger).judge(at(smaller, 1), 9000)).toEqual({
			type: 'ignore',
			why: 'other-session',
		});
		// One that is further ahead is no tie.
		expect(gate(larger.slice(0, 1)).judge(at(smaller, 1), 9000).type).toBe('accept');
	});

	it('follows nobody where it is the broadcaster’s own: earlier runs are old, all that it did not sign shows another', () => {
		const own = sampleRun(4);
		const acceptance = gate(own.slice(0, 3));
		const judge = (signed: SignedManifest) => acceptance.judgeOthers(signed);
		const sessionOf = (epoch: number) => ({ epoch, session: new Uint8Array(16).fill(2) });
		const { epoch, session } = at(own, 0).manifest;
		const late = gate();
		expect(late.judgeOthers(at(sampleRun(1, sessionOf(epoch + 1)), 0)).type).toBe('ignore');
		expect(late.judge(at(own, 0), 0)).toEqual({ type: 'fork' });
		expect(late.judge(at(own, 1), 500)).toEqual({ type: 'accept', newRun: false });
		expect(judge(at(sampleRun(1, sessionOf(epoch - 1)), 0))).toEqual({
			type: 'ignore',
			why: 'stale',
		});
		expect(judge(at(own, 1))).toEqual({ type: 'ignore', why: 'duplicate' });
		expect(judge(asSigned({ ...at(own, 1).manifest, title: 'not the one' }))).toEqual({
			type: 'fork',
		});
		expect(judge(at(own, 3))).toEqual({ type: 'fork' });
		expect(judge(at(sampleRun(1, sessionOf(epoch)), 0))).toEqual({ type: 'fork' });
		expect(judge(at(sampleRun(1, sessionOf(epoch + 1)), 0))).toEqual({ type: 'fork' });
		const other = asSigned(sampleManifest({ channel: new Uint8Array(32).fill(9) }));
		expect(judge(other)).toEqual({ type: 'reject', why: 'other-channel' });
		expect(acceptance.newest).toMatchObject({ epoch, session, sequence: 2 });
	});

	it('sees another who signs the broadcaster’s channel, whatever number that one is at', () => {
		const own = sampleRun(400);
		const acceptance = gate(own);
		const forgotten = at(own, 0).manifest;
		expect(acceptance.judgeOthers(asSigned(forgotten)).type).toBe('ignore');
		const session = new Uint8Array(16).fill(2);
		expect(acceptance.judgeOthers(asSigned({ ...forgotten, session })).type).toBe('fork');
		const epoch = forgotten.epoch + 1;
		expect(acceptance.judgeOthers(asSigned({ ...forgotten, epoch })).type).toBe('fork');
	});

	it('remembers no more than its window', () => {
		const run = sampleRun(1000);
		const acceptance = gate(run);
		// Long forgotten, so it can't be told from a repetition: it is old, and that is enough.
		expect(acceptance.judge(at(run, 0), 500_000)).toEqual({ type: 'ignore', why: 'stale' });
	});
});
